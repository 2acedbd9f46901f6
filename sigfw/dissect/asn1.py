"""Arguments, results and error parameters by the names of their ASN.1 types (asn1.json), and what their leaves hold."""

import functools
from collections.abc import Sequence
from importlib import resources
from typing import Any

import orjson

from sigfw.dissect import ber, words
from sigfw.dissect.ber import CONSTRUCTED, MAX_DEPTH, Tlv
from sigfw.dissect.node import Node, nibbles, octets

Member = tuple[list[int], str, int]  # identifiers, name, type
STRINGS = ("OCTET STRING", "IA5String", "NumericString", "BIT STRING")
TEXTS = ("DiameterIdentity", "FQDN", "SIP-URI")
SHORT = 8  # octets of a string that are shown as they are
FOREIGN = "not the type of this operation"
KINDS = {"IMSI": "imsi", "IMEI": "imei", "LMSI": "lmsi", "TMSI": "tmsi"}


@functools.cache
def tables() -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(resources.files("sigfw.dissect").joinpath("asn1.json").read_bytes())
    return found


def forms(application: str, opcode: int, *, result: bool) -> list[list[Member]]:
    """The forms that an operation's argument or result may have, the newest first."""
    found: list[list[list[Member]]] = tables()["operations"].get(f"{application}:{opcode}", [[], []])
    return found[result]


def error(application: str, code: int) -> tuple[str, list[list[Member]]]:
    name, found = tables()["errors"].get(f"{application}:{code}", ("", []))
    return name, found


def parameter(data: bytes, tlv: Tlv, wanted: Sequence[list[Member]], label: str) -> Node:
    """The parameter of a component as the form that fits best; generic where none is known."""
    best: tuple[tuple[bool, int, int], Node] | None = None
    for members in wanted:
        node = Walker(data).one(tlv, members, label)
        found = list(node.walk())
        strange = sum(1 for one in found if one.stopped or (one.odd and one.name.startswith("[")))
        rank = (FOREIGN in node.odd, strange, -sum(1 for one in found if one.number))
        if best is None or rank < best[0]:
            best = rank, node
    return best[1] if best else ber.generic(data, tlv, 0, f"{label} {ber.tag_name(tlv.id)}")


class Walker:
    def __init__(self, data: bytes) -> None:
        self.data = data

    def one(self, tlv: Tlv, members: list[Member], label: str) -> Node:
        """A TLV that must be one of these members, under the name of `label`."""
        found = self.find(tlv.id, members, 0)
        if found < 0:
            node = ber.generic(self.data, tlv, 0, f"{label} {ber.tag_name(tlv.id)}")
            node.odd.append(FOREIGN)
            return node
        ids, name, type_ = members[found]
        return self.member(tlv, ids, f"{label} › {name}" if name else label, type_, 0)

    @staticmethod
    def find(id_: int, members: list[Member], place: int) -> int:
        """As the core: from `place` on, then from the first; -1: none."""
        order: list[int] = [*range(place, len(members)), *range(place)]
        for wanted in (id_, id_ ^ CONSTRUCTED):  # as it is written, then in the other form
            found: list[int] = [i for i in order if members[i][0][0] == wanted]
            if found:
                return found[0]
        return -1

    @staticmethod
    def after(members: list[Member], i: int) -> int:
        """The place behind a member: the alternatives of an untagged CHOICE are passed together."""
        head, mark, _ = members[i][1].partition(" › ")
        i += 1
        while mark and i < len(members) and members[i][1].startswith(head + mark):
            i += 1
        return i

    def member(self, tlv: Tlv, ids: list[int], name: str, type_: int, depth: int) -> Node:
        node = tlv.node(name)
        if depth + 1 >= MAX_DEPTH:
            if tlv.body < tlv.stop:
                node.stop(tlv.body, tlv.stop, f"nested deeper than {MAX_DEPTH}")
            return node
        if len(ids) > 1:  # explicit tags around it
            for inner in ber.each(self.data, node, tlv.body, tlv.stop):
                if inner.id == ids[1]:
                    node.children.append(self.member(inner, ids[1:], ber.tag_name(inner.id), type_, depth + 1))
                else:
                    node.children.append(self.strange(inner, depth + 1))
            return node
        base, type_name, read, content = tables()["types"][type_]
        if base in ("SEQUENCE", "SET", "CHOICE") or base.endswith(" OF"):
            self.inside(node, tlv, base, content or [], depth)
        elif tlv.id & CONSTRUCTED and base in STRINGS:
            node.odd.append("a string in pieces")
            value = b""
            for piece in ber.each(self.data, node, tlv.body, tlv.stop):
                node.children.append(ber.generic(self.data, piece, depth + 1))
                value += b"" if piece.id & CONSTRUCTED else self.data[piece.body : piece.stop]
            leaf(node, value, base, type_name, read, content)
        elif tlv.id & CONSTRUCTED and base not in ("OPEN_TYPE", "ANY", "EXTERNAL"):
            node.odd.append("constructed, where it is primitive")
            for inner in ber.each(self.data, node, tlv.body, tlv.stop):
                node.children.append(ber.generic(self.data, inner, depth + 1))
        elif tlv.id & CONSTRUCTED:
            for inner in ber.each(self.data, node, tlv.body, tlv.stop):
                node.children.append(ber.generic(self.data, inner, depth + 1))
        else:
            leaf(node, self.data[tlv.body : tlv.stop], base, type_name, read, content)
        return node

    def inside(self, node: Node, tlv: Tlv, base: str, members: list[Member], depth: int) -> None:
        if not tlv.id & CONSTRUCTED:
            node.odd.append("primitive, where it is constructed")
            return
        place = 0
        seen: set[int] = set()
        for inner in ber.each(self.data, node, tlv.body, tlv.stop):
            i = self.find(inner.id, members, place)
            if i < 0:
                node.children.append(self.strange(inner, depth + 1))
                continue
            ids, name, type_ = members[i]
            child = self.member(inner, ids, name or ber.tag_name(inner.id), type_, depth + 1)
            node.children.append(child)
            if base.endswith(" OF"):
                continue
            if i in seen:
                child.odd.append("a second time")
            elif base == "CHOICE" and seen:
                child.odd.append("a second alternative")
            elif base == "SEQUENCE" and i < place:
                child.odd.append("out of order")
            seen.add(i)
            place = self.after(members, i)

    def strange(self, tlv: Tlv, depth: int) -> Node:
        node = ber.generic(self.data, tlv, depth)
        node.odd.append("unknown member")
        return node


