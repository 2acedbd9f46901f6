"""The worst inputs against the mix, per octet: `python -m bench.worst [--short]`. bench/README.md says how.

A case is a shape of message: what a sender can make of the bounds in docs/limits.md, in a UDT where it fits and in an
LUDT of some 4,000 octets. Records that hold many messages count with all their octets. Exit status 1: the worst is
beyond the floor (not with --short, whose two rounds say nothing).
"""

import argparse
import random
import statistics
import struct
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from bench.cases import BATCH, Case, capture_of, messages, tables
from bench.encode import (
    Association,
    Party,
    begin,
    invoke,
    m3ua_data,
    map_context,
    map_open,
    pcap,
    request,
    tlv,
    udt,
    xudt,
)
from bench.measure import SHORT_ROUNDS, keep, machine
from sigfw._core.batch import Batch
from sigfw._core.engine import Stream, Worker

CALLED, CALLING = Party("447700900012", 6), Party("999420000012", 7)
OTID = b"\0\0\0\1"
ATI, ISD = 71, 7
DIALOGUE = request(map_context(16, 3))  # subscriberDataMngt: insertSubscriberData has the largest argument of all
ROOM, LONG_ROOM = 190, 3800  # octets of filling, in a UDT and in an LUDT
ROUNDS = 51  # of some milliseconds a case
METHOD = (
    f"ns an octet: median of {ROUNDS} interleaved rounds, CPU time of one thread; decode and judge, policy as "
    "bench.run's; octets of a message or record"
)
AIM, FLOOR = 2, 4  # times the mix, of messages of 64 octets or more


def ludt(data: bytes) -> bytes:
    """Class 1, hop counter 12; pointers of two octets, counted from their last one (Q.713 4.20, 2.3)."""
    parts = [bytes([len(one)]) + one for one in (CALLED.octets(), CALLING.octets())]
    starts = (11, 11 + len(parts[0]), 11 + len(parts[0]) + len(parts[1]))
    pointers = [start - (4 + 2 * n) for n, start in enumerate(starts)]
    return b"\x13\x01\x0c" + struct.pack("<4H", *pointers, 0) + b"".join(parts) + struct.pack("<H", len(data)) + data


def carried(data: bytes) -> bytes:
    return udt(CALLED, CALLING, data) if len(data) < 230 else ludt(data)


