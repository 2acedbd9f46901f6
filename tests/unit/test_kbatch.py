"""The raw path reads what aiokafka's own reads, record for record and position for position, or leaves it to that."""

import struct
from typing import Any

import pytest
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import DefaultRecordBatch
from hypothesis import given, settings
from hypothesis import strategies as st

from sigfw._core.engine import Stream, Worker
from sigfw._core.kbatch import Body, Chunk, Reader, crc32c, write
from sigfw.pipeline import raw
from tests.unit.recordbatches import (
    LOG_APPEND,
    TRANSACTIONAL,
    NotUtf8,
    One,
    batch,
    marker,
    of,
    opened,
    seal,
    seen,
)

SOME: list[One] = [(n, b"key %d" % n, b"value %d" % n, [("trace", b"%d" % n)]) for n in range(10)]
ODD: list[One] = [
    (0, None, b"\x09\x00", []),
    (1, b"", b"", [("", b""), ("a" * 200, b"x" * 300)]),
    (2, b"k", None, [("null", None)]),
    (3, None, None, []),
    (200, b"k" * 500, b"v" * 70_000, [("sigfw-opc", b"16777215"), ("sigfw-opc", None)]),
]
GAPS = [one for one in SOME if one[0] in (2, 3, 7)]
BAD_CRC = batch(SOME, 40)[:-1] + b"?"
# The value of its first header says 8191 octets, and has 5000: aiokafka's compiled varints read on behind the end.
LIES = batch([(0, None, None, [(NotUtf8("x"), b"1" * 5000), ("a", b"b")])])
LIES = seal(LIES.replace(b"\x90\x4e", b"\xfe\x7f", 1))
CASES: dict[str, tuple[bytes, int, Any]] = {
    "plain": (batch(SOME), 0, None),
    "several batches": (batch(SOME) + batch(ODD, 10) + batch(SOME, 300), 0, None),
    "position inside a batch": (batch(SOME) + batch(SOME, 10), 4, None),
    "position behind it": (batch(SOME), 10, None),
    "offset gaps by compaction": (batch(GAPS, 100, last=9) + batch(SOME, 110), 100, None),
    "a batch that compaction emptied": (seal(batch(SOME[:1])[:57] + bytes(4)) + batch(SOME, 1), 0, None),
    "log append time": (batch(SOME, attributes=LOG_APPEND), 0, None),
    "partial batch at the end": (batch(SOME) + batch(SOME, 10)[:-7], 0, None),
    "partial header at the end": (batch(SOME) + batch(SOME, 10)[:9], 0, None),
    "committed": (batch(SOME, attributes=TRANSACTIONAL, producer=7) + marker(10, 7, commit=True), 0, None),
    "aborted": (
        batch(SOME, attributes=TRANSACTIONAL, producer=7)
        + batch(SOME, 10, attributes=TRANSACTIONAL, producer=8)
        + marker(20, 7, commit=False)
        + batch(SOME, 21, attributes=TRANSACTIONAL, producer=7)
        + batch(SOME, 31),
        0,
        [(7, 0)],
    ),
    "names beyond ASCII": (
        batch([*SOME[:3], (3, b"k", b"v", [("häder", b"1")]), *SOME[4:]]) + batch(SOME, 10),
        0,
        None,
    ),
    "names that are no UTF-8": (batch([*SOME[:3], (3, b"k", b"v", [(NotUtf8("x"), b"1")]), *SOME[4:]]), 0, None),
    "a length that lies behind such a name": (LIES, 0, None),
    "CRC error": (batch(SOME) + BAD_CRC, 0, None),
    "octets behind the records": (
        seal(batch(SOME)[:8] + struct.pack(">i", len(batch(SOME)) - 11) + batch(SOME)[12:] + b"?"),
        0,
        None,
    ),
    "a later format's attributes": (batch(SOME, attributes=64), 0, None),
    "an unknown codec": (batch(SOME, attributes=5), 0, None),
    "more records than there are": (seal(batch(SOME)[:57] + struct.pack(">i", 11) + batch(SOME)[61:]), 0, None),
    "fewer records than there are": (seal(batch(SOME)[:57] + struct.pack(">i", 9) + batch(SOME)[61:]), 0, None),
    "a negative count": (seal(batch(SOME)[:57] + struct.pack(">i", -1) + batch(SOME)[61:]), 0, None),
    "a length that lies": (batch(SOME) + batch(SOME)[:8] + struct.pack(">i", 3) + batch(SOME)[12:], 0, None),
    "a negative length": (batch(SOME) + batch(SOME)[:8] + struct.pack(">i", -1) + batch(SOME)[12:], 0, None),
    "an offset before its batch": (seal(batch(SOME, 10)[:64] + b"\x01" + batch(SOME, 10)[65:]), 0, None),
    "nothing": (b"", 5, None),
} | {
    f"codec {number}": (batch(SOME) + batch(SOME, 10, codec=number) + batch(SOME, 20), 12, None)
    for number in (1, 2, 3, 4)
}


