"""What records hold: decode objects, verdicts in JSON and packed form."""

import struct
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from sigfw import names
from sigfw._core.engine import Stream, Worker
from sigfw._core.memory import State
from sigfw._core.tables import Tables
from sigfw.pipeline.capture import Capture, open_capture

Object = dict[str, Any]

CHUNK = 1024  # messages judged at a time: memory stays flat whatever a capture's size
END_OF_TIME_NS = 2**63 - 1

HEADER = struct.Struct("<4sHHIIQq")
ENTRY = struct.Struct("<IHBBHHBBBBHBBIHHI")
PART = struct.Struct("<qIH")
BLOB_HEAD = struct.Struct("<BH")
BLOB_TYPES = ("", "reply", "redirect", "parts", "shadow")

FLAG_ALERT, FLAG_SEGMENT, FLAG_FINAL = 1 << 3, 1 << 4, 1 << 5


def judge_capture(
    capture: Capture,
    worker: Worker,
    stream: Stream,
    tables: Tables | None,
    *,
    perimeter: str = "international",
    variant: str = "itu",
    fields: bool = False,
) -> Iterator[bytes]:
    """Lines of JSON, or of fields as the Worker writes them, a chunk of messages at a time. What never completed has
    one line, behind the chunk at whose end it is too old by the capture's own time, or last; without tables none.
    """

    def never_completed(now_ns: int) -> Iterator[bytes]:
        for line in timeouts(stream, tables, now_ns, fields=fields):
            capture.never_completed += 1
            yield line

    while not capture.batch.done:
        yield worker.judge(tables, stream, capture.batch, perimeter=perimeter, variant=variant, limit=CHUNK).lines()
        capture.release()
        yield from never_completed(stream.last_time_ns)
    yield from never_completed(END_OF_TIME_NS)


def timeouts(stream: Stream, tables: Tables | None, now_ns: int, *, fields: bool = False) -> Iterator[bytes]:
    """End what is too old, so that the room it takes is there for others."""
    for ended in stream.expire(tables, now_ns):
        if tables is not None:
            line = timeout_line(ended, tables)
            yield field_line(line) if fields else orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def decode(path: Path, *, variant: str = "itu") -> Iterator[Object]:
    """The decode objects of a capture, in capture order. Raises UsageError where the file cannot be read."""
    capture = open_capture(path)
    for chunk in judge_capture(capture, Worker(), Stream(capture.name, offsets=False), None, variant=variant):
        yield from map(orjson.loads, chunk.splitlines())


def screen(path: Path, tables: Tables, *, perimeter: str = "international", variant: str = "itu") -> Iterator[Object]:
    """The verdict objects of a capture, judged as if enforcing. Raises UsageError where the file cannot be read."""
    capture = open_capture(path)
    stream = Stream(capture.name, offsets=False)
    for chunk in judge_capture(capture, Worker(state=State()), stream, tables, perimeter=perimeter, variant=variant):
        yield from map(orjson.loads, chunk.splitlines())


def timeout_line(ended: Object, tables: Tables, modes: Mapping[str, str] | None = None) -> Object:
    """The line of a reassembly that never completed: the id of its last segment, the exception's action.

    ended: of Stream.expire or Stream.abandon; modes: perimeter -> mode of the service, enforce where left out.
    """
    mode = (modes or {}).get(ended["perimeter"], "enforce")
    would = {"action": ended["action"], "rule": None, "reason": ended["reason"]}
    return {
        "id": ended["id"],
        "action": ended["action"] if mode == "enforce" else "allow",
        "reason": ended["reason"] if mode == "enforce" else mode,
        "rule": None,
        "category": None,
        "perimeter": ended["perimeter"],
        "shadow": would if mode == "monitor" else None,
        "policy": {"name": tables.name, "digest": tables.digest},
        "frame": ended["frame"],
        "index": ended["index"],
        "time": timestamp(ended["time_ns"]),
        "encapsulation": None,
        "opc": None,
        "dpc": None,
        "sls": None,
        "ni": None,
        "sccp": None,
        "reassembly": {"id": ended["reassembly"], "part": len(ended["parts"]), "final": False, "parts": ended["parts"]},
        "tcap": None,
        "map": None,
        "error": None,
    }


def field_line(line: Object) -> bytes:
    """A timeout_line as fields, of which it has the first ones alone."""
    cells = [str(line[name]) for name in names.FIELDS[:4]]
    return ("\t".join(cells) + "\t" * (len(names.FIELDS) - 4) + "\n").encode()


