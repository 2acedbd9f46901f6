"""Capture files as batches: .pcap, .pcapng, .hex (one message a line), and .gz of them."""

import mmap
import os
import stat
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from sigfw import names
from sigfw._core import framing
from sigfw._core.batch import Batch
from sigfw.errors import UsageError

CHUNK = 1 << 20  # octets of a .gz unpacked at a time
RELEASE = 1 << 24  # octets of a mapped file between two releases: a multiple of every page size
GZIP = 31  # zlib's window bits for a gzip header and the largest window
HEX_LABELS = ("sccp", "tcap", "m3ua")
MAX_HEX_OCTETS = 1 << 16  # of one message: beyond any SCCP message
MAX_HEX_LINE = 4 * MAX_HEX_OCTETS  # two digits an octet, and as much again for blanks and a label
MAX_HEX_MESSAGES = 1_000_000  # of one file: they are all held, which a capture's are not
MAX_NOTES = 20  # on lines of one file that cannot be read; the others are counted

# Content octets of the CAP application contexts' roots: 0.4.0.0.1.0.50, 0.4.0.0.1.21.3, 0.4.0.0.1.23.3.
CAP_CONTEXTS = (bytes.fromhex("04000001 0032"), bytes.fromhex("04000001 1503"), bytes.fromhex("04000001 1703"))


@dataclass
class Capture:
    """A file to judge: `batch`, and what is to be said about the file itself."""

    name: str
    batch: Batch
    notes: list[str] = field(default_factory=list)
    records: list[tuple[bytes | mmap.mmap, str]] = field(default_factory=list)  # of the batch: octets, encapsulation
    never_completed: int = 0  # reassemblies that were ended for their age

    _released: int = 0

    def release(self) -> None:
        """Give the pages of the file that are judged back, now and then: memory stays flat whatever its size."""
        done = self.batch.position & -RELEASE
        if done > self._released:
            view = self.records[0][0]
            assert isinstance(view, mmap.mmap)
            view.madvise(mmap.MADV_DONTNEED, self._released, done - self._released)
            self._released = done

    def problems(self) -> list[str]:
        """One line for everything that kept a part of the file from being read."""
        framing = self.batch.problem
        return [f"{self.name}: {note}" for note in (*self.notes, *([framing] if framing else []))]


def open_capture(path: Path) -> Capture:
    """Open by content (and `.hex` by name).

    Raises UsageError, in one line, where the file cannot be read or is no capture.
    """
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise UsageError(f"{path}: not a regular file; give a .pcap, .pcapng, .gz or .hex file")
        with path.open("rb") as f:
            return open_plain(path, f, []) if f.read(2) != b"\x1f\x8b" else open_packed(path, f)
    except OSError as e:
        raise UsageError(f"{path}: {e.strerror or e}; check the name and its permissions") from None


def open_plain(path: Path, f: IO[bytes], notes: list[str]) -> Capture:
    if path.name.removesuffix(".gz").endswith(".hex"):
        f.seek(0)
        return read_hex(path, f, notes)
    return map_capture(path, f, notes)


def open_packed(path: Path, f: IO[bytes]) -> Capture:
    f.seek(0)
    with tempfile.TemporaryFile(prefix="sigfw-") as unpacked:  # a map of it outlives the file
        free = os.fstatvfs(unpacked.fileno())
        note = unpack(path, f, unpacked, free.f_bavail * free.f_frsize // 2)
        return open_plain(path, unpacked, [note] if note else [])


def map_capture(path: Path, f: IO[bytes], notes: list[str]) -> Capture:
    size = f.seek(0, os.SEEK_END)
    if size < 4:
        raise UsageError(f"{path}: {size} octets are no capture; give a .pcap, .pcapng, .gz or .hex file")
    view = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)
    if view[:4] not in MAGICS:
        raise UsageError(
            f"{path}: no pcap or pcapng (it begins {view[:4].hex()}); messages in hex want the suffix .hex"
        )
    check_header(path, view[:HEADER_OCTETS])
    return Capture(path.name, Batch([view], "pcap", capture=True), notes, [(view, "pcap")])


def check_header(path: Path, header: bytes) -> None:
    """Refuse a classic pcap whose version or link type is not read."""
    if header[:4] == MAGICS[-1] or len(header) < HEADER_OCTETS:
        return
    for found in framing.frames(header, "pcap"):
        if found["code"] == names.ERROR_CODES.index("unsupported"):
            link = int.from_bytes(header[20:24], "little" if header[0] != 0xA1 else "big") & 0xFFFF
            what = f"link type {link}" if found["offset"] == LINK_AT else "this version of pcap"
            raise UsageError(f"{path}: {what} is not read; known are {LINKS}")


HEADER_OCTETS = 24  # of a classic pcap
LINK_AT = 20
LINKS = (
    "Ethernet 1, raw IP 101, 228 and 229, Linux cooked 113 and 276, MTP2 139 and 140, MTP3 141, SCCP 142, SCTP 248, "
    "exported PDUs 252"
)
MAGICS = (
    bytes.fromhex("d4c3b2a1"),
    bytes.fromhex("a1b2c3d4"),
    bytes.fromhex("4d3cb2a1"),
    bytes.fromhex("a1b23c4d"),
    bytes.fromhex("0a0d0d0a"),
)


