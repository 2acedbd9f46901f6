"""sigfw policy test: the shipped policies keep their cases; what fails is told so that one can act on it."""

import gzip
import re
import shlex
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result

from sigfw.cli import cli, run
from sigfw.policy.loader import load
from sigfw.trial.cases import beside

ROOT = Path(__file__).parents[2]
POLICIES = ROOT / "configs" / "policies"
SHIPPED = sorted({*POLICIES.glob("*.yaml")} - {*POLICIES.glob("*.tests.yaml")})
POLICY = """
schema: 1
name: small
home: {country_code: "44", global_titles: ["4477009"], imsi: ["00101"], e214: ["4477009"]}
operators: [{tadig: DEUXX, country: DE, global_titles: ["4917139200"], imsi: ["00102"]}]
links:
  - {name: west, match: {topic: ss7.west, opc: 7}, perimeter: national}
  - {name: east, match: {ni: 2, opc: 7, dpc: 9}, perimeter: internal}
exceptions: {default: allow}
rules:
  - {id: locate, category: cat1, when: {perimeter: international, operation: anyTimeInterrogation}, action: drop}
  - {id: foreign, category: cat3, when: {operation: updateLocation, check: imsi_is_foreign}, action: drop, mode: shadow}
  - {id: unused, category: cat3, when: {operation: purgeMS}, action: drop}
  - {id: asleep, category: cat3, when: {operation: reset}, action: drop, mode: "off"}
"""
ATI = "{operation: anyTimeInterrogation, calling: '491713920012'}"


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(POLICY)
    return path


def tried(policy: Path, cases: str, *options: str) -> Result:
    beside(policy).write_text(f"schema: 1\ncases:\n{cases}\n")
    return command("test", str(policy), *options)


def command(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["policy", *arguments])


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_policy_keeps_its_cases_and_they_show_every_rule(path: Path) -> None:
    done = command("test", str(path), "--require-coverage")
    assert done.exit_code == 0, done.output
    assert done.output.startswith(f"{path}: ok: ")


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_operation_of_a_shipped_policy_stands_in_its_cases(path: Path) -> None:
    conditions = [c for rule in load(path).rules for c in rule.when if c.field == "operation" and c.within]
    named = {value for c in conditions if c.within for value in c.within.values}
    assert named - set(re.findall(r"\boperation: ([\w-]+)", beside(path).read_text())) == set()


def test_cases_that_come_as_expected_are_counted_and_rules_not_shown_are_named(policy: Path) -> None:
    done = tried(policy, f"  - {{name: a, message: {ATI}, expect: {{action: drop, rule: locate, category: cat1}}}}")
    assert done.exit_code == 0
    assert done.output.splitlines() == [
        f"{policy}:11: rule locate: no message that goes on comes near it: one that fails a single condition",
        f"{policy}:12: rule foreign: matches in no case",
        f"{policy}:13: rule unused: matches in no case",
        f"{policy}: ok: 1 cases, 1 messages; 0 of 3 rules shown both ways",
    ]
    assert tried(policy, f"  - {{name: a, message: {ATI}, expect: drop}}", "--require-coverage").exit_code == 1


