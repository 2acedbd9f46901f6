"""Messages in segments come out as tshark puts them together: which frame completes which, and what is in it."""

import random
import shutil
import struct
import subprocess
from pathlib import Path

import orjson

from sigfw._core.batch import Batch
from sigfw._core.engine import Stream, Worker
from tests.unit.segments import segments
from tests.unit.tcapbytes import ATI_ACN, Node, address, begin, digits, encode, invoke

CALLERS = ((1, b"\x42\x08"), (2, b"\x42\x08"), (1, b"\x42\x07"))  # OPC, CgPA
Told = list[tuple[int, int | None, str | None, str | None]]  # frame, octets of the whole, OTID, IMSI


def traffic(seed: int) -> list[tuple[int, bytes]]:
    """(OPC, SCCP message): sixty interrogations in one to sixteen segments each, interleaved, references apart."""
    rng = random.Random(seed)
    queues: list[list[tuple[int, bytes]]] = []
    for n in range(60):
        imsi, opc_and_caller = f"23415{rng.randrange(10**10):010}", rng.choice(CALLERS)
        subscriber: Node = (0xA0, [(0x80, digits(imsi))])
        argument: Node = (0x30, [subscriber, (0xA1, [(0x80, b"")]), (0x83, address("4917" + "1" * rng.randrange(12)))])
        whole = encode(begin(invoke(71, argument), acn=ATI_ACN)).replace(b"\0\0\x01\x2b", struct.pack(">I", n + 1))
        cuts = sorted(rng.sample(range(1, len(whole)), rng.randrange(16)))
        pieces = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
        opc, caller = opc_and_caller
        reference = struct.pack("<I", n)[:3]
        queues.append([(opc, one) for one in segments(pieces, reference=reference, calling=caller)])
    out = []
    while any(queues):
        out.append(rng.choice([queue for queue in queues if queue]).pop(0))
    return out


def by_tshark(traffic: list[tuple[int, bytes]], folder: Path) -> Told:
    """Link type 141: MTP3, service indicator 3, routing label of Q.704 with DPC 9."""
    capture = folder / "segments.pcap"
    out = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 141)]
    for n, (opc, octets) in enumerate(traffic):
        frame = b"\x83" + struct.pack("<I", 9 | opc << 14) + octets
        out.append(struct.pack("<IIII", 1_700_000_000, n, len(frame), len(frame)) + frame)
    capture.write_bytes(b"".join(out))
    fields = ["frame.number", "sccp.msg.reassembled.length", "tcap.otid", "e212.imsi"]
    command = ["tshark", "-r", str(capture), "-o", "sccp.defragment_xudt:TRUE", "-T", "fields"]
    command += [part for field in fields for part in ("-e", field)]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    rows = [line.split("\t") for line in lines]
    return [(int(frame), int(n) if n else None, otid or None, imsi or None) for frame, n, otid, imsi in rows]


def by_us(traffic: list[tuple[int, bytes]]) -> Told:
    values = [b"\x83" + struct.pack("<I", 9 | opc << 14) + octets for opc, octets in traffic]
    batch = Batch(values, "mtp3", frames=list(range(1, len(values) + 1)))
    lines = Worker().judge(None, Stream("s", offsets=False), batch).lines().splitlines()
    told: Told = []
    for line in map(orjson.loads, lines):
        whole = line["reassembly"]["final"]
        parts = [traffic[int(one.split("/")[1]) - 1][1] for one in line["reassembly"]["parts"]] if whole else []
        length = sum(part[part[5] + 5] for part in parts) if len(parts) > 1 else None
        tcap, map_ = line["tcap"], line["map"]
        told.append((line["frame"], length, tcap and tcap["otid"], map_ and map_["imsi"]))
    return told


def test_segments_come_out_as_tshark_puts_them_together(tmp_path: Path) -> None:
    assert shutil.which("tshark"), "tshark is not there: apt-get install tshark (make test does it)"
    sent = traffic(seed=3)
    ours = by_us(sent)
    assert sum(imsi is not None for *_, imsi in ours) == 60
    assert ours == by_tshark(sent, tmp_path)
