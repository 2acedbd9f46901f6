"""SCCP (Q.713) octet by octet: fixed part, pointers, what they lead to, optional part."""

from dataclasses import dataclass, field

from sigfw import names
from sigfw.dissect import words
from sigfw.dissect.node import Node, nibbles, octets

# The fixed part of the connection-oriented types in order, (name, octets): Q.713 4.2 to 4.17.
DLR, SLR = ("destination local reference", 3), ("source local reference", 3)
CONNECTION: dict[str, tuple[tuple[str, int], ...]] = {
    "CR": (SLR, ("protocol class", 1)),
    "CC": (DLR, SLR, ("protocol class", 1)),
    "CREF": (DLR, ("refusal cause", 1)),
    "RLSD": (DLR, SLR, ("release cause", 1)),
    "RLC": (DLR, SLR),
    "DT1": (DLR, ("segmenting/reassembling", 1)),
    "DT2": (DLR, ("sequencing/segmenting", 2)),
    "AK": (DLR, ("receive sequence number", 1), ("credit", 1)),
    "ED": (DLR,),
    "EA": (DLR,),
    "RSR": (DLR, SLR, ("reset cause", 1)),
    "RSC": (DLR, SLR),
    "ERR": (DLR, ("error cause", 1)),
    "IT": (DLR, SLR, ("protocol class", 1), ("sequencing/segmenting", 2), ("credit", 1)),
}
POINTED = {  # variable parts by type, in the order of their pointers; the optional part is the last one
    "CR": ("called party address", "optional part"),
    "CC": ("optional part",),
    "CREF": ("optional part",),
    "RLSD": ("optional part",),
    "DT1": ("data",),
    "DT2": ("data",),
    "ED": ("data",),
}
SPARE = 5  # the first GT indicator that Q.713 does not define
UNITDATA = ("called party address", "calling party address", "data")


@dataclass
class Sccp:
    """root: the tree; data: the node of the user data, body to end, None where there is none."""

    octets: bytes
    root: Node
    data: Node | None = None
    segmented: bool = False
    pointers: list[str] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)


def dissect(message: bytes, variant: str = "itu") -> Sccp:
    """Any octets give a tree."""
    s = Sccp(message, Node(0, len(message), "SCCP"))
    if not message:
        s.root.stop(0, 0, "no octets")
        return s
    kind = names.SCCP_TYPES.get(message[0], "")
    s.root.name = f"{kind} {words.SCCP_NAMES[kind]}" if kind else "SCCP"
    s.root.add(0, 1, "message type", f"{message[0]} {kind}".strip())
    if not kind:
        s.root.stop(1, len(message), f"no SCCP message has type {message[0]}")
        return s
    if kind in CONNECTION:
        at, parts, long_ = _connection(s, kind), POINTED.get(kind, ()), False
    else:
        at, long_ = _unitdata(s, kind), kind.startswith("LUDT")
        parts = UNITDATA if kind in ("UDT", "UDTS") else (*UNITDATA, "optional part")
    end = at + len(parts) * (1 + long_)
    if end > len(message):
        s.root.stop(
            s.root.children[-1].end, len(message), f"the fixed part has {octets(end)}, the message {len(message)}"
        )
        return s
    if parts:
        _parts(s, at, parts, long_, variant)
    _gaps(s, end)
    return s


def _unitdata(s: Sccp, kind: str) -> int:
    """Up to the pointers (Q.713 4.10, 4.11, 4.18 to 4.21)."""
    if len(s.octets) > 1:
        if kind in ("UDT", "XUDT", "LUDT"):
            _protocol_class(s, 1)
        else:
            node = s.root.add(1, 2, "return cause", words.spoken(s.octets[1], words.RETURN_CAUSES))
            if s.octets[1] not in words.RETURN_CAUSES:
                node.odd.append("not one of Q.713")
    if kind in ("UDT", "UDTS"):
        return 2
    if len(s.octets) > 2:
        _hop_counter(s.root, 2, s.octets[2])
    return 3


def _protocol_class(s: Sccp, at: int) -> None:
    """Q.713 3.6."""
    octet = s.octets[at]
    class_, handling = octet & 15, octet >> 4
    said = str(class_)
    if class_ < 2:
        said += ", return on error" if handling & 8 else ", no return on error"
    node = s.root.add(at, at + 1, "protocol class", said)
    if class_ < 2 and handling & 7:
        node.odd.append("spare bits set")
    if class_ > 1 and s.octets[0] not in (0x01, 0x02, 0x10):
        node.odd.append("a connectionless message has class 0 or 1")


def _hop_counter(parent: Node, at: int, value: int) -> None:
    node = parent.add(at, at + 1, "hop counter", str(value))
    if not 1 <= value <= 15:
        node.odd.append("not from 1 to 15")


def _connection(s: Sccp, kind: str) -> int:
    at = 1
    for name, length in CONNECTION[kind]:
        value = s.octets[at : at + length]
        if len(value) < length:
            break
        if name == "protocol class":
            _protocol_class(s, at)
        else:
            s.root.add(at, at + length, name, value.hex() if length == 3 else str(int.from_bytes(value, "big")))
        at += length
    return 1 + sum(length for _, length in CONNECTION[kind])


