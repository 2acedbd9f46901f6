"""The fields of a message are those of its JSON."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from bench.corpus import FOLDER
from sigfw import names
from sigfw._core.engine import Stream, Worker
from sigfw._core.memory import State
from sigfw._core.tables import Tables
from sigfw.pipeline.capture import open_capture
from sigfw.policy.compiler import compile_policy
from sigfw.policy.loader import load
from sigfw.records import judge_capture

ROOT = Path(__file__).parents[2]
CAPTURES = (FOLDER / "corpus.pcap.gz", *sorted((ROOT / "tests" / "captures").glob("*.pcap*")))
KEY = b"a key of a test, 32 octets long."


@pytest.fixture(scope="module")
def tables() -> Tables:
    return compile_policy(load(ROOT / "configs" / "policies" / "interconnect.yaml"))


def lines(path: Path, tables: Tables | None, form: str, key: bytes | None) -> Iterator[bytes]:
    capture, worker = open_capture(path), Worker(verdicts=form, state=State(), key=key)
    stream = Stream(capture.name, offsets=False)
    for chunk in judge_capture(capture, worker, stream, tables, fields=form == "fields"):
        yield from chunk.splitlines()


def shown(value: Any) -> str:
    return "" if value is None else str(value)


def operations(tcap: dict[str, Any]) -> str:
    found = [c["operation"] or shown(c["opcode"]) for c in tcap["components"] if c["opcode_form"] or c["operation"]]
    return ",".join(found)


def as_fields(message: dict[str, Any]) -> dict[str, str]:
    sccp, tcap, map_, error = (message[name] or {} for name in ("sccp", "tcap", "map", "error"))
    called, calling = sccp.get("called") or {}, sccp.get("calling") or {}
    found = {name: message.get(name) for name in ("frame", "index", "action", "reason", "rule")}
    found |= {"sccp": sccp.get("type"), "called": called.get("digits"), "called_ssn": called.get("ssn")}
    found |= {"calling": calling.get("digits"), "calling_ssn": calling.get("ssn")}
    found |= {"tcap": tcap.get("type"), "otid": tcap.get("otid"), "dtid": tcap.get("dtid"), "acn": tcap.get("acn")}
    found |= {"operations": operations(tcap) if tcap else "", "imsi": map_.get("imsi"), "msisdn": map_.get("msisdn")}
    found["error"] = f"{error['layer']} {error['code']} {error['offset']}" if error else ""
    return {name: shown(value) for name, value in found.items()}


@pytest.mark.parametrize("key", [None, KEY], ids=["clear", "keyed"])
@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.name)
def test_fields_are_those_of_the_json(path: Path, key: bytes | None, tables: Tables) -> None:
    both = zip(lines(path, tables, "fields", key), lines(path, tables, "json", key), strict=True)
    for fields, line in both:
        found = dict(zip(names.FIELDS, fields.decode().split("\t"), strict=True))
        assert found == as_fields(orjson.loads(line))


def test_fields_without_a_policy_have_no_verdict() -> None:
    for fields in lines(FOLDER / "corpus.pcap.gz", None, "fields", None):
        assert fields.split(b"\t")[2:5] == [b"", b"", b""]
