"""Mutations of the dialogue portion (Q.773, TS 29.002 17.4) and of what tells the application by it."""

import random

from tests.property.encodings import BEGIN, INVOKE, MISFITS, UNIDIRECTIONAL
from tests.property.message import Message
from tests.property.registry import World, mutation
from tests.property.tree import Tlv, node, read

MAP_DIALOGUE_AS = b"\x04\0\0\1\1\1\1"
# MAP's unstructured SS, CAP of phases 2 and 4, nobody's.
OTHERS = (b"\x04\0\0\1\0\x13\2", b"\x04\0\0\1\0\x32\1", b"\x04\0\0\1\x17\3\4", b"\x2a\x03")
OPEN = ("map.open.destination_reference", "map.open.origination_reference")


def pdu_of(m: Message) -> Tlv | None:
    """The AARQ or AARE."""
    return m.package.find(0x6B, 0x28, 0xA0, 0x60) or m.package.find(0x6B, 0x28, 0xA0, 0x61)


def context(pdu: Tlv | None) -> bytes:
    name = pdu.find(0xA1, 0x06) if pdu else None
    return name.content if name else b""


def only_invokes(m: Message) -> bool:
    """What a result without a code is about, the context alone says."""
    return bool(m.components) and all(one.tag == INVOKE for one in m.components)


@mutation(*MISFITS, *OPEN, "imsi", "imsi_is_foreign", "imsi_is_home", "calling_operator_is_not_imsi_home", "msisdn")
def no_dialogue_portion(r: random.Random, m: Message, world: World) -> bool:
    """With MAP version 1 there is none; a context that is not named leaves every application that has the opcode."""
    if m.package.tag not in (BEGIN, UNIDIRECTIONAL) or not only_invokes(m):
        return False
    m.package.parts = [one for one in m.package.parts if one.tag != 0x6B]
    return True


@mutation(*MISFITS)
def context_version(r: random.Random, m: Message, world: World) -> bool:
    """Another version of the same context: of opcode 46 the version says what it is."""
    pdu = pdu_of(m)
    name = pdu.find(0xA1, 0x06) if pdu else None
    if (
        not name
        or not name.content.startswith(b"\x04\0\0\1\0")
        or len(name.content) != 7
        or name.content[5] in (21, 25)
    ):
        return False
    name.content = name.content[:6] + bytes((r.choice((1, 2, 3, 3, 4, 9)),))
    return True


@mutation()
def protocol_version(r: random.Random, m: Message, world: World) -> bool:
    pdu = pdu_of(m)
    if not pdu:
        return False
    pdu.parts = [one for one in pdu.parts if one.tag != 0x80]
    if r.random() < 0.4:
        version = r.choice((b"\x07\x80", b"\x06\xc0", b"\0", b"\x05\xa0"))
        pdu.parts.insert(r.randrange(len(pdu.parts) + 1), node(0x80, version))
    return True


@mutation()
def request_or_response(r: random.Random, m: Message, world: World) -> bool:
    pdu = pdu_of(m)
    if not pdu:
        return False
    pdu.number ^= 1
    pdu.parts = [one for one in pdu.parts if one.tag not in (0xA2, 0xA3)]
    if pdu.tag == 0x61:
        pdu.parts += [node(0xA2, [node(0x02, b"\0")]), node(0xA3, [node(0xA1, [node(0x02, b"\0")])])]
    return True


@mutation()
def unidialogue(r: random.Random, m: Message, world: World) -> bool:
    name = m.package.find(0x6B, 0x28, 0x06)
    if not name or m.package.find(0x6B, 0x28, 0xA0, 0x61):
        return False
    name.content = b"\0\x11\x86\5\1\2\1"
    return True


@mutation(*MISFITS)
def context_twice(r: random.Random, m: Message, world: World) -> bool:
    pdu = pdu_of(m)
    if not pdu or not context(pdu):
        return False
    name = node(0xA1, [node(0x06, r.choice((*OTHERS, context(pdu))))])
    pdu.parts.insert(r.randrange(len(pdu.parts) + 1), name)
    return True


