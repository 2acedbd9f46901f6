"""Each sentence of the order of decision, on messages written down by hand."""

from typing import Any

import pytest

from sigfw import names
from sigfw._core import probe
from sigfw.policy.compiler import compile_policy
from sigfw.policy.model import Home, Link, Operator
from tests.unit import rule_reference as reference
from tests.unit.rule_reference import VOCABULARY

SEGMENT_HELD, SEGMENT_FINAL, SEGMENT_FAILED, SEGMENT_ORPHAN = 1, 2, 3, 4


def judge(rules: list[Any], message: dict[str, Any], **rest: Any) -> dict[str, Any]:
    """Rules as (id, action, when, …) in a policy that allows what no rule matched."""
    context = {one: rest.pop(one) for one in ("perimeter", "topic", "modes", "data", "trace") if one in rest}
    exceptions = {"default": "allow"} | rest.pop("exceptions", {})
    policy = reference.make_policy(rules, exceptions=exceptions, **rest)
    found = probe.judge(compile_policy(policy, VOCABULARY), message, **context)
    rule = policy.rules[found["rule"] - 1].id if found["rule"] else ""
    action, reason, number = found["shadow"]
    return found | {
        "verdict": (names.ACTIONS[found["action"]], names.REASONS[found["reason"]], rule),
        "shadow": (names.ACTIONS[action], names.REASONS[reason], number) if action else None,
        "direction": names.DIRECTIONS[found["direction"]],
        "perimeter": names.PERIMETERS[found["perimeter"]],
    }


def rule(rule_id: str, action: str, when: Any = None, category: str = "c", **rest: Any) -> Any:
    return reference.make_rule(rule_id, action=action, when=when, category=category, **rest)


ANSWERED: dict[str, Any] = {"return_on_error": 1, "calling": {"ssn": 8}}
UPDATE, ATI = {"readings": [1], "opcode": 2}, {"readings": [2], "opcode": 71}
UNKNOWN = {"opcode": 200}
IMSI, HOME_GT = names.NUMBER_KINDS.index("imsi"), "447700900123"
WORLD: dict[str, Any] = {
    "home": Home(country_code="44", global_titles=("4477009",), imsi=("23415",), e214=("447701",), point_codes=(100,)),
    "operators": (
        Operator(tadig="DEUXX", country="DE", global_titles=("49171",), imsi=("26201",)),
        Operator(tadig="FRAXX", country="FR", global_titles=("336",), imsi=("20801",)),
    ),
}


def gt(digits: str, **rest: Any) -> dict[str, Any]:
    return {"gt": digits, "np": 1, "nai": 4, "gti": 4, **rest}


# order of decision ----------------------------------------------------------------------------------------------------


def test_first_rule_of_a_category_decides_and_hides_no_other_category() -> None:
    rules = [rule("a", "allow"), rule("b", "drop"), rule("c", "reject", category="d"), rule("e", "drop", category="d")]
    found = judge(rules, ANSWERED)
    assert found["verdict"] == ("reject", "rule", "c")
    assert found["category"] == 2
    assert found["rules"] == {1: 1, 3: 1}


def test_worst_action_wins_and_ties_go_to_the_lowest_component_then_the_first_rule() -> None:
    rules = [
        rule("late", "drop", {"operation": "anyTimeInterrogation"}),
        rule("early", "drop", {"operation": "updateLocation"}, "d"),
        rule("same", "drop", {"operation": "updateLocation"}, "e"),
    ]
    found = judge(rules, {"components": [UPDATE, ATI]})
    assert (found["verdict"], found["component"]) == (("drop", "rule", "early"), 0)
    rules[1:] = [rule("early", "redirect", {"operation": "updateLocation"}, "d", redirect="447700900999")]
    found = judge(rules, {"components": [UPDATE, ATI]})
    assert (found["verdict"], found["component"]) == (("drop", "rule", "late"), 1)
    found = judge(rules, {"components": [UPDATE, UPDATE]})
    assert (found["verdict"], found["component"], found["redirect"]) == (("redirect", "rule", "early"), 0, 1)


