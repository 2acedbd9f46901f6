"""Replies of a reject, read by tshark: a UDTS, XUDTS or LUDTS of every variant, as Q.713 and Q.714 want it."""

import shutil
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import orjson
import pytest

from sigfw._core.batch import Batch
from sigfw._core.engine import Stream, Worker
from sigfw._core.tables import Tables
from sigfw.policy.compiler import compile_policy
from sigfw.policy.loader import load
from tests.captures.truth import packets
from tests.conformance.dialects import STANDARDS, by_tshark
from tests.unit.sccpbytes import (
    ANSI,
    CHINA,
    ITU,
    address,
    ansi_gt,
    extended,
    itu_gt,
    long,
    mtp3,
    pcap,
    segments,
    unitdata,
)
from tests.unit.tcapbytes import ATI, ATI_ACN, begin, encode, invoke

DATA = encode(begin(invoke(71, ATI), acn=ATI_ACN))
RETURN = 0x80  # on error, class 0 (Q.713 3.6)
SEGMENTATION = ("sccp.segmentation.first", "sccp.segmentation.remaining", "sccp.segmentation.slr")
FORMS = {"UDTS": unitdata, "XUDTS": extended, "LUDTS": long}
# Q.713 3.12: what a policy may name
CAUSES = {"no_translation_for_nature": 0, "unqualified": 7, "hop_counter_violation": 12}


@pytest.fixture(autouse=True)
def tshark_is_there() -> None:
    assert shutil.which("tshark"), "tshark is not there: apt-get install tshark (make test does it)"


def tables(folder: Path, cause: int = 7) -> Tables:
    path = folder / "p.yaml"
    rule = f"{{id: r, when: {{operation: anyTimeInterrogation}}, action: {{reject: {{return_cause: {cause}}}}}}}"
    home = 'home: {country_code: "44"}\nexceptions: {unusable_gt: allow}'
    path.write_text(f"schema: 1\nname: reject\n{home}\nrules: [{rule}]\n")
    return compile_policy(load(path))


def replies(tables: Tables, variant: str, octets: list[bytes]) -> list[bytes]:
    batch = Batch([mtp3(variant, one) for one in octets], "mtp3")
    lines = Worker().judge(tables, Stream("t/0"), batch, variant=variant).lines().splitlines()
    return [bytes.fromhex(verdict["reply"]) for verdict in map(orjson.loads, lines) if "reply" in verdict]


def read(folder: Path, variant: str, octets: list[bytes]) -> list[dict[str, Any]]:
    """As tshark reads them on their way back: OPC and DPC of the messages have changed places."""
    capture = folder / f"{variant}.pcap"
    capture.write_bytes(pcap(141, [mtp3(variant, one, opc=2, dpc=1) for one in octets]))
    more = [view(packet) for _, packet in packets(capture, f"mtp3.standard:{STANDARDS[variant]}")]
    return [one | rest for one, rest in zip(by_tshark(capture, variant), more, strict=True)]


def view(packet: Element) -> dict[str, Any]:
    fields = {one.get("name"): one.get("show", "") for one in packet.iter("field")}
    return {
        "segmentation": [int(fields[name], 0) for name in SEGMENTATION if name in fields],
        "read": "tcap.otid" in fields and packet.find("proto[@name='_ws.malformed']") is None,
    }


def parties(variant: str) -> list[tuple[bytes, bytes]]:
    """Called, calling."""
    pc = 0x1234 if variant == ITU else 0x05AD01
    gt = ansi_gt if variant == ANSI else itu_gt
    ours, theirs = gt("447700900123"), gt("99942000001")  # even and odd
    return [
        (address(variant, ssn=6, gt=ours), address(variant, ssn=147, gt=theirs)),
        (address(variant, pc=pc, ssn=6, gt=ours), address(variant, ssn=8, pc=pc)),
        (address(variant, ssn=6), address(variant, gt=theirs)),
    ]


