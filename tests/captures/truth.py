"""Make the truth of a capture or of a .hex file with tshark: `truth.py FILE…` writes FILE.truth.jsonl beside each.

README.md says what a line holds. tshark is asked for PDML, with SCTP's TSN analysis off, so that the payload of a
retransmitted DATA chunk is dissected too. A key is null where tshark shows nothing that may be relied upon.
"""

import gzip
import json
import re
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, XMLPullParser

TRUTH_LABELS = ("sccp", "tcap", "m3ua")
SCCP_TYPES = {
    0x01: "CR", 0x02: "CC", 0x03: "CREF", 0x04: "RLSD", 0x05: "RLC", 0x06: "DT1", 0x07: "DT2", 0x08: "AK", 0x09: "UDT",
    0x0A: "UDTS", 0x0B: "ED", 0x0C: "EA", 0x0D: "RSR", 0x0E: "RSC", 0x0F: "ERR", 0x10: "IT", 0x11: "XUDT",
    0x12: "XUDTS", 0x13: "LUDT", 0x14: "LUDTS",
}  # fmt: skip
TCAP_ELEMENTS = ("begin", "continue", "end", "abort", "unidirectional")
COMPONENTS = ("invoke", "returnResultLast", "returnResultNotLast", "returnError", "reject")
# tshark strings of digits that CAP carries in ISUP's number parameters.
E164_FIELDS = ("e164.msisdn", "e164.called_party_number.digits", "e164.calling_party_number.digits")
CAP_ACNS = ("04000001003201", "0400000115030", "0400000117030")  # …1.0.50.1, …1.21.3.x, …1.23.3.x as hex
CAP_CONTEXTS = ("0.4.0.0.1.0.50.", "0.4.0.0.1.21.3.", "0.4.0.0.1.23.3.")
MAP_OR_CAP = ("0.4.0.0.1.0.", "0.4.0.0.1.21.3.", "0.4.0.0.1.23.3.")

NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # tshark writes text as it finds it

Truth = dict[str, Any]


def read_truth(path: Path) -> list[Truth]:
    """The lines of a truth file, gzipped or not."""
    text = gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text()
    return [json.loads(line) for line in text.splitlines()]


def make_truth(path: Path) -> list[Truth]:
    """The truth of a capture (.pcap) or of a file of hex lines. Raises FileNotFoundError where tshark is absent."""
    if path.suffix != ".hex":
        frames = pcap_frames(path)
        return [message for number, packet in packets(path) for message in messages(number, packet, frames)]
    lines = [(n, *hex_line(line)) for n, line in enumerate(path.read_text().splitlines(), 1)]
    wanted = [line for line in lines if line[1] in TRUTH_LABELS]
    truths = list(_hex_truths(wanted, 6))
    # What continues a CAP dialogue of an earlier line has no application context of its own.
    cap = {t[key] for t in truths if str(t["acn"]).startswith(CAP_CONTEXTS) for key in ("otid", "dtid")} - {None}
    later = [n for n, t in enumerate(truths) if t["label"] == "tcap" and not t["acn"] and cap & {t["otid"], t["dtid"]}]
    for n, truth in zip(later, _hex_truths([wanted[n] for n in later], 146), strict=True):
        truths[n] = truth
    return truths


def _hex_truths(lines: list[tuple[int, str, bytes]], ssn: int) -> Iterator[Truth]:
    with tempfile.TemporaryDirectory() as folder:
        capture = Path(folder) / "lines.pcap"
        capture.write_bytes(exported_pdus([payload_of(kind, raw, ssn) for _, kind, raw in lines]))
        frames = pcap_frames(capture)
        for (number, packet), (line, kind, raw) in zip(packets(capture), lines, strict=True):
            for truth in messages(number, packet, frames):
                yield _hex_truth(truth, line, kind, raw)