def test_final_allow_hides_later_rules_of_its_component_alone_and_never_an_exception() -> None:
    rules = [rule("yes", "allow", {"operation": "updateLocation"}, final=True), rule("no", "drop", category="d")]
    assert judge(rules, {"components": [UPDATE]})["verdict"] == ("allow", "rule", "yes")
    assert judge(rules, {"components": [UPDATE, ATI]})["verdict"] == ("drop", "rule", "no")
    malformed = {"components": [UPDATE], "exceptions": reference.EX["malformed"]}
    assert judge(rules, malformed)["verdict"] == ("drop", "malformed", "")
    hidden = [
        rule("first", "allow"),
        rules[0],
        rules[1],
    ]  # not the first of its category: decides nothing, hides nothing
    assert judge(hidden, {"components": [UPDATE]})["verdict"] == ("drop", "rule", "no")


def test_every_reading_is_judged_and_the_worst_counts() -> None:
    both = {"components": [{"readings": [5, 6], "opcode": 55}]}  # cap:activityTest, map:activityTest
    allow = [rule("cap", "allow", {"operation": "cap:activityTest"})]
    assert judge(allow, both, exceptions={"default": "drop"})["verdict"] == ("drop", "default", "")
    allow.append(rule("map", "drop", {"operation": "map:activityTest"}))
    assert judge(allow, both)["verdict"] == ("drop", "rule", "map")
    assert judge([rule("any", "allow", {"operation": "activityTest"})], both)["verdict"] == ("allow", "rule", "any")


@pytest.mark.parametrize(("action", "expected"), [("drop", ("drop", "rule")), ("allow", ("allow", "default"))])
def test_one_of_two_identities_is_enough_to_deny_and_not_to_allow(action: str, expected: tuple[str, str]) -> None:
    numbers = [{"kind": IMSI, "digits": one} for one in ("234151234567890", "262011234567890")]
    when = {"imsi": {"in": "home"}}
    assert judge([rule("r", action, when)], {"numbers": numbers}, **WORLD)["verdict"][:2] == expected
    assert judge([rule("r", action, when)], {"numbers": numbers[:1]}, **WORLD)["verdict"][:2] == (action, "rule")


@pytest.mark.parametrize(
    ("when", "component", "expected"),
    [
        ({"operation": "updateLocation"}, UPDATE, 1),
        ({"operation": "updateLocation"}, UPDATE | {"type": 2}, 0),
        ({"operation": {"not_in": ["initialDP"]}}, UPDATE | {"type": 2}, 0),
        ({"operation": "updateLocation", "component": "returnResultLast"}, UPDATE | {"type": 2}, 1),
        ({"opcode": 2}, UPDATE | {"type": 2}, 1),
        ({"application": "map"}, UPDATE | {"type": 2}, 1),
    ],
)
def test_operation_alone_means_invokes_unless_component_says_otherwise(
    when: Any, component: dict[str, Any], expected: int
) -> None:
    assert judge([rule("r", "drop", when)], {"components": [component]})["rule"] == expected


def test_dialogue_without_components_has_the_application_of_its_context() -> None:
    cap = {"tcap": 2, "acn_application": 2}
    assert judge([rule("r", "drop", {"application": "cap"})], cap)["rule"] == 1
    assert judge([rule("r", "drop", {"application": "map"})], cap)["rule"] == 0
    assert judge([rule("r", "drop", {"application": ["map", "cap"]})], {"tcap": 2})["rule"] == 0


def test_missing_field_is_in_nothing_and_in_no_list() -> None:
    for without in (["262"], "home"):
        assert judge([rule("r", "drop", {"imsi": {"not_in": without}})], {}, **WORLD)["verdict"][2] == "r"
        assert judge([rule("r", "drop", {"imsi": {"in": without}})], {}, **WORLD)["verdict"][2] == ""
        both = {"in": ["2"], "not_in": without}
        assert judge([rule("r", "drop", {"imsi": both})], {}, **WORLD)["verdict"][2] == ""


@pytest.mark.parametrize("field", ["ni", "sls"])
def test_point_codes_of_headers_bring_neither_ni_nor_sls(field: str) -> None:
    for from_headers, expected in ((0, 1), (1, 0)):
        message = {"opc": 100, "mtp_from_headers": from_headers}
        assert judge([rule("r", "drop", {field: 0})], message)["rule"] == expected


