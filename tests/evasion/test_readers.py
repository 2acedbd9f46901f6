"""tshark and pycrate on every technique: they read what sigfw reads, or differ as the case says.

tshark gets all cases at once, each between hosts of its own. It takes for TCAP what the subsystem number says, and goes
by the context for MAP or CAP. pycrate is asked for MAP, else CAP; it knows no reassembly, and gets the user data of all
segments where sigfw found a whole message.
"""

import shutil

import pytest

from tests.evasion import readings
from tests.evasion.readings import TCAP_KEYS, Reading
from tests.evasion.table import Case, Judged, cases, judge

ALL = [pytest.param(case, id=case.name) for case in cases()]


@pytest.fixture(scope="module")
def by_tshark() -> dict[str, Reading]:
    assert shutil.which("tshark"), "tshark is not there: apt-get install tshark (make test does it)"
    found = readings.tshark_all([(case.encapsulation, case.octets) for case in cases()])
    return dict(zip((case.name for case in cases()), found, strict=True))


def differences(other: Reading, own: Reading) -> Reading:
    """What the other reads differently, and what it says."""
    said = {"says": other["says"]} if other["says"] else {}
    return {key: value for key, value in other.items() if key != "says" and value != own[key]} | said


def whole(case: Case, judged: Judged) -> list[bytes] | None:
    """The messages that the last verdict is about: None where they make no whole, or stand in a capture."""
    last = judged.lines[-1]
    if case.encapsulation != "sccp":
        return None
    if last["reassembly"] and last["reassembly"]["final"]:
        return [case.octets[int(part.split("/")[1])] for part in last["reassembly"]["parts"]]
    return None if last["sccp"] and last["sccp"]["segmentation"] else [case.octets[-1]]


@pytest.mark.parametrize("case", ALL)
def test_tshark_reads_as_sigfw_but_as_recorded(case: Case, by_tshark: dict[str, Reading]) -> None:
    assert differences(by_tshark[case.name], readings.ours(judge(case).lines[-1])) == case.tshark


@pytest.mark.parametrize("case", ALL)
def test_pycrate_reads_as_sigfw_but_as_recorded(case: Case) -> None:
    judged = judge(case)
    messages = whole(case, judged)
    if messages is None:
        assert case.pycrate == {"says": "knows no segments" if case.encapsulation == "sccp" else "knows no framing"}
        return
    own = readings.ours(judged.lines[-1])
    reading = readings.pycrate(messages)
    if reading["says"]:
        assert case.pycrate == {"says": reading["says"]}
    else:
        assert case.pycrate == {key: reading[key] for key in TCAP_KEYS if reading[key] != own[key]}