def exported_pdus(payloads: list[tuple[str, bytes]]) -> bytes:
    """A capture of link type 252: each payload behind the name of the dissector that reads it.

    Each comes from an address of its own, so that tshark puts no two of them together.
    """
    out = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 252)]
    for number, (name, payload) in enumerate(payloads):
        tag = name.encode().ljust((len(name) + 3) & ~3, b"\0")
        source = struct.pack(">HHI", 20, 4, 0x7F000000 + number)
        frame = struct.pack(">HH", 12, len(tag)) + tag + source + struct.pack(">HH", 0, 0) + payload
        out.append(struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame)
    return b"".join(out)


def pcap_frames(path: Path) -> list[bytes]:
    """The octets of every frame of a classic pcap file."""
    data = path.read_bytes()
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    at, frames = 24, []
    while at < len(data):
        captured = struct.unpack_from(order + "I", data, at + 8)[0]
        frames.append(data[at + 16 : at + 16 + captured])
        at += 16 + captured
    return frames


def hex_line(line: str) -> tuple[str, bytes]:
    label, _, octets = line.rpartition("\t")
    return label or "sccp", bytes.fromhex(octets)


def payload_of(kind: str, raw: bytes, ssn: int) -> tuple[str, bytes]:
    if kind != "tcap":
        return "m3ua" if kind == "m3ua" else "sccp", raw
    if any(acn in raw.hex() for acn in CAP_ACNS):
        ssn = 146
    return "sccp", bytes((9, 0, 3, 5, 7, 2, 0x42, ssn, 2, 0x42, ssn, len(raw))) + raw


def _hex_truth(truth: Truth, line: int, kind: str, raw: bytes) -> Truth:
    for key in ("frame", "index_in_frame"):
        del truth[key]
    if kind == "tcap":  # the SCCP header is our own
        keep = ("malformed", "tcap", "otid", "dtid", "acn", "component_count", "components", "imsi", "msisdn", "e164")
        truth = {"raw": raw.hex()} | {key: truth[key] for key in keep}
        if not truth["acn"]:
            truth |= dict.fromkeys(("imsi", "msisdn", "e164"))
    return {"line": line, "label": kind} | truth