def timestamp(time_ns: int) -> str | None:
    """ISO 8601, microseconds, UTC; None where there is no time."""
    if time_ns < 0:
        return None
    whole, ns = divmod(time_ns, 1_000_000_000)
    return datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ns // 1000:06d}Z"


def unpack(value: bytes) -> Object:
    """Read a packed verdict record (docs/packed.md).

    Returns `{"digest": 16 hex digits, "base_offset", "verdicts": [one dict an entry]}`. A verdict has frame, index,
    action, reason, rule, shadow_rule, category (numbers from 1 in policy order, 0 none), perimeter, alert, segment,
    final, shadow (None or {action, rule, reason}), error (None or {layer, code, offset}), component, reassembly, and,
    where they apply, reply (bytes), redirect (digits) and parts ([(offset, frame, index)]).
    Raises ValueError, saying what is wrong and where, for anything that is no such record.
    """
    if len(value) < HEADER.size or value[:4] != b"SGV1":
        raise ValueError(f"no packed verdict record: {len(value)} octets that begin with {value[:4]!r}")
    _, entry_octets, _flags, count, _, _digest, base_offset = HEADER.unpack_from(value)
    if entry_octets < ENTRY.size or HEADER.size + count * entry_octets > len(value):
        raise ValueError(f"{count} entries of {entry_octets} octets do not fit into {len(value)}")
    verdicts = []
    blobs = 0
    for at in range(HEADER.size, HEADER.size + count * entry_octets, entry_octets):
        verdict, blob_octets = unpack_entry(value, at)
        blobs += blob_octets
        if blobs > len(value):  # each entry has its own: none is read twice, whatever the offsets say
            raise ValueError(f"entry at octet {at}: {blobs} octets of blobs so far do not fit into {len(value)}")
        verdicts.append(verdict)
    return {"digest": value[16:24].hex(), "base_offset": base_offset, "verdicts": verdicts}


def unpack_entry(value: bytes, at: int) -> tuple[Object, int]:
    """The verdict of the entry, and the octets of its blobs."""
    (
        frame, index, action, reason, rule, shadow_rule, category, flags, layer, code, offset, component, _, blob_at,
        blob_octets, _, reassembly,
    ) = ENTRY.unpack_from(value, at)  # fmt: skip
    try:
        verdict: Object = {
            "frame": frame,
            "index": index,
            "action": names.ACTIONS[action],
            "reason": names.REASONS[reason],
            "rule": rule,
            "shadow_rule": shadow_rule,
            "category": category,
            "perimeter": names.PERIMETERS[flags >> 6],
            "alert": bool(flags & FLAG_ALERT),
            "segment": bool(flags & FLAG_SEGMENT),
            "final": bool(flags & FLAG_FINAL),
            "shadow": None,
            "error": None,
            "component": component,
            "reassembly": reassembly,
        }
        if code:
            verdict["error"] = {"layer": names.LAYERS[layer], "code": names.ERROR_CODES[code], "offset": offset}
        blobs = unpack_blobs(value, blob_at, blob_octets)
        shadow_reason = names.REASONS[blobs.pop("shadow")[0]] if "shadow" in blobs else "rule"
        if flags & 7:
            verdict["shadow"] = {"action": names.ACTIONS[flags & 7], "rule": shadow_rule, "reason": shadow_reason}
    except IndexError:
        raise ValueError(f"entry at octet {at}: a number that docs/packed.md does not list") from None
    return verdict | blobs, blob_octets


def unpack_blobs(value: bytes, at: int, octets: int) -> Object:
    blobs: Object = {}
    end = at + octets
    if end > len(value):
        raise ValueError(f"blobs at octet {at}: {octets} octets do not fit into {len(value)}")
    while at < end:
        if end - at < BLOB_HEAD.size:
            raise ValueError(f"blob at octet {at}: cut short")
        kind, n = BLOB_HEAD.unpack_from(value, at)
        at += BLOB_HEAD.size
        if n > end - at:
            raise ValueError(f"blob at octet {at}: {n} octets do not fit into {end - at}")
        content = value[at : at + n]
        name = BLOB_TYPES[kind]
        if not name:
            raise IndexError(kind)
        if name == "parts" and n % PART.size:
            raise ValueError(f"blob at octet {at}: {n} octets are no list of parts, of {PART.size} each")
        if name == "parts":
            blobs[name] = list(PART.iter_unpack(content))
        elif name == "redirect":
            blobs[name] = content.decode("ascii", "replace")
        else:
            blobs[name] = content
        at += n
    return blobs
