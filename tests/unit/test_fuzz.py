"""What the fuzzer starts from, in the build that is shipped: the seeds hold, the dictionary knows every operation."""

import re

import orjson
import pytest

from sigfw import names, records
from sigfw._core.batch import Batch
from sigfw._core.engine import Stream, Worker
from tests.fuzz import slow
from tests.fuzz.build import TARGETS
from tests.fuzz.seeds import DICTIONARIES, HERE, SEEDS


def seeds(target: str) -> list[bytes]:
    return [bytes.fromhex(line) for line in (SEEDS / f"{target}.hex").read_text().split()]


@pytest.mark.parametrize("target", ["engine", "gttable", "packed"])
def test_seeds_hold(target: str) -> None:
    given = seeds(target)
    assert given
    for octets in given:
        getattr(slow, target)(octets)


def test_every_target_has_seeds() -> None:
    assert {path.stem for path in SEEDS.iterdir()} == set(TARGETS)
    assert all(seeds(target) for target in TARGETS)


def test_verdict_that_lets_something_malformed_pass_is_a_finding() -> None:
    judged = Worker().judge(slow.TABLES[0], Stream("x"), Batch([b"\xff"], "sccp"))
    line = orjson.loads(judged.lines())
    slow.verdict_holds(line, default_allow=True)
    with pytest.raises(AssertionError, match="nothing malformed passes"):
        slow.verdict_holds(line | {"action": "allow"}, default_allow=True)


def test_record_that_gives_octets_out_twice_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    twice = {"verdicts": [{"action": "drop", "reason": "rule", "reply": bytes(60)}] * 2}
    monkeypatch.setattr(records, "unpack", lambda _: twice)
    with pytest.raises(AssertionError, match="twice"):
        slow.packed(bytes(100))


@pytest.mark.parametrize("name", sorted(set(DICTIONARIES.values())))
def test_dictionary_is_one_of_libfuzzers(name: str) -> None:
    lines = (HERE / name).read_text().splitlines()
    assert all(re.fullmatch(r'#.*|\w+="(\\x[0-9a-f]{2}|[A-Za-z0-9])+"', line) for line in lines)


def test_dictionary_holds_every_operation_and_map_context() -> None:
    words = set(re.findall(r'"(.+)"', (HERE / "tcap.dict").read_text()))
    wanted = {bytes((2, 1, opcode)) for _, opcode, *_ in names.OPERATIONS[1:]}
    wanted |= {bytes((6, 7, 4, 0, 0, 1, 0, context, 3)) for context in names.MAP_CONTEXTS}
    assert {"".join(f"\\x{octet:02x}" for octet in word) for word in wanted} <= words