def packets(path: Path, *preferences: str) -> Iterator[tuple[int, Element]]:
    """preferences: of tshark, `name:value`, beside those that every truth is made with."""
    command = ["tshark", "-r", str(path), "-T", "pdml"]
    command += [part for one in ("sctp.tsn_analysis:FALSE", *preferences) for part in ("-o", one)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as tshark:
        assert tshark.stdout is not None
        number, parser = 0, XMLPullParser()
        for line in tshark.stdout:
            parser.feed(NO_XML.sub("?", line.decode(errors="replace")))
            for _, element in parser.read_events():
                if element.tag == "packet":
                    number += 1
                    yield number, element
                    element.clear()
    if tshark.returncode:
        raise RuntimeError(f"tshark ended with {tshark.returncode} on {path}")


def _fields(scope: list[Element], *names: str) -> list[Element]:
    return [field for proto in scope for field in proto.iter("field") if field.get("name") in names]


def _shown(scope: list[Element], name: str) -> str | None:
    found = _fields(scope, name)
    return found[0].get("show") if found else None


def _number(scope: list[Element], name: str) -> int | None:
    shown = _shown(scope, name)
    return None if shown is None else int(shown, 0)


def _named(scope: list[Element], ending: str) -> list[Element]:
    return [field for proto in scope for field in proto.iter("field") if (field.get("name") or "").endswith(ending)]


def _msisdn(users: list[Element]) -> list[Element]:
    named = [field for field in _named(users, ".msisdn") if field.get("name") != "e164.msisdn"]
    return _fields(named, "e164.msisdn")


def _e164(users: list[Element]) -> list[Element]:
    """Numbers in the order of the message; of ISUP's number parameters the international ones only."""
    national = {
        id(number)
        for parameter in _named(users, "")
        for nature in parameter
        if (nature.get("name") or "").endswith("_nature_of_address_indicator") and nature.get("show") != "4"
        for number in _fields([parameter], *E164_FIELDS)
    }
    return [number for number in _fields(users, *E164_FIELDS) if id(number) not in national]


def _unique(fields: list[Element]) -> list[str] | None:
    return list(dict.fromkeys(field.get("show", "") for field in fields)) or None


def messages(number: int, packet: Element, frames: list[bytes]) -> Iterator[Truth]:
    """The truth of each SCCP message of a packet."""
    protos = list(packet)
    starts = [i for i, proto in enumerate(protos) if proto.get("name") == "sccp"]
    for index, start in enumerate(starts):
        end = start + 1
        while end < len(protos) and protos[end].get("name") not in ("sctp", "m3ua", "m2pa", "mtp3", "sccp"):
            end += 1
        below = next((p for p in reversed(protos[:start]) if p.get("name") in ("m3ua", "mtp3")), None)
        yield _message(number, index, below, protos[start], protos[start + 1 : end], frames[number - 1])


def _message(
    number: int, index: int, below: Element | None, sccp: Element, upper: list[Element], frame: bytes
) -> Truth:
    at, label = int(sccp.get("pos", "")), [] if below is None else [below]
    head = [sccp]
    kind = SCCP_TYPES[_number(head, "sccp.message_type") or 0]
    truth: Truth = {
        "frame": number,
        "index_in_frame": index,
        "raw": frame[at : at + int(sccp.get("size", ""))].hex(),
        "opc": _number(label, "mtp3.opc"),
        "dpc": _number(label, "mtp3.dpc"),
        "sccp_type": kind,
        "class": _number(head, "sccp.class"),
        "handling": _number(head, "sccp.handling"),
        "return_cause": _number(head, "sccp.return_cause"),
        "hops": _number(head, "sccp.hops"),
        "called": _address(head, "called"),
        "calling": _address(head, "calling"),
        "malformed": any(proto.get("name") == "_ws.malformed" for proto in upper),
        "upper": [p.get("name") for p in upper if p.get("name") not in IGNORED and not _is_bare_tcap(p)],
        "segmentation": _segmentation(head, frame),
        "reassembled": _reassembled(upper),
    }
    return truth | _tcap(upper)


IGNORED = ("_ws.malformed", "_ws.unreassembled", "fake-field-wrapper", "data")


def _is_bare_tcap(proto: Element) -> bool:
    return proto.get("name") == "tcap" and not len(proto)


def _segmentation(head: list[Element], frame: bytes) -> Truth | None:
    # Read from the octets: tshark leaves the parameter out of the segment that completes a message.
    pointer = _fields(head, "sccp.optional_pointer")
    if not pointer or not _number(pointer, "sccp.optional_pointer"):
        return None
    # A pointer counts from its last octet: those of LUDT have two (Q.713 2.3).
    at = int(pointer[0].get("pos", "")) + int(pointer[0].get("size", "")) - 1 + int(pointer[0].get("show", ""))
    while at + 1 < len(frame) and frame[at] != 0:
        if frame[at] == 0x10:  # Q.713 3.17
            octet = frame[at + 2]
            return {
                "first": octet >> 7,
                "remaining": octet & 15,
                "class_requested": octet >> 6 & 1,
                "local_ref_hex": frame[at + 3 : at + 6].hex(),
            }
        at += 2 + frame[at + 1]
    return None


def _address(head: list[Element], party: str) -> Truth | None:
    name = f"sccp.{party}."
    if not _fields(head, name + "ri"):
        return None
    keys = ("ri", "gti", "tt", "np", "es", "oe", "nai", "ssn")
    address: Truth = {key: _number(head, name + key) for key in keys}
    present = _number(head, name + "pci")
    return address | {"digits": _shown(head, name + "digits"), "pc": _number(head, name + "pc"), "pc_present": present}


def _reassembled(upper: list[Element]) -> Truth | None:
    parts = _fields(upper, "sccp.msg.fragment")
    if not parts:
        return None
    data = "".join(part.get("value", "") for part in parts)
    return {"segments": [[int(part.get("show", "")), 0] for part in parts], "data": data}


def _tcap(upper: list[Element]) -> Truth:
    tcap = [proto for proto in upper if proto.get("name") == "tcap"]
    empty = ("tcap", "otid", "dtid", "acn", "component_count", "components", "imsi", "msisdn", "e164")
    if not tcap:
        return dict.fromkeys(empty)
    kind = next((name for name in TCAP_ELEMENTS if _fields(tcap, f"tcap.{name}_element")), None)
    if kind is None:
        return dict.fromkeys(empty) | {"tcap_nonstandard": False}
    acn = _shown(tcap, "tcap.application_context_name")
    counted = _fields(tcap, "tcap.components")
    users = [proto for proto in upper if proto.get("name") in ("gsm_map", "camel")]
    if acn is not None and not acn.startswith(MAP_OR_CAP):
        users = []
    otid, dtid = _fields(tcap, "tcap.otid"), _fields(tcap, "tcap.dtid")
    broken = not counted and any("Malformed Packet: TCAP" in proto.get("showname", "") for proto in upper)
    if broken:
        otid = dtid = []
    nonstandard = not broken and kind != "unidirectional" and not (otid or dtid)
    return {
        "tcap": kind,
        "otid": otid[0].get("value") if otid else None,
        "dtid": dtid[0].get("value") if dtid else None,
        "acn": acn,
        "component_count": int(counted[0].get("show", "0")) if counted else 0,
        "components": _components(users) or (None if counted or broken or nonstandard else []),
        "imsi": _unique(_fields(users, "e212.imsi")),
        "msisdn": _unique(_msisdn(users)),
        "e164": _unique(_e164(users)),
        "tcap_nonstandard": nonstandard,
    }


def _components(users: list[Element]) -> list[Truth]:
    kinds = {f"{user}.{kind}_element": kind for user in ("gsm_old", "camel") for kind in COMPONENTS}
    kinds["camel.returnResult_element"] = "returnResultLast"
    return [
        _component(kinds[field.get("name", "")], field)
        for user in users
        for field in user.iter("field")
        if field.get("name") in kinds
    ]


def _component(kind: str, element: Element) -> Truth:
    named = ("gsm_old.opCode", "camel.opcode", "gsm_old.errorCode", "camel.errcode")
    code = [field for field in element if field.get("name") in named]
    results = ("resultretres", "resultretres_element", "camel.result_element")
    code += [field for group in element if (group.get("name") or "").endswith(results) for field in group]
    found: dict[str, int | str] = {}
    for field in _fields(code, "gsm_old.localValue", "camel.local", "camel.error_code_local"):
        found.setdefault("local", int(field.get("show", "")))
    for field in _fields(code, "gsm_old.globalValue", "camel.global"):
        found.setdefault("global", field.get("show", ""))
    form = next(iter(found), None)
    invoke_id = [
        int(field.get("show", ""))
        for field in _fields([element], "gsm_old.invokeID", "gsm_old.derivable", "camel.present")
    ]
    component: Truth = {"type": kind, "invoke_id": invoke_id[0] if invoke_id else None}
    if kind == "returnError":
        return component | {"opcode": None, "opcode_kind": None, "error": found[form] if form else None}
    return component | {"opcode": found[form] if form else None, "opcode_kind": form}


def main() -> None:
    for name in sys.argv[1:]:
        path = Path(name)
        lines = "".join(json.dumps(truth) + "\n" for truth in make_truth(path))
        path.with_name(path.name.removesuffix(".pcap") + ".truth.jsonl").write_text(lines)


if __name__ == "__main__":
    main()