def _parts(s: Sccp, at: int, parts: tuple[str, ...], long_: bool, variant: str) -> None:
    """Follow the pointers (Q.713 2.3): each is counted from its own last octet."""
    size = 1 + long_
    fixed = at + size * len(parts)
    pointers = s.root.add(at, fixed, "pointers")
    said, begins = [], []
    taken: list[tuple[int, int]] = []
    for i, name in enumerate(parts):
        where = at + i * size
        distance = int.from_bytes(s.octets[where : where + size], "little")
        begin = where + size - 1 + distance
        short = name.removesuffix(" address").removesuffix(" party")
        if distance == 0:
            said.append(f"{short} none")
            if name != "optional part":
                pointers.odd.append(f"no {name}")
            continue
        said.append(f"{short} {begin}")
        if not fixed <= begin < len(s.octets):
            pointers.odd.append(
                f"{name}: octet {begin} is {'in the fixed part' if begin < fixed else 'beyond the end'}"
            )
            continue
        begins.append(begin)
        if name == "optional part":
            node = _options(s, begin, variant)
        else:
            node = _variable(s, begin, name, long_ and name == "data", variant)
        if any(node.start < stop and start < node.end for start, stop in taken):
            node.odd.append("shares octets with another part")
        taken.append((node.start, node.end))
    pointers.value = ", ".join(said)
    if begins != sorted(begins):
        pointers.odd.append("parts in another order")
    s.root.children.sort(key=lambda node: node.start)


def _variable(s: Sccp, at: int, name: str, long_: bool, variant: str) -> Node:
    size = 1 + long_
    length = int.from_bytes(s.octets[at : at + size], "little")
    body = at + size
    end = min(body + length, len(s.octets))
    node = s.root.add(at, end, name)
    node.body = min(body, len(s.octets))
    if body + length > len(s.octets):
        node.odd.append(f"the length says {length}, {octets(max(0, len(s.octets) - body))} left")
    if name == "data":
        s.data = node
    else:
        party(s.octets, node, variant)
    return node


def _gaps(s: Sccp, fixed: int) -> None:
    """Octets that belong to nothing."""
    if not s.root.children:
        return
    at = fixed
    for node in list(s.root.children):
        if node.start > at:
            s.root.add(at, node.start, "in no parameter").odd.append("octets that no pointer leads to")
        at = max(at, node.end)
    if at < len(s.octets):
        s.root.add(at, len(s.octets), "trailing octets").odd.append("behind the last parameter")
    s.root.children.sort(key=lambda node: node.start)


# ---- addresses -------------------------------------------------------------------------------------------------------


def party(message: bytes, node: Node, variant: str) -> None:
    """Called or calling party address, body to end of `node`: Q.713 3.4, 3.5.

    ANSI (T1.112.3 3.4) has its own form where bit 8 says that it is coded nationally; China has 24-bit point codes.
    """
    at, end = node.body, node.end
    if at >= end:
        node.stop(at, end, "an address has an octet at least")
        return
    indicator, gti = message[at], message[at] >> 2 & 15
    ansi = variant == "ansi" and indicator & 0x80
    wide = ansi or variant == "china"
    has_pc, has_ssn = (indicator & 2, indicator & 1) if ansi else (indicator & 1, indicator & 2)
    said = [f"route on {'SSN' if indicator & 0x40 else 'GT'}", f"GTI {gti}"]
    said += ["with PC"] * bool(has_pc) + ["with SSN"] * bool(has_ssn)
    said += ["national coding"] * bool(ansi)
    first = node.add(at, at + 1, "address indicator", ", ".join(said))
    if indicator & 0x80 and variant != "ansi":
        first.odd.append("bit 8 set, which is reserved for national use")
    at += 1
    parts = [("signalling point code", 3 if wide else 2)] if has_pc else []
    parts += [("subsystem number", 1)] if has_ssn else []
    summary = []
    for name, length in reversed(parts) if ansi else parts:
        if end - at < length:
            node.stop(at, end, f"{name} has {octets(length)}, {end - at} left")
            return
        value = int.from_bytes(message[at : at + length], "little")
        if name == "subsystem number":
            node.add(at, at + 1, name, words.spoken(value, words.SSNS))
            summary.append(f"SSN {words.spoken(value, words.SSNS)}")
        else:
            child = node.add(at, at + length, name, words.point_code(value if wide else value & 0x3FFF, bool(wide)))
            if not wide and value > 0x3FFF:
                child.odd.append("spare bits set")
            summary.append(f"PC {child.value}")
        at += length
    if gti:
        form = {1: 3, 2: 2}.get(gti, SPARE) if ansi else gti  # T1.112.3: 1 is TT, NP, ES; 2 is TT
        digits = _global_title(message, node, at, form)
        summary.insert(0, f"GT {digits}" if digits else "GT of no digits")
    elif at < end:
        node.add(at, end, "octets behind the address").odd.append("the indicator names no more")
    node.value = ", ".join(summary) or "empty"