def test_limits_of_rules_and_categories_are_reached_without_mixing_them() -> None:
    rules = [rule(f"r{i}", "allow", {"calling.ssn": 8}, f"c{i % 16}") for i in range(1023)]
    rules.append(rule("last", "drop", {"opcode": 71}, "c15"))
    found = judge(rules, {"components": [ATI]})
    assert (found["verdict"], found["category"], found["rules"]) == (("drop", "rule", "last"), 16, {1024: 1})
    rules = [rule(f"r{i}", "drop" if i == 15 else "allow", None, f"c{i}") for i in range(16)]
    found = judge(rules, {})
    assert (found["verdict"][2], found["category"], len(found["rules"])) == ("r15", 16, 16)


# several values, several components -----------------------------------------------------------------------------------

REDIRECT_GERMANS = {"imsi": ["262"]}


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        (["OURS"], ("drop", "rule", "all")),
        (["GERMAN"], ("redirect", "rule", "german")),
        (["OURS", "GERMAN"], ("drop", "rule", "all")),  # a second IMSI makes no redirect of a drop
        (["GERMAN", "GERMAN"], ("redirect", "rule", "german")),
    ],
)
def test_deny_rule_that_holds_for_some_values_hides_no_rule_behind_it(
    numbers: list[str], expected: tuple[str, str, str]
) -> None:
    rules = [rule("german", "redirect", REDIRECT_GERMANS, redirect="447700900999"), rule("all", "drop")]
    message = {"numbers": [{"OURS": OURS, "GERMAN": GERMAN}[one] for one in numbers]}
    assert judge(rules, message, **WORLD)["verdict"] == expected


def test_deny_rule_that_holds_for_some_values_hides_no_default() -> None:
    rules = [rule("german", "redirect", REDIRECT_GERMANS, redirect="447700900999")]
    drop = {"default": "drop"}
    assert judge(rules, {"numbers": [GERMAN]}, exceptions=drop, **WORLD)["verdict"][0] == "redirect"
    assert judge(rules, {"numbers": [OURS, GERMAN]}, exceptions=drop, **WORLD)["verdict"][0] == "drop"
    rules = [rule("german", "redirect", checks=("imsi_is_foreign",), redirect="447700900999")]
    assert judge(rules, {"numbers": [GERMAN]}, exceptions=drop, **WORLD)["verdict"][0] == "redirect"
    assert judge(rules, {"numbers": [OURS, GERMAN]}, exceptions=drop, **WORLD)["verdict"][0] == "drop"


def test_component_is_not_lent_the_imsi_of_its_company() -> None:
    alone, beside = [UPDATE], [UPDATE, UPDATE]
    in_second, in_dialogue = GERMAN | {"origin": 1}, GERMAN | {"origin": -1}
    deny = [rule("deny", "drop", {"imsi": {"not_in": ["262"]}})]
    allow = [rule("allow", "allow", {"imsi": ["262"]})]
    foreign = [rule("allow", "allow", checks=("imsi_is_foreign",))]
    for components, number, denied in (
        (alone, GERMAN, False),
        (beside, in_dialogue, False),
        (beside, in_second, True),
    ):
        message = {"components": components, "numbers": [number]}
        assert (judge(deny, message, **WORLD)["verdict"][2] == "deny") is denied
        for rules in (allow, foreign):
            verdict = judge(rules, message, exceptions={"default": "drop"}, **WORLD)["verdict"]
            assert verdict[0] == ("drop" if denied else "allow")


def test_calling_gt_that_may_be_ours_does_not_hide_that_a_message_comes_in() -> None:
    inbound = [rule("in", "drop", {"direction": "inbound"})]
    home = {"home": reference.Home(country_code="44", global_titles=("4477009",))}
    called = gt(HOME_GT)
    unknown = {"gt": "7700900123", "nai": 0}  # +7 700 900 123, or ours without its country code
    assert judge(inbound, {"called": called, "calling": unknown}, **home)["verdict"][2] == "in"
    assert judge(inbound, {"called": called, "calling": gt(HOME_GT)}, **home)["verdict"][2] == ""
    allow, drop = [rule("in", "allow", {"direction": "inbound"})], {"default": "drop"}
    assert judge(allow, {"called": called, "calling": unknown}, exceptions=drop, **home)["verdict"][2] == ""
    assert judge(allow, {"called": called, "calling": gt("336")}, exceptions=drop, **home)["verdict"][2] == "in"


