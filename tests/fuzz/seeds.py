"""Seeds of the fuzz targets: tests/fuzz/seeds/TARGET.hex, an input a line.

`python -m tests.fuzz.seeds` makes them anew: from the captures, the generator of bench/ and the working corpora in
.cache/fuzz, minimised by libFuzzer (-merge=1) to what adds coverage.
"""

import hashlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

HERE = Path(__file__).parent
SEEDS = HERE / "seeds"
DICTIONARIES = {"framing": "framing.dict", "sccp": "tcap.dict", "tcap": "tcap.dict", "engine": "tcap.dict"}
MAX_OCTETS = 170_000  # of a target's seeds
GENERATED = 4000  # messages of the generator
SCCP, MTP3, M3UA, PCAP = range(4)  # as the targets choose the encapsulation


def read_seeds(target: str, folder: Path) -> None:
    """Write the seeds of a target out as files."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    path = SEEDS / f"{target}.hex"
    write(folder, map(bytes.fromhex, path.read_text().split()) if path.exists() else [])


def write(folder: Path, inputs: Iterable[bytes]) -> None:
    for one in inputs:
        (folder / hashlib.sha256(one).hexdigest()[:20]).write_bytes(one)


# ---- where they come from


def messages() -> Iterator[list[bytes]]:
    """SCCP messages, the segments of one together: made, found in sigfw, and of other stacks."""
    from bench.corpus import generate
    from bench.world import World
    from tests.evasion.test_found import FOUND

    for message in islice(generate(World(random.Random(1))), GENERATED):
        yield message.parts
    for octets in FOUND.values():
        yield [bytes.fromhex(octets)]
    for path in sorted((HERE.parent / "captures").glob("*.hex")):
        for line in path.read_text().splitlines():
            yield [bytes.fromhex(line.split("\t")[-1])]


def capture_frames() -> Iterator[bytes]:
    """Captures of one frame, and the small ones whole."""
    for path in sorted((HERE.parent / "captures").glob("*.pcap")):
        octets = path.read_bytes()
        if len(octets) <= 4096:
            yield octets
        at = 24
        for _ in range(40):
            if at + 16 > len(octets):
                break
            (n,) = struct.unpack_from("<I", octets, at + 8)
            yield octets[:24] + octets[at : at + 16 + n]
            at += 16 + n


def record(how: int, octets: bytes) -> bytes:
    return struct.pack(">BH", how, len(octets)) + octets


def candidates(target: str) -> Iterator[bytes]:
    from bench.encode import m3ua_data

    if target == "sccp":
        yield from (part for parts in messages() for part in parts)
    elif target == "tcap":
        yield from user_data()
    elif target == "framing":
        yield from (bytes([PCAP]) + octets for octets in capture_frames())
        for parts in islice(messages(), 40):
            yield bytes([SCCP]) + parts[0]
            yield bytes([M3UA]) + m3ua_data(100, 200, 3, parts[0])
            yield bytes([MTP3]) + bytes.fromhex("83c8401900") + parts[0]
    elif target == "engine":
        for parts in messages():
            yield b"\x06" + b"".join(record(SCCP, part) for part in parts)
            yield b"\x07" + b"".join(record(M3UA, m3ua_data(100, 200, 3, part)) for part in parts)
        yield from (b"\x06" + record(PCAP, octets) for octets in capture_frames())
    elif target == "packed":
        yield from packed_records()
    else:
        for path in sorted((HERE.parents[1] / "configs" / "policies").glob("*.csv")):
            yield b"\0" + path.read_bytes()[:2000]
        yield b"\x00prefix,note\n23276,x\n!2327655\n23276559\n"
        yield b"\x02note,prefix,valid_from,valid_until\n,00101,2026-01-01,2026-12-31\n,!001019,,\n"
        yield b"\x0123276:\x04 2327655:\x05 23276559:\x04 9:\x81 99:\x82 9999999999999999:\x06"


def user_data() -> Iterator[bytes]:
    from sigfw._core.sccp import parse

    for parts in messages():
        whole, ssns = b"", b""
        for part in parts:
            read = parse(part)
            whole += read["data"] or b""
            ssns = bytes((read[party] or {}).get("ssn") or 0 for party in ("called", "calling"))
        yield ssns + whole


def packed_records() -> Iterator[bytes]:
    from tests.fuzz import slow

    for one in candidates("engine"):
        given = slow.Records(one[1:])
        tables, worker = slow.TABLES[one[0] & 1], slow.PACKED[one[0] & 1]
        yield from worker.judge(tables, slow.Stream("fuzz/0"), given.batch()).values()


def minimise(target: str) -> list[bytes]:
    """What adds coverage to what is smaller, up to MAX_OCTETS."""
    from tests.fuzz import build
    from tests.fuzz.run import CORPUS, IN_PYTHON
    from tests.fuzz.run import MAX_OCTETS as LONGEST

    with tempfile.TemporaryDirectory() as scratch:
        given, kept = Path(scratch, "given"), Path(scratch, "kept")
        given.mkdir()
        kept.mkdir()
        read_seeds(target, given)
        write(given, candidates(target))
        command = [str(build.DRIVERS / target), "-merge=1", f"-max_len={LONGEST[target]}", str(kept), str(given)]
        command += [f"-detect_leaks={int(target not in IN_PYTHON)}"]
        command += [str(CORPUS / target)] if (CORPUS / target).exists() else []
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        found = sorted((path.read_bytes() for path in kept.iterdir()), key=lambda one: (len(one), one))
    total, chosen = 0, []
    for one in found:
        total += len(one)
        if total <= MAX_OCTETS:
            chosen.append(one)
    return chosen


def main() -> None:
    from tests.fuzz import build

    build.main()
    SEEDS.mkdir(exist_ok=True)
    for target in sys.argv[1:] or build.TARGETS:
        chosen = minimise(target)
        (SEEDS / f"{target}.hex").write_text("".join(one.hex() + "\n" for one in chosen))
        print(f"{target}: {len(chosen)} seeds, {sum(map(len, chosen))} octets")


if __name__ == "__main__":
    main()
