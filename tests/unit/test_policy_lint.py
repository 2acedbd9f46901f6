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
    assert findings(tmp_path, ALLOWS + rules(exception)) == []
    assert findings(tmp_path, ALLOWS + rules(exception, deny("operation: sendIMSI"))) == []
    assert findings(tmp_path, ALLOWS + rules(exception, deny(ATI, "category: other, action: drop"))) == []
    assert len(findings(tmp_path, ALLOWS + rules(exception, deny(ATI)))) == 1


@pytest.mark.parametrize("mode", ["shadow", "off"])
def test_rule_that_is_not_enforced_is_not_told(tmp_path: Path, mode: str) -> None:
    narrow = deny(f"{ATI}, calling.ssn: 147", f"action: drop, mode: {mode}, alert: true")
    assert findings(tmp_path, ALLOWS + rules(narrow, allow("tcap.type: begin", f", mode: {mode}"))) == []


def test_exception_laxer_than_the_default_is_told(tmp_path: Path) -> None:
    text = "exceptions:\n  default: {international: drop, else: allow}\n  malformed: allow\n" + rules(deny(ATI))
    assert findings(tmp_path, text) == [
        "7: `malformed` allows what `default` denies (international): whoever breaks a message gets in; "
        "make it as strict as `default`"
    ]
    assert findings(tmp_path, text.replace("drop, else", "allow, else")) == []
    assert findings(tmp_path, text.replace("malformed", "not_tcap")) == []


@pytest.mark.parametrize("policy", sorted(POLICIES.glob("*.yaml")), ids=lambda path: path.name)
def test_shipped_policy_is_clean(policy: Path) -> None:
    assert lint(load(policy)) == []