# exceptions -----------------------------------------------------------------------------------------------------------


def test_exceptions_take_part_beside_rules_and_default_only_alone() -> None:
    unusable = {"calling": gt("a1")}
    drop_default = {"default": "drop", "unusable_gt": "allow"}
    assert judge([], unusable, exceptions=drop_default)["verdict"] == ("allow", "unusable_gt", "")
    assert judge([], {}, exceptions=drop_default)["verdict"] == ("drop", "default", "")
    assert judge([rule("r", "allow")], {}, exceptions=drop_default)["verdict"] == ("allow", "rule", "r")
    assert judge([rule("r", "allow")], unusable)["verdict"] == ("drop", "unusable_gt", "")
    found = judge([rule("r", "drop")], unusable)
    assert (found["verdict"], found["applied"]) == (("drop", "rule", "r"), {(1, names.ACTIONS.index("drop")): 1})


def test_exception_has_an_action_for_each_perimeter() -> None:
    expired = {"international": "drop", "national": "reject", "internal": "allow"}
    for perimeter, action in enumerate(("drop", "reject", "allow"), 1):
        message = {"expired": 1} | ANSWERED
        found = judge([], message, exceptions={"expired": expired}, perimeter=perimeter)
        assert found["verdict"] == (action, "expired", "")
        assert found["return_cause"] == (7 if action == "reject" else 0)


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (None, ("drop", "unknown_operation")),
        ({"opcode": 71}, ("drop", "unknown_operation")),
        ({"opcode": 200}, ("allow", "rule")),
        ({"opcode": {"in": [200], "not_in": [71]}}, ("allow", "rule")),
        ({"opcode": {"not_in": [71]}}, ("drop", "unknown_operation")),
    ],
)
def test_unknown_operation_stands_unless_a_rule_names_the_opcode(when: Any, expected: tuple[str, str]) -> None:
    assert judge([rule("r", "allow", when)], {"components": [UNKNOWN]})["verdict"][:2] == expected


def test_unknown_opcode_of_a_result_is_no_unknown_operation() -> None:
    assert judge([], {"components": [UNKNOWN | {"type": 2}]})["verdict"] == ("allow", "default", "")


def test_rule_that_names_the_opcode_counts_only_in_force() -> None:
    off = [rule("r", "allow", {"opcode": 200}, mode="off")]
    assert judge(off, {"components": [UNKNOWN]})["verdict"] == ("drop", "unknown_operation", "")
    shadow = judge([rule("r", "allow", {"opcode": 200}, mode="shadow")], {"components": [UNKNOWN]})
    assert (shadow["verdict"], shadow["shadow"]) == (("drop", "unknown_operation", ""), ("allow", "rule", 1))


@pytest.mark.parametrize(
    "message",
    [{"return_on_error": 0}, {"type": 0x0A}, {"type": 0x12}, {"segmented": 1, "segment_first": 0}, {"calling": {}}],
)
def test_reject_where_no_reply_may_go_is_a_drop(message: dict[str, Any]) -> None:
    found = judge([rule("r", "reject")], ANSWERED | message)
    assert (found["verdict"], found["return_cause"]) == (("drop", "reject_not_permitted", "r"), 0)
    assert judge([rule("r", "reject", return_cause=1)], ANSWERED)["return_cause"] == 1


# modes ----------------------------------------------------------------------------------------------------------------


def test_shadow_rule_never_stops_default_and_off_is_nothing() -> None:
    rules = [rule("s", "allow", mode="shadow"), rule("o", "drop", mode="off")]
    found = judge(rules, {}, exceptions={"default": "drop"})
    assert (found["verdict"], found["shadow"]) == (("drop", "default", ""), ("allow", "rule", 1))


