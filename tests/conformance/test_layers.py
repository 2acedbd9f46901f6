"""Every link type and adaptation layer, and messages in parts, as tshark reads them: frames, point codes, SCCP octets.

The captures are made here by hand (tests/unit/framebytes.py). tshark is asked with `sctp.tsn_analysis:FALSE`, so that
it reads what a retransmitted DATA chunk carries, and with what a case names beside it; else as it comes: IP fragments
and SCTP user messages are put together (`ip.defragment`, `ipv6.defragment`, `sctp.reassembly`: TRUE by default).

Two differences are left out; tests/unit/test_fragments.py holds what sigfw does. Where all parts of a user message are
retransmitted, tshark reads it once, sigfw gives it a verdict again, as to a whole DATA chunk that is retransmitted. And
tshark 4.0.17 puts no message together whose TSNs pass 2^32: TSNs of RFC 9260 count modulo 2^32.
"""

import json
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sigfw._core import framing
from tests.unit.framebytes import (
    M2PA,
    M2UA,
    M3UA,
    PLAIN,
    UDT,
    chunk,
    data_chunks,
    enhanced,
    ethernet,
    exported,
    i_chunk,
    interface,
    ipv4,
    ipv4_fragments,
    ipv6,
    ipv6_fragments,
    m2pa,
    m2ua,
    m3ua,
    mtp2,
    mtp3,
    parameter,
    pcap,
    protocol_data,
    sctp,
    section,
    udp,
)

LONG = mtp3(UDT[:-1] + b"\2" + bytes(60))
MESSAGE = m3ua()
OTHER = m3ua(protocol_data(UDT[:-1] + b"\2"))
POINT_CODES = [(28, struct.pack(">IHBx", 300, 1, 2)), (29, struct.pack(">IHBx", 200, 1, 2))]


def over_sctp(*chunks: bytes, **ports: Any) -> bytes:
    return ethernet(ipv4(sctp(*chunks, **ports)))


def each_in_a_packet(*chunks: bytes) -> bytes:
    return pcap(*map(over_sctp, chunks))


IN_PARTS = data_chunks(MESSAGE, 16) + data_chunks(OTHER, 20, tsn=20, ssn=2)
FRAGMENTS = ipv4_fragments(sctp(chunk(MESSAGE), chunk(OTHER, tsn=8)), 32, 64)

