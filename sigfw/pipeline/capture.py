"""Capture files as batches: .pcap, .pcapng, .gz of them, and .hex (one message a line)."""

import mmap
import os
import stat
import tempfile
import zlib
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

# Content octets of the CAP application contexts' roots: 0.4.0.0.1.0.50, 0.4.0.0.1.21.3, 0.4.0.0.1.23.3.
CAP_CONTEXTS = (bytes.fromhex("04000001 0032"), bytes.fromhex("04000001 1503"), bytes.fromhex("04000001 1703"))


@dataclass
class Capture:
    """A file to judge: `batch`, and what is to be said about the file itself."""

    name: str
    batch: Batch
    notes: list[str] = field(default_factory=list)
    records: list[tuple[bytes | mmap.mmap, str]] = field(default_factory=list)  # of the batch: octets, encapsulation

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
            if path.suffix == ".hex":
                return read_hex(path, f)
            return open_binary(path, f)
    except OSError as e:
        raise UsageError(f"{path}: {e.strerror or e}; check the name and its permissions") from None


def open_binary(path: Path, f: IO[bytes]) -> Capture:
    if f.read(2) != b"\x1f\x8b":
        return map_capture(path, f, [])
    f.seek(0)
    with tempfile.TemporaryFile(prefix="sigfw-") as unpacked:  # the map outlives the file
        note = unpack(f, unpacked)
        return map_capture(path, unpacked, [note] if note else [])


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
LINKS = "Ethernet 1, raw IP 101, 228 and 229, Linux cooked 113 and 276, MTP3 141, SCCP 142, SCTP 248"
MAGICS = (
    bytes.fromhex("d4c3b2a1"),
    bytes.fromhex("a1b2c3d4"),
    bytes.fromhex("4d3cb2a1"),
    bytes.fromhex("a1b23c4d"),
    bytes.fromhex("0a0d0d0a"),
)


def unpack(packed: IO[bytes], out: IO[bytes]) -> str | None:
    """Unpack as far as it goes; what stopped it, if anything did."""
    member = before = zlib.decompressobj(GZIP)
    chunk = b""
    trouble = None
    try:
        while chunk := packed.read(CHUNK):
            while chunk:
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


def read_hex(path: Path, f: IO[bytes]) -> Capture:
    """One message a line, `hex` or `label<TAB>hex`; frame is the line's number. Lines that cannot be read are noted."""
    values: list[bytes] = []
    frames: list[int] = []
    meta: list[tuple[str | None, str | None, int | None, int | None] | None] = []
    notes: list[str] = []
    for number, line in enumerate(f, 1):
        text = line.strip()
        if not text or text.startswith(b"#"):
            continue
        label, _, digits = text.rpartition(b"\t")
        encapsulation = label.decode("ascii", "replace").strip() or "sccp"
        if encapsulation not in HEX_LABELS:
            notes.append(f"line {number}: label {encapsulation!r} is not read; known are {', '.join(HEX_LABELS)}")
            continue
        try:
            octets = bytes.fromhex(digits.decode("ascii"))
        except ValueError:
            notes.append(f"line {number}: not hex digits in pairs; a line is `hex` or `label<TAB>hex`")
            continue
        if len(octets) > MAX_HEX_OCTETS:
            notes.append(f"line {number}: {len(octets)} octets are more than an SCCP message has")
            continue
        values.append(in_unitdata(octets) if encapsulation == "tcap" else octets)
        frames.append(number)
        meta.append(("m3ua", None, None, None) if encapsulation == "m3ua" else None)
    if notes and not values:
        raise UsageError(f"{path}: {notes[0]}" + (f" (and {len(notes) - 1} lines more)" if notes[1:] else ""))
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