def test_shadow_rule_is_judged_beside_the_others_in_its_category() -> None:
    rules = [rule("s", "allow", mode="shadow"), rule("d", "drop")]
    assert judge(rules, {})["shadow"] == ("allow", "rule", 1)
    found = judge(rules[::-1], {})
    assert (found["verdict"], found["shadow"]) == (("drop", "rule", "d"), None)


def test_mode_of_the_perimeter_decides_what_becomes_of_the_verdict() -> None:
    rules, modes = [rule("d", "drop", alert=True)], (0, 2, 3, 1)
    monitor = judge(rules, {}, modes=modes, perimeter=1)
    assert (monitor["verdict"], monitor["shadow"]) == (("allow", "monitor", ""), ("drop", "rule", 1))
    assert monitor["alert"]
    bypass = judge(rules, {}, modes=modes, perimeter=2)
    assert (bypass["verdict"], bypass["shadow"], bypass["rules"]) == (("allow", "bypass", ""), None, {})
    assert judge(rules, {}, modes=modes, perimeter=3)["verdict"] == ("drop", "rule", "d")


# perimeter and direction ----------------------------------------------------------------------------------------------

LINK = Link(name="a", perimeter="national", topics=("t1",), ni=(2,), opc=(100,))


@pytest.mark.parametrize(
    ("message", "given", "perimeter", "link", "conflicts"),
    [
        ({}, {}, "international", 0, 0),
        ({"header_perimeter": 3}, {}, "internal", 0, 0),
        ({"header_perimeter": 3}, {"perimeter": 2}, "national", 0, 0),
        ({"opc": 100, "ni": 2}, {"topic": "t1", "perimeter": 3}, "national", 1, 0),
        ({"opc": 100, "ni": 2, "header_perimeter": 2}, {"topic": "t1"}, "national", 1, 0),
        ({"opc": 100, "ni": 2, "header_perimeter": 3}, {"topic": "t1"}, "international", 1, 1),
        ({"opc": 100, "ni": 0}, {"topic": "t1", "perimeter": 3}, "internal", 0, 0),
        ({"opc": 101, "ni": 2}, {"topic": "t1"}, "international", 0, 0),
        ({"opc": 100, "mtp_from_headers": 1}, {"topic": "t0"}, "internal", 2, 0),
        ({"opc": 100, "ni": 2}, {}, "international", 0, 0),
        ({}, {"topic": "t1"}, "international", 0, 0),
    ],
)
def test_perimeter_is_the_links_else_the_topics_else_the_headers(
    message: dict[str, Any], given: dict[str, Any], perimeter: str, link: int, conflicts: int
) -> None:
    by_ni = Link(name="ni", perimeter="national", topics=("t0",), ni=(0,))  # headers bring point codes alone
    headers = Link(name="headers", perimeter="internal", topics=("t0",), opc=(100,))
    found = judge([], message, links=(LINK, headers) if given.get("topic") != "t0" else (by_ni, headers), **given)
    assert (found["perimeter"], found["link"], found["conflicts"]) == (perimeter, link, conflicts)


@pytest.mark.parametrize(
    ("called", "calling", "expected"),
    [
        (gt(HOME_GT), gt("491711"), "inbound"),
        (gt("491711"), gt(HOME_GT), "outbound"),
        (gt("491711"), gt("336"), "transit"),
        (gt(HOME_GT), gt(HOME_GT), "unknown"),
        (gt(HOME_GT), {}, "inbound"),
        (gt("491711"), {}, "unknown"),
        (gt("447701", np=7), gt("23415", np=6), "unknown"),  # home in E.214 and E.212
        (gt("447701"), gt("336"), "transit"),  # the E.214 prefix is no E.164 one
        ({"pc": 100}, {"pc": 300}, "inbound"),
        ({}, {}, "unknown"),
    ],
)
def test_direction_goes_by_home(called: dict[str, Any], calling: dict[str, Any], expected: str) -> None:
    assert judge([], {"called": called, "calling": calling}, **WORLD)["direction"] == expected


# checks ---------------------------------------------------------------------------------------------------------------


def imsi(digits: str) -> dict[str, Any]:
    return {"kind": IMSI, "digits": digits}


def node(digits: str) -> dict[str, Any]:
    return {"kind": 6, "digits": digits, "role": reference.NODE_BIT}