CASES: dict[str, tuple[bytes, tuple[str, ...]]] = {
    "SCCP": (pcap(UDT, link=142), ()),
    "MTP3": (pcap(mtp3(), mtp3(b"\1\2", si=5), link=141), ()),
    "MTP2": (pcap(mtp2(mtp3()), mtp2(b""), mtp2(b"\3"), mtp2(b"\3\0"), mtp2(LONG), link=140), ()),
    "MTP2 with its check sequence": (
        pcap(mtp2(mtp3()) + b"\1\2", link=140),
        ("mtp2.capture_contains_frame_check_sequence:TRUE",),
    ),
    "MTP2 with a pseudo-header": (
        pcap(
            b"\0\0\0\1" + mtp2(mtp3()),
            b"\1\1\0\1" + mtp2(LONG, extended=True),
            b"\0\1\0\1" + mtp2(b"", extended=True),
            b"\0\2\0\1" + mtp2(mtp3()),
            link=139,
        ),
        (),
    ),
    "SCTP": (pcap(sctp(chunk(MESSAGE)), link=248), ()),
    "raw IP": (pcap(ipv4(sctp(chunk(MESSAGE))), ipv6(sctp(chunk(OTHER))), link=101), ()),
    "IPv4": (pcap(ipv4(sctp(chunk(MESSAGE))), link=228), ()),
    "IPv6": (pcap(ipv6(sctp(chunk(MESSAGE)), bytes([132, 0]) + bytes(6), first=60), link=229), ()),
    "Linux cooked": (pcap(struct.pack(">HHH8sH", 0, 1, 6, bytes(8), 0x800) + PLAIN[14:], link=113), ()),
    "Linux cooked 2": (pcap(struct.pack(">HHIHBB8s", 0x800, 0, 1, 1, 0, 6, bytes(8)) + PLAIN[14:], link=276), ()),
    "VLAN": (pcap(ethernet(PLAIN[14:], b"\x81\0\0\1"), ethernet(PLAIN[14:], b"\x88\xa8\0\1\x81\0\0\2")), ()),
    "pcapng": (section() + interface(1) + interface(141) + enhanced(PLAIN) + enhanced(mtp3(), 1), ()),
    "exported PDUs": (
        pcap(
            exported(UDT, (12, b"sccp"), *POINT_CODES),
            exported(UDT, *POINT_CODES, (14, b"mtp3.service_indicator"), (32, b"\0\0\0\3")),
            exported(mtp3(), (12, b"mtp3\0\0\0\0")),
            exported(mtp2(mtp3()), (12, b"mtp2")),
            exported(MESSAGE, (12, b"m3ua"), (30, b"\0\0\0\7")),
            exported(m2ua(mtp3()), (12, b"m2ua")),
            exported(m2pa(mtp3()), (12, b"m2pa")),
            exported(sctp(chunk(MESSAGE)), (12, b"sctp")),
            exported(PLAIN[14:], (12, b"ip")),
            exported(ipv6(sctp(chunk(MESSAGE))), (12, b"ipv6")),
            exported(PLAIN, (12, b"eth_withoutfcs")),
            exported(MESSAGE, (14, b"sctp.ppi"), (32, b"\0\0\0\3")),
            exported(sctp(chunk(MESSAGE)), (14, b"ip.proto"), (32, b"\0\0\0\x84")),
            link=252,
        ),
        (),
    ),
    "M3UA": (
        pcap(
            over_sctp(chunk(MESSAGE), chunk(OTHER)),
            over_sctp(chunk(m3ua(protocol_data(b"\1\2", si=5)))),
            over_sctp(chunk(m3ua(parameter(0x200, bytes(4)) + parameter(6, bytes(4)) + protocol_data()))),
            over_sctp(chunk(m3ua(b"", kind=2)), chunk(MESSAGE, ppid=M3UA << 24)),
        ),
        (),
    ),
    "M2UA": (
        pcap(
            over_sctp(chunk(m2ua(mtp3()), M2UA), chunk(m2ua(LONG), M2UA), ports=(2904, 2904)),
            over_sctp(chunk(m2ua(mtp3(), kind=12), M2UA), chunk(m2ua(mtp3(), kind=13), M2UA)),
        ),
        (),
    ),
    "M2PA": (pcap(over_sctp(chunk(m2pa(mtp3()), M2PA), chunk(m2pa(LONG), M2PA), ports=(3565, 3565))), ()),
    "SCTP in UDP": (pcap(ethernet(ipv4(udp(sctp(chunk(MESSAGE))), 17))), ()),
    "IPv4 fragments": (pcap(*map(ethernet, FRAGMENTS)), ()),
    "IPv4 fragments out of order and repeated": (pcap(*[ethernet(FRAGMENTS[n]) for n in (2, 2, 0, 0, 1)]), ()),
    "IPv4 fragments, all twice": (pcap(*map(ethernet, FRAGMENTS * 2)), ()),
    "IPv4 fragments that overlap and agree": (
        pcap(
            ethernet(ipv4(sctp(chunk(MESSAGE))[:32], fragment=0x2000)),
            ethernet(ipv4(sctp(chunk(MESSAGE))[16:48], fragment=0x2002)),
            ethernet(ipv4(sctp(chunk(MESSAGE))[24:], fragment=3)),
        ),
        (),
    ),
    "IPv6 fragments out of order": (pcap(*map(ethernet, ipv6_fragments(sctp(chunk(MESSAGE)), 24, 48)[::-1])), ()),
    "DATA chunks in parts": (each_in_a_packet(*IN_PARTS), ()),
    "DATA chunks in parts, out of order": (each_in_a_packet(*IN_PARTS[::-1]), ()),
    "DATA chunks in parts, of two messages by turns": (each_in_a_packet(*IN_PARTS[::2], *IN_PARTS[1::2]), ()),
    "DATA chunks in parts, parts retransmitted": (each_in_a_packet(*(IN_PARTS[n] for n in (0, 0, 2, 0, 1, 2))), ()),
    "DATA chunks in parts, unordered": (
        each_in_a_packet(
            *data_chunks(MESSAGE, 16, unordered=True, ssn=0), *data_chunks(OTHER, 20, tsn=10, unordered=True, ssn=0)
        ),
        (),
    ),
    "DATA chunks in parts and whole, bundled": (
        pcap(over_sctp(*IN_PARTS[:2]), over_sctp(IN_PARTS[2], chunk(OTHER, tsn=10, ssn=3), *IN_PARTS[3:])),
        (),
    ),
    "DATA chunks in parts over IPv4 fragments": (
        pcap(*map(ethernet, ipv4_fragments(sctp(*IN_PARTS), 48, 96, 144)[::-1])),
        (),
    ),
    "a whole DATA chunk retransmitted": (each_in_a_packet(chunk(MESSAGE), chunk(MESSAGE)), ()),
    "I-DATA chunks in parts": (
        each_in_a_packet(
            i_chunk(MESSAGE[:20], 5, 0, 2, 7), i_chunk(MESSAGE[40:], 5, 2, 1, 9), i_chunk(MESSAGE[20:40], 5, 1, 0, 8)
        ),
        (),
    ),
}