def fill(unit: bytes, octets: int) -> bytes:
    return unit * (octets // len(unit))


def indefinite(tag: int, content: bytes) -> bytes:
    return bytes([tag, 0x80]) + content + b"\0\0"


def nested(tags: Sequence[int], content: bytes, form: Callable[[int, bytes], bytes] = tlv) -> bytes:
    for tag in reversed(tags):
        content = form(tag, content)
    return content


def argument(opcode: int, content: bytes, dialogue: bytes = DIALOGUE) -> bytes:
    return carried(begin(OTID, dialogue, invoke(opcode, content)))


def package(content: bytes) -> bytes:
    return carried(tlv(0x62, tlv(0x48, OTID), content))


# An insertSubscriberData's own way down: vlrCamelSubscriptionInfo, o-CSI, its list of TDP data, one of them.
DOWN = (0x30, 0xAD, 0xA0, 0x30, 0x30)


def in_indefinite(room: int) -> bytes:
    """Every level down to an argument's deepest one is indefinite, and what they hold is tiny."""
    inner = nested(DOWN, fill(b"\x04\0", room), indefinite)
    return carried(nested((0x62, 0x6C, 0xA1), b"\x02\x01\x01\x02\x01\x07" + inner, indefinite))


def shapes(room: int) -> dict[str, bytes]:
    """One message a shape, filled with `room` octets."""
    small = fill(b"\x04\0", room - 80)
    identity = tlv(0x30, tlv(0x80, b"\x91"))
    opened = request(map_context(16, 3), map_open(fill(b"\x96", room), b"\x91"))
    return {
        "indefinite lengths at every level": in_indefinite(room),
        "indefinite lengths side by side": argument(ISD, tlv(0x30, fill(b"\xbe\x80\0\0", room))),
        "nested to the bound, indefinite": argument(ISD, tlv(0x30, nested([0xBE] * 20, small, indefinite))),
        "nested as deep as fits": argument(ISD, tlv(0x30, nested([0x30] * (room // 5), b""))),
        "empty members, unknown": argument(ISD, tlv(0x30, fill(b"\x9e\0", room))),
        "empty members, known": argument(ISD, tlv(0x30, fill(b"\x8f\0", room))),
        "empty members, no context": argument(ISD, tlv(0x30, fill(b"\x9e\0", room)), b""),
        "empty parts of a package": package(fill(b"\x04\0", room)),
        "empty components": package(tlv(0x6C, fill(b"\xa1\0", room))),
        "least components": package(tlv(0x6C, fill(invoke(ATI), room))),
        "components of an identity": package(tlv(0x6C, fill(invoke(74, identity), min(room, 32 * 13)))),
        "components of two readings": package(tlv(0x6C, fill(invoke(70), min(room, 32 * 8)))),
        "a long context name": argument(ISD, tlv(0x30), request(b"\4\0\0\1" + fill(b"\x01", room))),
        "a long global opcode": package(tlv(0x6C, tlv(0xA1, b"\x02\x01\x01", tlv(6, fill(b"\x01", room))))),
        "a padded integer": package(tlv(0x6C, tlv(0xA1, tlv(2, fill(b"\0", room), b"\1"), b"\x02\x01\x47"))),
        "long forms of tags": argument(ISD, tlv(0x30, fill(b"\x9f\x1e\0", room))),
        "long forms of lengths": argument(ISD, tlv(0x30, fill(b"\x9e\x84\0\0\0\0", room))),
        "a long open reference": argument(ISD, tlv(0x30), opened),
        "identities": argument(2, tlv(0x30, fill(tlv(4, b"\x91"), room)), b""),
        "identities, no context": argument(66, tlv(0x30, fill(tlv(0x80, b"\x91"), room)), b""),
        "no TCAP": carried(fill(b"\x04\0", room)),
    }  # fmt: skip


def segments(count: int) -> dict[str, list[bytes]]:
    """Segments of 64 octets; what never finishes fills the table, and then finds no room."""
    data = bytes(25)
    rng = random.Random(1)
    references = [rng.randbytes(3) for _ in range(count)]

    def one(first: bool, remaining: int, reference: bytes) -> bytes:
        return xudt(CALLED, CALLING, data, segment=bytes([first << 7 | remaining]) + reference)

    return {
        "segments that never finish": [one(True, 1, reference) for reference in references],
        "segments, each the first again": [one(True, 1, references[0])] * count,
        "segments of nothing": [one(False, 1, reference) for reference in references],
        "segments, sixteen a message": [
            one(n % 16 == 0, 15 - n % 16, references[n // 16]) for n in range(count)
        ],
    }  # fmt: skip


def records() -> dict[str, bytes]:
    """Records of many messages or frames that are next to nothing, each of which has its own verdict."""
    link = Association(bytes(4), bytes(4), 1)
    tiny = [link.frame([b"\x09"] * 70) for _ in range(40)]
    whole = m3ua_data(1, 2, 3, b"\x09")
    return {
        "a capture of packets of one octet": capture_of([b"\x09"] * 4000),
        "a capture of empty packets": capture_of([b""] * 4000),
        "DATA chunks of one octet": pcap([(n, frame) for n, frame in enumerate(tiny)]),
        "DATA chunks of the least SCCP": pcap([(n, link.frame([whole] * 30)) for n in range(40)]),
    }


def others() -> dict[str, list[bytes]]:
    odd = Party("4477009000123456", 6)
    options = fill(b"\xf0\0", 32) + b"\0"
    plain = xudt(CALLED, CALLING, begin(OTID, b"", invoke(ATI)), segment=bytes(4))
    return {
        "optional parameters": [plain[: -len(b"\x10\x04\0\0\0\0\0")] + options] * BATCH,
        "GTs that are unusable": [udt(odd, odd, begin(OTID, b"", invoke(ATI, bytes((4, 8)) + bytes(8))))] * BATCH,
        "little in 64 octets": [udt(CALLED, CALLING, begin(OTID, b"", invoke(ATI, fill(b"\x04\0", 16))))] * BATCH,
    }  # fmt: skip


def judging(values: list[bytes], encapsulation: str = "sccp") -> Callable[[], object]:
    worker = Worker(verdicts="none")

    def call() -> int:
        stream = Stream("worst", offsets=False)
        return len(worker.judge(tables(), stream, Batch(values, encapsulation), perimeter="international"))

    return call


def case(name: str, values: list[bytes], encapsulation: str = "sccp") -> Case:
    """`messages` counts octets: what is measured is nanoseconds an octet."""
    return Case(name, "worst", sum(map(len, values)), judging(values, encapsulation))


def cases() -> list[Case]:
    found = [case("the mix", messages()[: 8 * BATCH])]
    for room in (ROOM - 60, LONG_ROOM):
        for name, octets in shapes(room).items():
            found.append(case(f"{name}, {len(octets):,}", [octets] * max(32, 200_000 // len(octets))))
    for values in (segments(BATCH * 8), others()):
        found += [case(f"{name}, {len(one[0])}", one) for name, one in values.items()]
    return found + [case(f"{name}, {len(octets):,}", [octets], "pcap") for name, octets in records().items()]


def measured(every: Sequence[Case], rounds: int) -> dict[str, float]:
    """Median of nanoseconds an octet, every case once a round, by this thread's clock: others' work is not in it."""
    taken: dict[str, list[float]] = {one.name: [] for one in every}
    for round_ in range(rounds + 1):
        for one in every:
            start = time.thread_time_ns()
            one.call()
            if round_:  # the first one warms up
                taken[one.name].append((time.thread_time_ns() - start) / one.messages)
    return {name: statistics.median(values) for name, values in taken.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--short", action="store_true", help="few rounds: does it run at all")
    given = parser.parse_args()
    rounds = SHORT_ROUNDS if given.short else ROUNDS
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {machine()}")
    print(f"Median of {rounds} interleaved rounds, CPU time of one thread; decode and judge, as in bench.run;")
    print("octets of a message or record.\n")
    medians = measured(cases(), rounds)
    mix = medians["the mix"]
    print(f"{'what, octets':<46} {'ns/octet':>9} {'to the mix':>11}")
    for name, median in sorted(medians.items(), key=lambda item: -item[1]):
        print(f"{name:<46} {median:>9.2f} {median / mix:>10.2f}x")
    worst = max(medians.values()) / mix
    print(f"\nworst: {worst:.2f}x the mix an octet; the aim is {AIM}x, the floor {FLOOR}x")
    keep("worst", {"worst": worst}, {name: [one] for name, one in medians.items()}, method=METHOD, short=given.short)
    if worst > FLOOR and not given.short:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
