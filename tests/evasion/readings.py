"""What sigfw, tshark and pycrate read of the same messages, in one form: a Reading.

A Reading holds what all three name alike: the type of the SCCP message, both addresses, the TCAP package, its
transaction ids, the ACN and every component as `type invoke-id code` (`-` where there is none).
"""

import re
import struct
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, iterparse

from pycrate_asn1dir import TCAP_CAP, TCAP_MAPv2v3  # type: ignore[import-untyped]
from pycrate_core.utils import PycrateErr  # type: ignore[import-untyped]
from pycrate_mobile.SCCP import parse_SCCP  # type: ignore[import-untyped]

Reading = dict[str, Any]

SCCP_KEYS = ("sccp", "called", "calling")
TCAP_KEYS = ("tcap", "otid", "dtid", "acn", "components")
NOTHING: Reading = dict.fromkeys((*SCCP_KEYS, *TCAP_KEYS))


def component(kind: str, invoke_id: object, code: object) -> str:
    return " ".join("-" if part is None else str(part) for part in (kind, invoke_id, code))


# ---- sigfw


def party(address: dict[str, Any] | None) -> str | None:
    """`digits tt.np.es.nai ssn pc`; what is not there is `-`, an odd number's encoding scheme is told by the digits."""
    if address is None:
        return None
    plan = ".".join("-" if address[key] is None else str(address[key]) for key in ("tt", "np", "es", "nai"))
    rest = ["-" if address[key] in (None, "") else str(address[key]) for key in ("digits", "ssn", "pc")]
    return f"{rest[0]} {plan} ssn {rest[1]} pc {rest[2]}"


def ours(line: dict[str, Any]) -> Reading:
    """The Reading of a line of `decode`."""
    reading = dict(NOTHING)
    if line["sccp"]:
        reading |= {"sccp": line["sccp"]["type"]} | {key: party(line["sccp"][key]) for key in ("called", "calling")}
    tcap = line["tcap"]
    if tcap:
        reading |= {"tcap": tcap["type"]} | {key: tcap[key] for key in ("otid", "dtid", "acn")}
        reading["components"] = [
            component(c["type"], c["invoke_id"], c["error_code"] if c["type"] == "returnError" else c["opcode"])
            for c in tcap["components"]
        ]
    return reading


# ---- tshark

PACKAGES = ("begin", "continue", "end", "abort", "unidirectional")
COMPONENTS = ("invoke", "returnResultLast", "returnResultNotLast", "returnError", "reject")
FRAME = re.compile(r"frame:\d+ ")  # in what it says: its number is not the case's
TYPES = {0x01: "CR", 9: "UDT", 10: "UDTS", 17: "XUDT", 18: "XUDTS", 19: "LUDT", 20: "LUDTS"}  # Q.713 2.1


def exported(sequences: Sequence[Sequence[bytes]]) -> bytes:
    """A capture of exported PDUs (link type 252), each sequence between hosts of its own: none meets another."""
    out = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 252)]
    for number, messages in enumerate(sequences):
        hosts = struct.pack(">HHIHHI", 20, 4, 0x0A000000 + number, 21, 4, 0x0B000000 + number)
        for message in messages:
            frame = struct.pack(">HH", 12, 4) + b"sccp" + hosts + struct.pack(">HH", 0, 0) + message
            out.append(struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame)
    return b"".join(out)


def tshark(sequences: Sequence[Sequence[bytes]]) -> list[Reading]:
    """The Reading of each sequence's last message, with `says`: what tshark has against it, if anything."""
    with tempfile.TemporaryDirectory() as folder:
        capture = Path(folder) / "cases.pcap"
        capture.write_bytes(exported(sequences))
        packets = list(_packets(capture))
    last, at = [], 0
    for messages in sequences:
        at += len(messages)
        last.append(packets[at - 1])
    return last


def tshark_all(cases: Sequence[tuple[str, Sequence[bytes]]]) -> list[Reading]:
    """The Reading of each (encapsulation, messages): `sccp`, or `pcap` and one capture."""
    alone = iter(tshark([octets for encapsulation, octets in cases if encapsulation == "sccp"]))
    captured = iter(tshark_captures([octets[0] for encapsulation, octets in cases if encapsulation == "pcap"]))
    return [next(alone if encapsulation == "sccp" else captured) for encapsulation, _ in cases]


def tshark_captures(captures: Sequence[bytes]) -> list[Reading]:
    """The Reading of the last SCCP message of each capture (classic pcap, Ethernet, IPv4), all at once.

    The hosts of no two captures may be the same.
    """
    hosts = [capture[24 + 16 + 26 : 24 + 16 + 30] for capture in captures]  # source of the first packet
    assert len(set(hosts)) == len(hosts)
    with tempfile.TemporaryDirectory() as folder:
        together = Path(folder) / "captures.pcap"
        together.write_bytes(captures[0][:24] + b"".join(capture[24:] for capture in captures))
        packets = list(_packets(together))
    read: list[Reading] = []
    at = 0
    for capture in captures:
        own = packets[at : at + _count(capture)]
        at += len(own)
        read.append(next((one for one in reversed(own) if one["sccp"]), own[-1]))
    return read


def _count(capture: bytes) -> int:
    at, packets = 24, 0
    while at < len(capture):
        at += 16 + int(struct.unpack_from("<I", capture, at + 8)[0])
        packets += 1
    return packets


