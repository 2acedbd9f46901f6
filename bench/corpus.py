"""Make the demo's labelled corpus: `python -m bench.corpus [--seed N] [--messages N] [FOLDER]`.

Writes FOLDER/corpus.pcap.gz, Ethernet/IP/SCTP/M3UA as at the perimeter, and FOLDER/labels.jsonl.gz, one line per SCCP
message: `frame` from 1, `index` within it from 0, `label` (legitimate or attack), `category`, `technique`
(`needs_state`: nothing in the message itself gives it away), and for segments `final`: [frame, index] of the one that
completes the message, null where it never comes. One seed, one corpus, octet for octet.
"""

import argparse
import gzip
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import attacks, evasions, legitimate
from bench.encode import Association, m3ua_data, pcap
from bench.world import Message, World

FOLDER = Path(__file__).parent.parent / "configs" / "demo"
SEED, MESSAGES = 2026, 30_000
START = 1_793_491_200_000_000  # 2026-11-01T00:00:00Z in microseconds
OUR_POINT_CODE = 8202
NEIGHBOURS = ((4105, "c6336401"), (4106, "c6336402"))  # point code and address (198.51.100.0/24) of the carrier's STPs

Label = dict[str, Any]


def generate(world: World) -> Iterator[Message]:
    """Messages without end, nine in ten of them legitimate."""
    rng = world.rng
    sources = ((legitimate.KINDS, 90), (attacks.KINDS, 7), (evasions.KINDS, 3))
    while True:
        kinds: Any = rng.choices([kinds for kinds, _ in sources], [weight for _, weight in sources])[0]
        yield from rng.choices(list(kinds), list(kinds.values()))[0](world)


def build(seed: int = SEED, messages: int = MESSAGES) -> tuple[bytes, list[Label]]:
    """The capture and its labels, with `messages` SCCP messages (a segment is one)."""
    world = World(random.Random(seed))
    links = [
        (point_code, Association(bytes.fromhex(source), bytes.fromhex("c0000201"), world.rng.getrandbits(32)))
        for point_code, source in NEIGHBOURS
    ]
    frames: list[tuple[int, bytes]] = []
    labels: list[Label] = []
    time = START
    for bundle in _bundles(world, messages):
        point_code, association = links[bundle[0][0]]
        time += world.rng.randrange(200, 12_000)
        payloads = [m3ua_data(point_code, OUR_POINT_CODE, sls, sccp) for _, sls, sccp, _ in bundle]
        frames.append((time, association.frame(payloads)))
        for index, (*_, label) in enumerate(bundle):
            label |= {"frame": len(frames), "index": index}
            labels.append(label)
    for label in labels:
        if "final" in label and label["final"] is not None:
            label["final"] = [label["final"]["frame"], label["final"]["index"]]
    return pcap(frames), [{"frame": label["frame"], "index": label["index"]} | label for label in labels]


Item = tuple[int, int, bytes, Label]  # link, SLS, SCCP message, label


def _bundles(world: World, messages: int) -> Iterator[list[Item]]:
    """One to three messages of one link a frame."""
    items = _items(world, messages)
    held: list[Item] = []
    for item in items:
        if held and (item[0] != held[0][0] or len(held) == 3 or world.rng.random() < 0.7):
            yield held
            held = []
        held.append(item)
    yield held


def _items(world: World, messages: int) -> Iterator[Item]:
    """SCCP messages; between the segments of one stand those of others."""
    rng, count = world.rng, 0
    waiting: list[list[Item]] = []
    source = generate(world)
    while count < messages:
        if waiting and rng.random() < 0.5:
            queue = rng.choice(waiting)
            yield queue.pop(0)
            count += 1
            waiting = [queue for queue in waiting if queue]
            continue
        message = next(source)
        if count + len(message.parts) + sum(map(len, waiting)) > messages:
            if waiting:
                yield from _rest(waiting)
                count += sum(map(len, waiting))
                waiting = []
            if count + len(message.parts) > messages:
                continue
        queue = _labelled(message, rng.randrange(2), rng.randrange(16))
        yield queue.pop(0)
        count += 1
        if queue:
            waiting.append(queue)


def _rest(waiting: list[list[Item]]) -> Iterator[Item]:
    for queue in waiting:
        yield from queue


def _labelled(message: Message, link: int, sls: int) -> list[Item]:
    what = {"label": message.label, "category": message.category, "technique": message.technique}
    items: list[Item] = [(link, sls, part, dict(what)) for part in message.parts]
    if len(items) > 1 or message.lost:
        for item in items:
            item[3]["final"] = None if message.lost else items[-1][3]
    return items


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--messages", type=int, default=MESSAGES)
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    given = parser.parse_args()
    capture, labels = build(given.seed, given.messages)
    given.folder.mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps(label) + "\n" for label in labels)
    for name, data in (("corpus.pcap", capture), ("labels.jsonl", lines.encode())):
        (given.folder / f"{name}.gz").write_bytes(gzip.compress(data, 9, mtime=0))


if __name__ == "__main__":
    main()