@pytest.mark.parametrize("variant", [ITU, ANSI, CHINA])
def test_reply_is_what_tshark_reads_with_the_parties_turned_round(variant: str, tmp_path: Path) -> None:
    for name, make in FORMS.items():
        for word, cause in CAUSES.items():
            asked = [make(called, calling, DATA, second=RETURN) for called, calling in parties(variant)]
            made = replies(tables(tmp_path, cause), variant, asked)
            assert len(made) == len(asked), word
            assert all(one.endswith(DATA) for one in made)
            before, after = read(tmp_path, variant, asked), read(tmp_path, variant, made)
            for told, original in zip(after, before, strict=True):
                assert (told["type"], told["return_cause"]) == (name, cause)
                assert told["called"] == original["calling"]
                assert told["calling"] == original["called"]
                assert told["hops"] == (None if name == "UDTS" else 15)
                assert told["read"]


@pytest.mark.parametrize("variant", [ITU, ANSI, CHINA])
def test_reply_to_a_segmented_message_is_its_first_segment(variant: str, tmp_path: Path) -> None:
    called, calling = parties(variant)[0]
    pieces = segments(called, calling, DATA, 40)
    pieces[0] = pieces[0][:1] + bytes((RETURN | 1,)) + pieces[0][2:]
    made = replies(tables(tmp_path), variant, pieces)
    assert len(made) == 1
    assert DATA[:40] in made[0]
    (told,) = read(tmp_path, variant, made)
    assert (told["type"], told["return_cause"], told["hops"]) == ("XUDTS", 7, 15)
    assert told["segmentation"] == [1, len(pieces) - 1, 0xCCBBAA]


def test_reply_whose_parts_a_pointer_does_not_reach_is_not_made(tmp_path: Path) -> None:
    """Long addresses, the data between them: behind both of them they would lie more than 255 octets off."""
    far = address(ITU, ssn=6, gt=(4, bytes((0, 0x12, 4)), "44" + "0" * 242))
    parts = (far, DATA, far)
    pointers = bytes((3, 3 + len(far) + len(DATA) + 1, 2 + len(far)))
    octets = bytes((0x09, RETURN)) + pointers + b"".join(bytes((len(part),)) + part for part in parts)
    lines = Worker().judge(tables(tmp_path), Stream("t/0"), Batch([octets], "sccp")).lines()
    verdict = orjson.loads(lines)
    assert verdict["tcap"]["type"] == "begin"
    assert (verdict["error"], "reply" in verdict) == (None, False)
    assert (verdict["action"], verdict["reason"]) == ("drop", "reject_not_permitted")


def test_longest_message_has_its_reply(tmp_path: Path) -> None:
    called, calling = parties(ITU)[0]
    argument = encode(begin(invoke(71, (0x30, [*ATI[1], (0xBE, [(0x04, bytes(3000))])])), acn=ATI_ACN))
    (reply,) = replies(tables(tmp_path), ITU, [long(called, calling, argument, second=RETURN)])
    assert reply.endswith(argument)
    assert len(reply) == len(long(called, calling, argument))


def test_replies_are_limited_by_the_time_of_the_messages(tmp_path: Path) -> None:
    called, calling = parties(ITU)[0]
    octets = unitdata(called, calling, DATA, second=RETURN)
    second = 1_000_000_000
    times = [second] * 60 + [second + second // 2] * 60 + [9 * second] * 60 + [9 * second - 3] * 5
    batch = Batch([octets] * len(times), "sccp", times_ns=times)
    verdicts = Worker().judge(tables(tmp_path), Stream("t/0"), batch).lines().splitlines()
    said = [(one["action"], one["reason"], one["rule"], "reply" in one) for one in map(orjson.loads, verdicts)]
    yes, no = ("reject", "rule", "r", True), ("drop", "reject_not_permitted", "r", False)
    assert said == [yes] * 50 + [no] * 10 + [yes] * 25 + [no] * 35 + [yes] * 50 + [no] * 15


def test_monitor_tells_what_the_rate_would_leave(tmp_path: Path) -> None:
    called, calling = parties(ITU)[0]
    octets = unitdata(called, calling, DATA, second=RETURN)
    batch = Batch([octets] * 60, "sccp")
    modes = {"international": "monitor"}
    lines = Worker().judge(tables(tmp_path), Stream("t/0"), batch, modes=modes, now_ns=1).lines().splitlines()
    assert [orjson.loads(one)["shadow"]["action"] for one in lines] == ["reject"] * 50 + ["drop"] * 10