def _packets(capture: Path) -> Iterator[Reading]:
    command = ["tshark", "-r", str(capture), "-T", "pdml", "-o", "sctp.tsn_analysis:FALSE"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        for _, element in iterparse(process.stdout):
            if element.tag == "packet":
                yield _packet(element)
                element.clear()
    if process.returncode:
        raise RuntimeError(f"tshark ended with {process.returncode}")


def _packet(packet: Element) -> Reading:
    """The last SCCP message of a packet."""
    protos = list(packet)
    first = max((number for number, proto in enumerate(protos) if proto.get("name") == "sccp"), default=len(protos))
    message = protos[first:]

    def fields(*names: str) -> list[Element]:
        return [field for proto in message for field in proto.iter("field") if field.get("name") in names]

    def shown(name: str) -> str | None:
        found = fields(name)
        return found[0].get("show") if found else None

    def number(name: str) -> int | None:
        text = shown(name)
        return None if text is None else int(text, 0)

    reading = dict(NOTHING)
    kind = number("sccp.message_type")
    reading["sccp"] = None if kind is None else TYPES.get(kind, str(kind))
    for name in ("called", "calling"):
        if fields(f"sccp.{name}.ri"):
            keys = ("tt", "np", "es", "nai", "ssn", "pc")
            address: dict[str, Any] = {key: number(f"sccp.{name}.{key}") for key in keys}
            digits = shown(f"sccp.{name}.digits")
            reading[name] = party(address | {"digits": digits and digits.lower()})
    reading["tcap"] = next((name for name in PACKAGES if fields(f"tcap.{name}_element")), None)
    if reading["tcap"]:
        for name in ("otid", "dtid"):
            found = fields(f"tcap.{name}")
            reading[name] = found[0].get("value") if found else None
        reading["acn"] = shown("tcap.application_context_name")
        reading["components"] = _components(message)
    complaints = fields("_ws.expert.message", "_ws.malformed")
    reading["says"] = next((said for one in complaints if (said := one.get("show"))), None)
    if reading["says"] is None and any(proto.get("name") == "_ws.malformed" for proto in message):
        reading["says"] = "Malformed Packet"
    if reading["says"]:
        reading["says"] = FRAME.sub("", reading["says"])
    return reading


def _components(message: list[Element]) -> list[str]:
    """As the dissector of the user shows them, else as that of TCAP does."""
    for prefix in ("gsm_old", "camel", "tcap", "ansi_tcap"):
        found = [
            _component(prefix, kind, element)
            for proto in message
            for element in proto.iter("field")
            for kind in COMPONENTS
            if element.get("name") == f"{prefix}.{kind}_element"
        ]
        if found:
            return found
    return []


def _component(prefix: str, kind: str, element: Element) -> str:
    values: dict[str, str] = {}
    for field in element.iter("field"):
        values.setdefault((field.get("name") or "").removeprefix(prefix + "."), field.get("show") or "")
    invoke_id = values.get("invokeID", values.get("derivable", values.get("present")))
    code = values.get("localValue", values.get("local", values.get("globalValue", values.get("global"))))
    return component(kind, invoke_id, None if kind == "reject" else code)


# ---- pycrate

# A tag that never ends is a NameError of pycrate's own, deep nesting a RecursionError.
UNREADABLE = (PycrateErr, LookupError, AttributeError, NameError, RecursionError, TypeError, ValueError)
USERS: tuple[Any, ...] = (
    TCAP_MAPv2v3.TCAP_MAP_Messages.TCAP_MAP_Message,
    TCAP_CAP.CAP_gsmSSF_gsmSCF_pkgs_contracts_acs.GenericSSF_gsmSCF_PDUs,
    TCAP_CAP.CAP_gsmSSF_gsmSCF_pkgs_contracts_acs.GenericSCF_gsmSSF_PDUs,
)


def pycrate(messages: Sequence[bytes]) -> Reading:
    """The TCAP part of a Reading; `says`: why there is none, of MAP's messages where it is none of CAP's either."""
    said = []
    try:
        data = b"".join(map(_user_data, messages))
    except UNREADABLE as error:
        return dict.fromkeys(TCAP_KEYS) | {"says": f"SCCP: {_text(error)}"}
    for user in USERS:
        try:
            user.from_ber(data)
            return _tcap(*user.get_val()) | {"says": None}
        except UNREADABLE as error:
            said.append(_text(error))
    return dict.fromkeys(TCAP_KEYS) | {"says": said[0]}


def _text(error: Exception) -> str:
    return str(error).removeprefix("TCAP-MAP-Message").removeprefix(": ").removeprefix(".")[:100].strip()


def _user_data(message: bytes) -> bytes:
    parsed, failed = parse_SCCP(message)
    if failed:
        raise ValueError(f"error {failed}")
    (data,) = (element for element in parsed if element._name in ("Data", "LongData"))
    return bytes(data[1].get_val())


def _tcap(kind: str, value: dict[str, Any]) -> Reading:
    reading: Reading = {"tcap": kind, "acn": None, "components": []}
    reading |= {key: value[key].hex() if key in value else None for key in ("otid", "dtid")}
    portion = value.get("dialoguePortion", value.get("reason", (None, None))[1])
    if isinstance(portion, dict):
        pdu = portion["encoding"][1]
        known = isinstance(pdu, tuple) and isinstance(pdu[1], tuple) and isinstance(pdu[1][1], dict)
        acn = pdu[1][1].get("application-context-name") if known else None
        reading["acn"] = ".".join(map(str, acn)) if acn else None
    reading["components"] = [_of_pycrate(*one) for one in value.get("components", ())]
    return reading


def _of_pycrate(choice: str, value: Any) -> str:
    kind, body = value if choice == "basicROS" else ("returnResultNotLast", value)
    code = body.get("opcode", body.get("errcode", body.get("result", {}).get("opcode")))
    shown = code and (".".join(map(str, code[1])) if code[0] == "global" else code[1])
    invoke_id = body["invokeId"][1] if body["invokeId"][0] == "present" else None
    return component({"returnResult": "returnResultLast"}.get(kind, kind), invoke_id, shown)