Message = tuple[int, int | None, int | None, str]


def octets_of(value: Any) -> Any:
    """The octets of a field, whether it came once or several times."""
    return [one[0] for one in value] if isinstance(value[0], list) else [value[0]]


def by_tshark(path: Path, options: tuple[str, ...]) -> list[Message]:
    assert shutil.which("tshark"), "tshark is not there: apt-get install tshark (make test does it)"
    command = ["tshark", "-r", str(path), "-T", "json", "-x", "--no-duplicate-keys"]
    for option in ("sctp.tsn_analysis:FALSE", *options):
        command += ["-o", option]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    messages: list[Message] = []
    for packet in json.loads(out):
        layers = packet["_source"]["layers"]
        if "sccp_raw" not in layers:
            continue
        octets = octets_of(layers["sccp_raw"])
        opcs, dpcs = (
            all_named(layers, f"mtp3.{pc}") or all_named(layers, f"exported_pdu.ss7_{pc}") or [None] * len(octets)
            for pc in ("opc", "dpc")
        )
        number = int(layers["frame"]["frame.number"])
        messages += zip([number] * len(octets), opcs, dpcs, octets, strict=True)
    return messages


def all_named(tree: Any, name: str) -> list[int | None]:
    """Values of a field wherever it stands."""
    if isinstance(tree, list):
        return [value for one in tree for value in all_named(one, name)]
    if not isinstance(tree, dict):
        return []
    here = tree.get(name, [])
    found: list[int | None] = [int(value) for value in (here if isinstance(here, list) else [here])]
    return found + [value for key, one in tree.items() if not key.endswith("_raw") for value in all_named(one, name)]


@pytest.mark.parametrize("name", CASES)
def test_layers_are_read_as_by_tshark(name: str, tmp_path: Path) -> None:
    capture, options = CASES[name]
    path = tmp_path / "a.pcap"
    path.write_bytes(capture)
    frames = framing.frames(capture, "pcap")
    ours = [(f["frame"], f["opc"], f["dpc"], f["octets"].hex()) for f in frames if f["kind"] == "sccp"]
    assert ours == by_tshark(path, options)
    assert ours
    assert {frame["kind"] for frame in frames} <= {"sccp", "other"}