def unpack(path: Path, packed: IO[bytes], out: IO[bytes], most: int) -> str | None:
    """Unpack as far as it goes, a chunk at a time; what stopped it, if anything did.

    Raises UsageError where there are more than `most` octets: a small file may hold a thousand times its size.
    """
    member = before = zlib.decompressobj(GZIP)
    chunk = b""
    trouble = None
    try:
        while chunk := packed.read(CHUNK):
            while chunk:
                if out.tell() > most:
                    raise UsageError(
                        f"{path}: unpacked it takes more than half of what is free in {tempfile.gettempdir()}; "
                        "set TMPDIR to a folder with more room"
                    )
                before = member.copy()
                out.write(member.decompress(chunk, CHUNK))
                chunk = member.unconsumed_tail
                if member.eof and member.unused_data:  # gzip files may be joined end to end
                    chunk, member = member.unused_data, zlib.decompressobj(GZIP)
        out.write(member.flush())
    except zlib.error as e:
        trouble = f"broken ({e})"
        with suppress(zlib.error):  # octet by octet: what stood before the fault in its chunk
            for octet in chunk:
                out.write(before.decompress(bytes((octet,))))
    out.flush()
    if trouble is None and not member.eof:
        trouble = "cut short"
    return f"gzip data are {trouble} after {out.tell()} unpacked octets; what was whole is read" if trouble else None


def lines(f: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Lines with their numbers; of one that is too long, one octet more than may be."""
    number = 0
    while line := f.readline(MAX_HEX_LINE + 1):
        number += 1
        yield number, line
        while len(line) > MAX_HEX_LINE and not line.endswith(b"\n"):
            line = f.readline(MAX_HEX_LINE + 1)


def read_line(line: bytes) -> tuple[bytes, str]:
    """Octets and label of a line. Raises ValueError, saying what is wrong."""
    label, _, digits = line.rpartition(b"\t")
    encapsulation = label.decode("ascii", "replace").strip() or "sccp"
    if len(line) > MAX_HEX_LINE:
        raise ValueError(f"more than {MAX_HEX_LINE} octets")
    if encapsulation not in HEX_LABELS:
        raise ValueError(f"label {encapsulation[:40]!r} is not read; known are {', '.join(HEX_LABELS)}")
    try:
        octets = bytes.fromhex(digits.decode("ascii"))
    except ValueError:
        raise ValueError("not hex digits in pairs; a line is `hex` or `label<TAB>hex`") from None
    if len(octets) > MAX_HEX_OCTETS:
        raise ValueError(f"{len(octets)} octets are more than an SCCP message has")
    return in_unitdata(octets) if encapsulation == "tcap" else octets, encapsulation


def read_hex(path: Path, f: IO[bytes], notes: list[str]) -> Capture:
    """One message a line, `hex` or `label<TAB>hex`; frame is the line's number. Lines that cannot be read are noted."""
    values: list[bytes] = []
    frames: list[int] = []
    meta: list[tuple[str | None, str | None, int | None, int | None] | None] = []
    unread: list[str] = []
    n_unread = 0
    for number, line in lines(f):
        text = line.strip()
        if not text or text.startswith(b"#"):
            continue
        try:
            octets, label = read_line(text)
        except ValueError as e:
            n_unread += 1
            unread += [f"line {number}: {e}"] if n_unread <= MAX_NOTES else []
            continue
        if len(values) == MAX_HEX_MESSAGES:
            raise UsageError(
                f"{path}: more than {MAX_HEX_MESSAGES} messages; make it a .pcap, which is read as it goes"
            )
        values.append(octets)
        frames.append(number)
        meta.append(("m3ua", None, None, None) if label == "m3ua" else None)
    if unread and not values:
        raise UsageError(f"{path}: {unread[0]}" + (f" (and {n_unread - 1} lines more)" if n_unread > 1 else ""))
    notes += unread
    if n_unread > MAX_NOTES:
        notes.append(f"{n_unread - MAX_NOTES} lines more could not be read")
    records: list[tuple[bytes | mmap.mmap, str]] = [
        (value, "sccp" if of is None else "m3ua") for value, of in zip(values, meta, strict=True)
    ]
    return Capture(path.name, Batch(values, "sccp", frames=frames, meta=meta, capture=True), notes, records)


def in_unitdata(tcap: bytes) -> bytes:
    """TCAP behind a plain UDT (Q.713 4.10), or LUDT where it is longer; SSN 146 for CAP contexts, else 6."""
    ssn = 146 if any(context in tcap for context in CAP_CONTEXTS) else 6
    party = bytes((2, 0x42, ssn))
    if len(tcap) <= 0xFF:
        return bytes((0x09, 0x00, 3, 5, 7)) + party + party + bytes((len(tcap),)) + tcap
    pointers = b"".join(n.to_bytes(2, "little") for n in (7, 8, 9, 0))
    return bytes((0x13, 0x00, 15)) + pointers + party + party + len(tcap).to_bytes(2, "little") + tcap
