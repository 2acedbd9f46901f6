"""Seeds of the fuzz targets: tests/fuzz/seeds/TARGET.hex, an input a line.

`python -m tests.fuzz.seeds [TARGET …]` makes them anew: from captures, the generator of bench/, the messages of other
tests and the working corpora in .cache/fuzz, minimised by libFuzzer (-merge=1) to what adds coverage.
"""

import hashlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path

from sigfw import names

HERE = Path(__file__).parent
SEEDS = HERE / "seeds"
DICTIONARIES = {"framing": "framing.dict", "sccp": "tcap.dict", "tcap": "tcap.dict", "engine": "tcap.dict"}
MAX_OCTETS = 110_000  # of a target's seeds
GENERATED = 4000  # messages of the generator
SCCP, MTP3, M3UA, PCAP = range(4)  # as the targets choose the encapsulation
GIVEN_BACK = 16  # framing: the memory of each message at once
ITU_LABEL, WIDE_LABEL = bytes.fromhex("83c8401900"), bytes.fromhex("83010203010ad503")


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


def messages() -> Iterator[Sequence[bytes]]:
    """ITU's SCCP messages, those that belong together at once: made, ways round, and of other stacks."""
    from bench.corpus import generate
    from bench.world import World
    from tests.evasion import table
    from tests.evasion.test_found import FOUND

    for message in islice(generate(World(random.Random(1))), GENERATED):
        yield message.parts
    yield from (case.octets for case in table.cases() if case.encapsulation == "sccp")
    yield from ([bytes.fromhex(octets)] for octets in FOUND.values())
    for path in sorted((HERE.parent / "captures").glob("*.hex")):
        yield from ([bytes.fromhex(line.split("\t")[-1])] for line in path.read_text().splitlines())


def of_variants() -> Iterator[tuple[int, bytes]]:
    """(number of names.VARIANTS, SCCP message)"""
    from tests.conformance.test_dialects import messages as dialects
    from tests.conformance.test_dialects import tcap_messages
    from tests.unit.sccpbytes import ANSI, address, unitdata

    for number, variant in enumerate(names.VARIANTS[1:], 1):
        yield from ((number, octets) for octets in dialects(variant))
    node = address(ANSI, ssn=6)
    yield from ((names.VARIANTS.index(ANSI), unitdata(node, node, data)) for data in tcap_messages())


def captures() -> Iterator[bytes]:
    """Every link type and adaptation layer; of captured frames one each, and the small ones whole."""
    from tests.conformance.test_layers import CASES

    yield from (octets for octets, _ in CASES.values())
    yield from capture_frames()


def capture_frames() -> Iterator[bytes]:
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
        yield from (b"\1" + part for parts in messages() for part in parts)
        yield from (bytes([variant]) + octets for variant, octets in of_variants())
    elif target == "tcap":
        yield from user_data()
    elif target == "framing":
        yield from (bytes([how | PCAP]) + octets for octets in captures() for how in (0, GIVEN_BACK))
        for variant, octets in of_variants():
            yield bytes([variant << 2 | SCCP]) + octets
            yield bytes([variant << 2 | M3UA]) + m3ua_data(100, 200, 3, octets)
            yield bytes([variant << 2 | MTP3]) + (ITU_LABEL if variant == 1 else WIDE_LABEL) + octets
    elif target == "engine":
        for parts in messages():
            yield b"\x06" + b"".join(record(SCCP, part) for part in parts)
            yield b"\x07" + b"".join(record(M3UA, m3ua_data(100, 200, 3, part)) for part in parts)
        yield from (bytes([variant << 3 | 6]) + record(SCCP, octets) for variant, octets in of_variants())
        yield from (b"\x06" + record(PCAP, octets) for octets in captures())
        yield from stories()
    elif target == "packed":
        yield from packed_records()
    elif target == "kbatch":
        from tests.unit.test_kbatch import CASES
        from tests.unit.test_raw import FETCHES

        yield from (b"\0" + octets[:4000] for octets, *_ in (*CASES.values(), *FETCHES.values()))
    else:
        for path in sorted((HERE.parents[1] / "configs" / "policies").glob("*.csv")):
            yield b"\0" + path.read_bytes()[:2000]
        yield b"\x00prefix,note\n23276,x\n!2327655\n23276559\n"
        yield b"\x02note,prefix,valid_from,valid_until\n,00101,2026-01-01,2026-12-31\n,!001019,,\n"
        yield b"\x0123276:\x04 2327655:\x05 23276559:\x04 9:\x81 99:\x82 9999999999999999:\x06"


def stories() -> Iterator[bytes]:
    """A dozen messages that come one after the other, for the checks that remember."""
    from tests.story.script import Script

    lines = [record(M3UA | (n % 4) << 2, line.octets) for n, line in enumerate(Script().told())]
    yield from (b"\x20" + b"".join(lines[at : at + 12]) for at in range(len(lines) - 12))


def user_data() -> Iterator[bytes]:
    from sigfw._core.sccp import parse

    both: Iterator[tuple[int, Sequence[bytes]]] = ((1, parts) for parts in messages())
    for variant, parts in chain(both, ((variant, [octets]) for variant, octets in of_variants())):
        whole, ssns = b"", b""
        for part in parts:
            read = parse(part, variant)
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
