"""Traffic by what it is made of: `python -m bench.mixes` lists each mix with its octets a message.

A mix is a list of SCCP messages: one seed, the same messages, octet for octet. Its file is what every peer reads: a
message as its length in four octets, high one first, and its octets, one behind the other.
"""

import argparse
import random
import statistics
import struct
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bench import attacks, cases, evasions, legitimate, worst
from bench.world import Message, World

SEED, MESSAGES = 2026, 30_000

Kind = Callable[[World], list[Message]]

SMS: tuple[Kind, ...] = (
    legitimate.sms_to_ours,
    legitimate.sms_to_roamer,
    legitimate.sms_from_ours,
    legitimate.sms_answers,
    legitimate.alert,
    legitimate.returned,
    legitimate.ready_for_sm,
)
CAP: tuple[Kind, ...] = (legitimate.camel_of_ours, legitimate.camel_of_roamer)
ROAMING = tuple(kind for kind in legitimate.KINDS if kind not in SMS + CAP)
CAMPAIGN = ((legitimate.KINDS, 60), (attacks.KINDS, 30), (evasions.KINDS, 10))  # weights; the corpus has 90, 7 and 3

LENGTH = struct.Struct(">I")


def of_kinds(sources: Sequence[tuple[Mapping[Kind, int], int]], count: int, seed: int) -> list[bytes]:
    """Messages of the kinds of each source by their weights; the sources by theirs."""
    world = World(random.Random(seed))
    found: list[bytes] = []
    while len(found) < count:
        kinds = world.rng.choices([one for one, _ in sources], [weight for _, weight in sources])[0]
        for message in world.rng.choices(list(kinds), list(kinds.values()))[0](world):
            found += message.parts
    return found[:count]


def legitimate_only(kinds: Sequence[Kind], count: int, seed: int) -> list[bytes]:
    return of_kinds([({kind: legitimate.KINDS[kind] for kind in kinds}, 1)], count, seed)


def worst_inputs(count: int, seed: int) -> list[bytes]:
    """Every shape of bench.worst that a UDT holds, in turn; in an order of the seed's."""
    shapes = list(worst.shapes(worst.ROOM - 60).values()) + [one[0] for one in worst.others().values()]
    found = (shapes * (count // len(shapes) + 1))[:count]
    random.Random(seed).shuffle(found)
    return found


def mix(name: str, count: int = MESSAGES, seed: int = SEED) -> list[bytes]:
    """The messages of a mix. The demo's corpus, which has no seed here, from its beginning."""
    if name == "corpus":
        return cases.messages()[:count]
    if name == "campaign":
        return of_kinds(CAMPAIGN, count, seed)
    if name == "worst":
        return worst_inputs(count, seed)
    return legitimate_only({"roaming": ROAMING, "sms": SMS, "cap": CAP}[name], count, seed)


MIXES = ("corpus", "roaming", "sms", "cap", "campaign", "worst")


def write(path: Path, messages: Sequence[bytes]) -> None:
    path.write_bytes(b"".join(LENGTH.pack(len(one)) + one for one in messages))


def read(path: Path) -> list[bytes]:
    found, octets, at = [], path.read_bytes(), 0
    while at < len(octets):
        length = LENGTH.unpack_from(octets, at)[0]
        found.append(octets[at + LENGTH.size : at + LENGTH.size + length])
        at += LENGTH.size + length
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--messages", type=int, default=MESSAGES)
    parser.add_argument("folder", nargs="?", type=Path, help="write each mix there, as NAME.messages")
    given = parser.parse_args()
    for name in MIXES:
        messages = mix(name, given.messages, given.seed)
        sizes = [len(one) for one in messages]
        spread = f"{statistics.mean(sizes):>6.1f} octets, {min(sizes)}-{max(sizes)}"
        print(f"{name:<9} {len(messages):>7,} messages  {spread}")
        if given.folder:
            given.folder.mkdir(parents=True, exist_ok=True)
            write(given.folder / f"{name}.messages", messages)


if __name__ == "__main__":
    main()