def test_aiokafka_is_as_the_raw_path_knows_it() -> None:
    """Where this fails, aiokafka has changed: read raw.py against it, or every worker takes the slow path."""
    assert raw.check() == ""


@pytest.mark.parametrize("name", CASES)
def test_raw_path_reads_what_the_public_one_reads(name: str) -> None:
    octets, offset, aborted = CASES[name]
    assert seen(octets, offset, aborted, by=raw.chunks) == seen(octets, offset, aborted, by=None)


def test_plain_batches_of_a_fetch_are_one_chunk() -> None:
    octets = b"".join(batch(SOME, 10 * n) for n in range(20))
    fetch = opened(octets, 3, None, by=raw.chunks)
    (chunk,) = fetch
    assert isinstance(chunk, Chunk)
    assert (len(chunk), fetch.next_fetch_offset) == (197, 200)
    assert [one.offset for one in of(chunk)] == list(range(3, 200))
    assert chunk[-1] == chunk[196]
    with pytest.raises(IndexError):
        chunk[197]


@pytest.mark.parametrize("codec", [1, 2, 3, 4])
def test_compressed_batch_is_read_by_the_core(codec: int) -> None:
    many = [(n, b"key", b"value %d" % n, []) for n in range(50)]
    fetch = opened(batch(many, codec=codec), 47, None, by=raw.chunks)
    (chunk,) = fetch
    assert isinstance(chunk, Chunk)
    assert [(one.offset, one.value) for one in of(chunk)] == [(n, b"value %d" % n) for n in (47, 48, 49)]
    assert fetch.next_fetch_offset == 50
    damaged = batch(many, codec=codec)
    assert raw.plain(memoryview(damaged[:-1] + b"?")) == damaged[:-1] + b"?"
    ends = seal(damaged[:8] + struct.pack(">i", 61 - 12 + 3) + damaged[12:64])
    assert raw.plain(memoryview(ends)) == ends


@pytest.mark.parametrize(("records", "octets", "sizes"), [(7, 1 << 20, [7, 7, 7, 7, 2]), (1000, 100, [4] * 7 + [2])])
def test_chunks_are_bounded_in_records_and_octets(records: int, octets: int, sizes: list[int]) -> None:
    reader, found = Reader(batch(SOME) + batch(SOME, 10) + batch(SOME, 20), 0), []
    while not reader.done:
        found.append(len(reader.read(records, octets)))
    assert [size for size in found if size] == sizes
    assert reader.next_offset == 30


@settings(deadline=None, max_examples=400)
@given(st.data())
def test_mutated_fetch_is_read_as_the_public_path_reads_it(data: st.DataObject) -> None:
    """CRCs are mended, so that what is behind them is reached."""
    whole = [batch(SOME[:4]), batch(ODD[:4], 4), batch(SOME[:2], 8, codec=1), batch(SOME, 10)]
    mutated = []
    for octets in whole:
        changed = bytearray(octets)
        for _ in range(data.draw(st.integers(0, 3))):
            at = data.draw(st.integers(0, len(changed) - 1))
            changed[at] = data.draw(st.integers(0, 255))
        sealed = data.draw(st.integers(0, 9)) > 0 and len(changed) > 61
        mutated.append(seal(changed) if sealed else bytes(changed))
    octets = b"".join(mutated)[: data.draw(st.integers(0, 4000))]
    offset = data.draw(st.integers(0, 12))
    assert seen(octets, offset, by=raw.chunks) == seen(octets, offset, by=None)