@mutation(*MISFITS)
def dialogue_portion_twice(r: random.Random, m: Message, world: World) -> bool:
    """Another's before the message's own, or behind it."""
    parts = m.package.parts
    there = [one for one in parts if one.tag == 0x6B]
    if not there or not only_invokes(m):
        return False
    pdu = node(0x60, [node(0x80, b"\x07\x80"), node(0xA1, [node(0x06, r.choice(OTHERS))])])
    dialogue_as = node(0x06, b"\0\x11\x86\5\1\1\1")
    portion = node(0x6B, [node(0x28, [dialogue_as, node(0xA0, [pdu])])])
    parts.insert(parts.index(there[0]) + r.randrange(2), portion)
    return True


@mutation()
def external_of_the_dialogue(r: random.Random, m: Message, world: World) -> bool:
    """X.690 8.18: a descriptor of the value beside, the same value octet-aligned."""
    external = m.package.find(0x6B, 0x28)
    if not external or not only_invokes(m) or m.package.tag not in (BEGIN, UNIDIRECTIONAL):
        return False
    return external_form(r, external, direct_reference=r.random() < 0.3)


def external_form(r: random.Random, external: Tlv, *, direct_reference: bool) -> bool:
    value = external.find(0xA0)
    if not value:
        return False
    octets = b"".join([one.encode() for one in value.parts])
    what = r.randrange(4)
    if what == 0:
        external.parts.insert(1, node(0x02, b"\1"))  # indirect reference
    elif what == 1:
        external.parts.insert(1, node(0x07, b"x"))  # data value descriptor
    else:
        external.parts = [one for one in external.parts if one is not value]
        external.parts.append(node(0x81, octets) if what == 2 else node(0x82, b"\0" + octets))
    if direct_reference:
        external.parts = [one for one in external.parts if one.tag != 0x06]
    return True


@mutation(*OPEN, "imsi_missing")
def open_info(r: random.Random, m: Message, world: World) -> bool:
    """The MAP-OpenInfo names a subscriber: the one of the message, or another. It does so for every component."""
    pdu = pdu_of(m)
    if (
        not pdu
        or pdu.find(0xBE)
        or not m.imsis
        or len(m.components) > 1
        or not context(pdu).startswith(b"\x04\0\0\1\0")
    ):
        return False
    digits = r.choice((*m.imsis, "00101000000001", "001020000000002", "999990000000003"))
    digits += "f" * (len(digits) % 2)
    imsi = bytes.fromhex("".join(digits[i + 1] + digits[i] for i in range(0, len(digits), 2)))
    references = [node(0x80, b"\x96" + imsi)]
    if r.random() < 0.5:
        references.append(node(0x81, bytes.fromhex("917144000000")))
    external = node(0x28, [node(0x06, MAP_DIALOGUE_AS), node(0xA0, [node(0xA0, references)])])
    pdu.parts.append(node(0xBE, [external]))
    return True


@mutation()
def open_info_form(r: random.Random, m: Message, world: World) -> bool:
    """The same MAP-OpenInfo in another EXTERNAL, or beside others."""
    pdu = pdu_of(m)
    information = pdu.find(0xBE) if pdu else None
    external = information.find(0x28) if information else None
    if not information or not external:
        return False
    what = r.randrange(4)
    if what == 0:
        return external_form(r, external, direct_reference=r.random() < 0.5)
    if what == 1:
        other = node(0x28, [node(0x06, b"\x2a\x03\4"), node(0xA0, [node(0x04, b"\0")])])
        information.parts.insert(r.randrange(2), other)
    elif what == 2:
        again = external.copy()
        for leaf in again.every():
            if len(leaf.content) > 7:
                leaf.content = leaf.content[:2] + r.randbytes(len(leaf.content) - 2)
        information.parts.insert(r.randrange(2), again)
    else:
        opened = external.find(0xA0, 0xA0)
        if opened:
            opened.parts.append(Tlv(0xA0, 30, b"", read(b"\x04\x01\x00")))
            r.shuffle(opened.parts)
    return True
