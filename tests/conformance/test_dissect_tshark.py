"""Where tshark finds a field of SCCP, TCAP, MAP or CAP, the dissector has one of the same name at the same octets."""

import re
import subprocess
from collections import Counter, defaultdict
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import pytest

from sigfw.dissect.node import Node
from sigfw.pipeline.capture import open_capture
from sigfw.policy.compiler import compile_policy
from sigfw.policy.loader import load
from tests.unit.test_dissect import taken_apart

ROOT = Path(__file__).parents[2]
FRAMES = 400  # of each file
KNOWN = {  # tshark's field -> our name; most of those that it splits below the octet are left out
    "sccp.message_type": "message type",
    "sccp.class": "protocol class",
    "sccp.return_cause": "return cause",
    "sccp.hops": "hop counter",
    "sccp.called.ssn": "subsystem number",
    "sccp.calling.ssn": "subsystem number",
    "sccp.called.tt": "translation type",
    "sccp.calling.tt": "translation type",
    "sccp.called.np": "numbering plan",
    "sccp.calling.np": "numbering plan",
    "sccp.called.nai": "nature of address indicator",
    "sccp.calling.nai": "nature of address indicator",
    "sccp.called.digits": "address signals",
    "sccp.calling.digits": "address signals",
    "gsm_sms.tp-mti": "TP-MTI",
    "gsm_sms.tp-pid": "TP-PID",
    "gsm_sms.tp-dcs": "TP-DCS",
    "gsm_sms.tp.user_data_length": "TP-UDL",
}
SAME = {  # tshark's label -> ours, where they differ
    "Transaction Id": "transaction ID",
    "otid": "originating transaction ID",
    "dtid": "destination transaction ID",
    "oid": "direct-reference",
    "application-context-name": "OBJECT IDENTIFIER",
    "begin": "TCAP Begin",
    "continue": "TCAP Continue",
    "end": "TCAP End",
    "abort": "TCAP Abort",
    "components": "component portion",
    "dialogueRequest": "AARQ",
    "dialogueResponse": "AARE",
    "dialogueAbort": "ABRT",
    "invoke": ", Invoke",
    "returnResultLast": ", ReturnResultLast",
    "returnError": ", ReturnError",
    "reject": ", Reject",
    "invokeID": "invoke ID",
    "invokeId": "invoke ID",
    "present": "invoke ID",
    "opCode": "operation code",
    "opcode": "operation code",
    "localValue": "code",
    "local": "code",
    "errorCode": "error code",
    "resultretres": "result",
    "Component": "component ",
    "result": "INTEGER",
    "result-source-diagnostic": "dialogue-service-user",
    "dialogue-service-user": "INTEGER",
    "user-information item": "EXTERNAL",
    "MAP-DialoguePDU": "map-open",
    "reason": "P-abort cause",
    "p-abortCause": "P-abort cause",
    "forwardSM (44)": "operation code",
    "forwardSM (46)": "operation code",
    "USSD String": "ussd-String",
    "subscriberIdentity": "i",  # the alternative: imsi or msisdn
    "legID": "SideID",
    "bearerCapability": "bearerCap",
    "partyToCharge": "SideID",
}
OURS = re.compile(r"(tcap|gsm_old|gsm_map|camel)\.(?!ericsson)")
# What tshark takes apart and we show as a value: octets that hold a type of their own, and GSN addresses.
INSIDE = re.compile(
    r"camel\.(CAMEL_|timeDuration|partyToCharge|receivingSideID|timeI|legActive|maxCall)|gsm_map\.(gsn|tbcd|imsi)"
)


def messages(path: Path) -> dict[tuple[int, int], list[Element]]:
    """(frame, index) -> the protocols of the message, SCCP first."""
    command = ["tshark", "-r", str(path), "-c", str(FRAMES), "-T", "pdml"]
    pdml = subprocess.run(command, check=True, capture_output=True, timeout=120).stdout
    found: dict[tuple[int, int], list[Element]] = {}
    for frame, packet in enumerate(fromstring(pdml).iter("packet"), 1):
        index = -1
        for proto in packet.iter("proto"):
            index += proto.get("name") == "sccp"
            if index >= 0:
                found.setdefault((frame, index), []).append(proto)
    return found


def fields(protocols: list[Element]) -> list[tuple[str, str, int, int]]:
    """(field, label, first octet, octets) as far as they are whole fields of what we dissect."""
    base = int(protocols[0].get("pos", "0"))
    found = []
    for proto in protocols:
        for field in proto.iter("field"):
            name, label = field.get("name", ""), field.get("showname", "").partition(":")[0]
            at, size = int(field.get("pos", "0")) - base, int(field.get("size", "0"))
            whole = name in KNOWN or (OURS.match(name) and "unmaskedvalue" not in field.attrib)
            if not size or not whole:
                continue
            found.append((name, KNOWN.get(name, re.sub(r".* = ", "", label)), at, size))
    return found


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("tests/captures/pcapr_LU.pcap", 200),
        ("tests/captures/pcapr_tmp.pcap", 500),
        ("configs/demo/corpus.pcap.gz", 11_000),
    ],
)
def test_tshark_sees_the_same_fields_at_the_same_octets(name: str, least: int) -> None:
    tables = compile_policy(load(ROOT / "configs" / "policies" / "interconnect.yaml"))
    seen = messages(ROOT / name)
    wrong: Counter[tuple[str, str, int, int, int, int]] = Counter()
    agreed = 0
    for verdict, _, trees in taken_apart(open_capture(ROOT / name).batch, tables):
        frame, index = verdict["frame"], verdict["index"]
        if frame > FRAMES:
            break
        # Of a broken message readers may see different things; fields of segments count in the whole.
        if verdict["error"] or verdict["sccp"]["segmentation"] or (frame, index) not in seen:
            continue
        nodes = named(trees.message)
        for field, label, at, size in fields(seen[frame, index]):
            if INSIDE.match(field):
                continue
            mine = nodes.get((at, at + size)) or nodes.get((at - 1, at + size), [])  # a BIT STRING from its first bit
            ours = SAME.get(label, label)
            if any(ours in one or (one.startswith("argument") and label.endswith("Arg")) for one in mine):
                agreed += 1
            else:
                wrong[field, label, frame, index, at, size] += 1
    assert not wrong
    assert agreed >= least


def named(root: Node) -> dict[tuple[int, int], list[str]]:
    """Names by octets, with tag and length and without."""
    found: dict[tuple[int, int], list[str]] = defaultdict(list)
    for node in root.walk():
        found[node.start, node.end].append(node.name)
        found[node.body, node.end - 2 * ("indefinite length" in node.odd)].append(node.name)
    return found