@given(st.binary(max_size=200))
def test_crc_is_the_same_by_tables_and_by_instruction(octets: bytes) -> None:
    by_table, by_instruction = crc32c(octets)
    assert by_instruction in (None, by_table)


def test_crc_is_that_of_rfc_3720() -> None:
    """B.4: 32 octets of zeros, of ones, and rising."""
    assert [crc32c(octets)[0] for octets in (bytes(32), b"\xff" * 32, bytes(range(32)))] == [
        0x8A9136AA,
        0x62A8AB43,
        0x46DD794E,
    ]


# ---- writing


def written(records: list[One], *, most: int = 1_000_000, value_most: int = 900_000) -> list[Body | bytes]:
    chunk = Reader(batch(records, 5_000_000_000), 0).read(1000, 1 << 30)
    verdicts = Worker(verdicts="packed").judge(None, Stream("t/0"), chunk.batch("sccp"))
    return write(verdicts, chunk, b"t/0/", b"0123456789abcdef", most=most, value_most=value_most)


@pytest.mark.parametrize("compression", [None, "gzip", "snappy", "lz4", "zstd"])
def test_aiokafka_reads_what_the_core_writes(compression: str | None) -> None:
    (body,) = written(SOME + [(one[0] + 10, *one[1:]) for one in ODD])
    assert isinstance(body, Body)
    builder = raw.Written(body, compression)
    builder._set_producer_state(77, 3, 12)
    made = builder._build()
    assert builder._build() is made
    assert builder.record_count() == body.records == 15
    assert compression or len(made) == builder.size()
    read = DefaultRecordBatch(made)
    assert read.validate_crc()
    assert (read.producer_id, read.producer_epoch, read.base_sequence, read.next_offset) == (77, 3, 12, 15)
    for got, (offset, key, _, headers) in zip(read, SOME + [(one[0] + 10, *one[1:]) for one in ODD], strict=True):
        ours = [("sigfw-source", b"t/0/%d" % (5_000_000_000 + offset)), ("sigfw-policy", b"0123456789abcdef")]
        assert (got.key, got.headers) == (key, [*headers, *ours])
        assert got.value.startswith(b"SGV1")
        assert got.timestamp == builder._time_ms


def test_bodies_end_where_a_batch_is_full_and_large_records_go_alone() -> None:
    large: list[One] = [(5, b"k" * 5000, b"v", []), (6, b"k", b"v", [("h", b"x" * 5000)])]
    parts = written([*SOME[:5], *large, *SOME[7:]], most=600)
    assert [one.records if isinstance(one, Body) else len(one) for one in parts] == [3, 2, 64, 64, 3]
    assert all(one.octets <= 600 for one in parts if isinstance(one, Body))
    assert written(SOME, value_most=63) == written(SOME, most=61)
    assert [len(one) for one in written(SOME, value_most=63) if isinstance(one, bytes)] == [64] * 10


def test_verdicts_of_other_records_are_refused() -> None:
    chunk, other = (Reader(batch(SOME), 0).read(10, 1000) for _ in range(2))
    verdicts = Worker(verdicts="packed").judge(None, Stream("t/0"), chunk.batch("sccp"))
    with pytest.raises(ValueError, match="other records"):
        write(verdicts, other, b"", b"", most=1000, value_most=1000)


def test_written_is_all_that_the_sender_asks_of_a_builder() -> None:
    asked = {name for name in vars(BatchBuilder) if callable(getattr(BatchBuilder, name)) and name != "__init__"}
    assert asked - set(vars(raw.Written)) == {"_serialize", "append"}  # a batch that is closed takes no more
