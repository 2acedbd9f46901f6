"""`sigfw policy import sigfw-json`: every key of SigFW's file is mapped or named, its holes are told, it loads."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from sigfw.errors import ConfigError
from sigfw.policy import sigfw_json
from sigfw.policy.compiler import compile_policy
from sigfw.policy.lint import lint
from sigfw.policy.loader import load
from sigfw.policy.sigfw_json import import_sigfw_json
from tests.unit.test_cli import sigfw

EXAMPLE = Path(__file__).parent / "import" / "ss7fw.json"  # of our own, in the form of SigFW's
RULES = "sigfw_configuration.firewall_rules"


def imported(tmp_path: Path, *changes: tuple[str, Any]) -> tuple[str, dict[str, Any], list[str]]:
    """The text, what it says, and what lint says. changes: (dotted key, value; None: without it)."""
    content = json.loads(EXAMPLE.read_text())
    for key, value in changes:
        *above, last = key.split(".")
        inner = content
        for one in above:
            inner = inner[one]
        if value is None:
            del inner[last]
        else:
            inner[last] = copy.deepcopy(value)
    path = tmp_path / "ss7fw.json"
    path.write_text(json.dumps(content, indent=1) if changes else EXAMPLE.read_text())
    text = import_sigfw_json(path)
    (tmp_path / "p.yaml").write_text(text)
    policy = load(tmp_path / "p.yaml")
    compile_policy(policy)
    return text, yaml.safe_load(text), lint(policy)


def rules(found: dict[str, Any]) -> dict[str, Any]:
    return {one["id"]: one for one in found["rules"]}


def told(text: str) -> str:
    """The comments as one line each."""
    return " ".join(
        line.strip().removeprefix("#").strip() for line in text.splitlines() if line.strip().startswith("#")
    )


def test_every_key_of_the_example_is_mapped_or_named(tmp_path: Path) -> None:
    text, found, findings = imported(tmp_path)
    assert findings == []
    assert (found["home"]["global_titles"], found["home"]["imsi"]) == (["4477009"], ["00101"])
    assert found["lists"]["calling-gt-allowed"]["entries"] == ["4917139200"]
    assert found["lists"]["calling-gt-blocked"]["entries"] == ["99942", "491713920098", "491713920099"]
    by_id = rules(found)
    assert list(by_id) == [
        *("sigfw-allowed", "sigfw-blocked", "sigfw-acn", "sigfw-cat1", "sigfw-cat2", "sigfw-cat2-imsi-missing"),
        *("sigfw-lua-1", "sigfw-lua-2", "sigfw-lua-4"),
    ]
    assert by_id["sigfw-blocked"]["action"] == {"redirect": "447700900777"}
    assert {"anyTimeInterrogation", "sendRoutingInfo", "sendIMSI", "mt-forwardSM"} <= {
        *by_id["sigfw-cat1"]["when"]["operation"]
    }
    assert by_id["sigfw-cat2"]["when"]["operation"][:2] == ["cancelLocation", "insertSubscriberData"]
    assert by_id["sigfw-lua-2"]["when"] == {
        "perimeter": "international", "calling.gt": "99942", "operation": ["processUnstructuredSS-Request"],
    }  # fmt: skip
    names = ["FW_GT", "sctp", "m3ua", "ids", "mthreat", "encryption_rules", "signature_rules"]
    for name in (*names, "new_checks.anything (line 33)", "dnat_session_expiration_timeout"):
        assert f"{name}:" in text, name
    for left_out in ('"0" (line 4)', '"001"', '"*"', '"9*9"', '"abc"', "rule 3", "rule 5", "rule 6"):
        assert left_out in told(text), left_out


def test_holes_of_sigfw_are_told_where_they_apply(tmp_path: Path) -> None:
    parts = {part.split("\n")[0]: part for part in imported(tmp_path)[0].split("  - id: ")}
    order = list(parts.values())
    assert "a hit skipped every later check" in told(order[0])
    assert "knows no longest prefix" in told(order[0])
    assert "an Invoke in a Begin without an ACN was dropped" in told(parts["sigfw-blocked"])
    assert "opcodes know no application" in told(parts["sigfw-acn"])
    assert "CAP's, which go on now: assistRequestInstructions" in told(parts["sigfw-acn"])
    assert "asked a Begin alone" in told(parts["sigfw-cat1"])
    assert "reads no IMSI, so that they always went on: 37, 200" in told(parts["sigfw-cat1"])
    assert "In SigFW they went on without an IMSI" in told(parts["sigfw-cat2"])
    assert "the opcode of the last Invoke" in told(parts["sigfw-cat2-imsi-missing"])


@pytest.mark.parametrize(
    ("policy", "action", "mode"),
    [
        ("DROP_SILENTLY", "drop", None),
        ("DROP_WITH_SCCP_ERROR", "reject", None),
        ("DNAT_TO_HONEYPOT", {"redirect": "447700900777"}, None),
        ("ALLOW", "drop", "shadow"),
        ("drop\n  - {id: forged}", "drop", None),
    ],
)
def test_firewall_policy_is_the_action_of_every_deny_rule(tmp_path: Path, policy: str, action: Any, mode: Any) -> None:
    _, found, findings = imported(tmp_path, (f"{RULES}.firewall_policy", policy))
    denies = [one for name, one in rules(found).items() if name not in ("sigfw-allowed", "sigfw-cat2-imsi-missing")]
    assert {(str(one["action"]), one.get("mode")) for one in denies} == {(str(action), mode)}
    assert findings == []


def test_honeypot_without_a_usable_gt_is_a_drop_that_says_so(tmp_path: Path) -> None:
    for gt in ("", "0044", "x"):
        text, found, _ = imported(tmp_path, (f"{RULES}.honeypot.sccp_gt", gt or "-"))
        assert rules(found)["sigfw-blocked"]["action"] == "drop"
        assert "what would be redirected is dropped" in told(text)


@pytest.mark.parametrize(
    "changes",
    [
        [(f"{RULES}.sccp.calling_gt_blacklist", [])],
        [(f"{RULES}.sccp.calling_gt_whitelist", [])],
        [(f"{RULES}.tcap.oc_blacklist", []), (f"{RULES}.map.cat2_oc_blacklist", [])],
        [(f"{RULES}.lua", None), (f"{RULES}.honeypot", None), (f"{RULES}.map", None)],
        [("operator_configuration", None)],
        [("operator_configuration.Home_IMSI_prefixes", ["0"])],
        [(f"{RULES}.lua.blacklist_rules", ["tcap_oc == '71'"] * 3)],
        [(f"{RULES}", {})],
    ],
)
def test_what_is_not_there_leaves_a_policy_that_loads(tmp_path: Path, changes: list[tuple[str, Any]]) -> None:
    _, _, findings = imported(tmp_path, *changes)
    assert findings == []


def test_credentials_and_keys_are_not_printed(tmp_path: Path) -> None:
    assert "secret" in EXAMPLE.read_text()
    assert "secret" not in imported(tmp_path)[0]


def test_text_of_the_file_never_leaves_its_comment(tmp_path: Path) -> None:
    forged = "x\n  - {id: forged, when: {}, action: allow}\r\u2028\x85 y"
    lists = ("sccp.calling_gt_whitelist", "sccp.calling_gt_blacklist", "tcap.oc_blacklist", "lua.blacklist_rules")
    _, found, _ = imported(
        tmp_path,
        *((f"{RULES}.{one}", [forged]) for one in lists),
        (f"{RULES}.honeypot.sccp_gt", forged),
        (f"{RULES}.new", {forged: 1}),
    )
    assert list(rules(found)) == ["sigfw-acn", "sigfw-cat2", "sigfw-cat2-imsi-missing"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", ":1: is no JSON here"),
        ('{\n"a": 1,\n}', ":3: is no JSON here"),
        ("{'a': 1}", ":1: is no JSON here"),
        ("[1]", ":1: the file is a list"),
        ('{"a": 1}', ":1: has no sigfw_configuration.firewall_rules"),
        ('{"sigfw_configuration": {"firewall_rules": {"diameter": {}}}}', "SigFW's configuration for Diameter"),
        ('{"sigfw_configuration": {"firewall_rules": {}},\n"sigfw_configuration": 2}', ":2: "),
        ('{"sigfw_configuration":\n{"firewall_rules": {"tcap":\n{"oc_blacklist": "71"}}}}', ":3: sigfw_configuration."),
        ("[" * 100_000, "nests too deep"),
        ('{"a": ' * 40 + "1" + "}" * 40, "nests deeper"),
        ("\x00\x01", ":1: is no JSON here"),
    ],
)
def test_what_is_no_such_file_is_one_line_with_its_place(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "ss7fw.json"
    path.write_text(content)
    with pytest.raises(ConfigError) as caught:
        import_sigfw_json(path)
    assert len(caught.value.mistakes) == 1
    assert caught.value.mistakes[0].startswith(f"{path}:")
    assert said in caught.value.mistakes[0]


def test_huge_file_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sigfw_json, "MAX_OCTETS", 1 << 20)
    path = tmp_path / "ss7fw.json"
    path.write_bytes(b" " * ((1 << 20) + 1))
    with pytest.raises(ConfigError, match="larger than 1 MB"):
        import_sigfw_json(path)


@pytest.mark.parametrize(("path", "status"), [("tests/unit/import/ss7fw.json", 0), ("none.json", 2), ("tests", 2)])
def test_command_prints_the_policy_or_one_line(path: str, status: int) -> None:
    done = sigfw("policy", "import", "sigfw-json", path)
    assert done.returncode == status
    assert len(done.stderr.splitlines()) == (1 if status else 0)
    assert bool(done.stdout) == (not status)