def _global_title(message: bytes, node: Node, at: int, gti: int) -> str:
    """Q.713 3.4.2.3.1 to 3.4.2.3.4; the digits."""
    end = node.end
    if gti > 4:
        node.stop(at, end, "a GT indicator that is spare")
        return ""
    odd_number = False
    scheme = -1
    if gti >= 2 and at < end:
        node.add(at, at + 1, "translation type", str(message[at]))
        at += 1
    if gti >= 3 and at < end:
        scheme = message[at] & 15
        plan = words.spoken(message[at] >> 4, words.NUMBERING_PLANS)
        said = f"{plan}, encoding scheme {words.spoken(scheme, words.ENCODING_SCHEMES)}"
        node.add(at, at + 1, "numbering plan", said)
        odd_number, at = scheme == 1, at + 1
    if gti in (1, 4) and at < end:
        nature = words.spoken(message[at] & 0x7F, words.NATURES)
        child = node.add(at, at + 1, "nature of address indicator", nature)
        if gti == 1:
            odd_number = bool(message[at] >> 7)
            child.value += ", odd number of digits" if odd_number else ", even number of digits"
        elif message[at] >> 7:
            child.odd.append("spare bit set")
        at += 1
    if at >= end:
        node.add(at, end, "address signals", "none").odd.append("no digits")
        return ""
    content = message[at:end]
    digits = nibbles(content)
    child = node.add(at, end, "address signals")
    if odd_number:
        if digits[-1] not in "0f":
            child.odd.append(f"filler {digits[-1]}")
        digits = digits[:-1]
    elif digits[-1] == "f":
        digits = digits[:-1]
        if scheme == 2 or gti == 1:
            child.odd.append("even number of digits said, odd number sent")
    digits = digits[:32]
    child.value, child.number = digits, ("gt", digits)
    if any(digit > "9" for digit in digits):
        child.odd.append("digits above 9")
    if len(digits) > 15:
        child.odd.append(f"{len(digits)} digits")
    return digits


# ---- optional part, management ---------------------------------------------------------------------------------------


def _options(s: Sccp, at: int, variant: str) -> Node:
    """Q.713 3.1: name, length, value; ended by a zero."""
    data, begin = s.octets, at
    node = s.root.add(at, at, "optional part")
    while True:
        if at >= len(data):
            node.stop(at, at, "no end of optional parameters")
            break
        code = data[at]
        if code == 0:
            node.add(at, at + 1, "end of optional parameters")
            at += 1
            break
        if len(node.children) >= 16 or at + 1 >= len(data) or data[at + 1] > len(data) - at - 2:
            why = "more than 16 parameters"
            if len(node.children) < 16:
                why = (
                    "no length" if at + 1 >= len(data) else f"the length says {data[at + 1]}, {len(data) - at - 2} left"
                )
            node.stop(at, len(data), why)
            at = len(data)
            break
        end = at + 2 + data[at + 1]
        child = node.add(at, end, words.OPTIONS.get(code, f"parameter {code}"))
        child.body = at + 2
        _option(s, child, code, variant)
        at = end
    node.start, node.end, node.body = begin, max(at, begin), begin
    return node


def _option(s: Sccp, node: Node, code: int, variant: str) -> None:
    value = s.octets[node.body : node.end]
    if code not in words.OPTIONS:
        node.odd.append("a name that Q.713 does not have")
    elif code == 0x10 and len(value) == 4:
        s.segmented = True
        first = "first segment" if value[0] >> 7 else "later segment"
        node.value = f"{first}, {value[0] & 15} remaining, class {value[0] >> 6 & 1}, local reference {value[1:].hex()}"
    elif code == 0x11 and len(value) == 1:
        node.value = str(value[0])
        if not 1 <= value[0] <= 15:
            node.odd.append("not from 1 to 15")
    elif code in (0x03, 0x04):
        party(s.octets, node, variant)
    elif code == 0x12 and len(value) == 1:
        node.value = str(value[0] & 7)
    elif code in (0x0F, 0x13):
        node.value = octets(len(value))
    elif code in (0x10, 0x11, 0x12):
        node.odd.append(f"{octets(len(value))} are not its length")


def management(data: bytes, node: Node, pc_octets: int) -> None:
    """SCCP management: Q.713 5.3."""
    at, end = node.body, node.end
    node.add(at, at + 1, "SCMG format identifier", words.spoken(data[at], words.MANAGEMENT))
    at += 1
    fields = [("affected subsystem number", 1), ("affected point code", pc_octets), ("subsystem multiplicity", 1)]
    if data[node.body] == 6:
        fields.append(("SCCP congestion level", 1))
    for name, length in fields:
        if at + length > end:
            break
        value = int.from_bytes(data[at : at + length], "little")
        said = words.spoken(value, words.SSNS) if "number" in name else str(value)
        if name == "affected point code":
            said = words.point_code(value if length == 3 else value & 0x3FFF, length == 3)
        elif length == 1 and "number" not in name:
            said = str(value & (3 if "multiplicity" in name else 15))
        node.add(at, at + length, name, said)
        at += length
    if at < end:
        node.add(at, end, "trailing octets").odd.append("behind the last field")
