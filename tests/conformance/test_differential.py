"""What sigfw reads in generated messages beside what pycrate and tshark read: every operation of MAP and CAP.

A tenth has 10,000 messages for pycrate and 500 for tshark, by its seed; SIGFW_DIFFERENTIAL says how many tenths (1).
"""

import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sigfw import records
from sigfw.messages.forms import bare_name, forms, paths
from tests.conformance.differential import reading, sccp, tshark
from tests.conformance.differential.messages import Message, capture, corpus

TENTHS = range(1, int(os.environ.get("SIGFW_DIFFERENTIAL", "1")) + 1)
MESSAGES, SAMPLE, BATCH = 10_000, 500, 1000
EVERY = 10  # message is read as SCCP by pycrate too, which takes 7 ms
SHOWN = 20  # differences


def decoded(messages: list[Message], path: Path) -> Iterator[list[dict[str, Any]]]:
    """Our reading of each message: an object for each SCCP message of it, the last has TCAP."""
    path.write_bytes(capture(messages))
    objects = records.decode(path)
    for message in messages:
        yield list(itertools.islice(objects, len(message.parts)))
    assert next(objects, None) is None


@pytest.mark.parametrize("tenth", TENTHS)
def test_reading_is_that_of_pycrate(tenth: int, tmp_path: Path) -> None:
    found, met = [], set()
    messages = corpus(MESSAGES, tenth)
    while batch := list(itertools.islice(messages, BATCH)):
        for place, (message, ours) in enumerate(zip(batch, decoded(batch, tmp_path / "batch.pcap"), strict=True)):
            for part, one in zip(message.parts, ours, strict=True) if place % EVERY == 0 else ():
                found += [(*each, part.hex()) for each in sccp.differences(part, one)]
            expected = reading.pycrate(message)
            found += [(*one, message.tcap.hex()) for one in reading.differences(expected, ours[-1])]
            met |= {(form and form[:4], form and form.error, "") for form in message.forms}
            met |= {(form[:4], form.error, n.name) for n in expected["numbers"] if (form := owner(message, n))}
    assert found[:SHOWN] == []
    # Every form of every operation was there, and every number of each.
    everything = {(form[:4], form.error, "") for form in forms()}
    for form in forms():
        names = {next((step for step in reversed(path) if step != "[]"), bare_name(form)) for path in paths(form)}
        everything |= {(form[:4], form.error, reading.renamed(name, form)) for name in names}
    assert everything - met == set()


def test_constructed_strings_are_read_or_malformed(tmp_path: Path) -> None:
    messages = list(corpus(SAMPLE, 1, pieces=True))
    for message, ours in zip(messages, decoded(messages, tmp_path / "pieces.pcap"), strict=True):
        differences = list(reading.differences(reading.pycrate(message), ours[-1]))
        assert differences == [] or ours[-1]["error"] is not None, message.tcap.hex()


def owner(message: Message, number: reading.Number) -> Any:
    return message.forms[number.component] if number.component >= 0 else None


@pytest.mark.parametrize("tenth", TENTHS)
def test_reading_is_that_of_tshark(tenth: int, tmp_path: Path) -> None:
    assert shutil.which("tshark"), "tshark is not there: apt-get install tshark (make test does it)"
    path = tmp_path / "sample.pcap"
    messages = list(corpus(SAMPLE, -tenth, strange=False))
    ours = list(decoded(messages, path))
    seen = tshark.read(path)
    found, whole, numbers = [], 0, 0
    for message, objects in zip(messages, ours, strict=True):
        for place, one in enumerate(objects):
            theirs = next(seen)
            found += [(theirs.truth["frame"], *each) for each in tshark.differences(message, theirs, one)]
            whole += place == len(objects) - 1 and theirs.whole
            numbers += theirs.numbers.total()
    assert found[:SHOWN] == []
    # tshark stops short in some, of which it then says less; most of them it reads to the end.
    assert whole > SAMPLE * 3 / 4
    assert numbers > SAMPLE
