"""`sigfw policy check` on rules whose safety rests on what the sender chooses."""

from pathlib import Path

import pytest

from sigfw.policy.lint import lint
from sigfw.policy.loader import load

POLICIES = Path(__file__).parents[2] / "configs" / "policies"
HEAD = """\
schema: 1
name: x
home: {country_code: "44", global_titles: ["4477"]}
operators: [{tadig: DEUXX, country: DE, global_titles: ["49171"], imsi: ["26201"]}]
"""
ALLOWS, DROPS = "exceptions: {default: allow}\n", "exceptions: {default: drop}\n"
ATI = "operation: anyTimeInterrogation"


def findings(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "p.yaml"
    path.write_text(HEAD + text)
    return [line.removeprefix(f"{path}:") for line in lint(load(path))]


def rules(*written: str) -> str:
    return "rules:\n" + "".join(f"  - {{id: r{i}, {one}}}\n" for i, one in enumerate(written))


def deny(when: str, rest: str = "action: drop") -> str:
    return f"when: {{{when}}}, {rest}"


def allow(when: str, rest: str = "") -> str:
    return f"when: {{{when}}}, action: allow{rest}"


@pytest.mark.parametrize(
    "narrowing",
    [
        "called.ssn: hlr",
        "calling.ssn: {not_in: [146]}",
        "calling.np: e164",
        "calling.nai: international",
        "calling.tt: 0",
        "calling.gti: 4",
        "sccp.type: [UDT, XUDT]",
        "tcap.type: begin",
        "tcap.type: {not_in: [unidirectional]}",
        "acn: 0.4.0.0.1.0.29.3",
        "map_version: 3",
        "opcode_form: local",
        "opcode: 0.4.0.0.71",
        "component_count: 1",
        "encapsulation: m3ua",
        "check: acn_does_not_fit_operation",
        "check: {all: [ssn_does_not_fit_application, imsi_is_home]}",
    ],
)
def test_deny_of_a_meaning_in_one_encoding_is_told(tmp_path: Path, narrowing: str) -> None:
    (found,) = findings(tmp_path, ALLOWS + rules(deny(f"{ATI}, {narrowing}")))
    assert found.startswith("7: the deny r0 asks for `")
    assert found.endswith("the same in another encoding passes it; leave that out, or add a deny rule without it")


@pytest.mark.parametrize(
    "when",
    [
        ATI,
        "opcode: 71",
        "opcode_form: global",
        "perimeter: international, calling.np: e212",
        "component: invoke, check: acn_does_not_fit_operation",
        f"{ATI}, tcap.type: [begin, unidirectional]",
        f"{ATI}, check: [acn_does_not_fit_operation, imsi_is_home]",
        f"{ATI}, sms.pid: 0x7f, check: imsi_missing",
    ],
)
def test_deny_of_a_meaning_or_of_an_encoding_is_not_told(tmp_path: Path, when: str) -> None:
    assert findings(tmp_path, ALLOWS + rules(deny(when))) == []


@pytest.mark.parametrize(
    ("wide", "told"),
    [
        (deny("operation: [sendRoutingInfo, anyTimeInterrogation]"), 0),
        (deny(f"{ATI}, perimeter: international"), 0),
        (deny("calling.gt: '4917'"), 0),
        (deny("perimeter: [international, national]"), 0),
        (deny("operation: sendRoutingInfo"), 1),
        (deny(f"{ATI}, calling.operator: DEUXX"), 1),
        (deny(f"{ATI}, check: imsi_is_home"), 1),
        (deny(ATI, "action: reject"), 1),
        (deny(ATI, "action: drop, mode: shadow"), 1),
        (deny(f"{ATI}, tcap.type: begin"), 2),
        (deny(f"{ATI}, imsi: {{not_in: ['26201']}}"), 1),
    ],
)
def test_narrow_deny_is_not_told_where_a_wider_one_stands(tmp_path: Path, wide: str, told: int) -> None:
    narrow = deny(f"{ATI}, perimeter: international, calling.gt: '49171', calling.ssn: 147")
    found = findings(tmp_path, ALLOWS + rules(narrow, wide))
    assert len([line for line in found if " asks for " in line]) == told


def test_narrow_deny_is_not_told_where_the_default_denies_it(tmp_path: Path) -> None:
    narrow = deny(f"{ATI}, calling.ssn: 147")
    assert findings(tmp_path, DROPS + rules(narrow, allow("operation: updateLocation", ", category: a"))) == []
    for lets_in in ("operation: [updateLocation, anyTimeInterrogation]", "calling.gt: {in: home}"):
        assert len(findings(tmp_path, DROPS + rules(narrow, allow(lets_in, ", category: a")))) == 1


@pytest.mark.parametrize(
    "when", ["calling.ssn: hlr", "acn: 0.4.0.0.1.0.20.3", "tcap.type: [begin, end]", "map_version: {not_in: [1]}"]
)
def test_allow_that_rests_on_an_encoding_is_told(tmp_path: Path, when: str) -> None:
    (found,) = findings(tmp_path, DROPS + rules(allow(f"operation: sendRoutingInfoForSM, {when}")))
    assert found.startswith("7: the allow r0 rests on `")
    assert "keeps out nobody who writes so; decide by operation" in found


@pytest.mark.parametrize(
    "when",
    ["tcap.type: [continue, end]", "tcap.type: {not_in: [begin, unidirectional]}", "component_count: 0", "opcode: 45"],
)
def test_allow_that_rests_on_the_dialogue_or_on_nothing_inside_is_not_told(tmp_path: Path, when: str) -> None:
    assert findings(tmp_path, DROPS + rules(allow(when))) == []


def test_allow_without_effect_is_not_told(tmp_path: Path) -> None:
    exception = allow(f"{ATI}, calling.ssn: 147")
    other = deny("operation: sendIMSI")
    assert findings(tmp_path, ALLOWS + rules(exception, other)) == []
    elsewhere = deny(ATI, "category: other, action: drop")
    assert findings(tmp_path, ALLOWS + rules(exception, other, elsewhere)) == []
    assert len(findings(tmp_path, ALLOWS + rules(exception, deny(ATI)))) == 1


@pytest.mark.parametrize("mode", ["shadow", "off"])
def test_rule_that_is_not_enforced_is_not_told(tmp_path: Path, mode: str) -> None:
    narrow = deny(f"{ATI}, calling.ssn: 147", f"action: drop, mode: {mode}, alert: true")
    other = deny("operation: sendIMSI")
    assert findings(tmp_path, ALLOWS + rules(narrow, allow("tcap.type: begin", f", mode: {mode}"), other)) == []


def test_exception_laxer_than_the_default_is_told(tmp_path: Path) -> None:
    text = "exceptions:\n  default: {international: drop, else: allow}\n  malformed: allow\n" + rules(deny(ATI))
    assert findings(tmp_path, text) == [
        "7: `malformed` allows what `default` denies (international): whoever breaks a message gets in; "
        "make it as strict as `default`"
    ]
    assert findings(tmp_path, text.replace("drop, else", "allow, else")) == []
    assert findings(tmp_path, text.replace("malformed", "not_tcap")) == []


SHIPPED = sorted({*POLICIES.glob("*.yaml")} - {*POLICIES.glob("*.tests.yaml")})


@pytest.mark.parametrize("policy", SHIPPED, ids=lambda path: path.name)
def test_shipped_policy_is_clean(policy: Path) -> None:
    assert lint(load(policy)) == []


# rules that never match, lists, what stands open, state ---------------------------------------------------------------


def told(tmp_path: Path, text: str) -> str:
    (found,) = findings(tmp_path, text)
    return found


def test_rule_that_contradicts_itself_is_told_with_why(tmp_path: Path) -> None:
    assert told(tmp_path, ALLOWS + rules(deny("operation: initialDP, application: map"))) == (
        "7: rule r0 never matches: `operation` names none of the application map; "
        "mend the condition, or remove the rule"
    )
    assert findings(tmp_path, ALLOWS + rules(deny("operation: initialDP, application: [map, cap]"))) == []


@pytest.mark.parametrize(
    ("first", "later", "why"),
    [
        (deny(""), deny(ATI), "matches every message"),
        (deny(ATI), deny(ATI), "has its conditions"),
        (deny(f"{ATI}, perimeter: [national, international]"), deny(f"{ATI}, perimeter: national"), "all that it"),
        (deny(ATI), allow(ATI), "has its conditions"),
        (deny(ATI), deny(f"{ATI}, imsi: '26201'", "action: drop, mode: shadow"), "matches all that it matches"),
    ],
)
def test_rule_behind_a_wider_one_is_told(tmp_path: Path, first: str, later: str, why: str) -> None:
    found = told(tmp_path, ALLOWS + rules(first, later))
    assert found.startswith("8: rule r1 is never reached: r0 of the category general ")
    assert why in found
    assert found.endswith(":7); put it before, or into another category, or remove it")
    assert findings(tmp_path, ALLOWS + rules(later, deny("operation: sendIMSI"))) == []


def test_rule_behind_one_in_shadow_is_not_told(tmp_path: Path) -> None:
    assert findings(tmp_path, ALLOWS + rules(deny(ATI, "action: drop, mode: shadow"), deny(ATI))) == []


def test_final_allow_is_told_with_the_deny_rules_that_it_hides(tmp_path: Path) -> None:
    final = allow("operation: [updateLocation, anyTimeInterrogation], calling.gt: '49'", ", final: true")
    hidden, apart = deny(ATI, "category: a, action: drop"), deny("operation: sendIMSI, calling.gt: '44'")
    assert told(tmp_path, ALLOWS + rules(final, hidden, apart)) == (
        "7: `final` on the allow r0 hides the later deny rules of every category, r1; "
        "narrow those rules by not_in instead"
    )
    assert "none of which stands there today; remove it" in told(tmp_path, ALLOWS + rules(final, apart))


def test_list_that_no_rule_names_is_told(tmp_path: Path) -> None:
    lists = "lists:\n  used: {kind: gt, entries: ['9994']}\n  idle: {kind: imsi, entries: ['99942']}\n"
    text = ALLOWS + lists + rules(deny("calling.gt: {in: used}"))
    assert told(tmp_path, text) == "8: the list idle is named by no rule; name it, or remove it"
    hubs = text.replace("kind: imsi", "kind: gt") + "checks: {sms_origin_mismatch: {hubs: idle}}\n"
    assert findings(tmp_path, hubs) == []
    assert findings(tmp_path, "exceptions: {default: drop}\n" + lists) == []  # to be included


def test_list_without_entries_is_told_where_something_must_be_in_it(tmp_path: Path) -> None:
    lists = "lists:\n  empty: {kind: gt, entries: []}\n"
    assert "which holds nothing" in told(tmp_path, ALLOWS + lists + rules(deny("calling.gt: {in: empty}")))
    assert findings(tmp_path, ALLOWS + lists + rules(deny("calling.gt: {not_in: empty}"))) == []


def test_perimeter_where_nothing_denies_is_told(tmp_path: Path) -> None:
    internal = deny(f"{ATI}, perimeter: internal")
    assert told(tmp_path, ALLOWS + rules(internal)) == (
        "5: `default` allows on the perimeter international, and no rule denies there: all goes on; "
        "write deny rules, or deny by default and allow what is needed"
    )
    links = "links: [{name: l, match: {ni: 2}, perimeter: national}]\n"
    assert "perimeter national" in told(tmp_path, ALLOWS + links + rules(deny(f"{ATI}, perimeter: international")))
    assert findings(tmp_path, DROPS + rules(internal)) == []
    assert findings(tmp_path, ALLOWS + rules(deny(ATI, "action: drop, mode: shadow"))) == []


def test_category_that_only_allows_what_the_default_allows_is_told(tmp_path: Path) -> None:
    idle = rules(deny("operation: sendIMSI"), allow(ATI, ", category: partners"))
    assert told(tmp_path, ALLOWS + idle).startswith(
        "8: the category partners only allows, and so does `default`: it decides nothing; "
    )
    assert findings(tmp_path, DROPS + idle) == []
    for rest in (", category: a, alert: true", ", category: a, mode: off"):
        assert findings(tmp_path, ALLOWS + rules(deny("operation: sendIMSI"), allow(ATI, rest))) == []
    assert findings(tmp_path, ALLOWS + rules(deny("operation: sendIMSI"), allow("opcode: 200", ", category: a"))) == []


INTERNAL = "links: [{name: own, match: {opc: 1}, perimeter: internal}]\n"


@pytest.mark.parametrize(
    ("written", "rest", "why"),
    [
        ("check: rate_exceeded", "", "no limit is written: it is never true"),
        (
            "check: rate_exceeded",
            "checks: {rate_exceeded: {limits: [{by: calling.gt, per_second: 1, burst: 1}]}}\n",
            "",
        ),
        (
            "check: target_scanned",
            "checks: {target_scanned: {subscribers_per_caller: 0, callers_per_subscriber: 0}}\n",
            "both its numbers are 0",
        ),
        ("check: target_scanned", "", ""),
        ("check: dialogue_unknown", "", "add a link of the perimeter internal, or write `mode: shadow`"),
        ("check: dialogue_unknown", INTERNAL, ""),
        ("check: location_implausible", "", "add `perimeter: international`"),
        ("check: location_implausible, perimeter: international", "", ""),
        ("check: sms_origin_mismatch", "", ""),
    ],
)
def test_check_on_state_without_what_it_goes_by_is_told(tmp_path: Path, written: str, rest: str, why: str) -> None:
    found = findings(tmp_path, ALLOWS + rest + rules(deny(written)))
    assert len(found) == bool(why)
    assert why in "".join(found)
    shadow = findings(tmp_path, ALLOWS + rest + rules(deny(written, "action: drop, mode: shadow")))
    assert len(shadow) == ("never true" in why or "are 0" in why)