def test_failure_says_what_came_why_and_how_to_see_it(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = tried(policy, f"  - name: asked by a friend\n    message: {ATI}\n    expect: {{action: allow, rule: }}")
    assert done.exit_code == 1
    failed, expected, why, message, see, *_ = done.output.splitlines()
    assert failed == f"{beside(policy)}:3: failed: asked by a friend"
    assert expected == "    expected action allow, rule none; came action drop, rule locate"
    assert why == "    drop by rule locate (cat1), perimeter international"
    assert message == "    UDT 491713920012/147 → 447700900000/6 begin anyTimeInterrogation"
    assert done.output.splitlines()[-1].startswith(f"{policy}: 1 of 1 cases failed, ")
    assert run(shlex.split(see.removeprefix("    see: sigfw "))) == 0
    assert capsys.readouterr().out.startswith("DROP  rule locate, cat1 ")


@pytest.mark.parametrize(
    ("expect", "status"),
    [
        ("drop", 0),
        ("allow", 1),
        ("{reason: rule}", 0),
        ("{reason: default}", 1),
        ("{rule: unused}", 1),
        ("{category: cat3}", 1),
        ("{shadow: }", 0),
        ("{shadow: foreign}", 1),
    ],
)
def test_each_expectation_is_held_to(policy: Path, expect: str, status: int) -> None:
    assert tried(policy, f"  - {{name: a, message: {ATI}, expect: {expect}}}").exit_code == status


@pytest.mark.parametrize(
    ("shadow", "status"),
    [("foreign", 0), ("{action: drop}", 0), ("{action: drop, reason: rule}", 0), ("{action: reject}", 1), ("", 1)],
)
def test_shadow_is_held_to(policy: Path, shadow: str, status: int) -> None:
    update = "{operation: updateLocation, calling: '491713920012', imsi: '001020000000001'}"
    done = tried(policy, f"  - {{name: a, message: {update}, expect: {{action: allow, shadow: {shadow}}}}}")
    assert done.exit_code == status, done.output
    assert "foreign: matches" not in done.output  # what a shadow rule decides counts


@pytest.mark.parametrize(
    ("given", "perimeter"),
    [
        ("perimeter: national", "national"),
        ("link: west", "national"),
        ("link: east", "internal"),
        ("topic: ss7.west, opc: 7", "national"),
        ("ni: 2, opc: 7, dpc: 9", "internal"),
        ("perimeter: internal, ni: 0, opc: 7, dpc: 9", "internal"),
        ("opc: 3, dpc: 9", "international"),
    ],
)
def test_perimeter_is_that_of_link_or_case(policy: Path, given: str, perimeter: str) -> None:
    done = tried(policy, f"  - {{name: a, message: {ATI}, {given}, expect: {{shadow: }}}}", "--format", "jsonl")
    assert orjson.loads(done.output)["perimeter"] == perimeter


def test_link_that_another_takes_first_is_told(policy: Path) -> None:
    policy.write_text(POLICY.replace("links:", "links:\n  - {name: all, match: {}, perimeter: national}"))
    done = tried(policy, f"  - {{name: a, message: {ATI}, link: west, expect: drop}}")
    assert (done.exit_code, done.output) == (
        2,
        f"{beside(policy)}:3: all matches before west; say topic, opc, dpc, ni as well\n",
    )


def test_service_modes_can_be_tried(policy: Path) -> None:
    cases = [
        f"  - {{name: a, message: {ATI}, mode: monitor, expect: {{action: allow, reason: monitor, shadow: locate}}}}",
        f"  - {{name: b, message: {ATI}, mode: bypass, expect: {{action: allow, reason: bypass}}}}",
    ]
    assert tried(policy, "\n".join(cases)).exit_code == 0


def test_octets_and_frames_of_captures_are_judged(policy: Path, tmp_path: Path) -> None:
    done = tried(policy, f"  - {{name: a, message: {ATI}, expect: drop}}", "--format", "jsonl")
    octets = orjson.loads(done.output)["octets"]
    (tmp_path / "two.hex").write_text(f"# nothing\n0900\n{octets}\n")
    corpus = gzip.decompress((ROOT / "configs" / "demo" / "corpus.pcap.gz").read_bytes())
    (tmp_path / "corpus.pcap").write_bytes(corpus[:100_000])
    cases = [
        f"  - {{name: a, hex: '{octets}', expect: {{rule: locate}}}}",
        f"  - {{name: b, hex: '83 c9400290{octets}', encapsulation: mtp3, expect: {{rule: locate}}}}",
        "  - {name: c, capture: two.hex#3, expect: {rule: locate}}",
        "  - {name: d, capture: two.hex#2.0, expect: {reason: malformed}}",
        "  - {name: e, capture: corpus.pcap#170.1, expect: {rule: locate}}",
    ]
    assert tried(policy, "\n".join(cases)).exit_code == 0
    assert tried(policy, "  - {name: f, capture: two.hex#9, expect: drop}").exit_code == 2
    failed = tried(policy, "  - {name: e, capture: corpus.pcap#170.1, expect: allow}")
    assert f"    see: sigfw explain {tmp_path}/corpus.pcap#170.1 --policy {policy}" in failed.output


def test_what_cannot_be_framed_is_judged_too(policy: Path) -> None:
    done = tried(policy, "  - {name: a, hex: '0102', encapsulation: m3ua, expect: allow}")
    assert done.exit_code == 1
    assert "nothing to explain: the octets hold no SCCP message" in done.output


def test_steps_share_what_is_remembered_and_their_times(policy: Path) -> None:
    policy.write_text(
        POLICY + "  - {id: flood, category: rate, when: {operation: sendRoutingInfoForSM, check: rate_exceeded}, "
        "action: drop}\nchecks: {rate_exceeded: {limits: [{by: calling.gt, per_second: 1, burst: 5}]}}\n"
    )
    asked = "{operation: sendRoutingInfoForSM, calling: '491713920012', msisdn: '447700900100'}"
    steps = [
        f"{{message: {asked}, repeat: 5, vary: msisdn, expect: allow}}",
        f"{{message: {asked}, expect: {{action: drop, rule: flood}}}}",
        f"{{message: {asked}, after: 1m, expect: allow}}",
    ]
    assert tried(policy, f"  - {{name: a, steps: [{', '.join(steps)}]}}").output.splitlines()[-1] == (
        f"{policy}: ok: 1 cases, 3 messages; 1 of 4 rules shown both ways"
    )
    failed = tried(policy, f"  - {{name: a, steps: [{steps[0]}, {{message: {asked}, expect: allow}}]}}").output
    assert f"{beside(policy)}:3: failed: a, step 2" in failed
    assert "(without what came before it)" in failed


BAD = """schema: 2
defaults: {colour: red}
cases:
  - {name: a, message: {operation: updateLocatoin, calling: "49"}, expect: allow}
  - {name: b, hex: "09zz", expect: {rule: nosuch, action: permit}}
  - {name: c, hex: "0980"}
  - {name: d, hex: "09", message: {tcap: end}, expect: drop}
  - {name: e, capture: "no.pcap#1", expect: drop}
  - {name: f, expect: drop, steps: [{after: 5 minutes, hex: "09"}]}
  - {name: g, link: nowhere, hex: "09", expect: {}}
  - {name: h, steps: [{hex: "09", repeat: 2, expect: drop}]}
  - {name: a, hex: "09", expect: drop}
  - {name: i, hex: "09", encapsulation: mtp3, opc: 3, expect: drop}
  - {name: j, message: {tcap: end, calling: "49"}, variant: ansi, expect: drop}
"""


def test_every_mistake_is_told_at_once(policy: Path) -> None:
    beside(policy).write_text(BAD)
    done = command("test", str(policy))
    assert done.exit_code == 2
    lines = done.output.splitlines()
    assert [line.removeprefix(f"{beside(policy)}:").split(":")[0] for line in lines] == [
        *("1", "2", "4", "5", "5", "5", "6", "7", "7", "8", "9", "9", "10", "10", "11", "12", "13", "14"),
    ]


@pytest.mark.parametrize("content", ["", "schema: 1\ncases: []\n", "- 1\n", "schema: 1\n", "a: [", "\0"])
def test_file_without_cases_is_one_mistake(policy: Path, content: str) -> None:
    beside(policy).write_text(content)
    done = command("test", str(policy))
    assert done.exit_code == 2
    assert done.output.startswith(f"{beside(policy)}:")


def test_cases_may_stand_elsewhere_and_a_bad_policy_does_not_stop_the_next(policy: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(f"schema: 1\ncases: [{{name: a, message: {ATI}, expect: drop}}]\n")
    assert command("test", str(policy)).output == (
        f"{beside(policy)}: there are no cases; write them there, or name a file by --cases\n"
    )
    done = command("test", str(tmp_path / "none.yaml"), str(policy), "--cases", str(other))
    assert done.exit_code == 2
    assert done.output.splitlines()[-1].startswith(f"{policy}: ok: 1 cases")