# ---- leaves ----------------------------------------------------------------------------------------------------------


def leaf(node: Node, content: bytes, base: str, type_name: str, read: str, named: dict[str, str] | None) -> None:
    """The value of a primitive type."""
    if read and base == "OCTET STRING":
        number(node, content, type_name, read)
    elif base in ("INTEGER", "ENUMERATED"):
        value, odd = ber.integer(content)
        node.odd += odd
        node.value = (
            content.hex() if value is None else words.spoken(value, {int(k): v for k, v in (named or {}).items()})
        )
    elif base == "BIT STRING":
        bits = [i for i in range(8 * (len(content) - 1)) if content[1 + i // 8] << i % 8 & 0x80]
        node.value = ", ".join((named or {}).get(str(bit), f"bit {bit}") for bit in bits) or "none"
    elif base == "BOOLEAN":
        node.value = "false" if content == b"\0" else "true"
    elif base == "OBJECT IDENTIFIER":
        node.value = ber.oid(content)
    elif base in ("IA5String", "NumericString") or type_name in TEXTS:
        node.value = words.text(content)
    elif base == "NULL":
        if content:
            node.odd.append(f"NULL with {octets(len(content))}")
    elif base == "OCTET STRING":
        node.value = content.hex() if len(content) <= SHORT else octets(len(content))


def number(node: Node, content: bytes, type_name: str, read: str) -> None:
    """Digits of identities and addresses, and what stands before them."""
    kind = KINDS.get(type_name, "msisdn" if "msisdn" in node.name.lower() else "address")
    if read == "octets":
        node.value = content.hex()
        node.number = kind, node.value
        return
    if read in ("cell", "plmn"):
        node.value = place(content)
        return
    said = ""
    if read == "tbcd":
        digits = nibbles(content).rstrip("f")
        if kind == "address":  # digits of no identity
            node.value = digits
            return
    elif read == "address":
        if not content:
            return
        said = address_kind(content[0] >> 4 & 7, content[0] & 15, words.STRING_NATURES, words.STRING_PLANS)
        digits = nibbles(content[1:]).rstrip("f")
        if not content[0] >> 7:
            node.odd.append("extension bit clear")
    else:
        content = content[1:] if read == "generic" else content  # behind the number qualifier
        if len(content) < 2:
            return
        said = address_kind(content[0] & 0x7F, content[1] >> 4 & 7, words.ISUP_NATURES, words.ISUP_PLANS)
        digits = nibbles(content[2:])
        digits = digits[:-1] if content[0] >> 7 else digits
        digits = digits.removesuffix("f")
    digits = digits[:32]
    node.odd += ["digits above 9"] * any(digit > "9" for digit in digits)
    node.value = (digits or "no digits") + said
    if digits:
        node.number = kind, digits


def address_kind(nature: int, plan: int, natures: dict[int, str], plans: dict[int, str]) -> str:
    """Nature and plan in words; nothing where they are what they mostly are."""
    words_ = natures.get(nature, f"nature {nature}"), plans.get(plan, f"plan {plan}")
    return "" if words_ == ("international", "E.164") else f" ({words_[0]}, {words_[1]})"


def place(content: bytes) -> str:
    """MCC and MNC (TS 24.008 10.5.1.3), LAC and cell or service area."""
    if len(content) < 3:
        return content.hex()
    digits = nibbles(content[:3])  # MCC 1 2 3, MNC 3 (f: none), MNC 1 2
    said = f"{digits[:3]}-{digits[4:]}{digits[3] if digits[3] != 'f' else ''}"
    if len(content) >= 5:
        said += f" LAC {int.from_bytes(content[3:5], 'big')}"
    if len(content) == 7:
        said += f" cell {int.from_bytes(content[5:7], 'big')}"
    return said
