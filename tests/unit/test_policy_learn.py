"""`sigfw policy learn`: who is proposed, who is not, and that the proposal loads."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from sigfw.policy import learn
from sigfw.policy.compiler import compile_policy
from sigfw.policy.learn import Learner, common_prefix, plmn
from sigfw.policy.loader import load
from sigfw.policy.model import Policy
from sigfw.policy.proposal import Thresholds, proposal
from tests.unit.test_cli import CORPUS, POLICY, ROOT, sigfw

THRESHOLDS = Thresholds(minimum=20, subscribers=5, headroom=3)
HLR, PARTNER, STRANGER = "44770090001", "49171392001", "99942000001"


def party(digits: str) -> dict[str, Any]:
    return {"digits": digits, "np": 1, "nai": 4, "es": 1, "ssn": 6, "pc": None}


def request(operation: str, calling: str, imsi: str | None = None, *, second: int = 0, **rest: Any) -> dict[str, Any]:
    return {
        "sccp": {"calling": party(calling), "called": party(rest.pop("called", HLR + "1"))},
        "tcap": {"type": "begin", "components": [{"type": "invoke", "operation": operation}]},
        "map": {"imsi": imsi, "msisdn": None, "addresses": rest.pop("addresses", {})},
        "time": f"2026-11-01T00:{second // 60:02d}:{second % 60:02d}.000000Z",
        "error": None,
        **rest,
    }


def many(count: int, operation: str, calling: str, imsi: str, **rest: Any) -> Iterator[dict[str, Any]]:
    """Of ten GTs about `count` subscribers, one a second."""
    for i in range(count):
        yield request(operation, f"{calling}{i % 10}", f"{imsi}{i:010d}", second=i, **rest)


def learned(*messages: Iterator[dict[str, Any]], policy: Policy | None = None) -> tuple[str, dict[str, Any]]:
    learner = Learner(compile_policy(policy) if policy else None, policy.home.country_code if policy else "")
    for of in messages:
        for message in of:
            learner.take(message)
    text = proposal(learner, policy, THRESHOLDS, "x.pcap")
    return text, yaml.safe_load(text)


def roamers(count: int = 30) -> Iterator[dict[str, Any]]:
    """Ours abroad: whom the HLR of 44770090001 is asked about."""
    return many(count, "updateLocation", PARTNER, "00101")


def operators(found: dict[str, Any]) -> dict[str, tuple[list[str], list[str]]]:
    return {one["tadig"]: (one["global_titles"], one.get("imsi", [])) for one in found["operators"]}


def test_who_manages_a_networks_subscribers_is_proposed_as_its_operator() -> None:
    text, found = learned(roamers(), many(30, "insertSubscriberData", PARTNER, "00102"))
    assert operators(found) == {"PLMN-00102": ([PARTNER], ["00102"])}
    assert (
        "manages IMSIs of 00102, 30 messages about 30 subscribers, 2026-11-01T00:00:00Z to 2026-11-01T00:00:29Z" in text
    )
    assert "asks about its guests, 30 messages" in text


def test_visited_network_alone_is_proposed_without_imsi_and_home_is_a_hint() -> None:
    text, found = learned(roamers())
    assert operators(found) == {f"VISITED-{PARTNER[:7]}": ([PARTNER], [])}
    assert found["home"] == {}
    assert f'#   global_titles: ["{HLR}1"], imsi: ["00101"]   # 30 messages about 30 subscribers' in text


@pytest.mark.parametrize(
    "messages",
    [
        lambda: many(19, "updateLocation", STRANGER, "00101"),  # too few
        lambda: (request("updateLocation", STRANGER, "001010000000001", second=i) for i in range(100)),  # one target
        lambda: many(100, "provideSubscriberInfo", STRANGER, "00101"),  # about home
        lambda: many(100, "anyTimeInterrogation", STRANGER, "00102"),
        lambda: many(100, "insertSubscriberData", STRANGER, "00102", action="drop"),  # denied
        lambda: many(100, "insertSubscriberData", STRANGER, "00102", error={"layer": "map"}),
        lambda: many(100, "insertSubscriberData", STRANGER, "0010a"),
        lambda: many(100, "insertSubscriberData", "0" + STRANGER, "00102"),
    ],
)
def test_attacker_is_neither_operator_nor_list(messages: Any) -> None:
    text, found = learned(roamers(), messages())
    assert operators(found).keys() == {f"VISITED-{PARTNER[:7]}"}
    assert [one["entries"] for one in found["lists"].values()] == [[], [], []]
    assert STRANGER not in text.split("# Not proposed:")[0]


def test_much_that_was_denied_outweighs_what_passed() -> None:
    text, found = learned(
        roamers(),
        many(100, "sendRoutingInfoForSM", STRANGER, "00101"),
        many(30, "anyTimeInterrogation", STRANGER, "00101", action="drop"),
    )
    assert found["lists"]["smsc"]["entries"] == []
    assert f"#   {STRANGER}: suspect: 10 GTs" in text
    assert "denied by the policy 30 times" in text


def test_forged_gt_of_a_partner_does_not_unseat_him_and_is_told() -> None:
    text, found = learned(
        roamers(200), many(200, "cancelLocation", PARTNER, "00102"), many(3, "anyTimeInterrogation", PARTNER, "00101")
    )
    assert operators(found) == {"PLMN-00102": ([PARTNER], ["00102"])}
    assert "CAUTION: anyTimeInterrogation 3 times" in text


def test_who_manages_several_networks_is_told_and_not_listed() -> None:
    text, found = learned(
        roamers(),
        many(30, "insertSubscriberData", STRANGER, "00102"),
        many(30, "insertSubscriberData", STRANGER, "00103"),
    )
    assert operators(found).keys() == {f"VISITED-{PARTNER[:7]}"}
    assert found["lists"]["hubs"]["entries"] == []
    assert f"  #   {STRANGER}: 10 GTs" in text


def test_smsc_is_listed_and_gsmscf_of_the_senders_own_range_alone() -> None:
    scf = {"gsmSCF-Address": [PARTNER + "7", STRANGER + "7"]}
    text, found = learned(
        roamers(),
        many(30, "insertSubscriberData", PARTNER, "00102", addresses=scf),
        many(30, "mt-forwardSM", "33639980001", "00101"),
    )
    assert found["lists"]["partner-gsmscf"]["entries"] == [PARTNER + "7"]
    assert f"interception): {STRANGER}7 (30) from {PARTNER}" in text
    assert found["lists"]["smsc"]["entries"] == ["33639980001"]


def test_rates_are_the_peak_of_a_second_by_gt_and_operator_with_headroom() -> None:
    burst = (request("updateLocation", f"{PARTNER}{i % 2}", f"00101{i:010d}", second=90) for i in range(10))
    _, found = learned(roamers(), burst, many(50, "anyTimeInterrogation", STRANGER, "00101"))
    assert found["checks"]["rate_exceeded"]["limits"] == [
        {"by": "calling.gt", "operation": "updateLocation", "per_second": 15, "burst": 30},
        {"by": "calling.operator", "operation": "updateLocation", "per_second": 30, "burst": 60},
    ]


def test_what_the_policy_knows_is_not_proposed_again_and_its_denials_teach_nothing(tmp_path: Path) -> None:
    policy = load(ROOT / POLICY)
    text, found = learned(
        roamers(),
        many(30, "insertSubscriberData", "4917139200", "00102"),
        many(30, "insertSubscriberData", "4917139200", "00109"),
        many(30, "insertSubscriberData", "39333000000", "00108", action="drop"),
        policy=policy,
    )
    assert found["operators"] == []
    assert found["home"]["imsi"] == ["00101"]
    assert "39333" not in text.split("# Not proposed:")[0]
    (tmp_path / "p.yaml").write_text(text)
    compile_policy(load(tmp_path / "p.yaml"))


def test_memory_is_bounded_and_what_is_left_out_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learn, "MAX_SOURCES", 10)
    monkeypatch.setattr(learn, "MAX_RATES", 10)
    flood = (request("updateLocation", f"49{i:05d}00", f"0010{i % 10}{i:010d}") for i in range(5000))
    learner = Learner(None)
    for message in flood:
        learner.take(message)
    assert len(learner.sources) == len(learner.gt_rates) == len(learner.range_rates) == 10
    text = proposal(learner, None, THRESHOLDS, "x\ny: 1.pcap")
    assert "messages of GTs beyond the first 10 ranges" in text
    assert yaml.safe_load(text)["home"] == {}
    one = Learner(None)
    for i in range(5000):
        one.take(request("insertSubscriberData", f"4917139{i:05d}", f"{10000 + i}{i:010d}"))
        one.take(request("updateLocation", "491713900000", f"{10000 + i}{i:010d}"))
    (source,) = one.sources.values()
    assert (len(source.gts), len(source.managed), len(one.asked)) == (learn.MAX_SEEN, learn.MAX_PLMNS, learn.MAX_ASKED)
    assert source.more_plmns == 5000 - learn.MAX_PLMNS


def test_digits_of_mnc_and_common_prefix() -> None:
    assert (plmn("262011234567890"), plmn("310410123456789")) == ("26201", "310410")
    assert [common_prefix(one) for one in (["4477", "4478"], ["44", "4477"], ["1"], ["1", "2"])] == [
        "447",
        "44",
        "1",
        "",
    ]


# the command ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", [(), ("--policy", POLICY)])
def test_proposal_from_the_demo_capture_loads(tmp_path: Path, policy: tuple[str, ...]) -> None:
    done = sigfw("policy", "learn", "--capture", CORPUS, *policy)
    assert (done.returncode, done.stderr) == (0, "")
    path = tmp_path / "p.yaml"
    path.write_text(done.stdout)
    assert sigfw("policy", "check", str(path)).returncode == 0
    assert "001011931252818" not in done.stdout  # an IMSI of the capture
    proposed, rest = done.stdout.split("# Not proposed:")
    assert "9994200000" in rest
    assert '"99942"' not in proposed
    tadigs = [one["tadig"] for one in yaml.safe_load(done.stdout)["operators"]]
    assert sorted(tadigs) == ([] if policy else [f"PLMN-0010{i}" for i in range(2, 8)])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--capture", "none.pcap"), "none.pcap: No such file"),
        (("--capture", POLICY), "no pcap or pcapng"),
        (("--capture", CORPUS, "--policy", "none.yaml"), "none.yaml cannot be read"),
        (("--capture", CORPUS, "--minimum", "0"), "--minimum"),
        ((), "--capture"),
    ],
)
def test_what_cannot_teach_is_one_line_and_status_2(arguments: tuple[str, ...], said: str) -> None:
    done = sigfw("policy", "learn", *arguments)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert said in done.stderr