OURS, GERMAN, FRENCH = imsi("234151234567890"), imsi("262011234567890"), imsi("208011234567890")
MISFITS = {"acn_misfit": 1, "ssn_misfit": 1, "imsi_missing": 1}


@pytest.mark.parametrize(
    ("check", "message", "outcome"),
    [
        ("imsi_is_home", {"numbers": [GERMAN, OURS]}, 1),
        ("imsi_is_home", {"numbers": [GERMAN]}, 0),
        ("imsi_is_home", {}, 2),
        ("imsi_is_foreign", {"numbers": [OURS, GERMAN]}, 1),
        ("imsi_is_foreign", {"numbers": [OURS]}, 0),
        ("imsi_is_foreign", {}, 2),
        ("calling_operator_is_not_imsi_home", {"calling": gt("49171"), "numbers": [FRENCH]}, 1),
        ("calling_operator_is_not_imsi_home", {"calling": gt("49171"), "numbers": [GERMAN]}, 0),
        ("calling_operator_is_not_imsi_home", {"calling": gt("1999"), "numbers": [GERMAN]}, 2),
        ("calling_operator_is_not_imsi_home", {"calling": gt("49171"), "numbers": [GERMAN, FRENCH]}, 1),
        ("calling_operator_unknown", {"calling": gt("1999")}, 1),
        ("calling_operator_unknown", {}, 1),
        ("calling_operator_unknown", {"calling": gt("49171")}, 0),
        ("calling_operator_is_not_map_node", {"calling": gt("49171"), "numbers": [node("336")]}, 1),
        ("calling_operator_is_not_map_node", {"calling": gt("1999"), "numbers": [node("336")]}, 1),
        ("calling_operator_is_not_map_node", {"calling": gt("336"), "numbers": [node("336")]}, 0),
        ("calling_operator_is_not_map_node", {"calling": gt("336")}, 2),
        ("called_is_not_home", {"called": gt("336")}, 1),
        ("called_is_not_home", {"called": gt(HOME_GT)}, 0),
        ("called_is_not_home", {"called": {"ssn": 6}}, 2),
        ("called_is_not_home", {"called": {"ssn": 6, "pc": 100}}, 0),
        ("called_is_not_home", {"called": {"ssn": 6, "pc": 300}}, 1),
        ("called_is_not_home", {"called": {"ssn": 6}, "opc": 1, "dpc": 300}, 1),
        *((one, {"components": [UPDATE | MISFITS]}, 1) for one in ("imsi_missing", "acn_does_not_fit_operation")),
        *((one, {"components": [UPDATE]}, 0) for one in ("imsi_missing", "ssn_does_not_fit_application")),
        *((one, {"components": [UNKNOWN]}, 2) for one in ("imsi_missing", "acn_does_not_fit_operation")),
        ("ssn_does_not_fit_application", {"components": [UPDATE | MISFITS]}, 1),
        *((one, {}, 2) for one in names.CHECKS[names.FIRST_STATE_CHECK :]),
    ],
)
def test_check_is_true_false_or_unknown(check: str, message: dict[str, Any], outcome: int) -> None:
    exceptions = {"unknown_operation": "allow"}
    found = judge([rule("r", "drop", checks=(check,))], message, exceptions=exceptions, **WORLD)
    assert (found["checks"], found["rule"]) == ({(names.CHECKS.index(check), outcome): 1}, int(outcome == 1))


def test_check_runs_only_where_the_rest_of_its_rule_holds() -> None:
    found = judge([rule("r", "drop", {"calling.ssn": 6}, checks=("calling_operator_unknown",))], {})
    assert (found["checks"], found["rule"]) == ({}, 0)


def test_list_of_checks_wants_any_of_them_and_all_every_one() -> None:
    checks = ("imsi_is_home", "calling_operator_unknown")
    message = {"numbers": [OURS], "calling": gt("49171")}
    for every, expected in ((False, 1), (True, 0)):
        assert judge([rule("r", "drop", checks=checks, checks_all=every)], message, **WORLD)["rule"] == expected
    assert judge([rule("r", "drop", checks=checks, checks_all=True)], {"numbers": [OURS]}, **WORLD)["rule"] == 1


