"""Rules that no message can reach: they contradict themselves, or an earlier rule decides all that they match.

Only what is certain is told; what cannot be decided here (two lists, several values of one field) is taken for
reachable. tests/unit/test_policy_reach.py holds every claim against a brute-force evaluator.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from sigfw import names
from sigfw.policy import schema
from sigfw.policy.model import Condition, Operand, Policy, Rule, Scalar

__all__ = ["covering", "never"]

PARTY: Final = ("ssn", "np", "nai", "tt", "gti", "pc", "absent")
# Of these a message, a component, or a reading of it has one value at most.
SINGLE: Final = frozenset(
    (
        *("perimeter", "link", "encapsulation", "ni", "opc", "dpc", "sls", "sccp.type", "return_cause"),
        *("management.type", "tcap.type", "acn", "application", "operation", "opcode_form", "map_version"),
        *("component", "component_count", "sms.pid", "sms.dcs"),
        *(f"{side}.{one}" for side in ("called", "calling") for one in PARTY),
    )
)
SINGLE_CHECKS: Final = frozenset(("imsi_missing", "acn_does_not_fit_operation", "ssn_does_not_fit_application"))
OF_COMPONENT: Final = ("component", "operation", "opcode", "opcode_form")
OF_ADDRESS: Final = ("gt", "ssn", "pc", "np", "nai", "tt", "operator", "country")  # that an absent one lacks
OF_GT: Final = ("gt", "np", "nai", "tt", "operator", "country")  # that an address without a GT lacks
STATE_CHECKS: Final = frozenset(names.CHECKS[names.FIRST_STATE_CHECK :])
INVOKE: Final = Condition(field="component", within=Operand(values=("invoke",)))


# -- contradictions ----------------------------------------------------------------------------------------------------


def never(policy: Policy, rule: Rule) -> Iterator[str]:
    """Why the conditions of a rule can never all hold; nothing where they can, as far as is known."""
    asked = {one.field: one for one in rule.when}
    for one in rule.when:
        if one.within is None:
            continue
        if is_empty(policy, one.within, one.field):
            yield f"`{one.field}` is asked to be in {said(one.within)}, which holds nothing"
        elif one.without is not None and inside(policy, one.field, one.within, one.without):
            yield f"`{one.field}` is asked to be in {said(one.within)} and not in {said(one.without)}"
    if (encapsulations := values(asked, "encapsulation")) is not None and encapsulations <= {"pcap"}:
        yield "`encapsulation` is never pcap: what counts is what lay in the capture"
    yield from _components(asked)
    for side in ("called", "calling"):
        yield from _address(asked, side)
    yield from _links(policy, asked)


def _components(asked: dict[str, Condition]) -> Iterator[str]:
    operations, applications = values(asked, "operation"), values(asked, "application")
    if operations and applications:
        of = {app for app, _, name, _ in names.OPERATIONS for one in operations if one in (name, f"{app}:{name}")}
        if not of & applications:
            yield f"`operation` names none of the application {_words(applications)}"
    counts = values(asked, "component_count")
    if counts == {0}:
        wants = [field for field in OF_COMPONENT if field in asked and asked[field].within is not None]
        if wants or "operation" in asked:
            yield f"`component_count` is asked to be 0, and `{[*wants, 'operation'][0]}` is a component's"


def _address(asked: dict[str, Condition], side: str) -> Iterator[str]:
    for field, empty, lacks in (("absent", True, OF_ADDRESS), ("gti", 0, OF_GT)):
        if values(asked, f"{side}.{field}") != {empty}:
            continue
        for one in lacks:
            if f"{side}.{one}" in asked and asked[f"{side}.{one}"].within is not None:
                yield f"`{side}.{field}` is asked to be {str(empty).lower()}, and `{side}.{one}` to be there"


def _links(policy: Policy, asked: dict[str, Condition]) -> Iterator[str]:
    reached, open_ = [], True  # links that can match; whether a message may match none
    for link in policy.links:
        reached.append(link)
        if not (link.topics or link.ni or link.opc or link.dpc):
            open_ = False
            break
    wanted = values(asked, "link")
    if wanted is not None:
        reached = [link for link in reached if link.name in wanted]
        if not reached:
            yield f"`link` {_words(wanted)} stands behind a link that matches everything"
            return
    elif open_:
        return
    # A header that says otherwise makes it international.
    perimeters = values(asked, "perimeter")
    possible = {"international", *(link.perimeter for link in reached)}
    if perimeters is not None and not perimeters & possible:
        yield f"no link that may match gives the perimeter {_words(perimeters)}"
    for field in ("ni", "opc", "dpc"):
        codes = values(asked, field)
        given = [getattr(link, field) for link in reached]
        if codes is not None and wanted is not None and all(of and not codes & set(of) for of in given):
            yield f"`link` {_words(wanted)} has another `{field}` than {_words(codes)}"


def values(asked: dict[str, Condition], field: str) -> set[Scalar] | None:
    """The values with which the condition may hold; None: any."""
    one = asked.get(field)
    if one is None or one.within is None or one.within.list is not None:
        return None
    return set(one.within.values) - set(one.without.values if one.without else ())


def _words(some: Iterable[Scalar]) -> str:
    return " or ".join(sorted(map(str, some)))


def said(operand: Operand) -> str:
    return f"the list {operand.list}" if operand.list else ", ".join(map(str, operand.values[:3]))


def is_empty(policy: Policy, operand: Operand, field: str) -> bool:
    if operand.list is None:
        return not operand.values
    home = policy.home
    if operand.list == "hosted_abroad":
        return not home.hosted_abroad
    if operand.list == "home":
        known = schema.field(field)
        kinds = known.lists if known else ()
        own = (*home.imsi, *home.e214, *home.global_titles, *(home.msisdn if kinds != ("imsi",) else ()))
        return not (home.imsi if kinds == ("imsi",) else own)
    return all(entry.exclude for entry in policy.lists[operand.list].entries)


# -- rules that others decide ------------------------------------------------------------------------------------------


def covering(policy: Policy, rule: Rule, earlier: Iterable[Rule]) -> Rule | None:
    """The earlier rule of its category that decides whatever `rule` matches, if there is one."""
    for one in earlier:
        if one.category == rule.category and one.mode in ("enforce", rule.mode) and _decides(policy, one, rule):
            return one
    return None


def _decides(policy: Policy, first: Rule, rule: Rule) -> bool:
    if STATE_CHECKS & set(first.checks):  # what it says changes from message to message
        return False
    if _names_opcode(rule) and not _names_opcode(first):  # that, matched, is what `unknown_operation` asks for
        return False
    if not _settles(first, rule):
        return False
    narrow = {one.field: one for one in _effective(rule)}
    implied = all(_implied(policy, narrow.get(one.field), one) for one in _effective(first))
    return implied and _checks_implied(rule, first)


def _settles(first: Rule, rule: Rule) -> bool:
    """Whether `first` decides for the category if it matches all values that `rule` matches.

    A deny rule that matches some of several values leaves the later ones in force, an allow wants them all.
    """
    if rule.action == "allow":
        return True
    single = all(one.field in SINGLE for one in first.when) and set(first.checks) <= SINGLE_CHECKS
    if single:
        return True
    worse = names.ACTIONS.index(first.action) >= names.ACTIONS.index(rule.action)
    return first.action != "allow" and worse and (first.alert or not rule.alert)


def _names_opcode(rule: Rule) -> bool:
    return any(one.field == "opcode" and one.within is not None for one in rule.when)


def _effective(rule: Rule) -> tuple[Condition, ...]:
    """With what `operation` alone asks for as well."""
    fields = {one.field for one in rule.when}
    return (*rule.when, INVOKE) if "operation" in fields and "component" not in fields else rule.when


def _implied(policy: Policy, narrow: Condition | None, wide: Condition) -> bool:
    """Whether a value, or the lack of one, with which `narrow` holds makes `wide` hold."""
    if narrow is None:
        return False
    if narrow == wide:
        return True
    if wide.within is not None and not (
        narrow.within is not None and inside(policy, wide.field, narrow.within, wide.within)
    ):
        return False
    if wide.without is None:
        return True
    if narrow.without is not None and inside(policy, wide.field, wide.without, narrow.without):
        return True
    return narrow.within is not None and _apart(wide.field, narrow.within, wide.without)


def _checks_implied(rule: Rule, first: Rule) -> bool:
    if not first.checks:
        return True
    narrow, wide = set(rule.checks), set(first.checks)
    if not narrow:
        return False
    if first.checks_all and len(wide) > 1:
        return rule.checks_all and wide <= narrow
    return bool(narrow & wide) if rule.checks_all else narrow <= wide


def inside(policy: Policy, field: str, narrow: Operand, wide: Operand) -> bool:
    """Whether every value of the one is one of the other."""
    if narrow.list is not None and narrow.list == wide.list:
        return True
    if wide.list is not None:
        return False
    if narrow.list is not None:
        numbers = policy.lists.get(narrow.list)  # `home` is another list in every numbering plan
        if numbers is None:
            return False
        some: Iterable[Scalar] = (entry.prefix for entry in numbers.entries if not entry.exclude)
    else:
        some = narrow.values
    digits = _is_digits(field)
    if digits:
        prefixes = tuple(str(one) for one in wide.values)
        return all(str(one).startswith(prefixes) for one in some)
    return all(_among(field, one, wide.values) for one in some)


def _among(field: str, one: Scalar, values: Iterable[Scalar]) -> bool:
    same = any(one == other and type(one) is type(other) for other in values)
    return same or (field == "operation" and str(one).rpartition(":")[2] in values)


def _apart(field: str, a: Operand, b: Operand) -> bool:
    """Whether no value is one of both."""
    if a.list is not None or b.list is not None or field == "operation":
        return False
    if _is_digits(field):
        return not any(str(x).startswith(str(y)) or str(y).startswith(str(x)) for x in a.values for y in b.values)
    return not set(a.values) & set(b.values)


def _is_digits(field: str) -> bool:
    known = schema.field(field)
    return known is not None and known.kind == "digits"
