"""TCAP of T1.114.3: package, dialogue portion, components. Their parameters are national or private: not named here."""

from sigfw.dissect import ber, words
from sigfw.dissect.ber import Tlv
from sigfw.dissect.node import Node, Object

PACKAGES = {
    0xE1: "Unidirectional",
    0xE2: "Query with permission",
    0xE3: "Query without permission",
    0xE4: "Response",
    0xE5: "Conversation with permission",
    0xE6: "Conversation without permission",
    0xF6: "Abort",
}
COMPONENTS = {
    0xE9: "Invoke (last)",
    0xEA: "ReturnResult (last)",
    0xEB: "ReturnError",
    0xEC: "Reject",
    0xED: "Invoke (not last)",
    0xEE: "ReturnResult (not last)",
}
DIALOGUE = {
    0xDA: "version",
    0xDB: "application context, integer",
    0xDC: "application context",
    0xFD: "user information",
    0x80: "security context, integer",
    0x81: "security context",
    0xA2: "confidentiality",
}
PARTS = {
    0xCF: "component ID",
    0xD0: "operation code, national",
    0xD1: "operation code, private",
    0xD3: "error code, national",
    0xD4: "error code, private",
    0xD5: "problem code",
    0x30: "parameter sequence",
    0xF0: "parameter sequence",
    0xF2: "parameter set",
}
REPLY_REQUIRED = 0x8000  # the top bit of a national operation's family


def package(data: bytes, whole: Tlv, components: list[Object]) -> Node:
    """One of PACKAGES with all that it holds; components: as the core decoded them, for their number."""
    node = whole.node(f"TCAP {PACKAGES[whole.id]}")
    count = 0
    for tlv in ber.each(data, node, whole.body, whole.stop):
        content = data[tlv.body : tlv.stop]
        if tlv.id == 0xC7:
            child = tlv.node("transaction IDs", content.hex())
            ids = transaction_ids(tlv, whole.id)
            if sum(length for _, length in ids) == len(content):
                child.value = ""
                at = tlv.body
                for name, length in ids:
                    child.add(at, at + length, name, data[at : at + length].hex())
                    at += length
            else:
                child.odd.append(f"{len(content)} octets are not what this package has")
        elif tlv.id == 0xF9:
            child = named(data, tlv, "dialogue portion", DIALOGUE)
        elif tlv.id == 0xE8:
            child = tlv.node("component portion")
            for part in ber.each(data, child, tlv.body, tlv.stop):
                known = part.id in COMPONENTS and count < len(components)
                label = f"component {count}, {COMPONENTS[part.id]}" if known else ""
                child.children.append(component(data, part, label))
                count += known
        elif tlv.id == 0xD7:
            child = tlv.node("P-abort cause", str(ber.integer(content)[0]))
        else:
            child = ber.generic(data, tlv, 0, "user abort information" if tlv.id == 0xF8 else "")
        node.children.append(child)
    return node


def transaction_ids(tlv: Tlv, kind: int) -> list[tuple[str, int]]:
    """Four octets each: of a Query the originating one, of an answer the responding one, of a Conversation both."""
    originating, responding = ("originating transaction ID", 4), ("destination transaction ID", 4)
    if kind in (0xE2, 0xE3):
        return [originating]
    if kind in (0xE5, 0xE6):
        return [originating, responding]
    return [] if kind == 0xE1 else [responding]


def named(data: bytes, tlv: Tlv, name: str, parts: dict[int, str]) -> Node:
    node = tlv.node(name)
    for part in ber.each(data, node, tlv.body, tlv.stop):
        child = ber.generic(data, part, 0, parts.get(part.id, ""))
        content = data[part.body : part.stop]
        if part.id == 0xDC:
            child.value = f"{ber.oid(content)} {words.context_name(ber.oid(content))}".rstrip()
        elif not part.id & ber.CONSTRUCTED:
            child.value = content.hex()
        if part.id not in parts:
            child.odd.append("no part of it")
        node.children.append(child)
    return node


def component(data: bytes, whole: Tlv, label: str) -> Node:
    if not label:
        node = ber.generic(data, whole)
        node.odd.append("no component of T1.114")
        return node
    node = whole.node(label)
    for tlv in ber.each(data, node, whole.body, whole.stop):
        child = ber.generic(data, tlv, 0, PARTS.get(tlv.id, ""))
        content = data[tlv.body : tlv.stop]
        if tlv.id == 0xCF:
            ids = [f"{name} {octet}" for name, octet in zip(("invoke", "correlation"), content, strict=False)]
            child.value = ", ".join(ids)
        elif tlv.id in (0xD0, 0xD1):
            operation(child, content, national=tlv.id == 0xD0)
        elif tlv.id in (0xD3, 0xD4, 0xD5):
            child.value = str(int.from_bytes(content, "big"))
        if tlv.id not in PARTS:
            child.odd.append("no part of a component")
        node.children.append(child)
    return node


def operation(node: Node, content: bytes, *, national: bool) -> None:
    """Family and specifier, as the one number family << 8 | specifier."""
    value, node.odd[len(node.odd) :] = ber.integer(content)
    if value is None:
        return
    value &= 0xFFFF if value < 0 else 0xFFFFFFFF
    reply = national and value & REPLY_REQUIRED
    if national:
        value &= ~REPLY_REQUIRED
    said = f"{value} (family {value >> 8}, specifier {value & 0xFF})"
    node.value = said + (", reply required" if reply else "")