# segments -------------------------------------------------------------------------------------------------------------

BY_SCCP, BY_MAP = {"calling.gt": ["336"]}, {"operation": "updateLocation"}


def judge_segment(rules: list[Any], state: int = SEGMENT_HELD, **rest: Any) -> tuple[str, str, str]:
    message = {"type": 0x11, "segmented": 1, "segment_first": 1, "return_on_error": 1} | {
        one: gt("336") for one in ("called", "calling")
    }
    found = judge(rules, message | {"segment_state": state} | rest.pop("message", {}), **rest)
    return found["verdict"]  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([], ("hold", "segment_held", "")),
        ([rule("s", "drop", BY_SCCP)], ("drop", "rule", "s")),
        ([rule("s", "reject", BY_SCCP)], ("reject", "rule", "s")),
        ([rule("s", "redirect", BY_SCCP, redirect="447700900999")], ("hold", "segment_held", "")),
        ([rule("s", "drop", checks=("called_is_not_home",))], ("drop", "rule", "s")),
        ([rule("m", "drop", BY_MAP)], ("hold", "segment_held", "")),
        ([rule("m", "drop", {"operation": {"not_in": ["updateLocation"]}})], ("hold", "segment_held", "")),
        ([rule("s", "allow", BY_SCCP), rule("d", "drop", BY_SCCP)], ("hold", "segment_held", "")),
        ([rule("m", "allow", BY_MAP), rule("s", "drop", BY_SCCP)], ("hold", "segment_held", "")),  # may come first
        ([rule("m", "allow", BY_MAP), rule("s", "drop", BY_SCCP, "d")], ("drop", "rule", "s")),
        ([rule("m", "allow", BY_MAP, final=True), rule("s", "drop", BY_SCCP, "d")], ("hold", "segment_held", "")),
        (  # if the first does not match the second hides the third
            [rule("m", "allow", BY_MAP), rule("f", "allow", BY_SCCP, final=True), rule("s", "drop", BY_SCCP, "d")],
            ("hold", "segment_held", ""),
        ),
        (  # the first decides its category: the second never does
            [rule("a", "allow", BY_SCCP), rule("f", "allow", BY_SCCP, final=True), rule("s", "drop", BY_SCCP, "d")],
            ("drop", "rule", "s"),
        ),
        ([rule("m", "drop", BY_MAP), rule("s", "drop", BY_SCCP)], ("drop", "rule", "s")),  # a drop either way
        ([rule("m", "allow", BY_MAP | {"calling.gt": ["49"]}), rule("s", "drop", BY_SCCP)], ("drop", "rule", "s")),
    ],
)
def test_segment_is_denied_at_once_only_where_nothing_unseen_could_allow_it(
    rules: list[Any], expected: tuple[str, str, str]
) -> None:
    assert judge_segment(rules, exceptions={"default": "drop"}, **WORLD) == expected


def test_segment_but_the_first_is_never_rejected() -> None:
    rules = [rule("s", "reject", BY_SCCP)]
    assert judge_segment(rules, message={"segment_first": 0}) == ("drop", "reject_not_permitted", "s")
    assert judge_segment(rules, SEGMENT_FINAL, message={"segment_first": 0}) == ("reject", "rule", "s")


def test_exception_of_a_segment_counts_at_once() -> None:
    assert judge_segment([], message={"called": gt("a1")}) == ("drop", "unusable_gt", "")
    held = judge_segment([], message={"called": gt("a1")}, exceptions={"unusable_gt": "allow"})
    assert held == ("hold", "segment_held", "")


@pytest.mark.parametrize(
    ("state", "reason"), [(SEGMENT_FAILED, "reassembly_failed"), (SEGMENT_ORPHAN, "reassembly_orphan")]
)
def test_segment_of_what_cannot_be_whole_goes_by_its_exception(state: int, reason: str) -> None:
    assert judge_segment([], state) == ("drop", reason, "")
    allow = {"reassembly_timeout": "allow"}
    assert judge_segment([], state, exceptions=allow) == ("allow", reason, "")
    assert judge_segment([rule("s", "drop", BY_SCCP)], state, exceptions=allow) == ("drop", "rule", "s")
