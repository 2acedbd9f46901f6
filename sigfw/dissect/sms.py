"""The head of a short message's TPDU (TS 23.040 9.2.2): who, what for, how coded. What it says stays as octets."""

from sigfw.dissect import words
from sigfw.dissect.node import Node, nibbles, octets

FROM_MOBILE = {0: "SMS-DELIVER-REPORT", 1: "SMS-SUBMIT", 2: "SMS-COMMAND"}  # TS 23.040 9.2.3.1
TO_MOBILE = {0: "SMS-DELIVER", 1: "SMS-SUBMIT-REPORT", 2: "SMS-STATUS-REPORT"}
PROTOCOLS = {  # TP-PID, TS 23.040 9.2.3.9
    0x40: "short message type 0",
    **{0x40 + n: f"replace short message type {n}" for n in range(1, 8)},
    0x7C: "ANSI-136 R-DATA",
    0x7D: "ME data download",
    0x7E: "ME de-personalization",
    0x7F: "(U)SIM data download",
}
VALIDITY_OCTETS = (0, 7, 1, 7)  # by TP-VPF: none, enhanced, relative, absolute


def tpdu(data: bytes, node: Node, start: int, end: int, *, mobile_originated: bool) -> None:
    """Under `node`, as the core reads it: a reserved type as its direction's common one."""
    if end - start < 2:
        return
    first = data[start]
    kind = first & 3
    said = (FROM_MOBILE if mobile_originated else TO_MOBILE).get(kind, "reserved type")
    node.add(start, start + 1, "TP-MTI", f"{said}{', with user data header' if first & 0x40 else ''}")
    at = start + 1
    if mobile_originated or kind == 2:
        node.add(at, at + 1, "TP-MR", str(data[at]))
        at += 1
    if mobile_originated and kind == 2:  # SMS-COMMAND
        if at < end:
            protocol(data, node, at)
            at += 1
        rest(node, at, end)
        return
    name = "TP-DA" if mobile_originated else "TP-RA" if kind == 2 else "TP-OA"
    stop = address(data, node, at, end, name)
    if stop < 0 or (not mobile_originated and kind == 2):  # of a status report no more is named
        rest(node, max(stop, at), end)
        return
    at = stop
    if end - at < 2:
        rest(node, at, end)
        return
    protocol(data, node, at)
    node.add(at + 1, at + 2, "TP-DCS", f"0x{data[at + 1]:02x}")
    at += 2
    stamp = VALIDITY_OCTETS[first >> 3 & 3] if mobile_originated else 7
    if stamp and end - at >= stamp:
        node.add(at, at + stamp, "TP-VP" if mobile_originated else "TP-SCTS")
        at += stamp
    if at < end:
        node.add(at, at + 1, "TP-UDL", str(data[at]))
        at += 1
    rest(node, at, end)


def protocol(data: bytes, node: Node, at: int) -> None:
    said = PROTOCOLS.get(data[at], "")
    node.add(at, at + 1, "TP-PID", f"0x{data[at]:02x} {said}".rstrip())


def address(data: bytes, node: Node, at: int, end: int, name: str) -> int:
    """TP-OA, TP-DA, TP-RA (9.1.2.5); where it ends, -1: nowhere."""
    digits = data[at] if at < end else 0
    stop = at + 2 + (digits + 1) // 2
    if end - at < 2 or digits > 20 or stop > end:
        return -1
    kind, plan = data[at + 1] >> 4 & 7, data[at + 1] & 15
    said = "alphanumeric, " + octets(stop - at - 2) if kind == 5 else nibbles(data[at + 2 : stop])[:digits]
    what = "" if kind in (1, 5) else f" ({words.STRING_NATURES.get(kind, kind)}, {words.STRING_PLANS.get(plan, plan)})"
    node.add(at, stop, name, said + what)
    return stop


def rest(node: Node, at: int, end: int) -> None:
    if at < end:
        node.add(at, end, "TP-UD", octets(end - at))
