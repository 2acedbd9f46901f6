"""Mutations of BER and TCAP: what X.690 and Q.773 leave to the sender, and what he may hope to get away with."""

import random

from tests.property.message import Message
from tests.property.registry import World, mutation
from tests.property.tree import INDEFINITE, Tlv, node

BEGIN, CONTINUE, END, ABORT, UNIDIRECTIONAL = 0x62, 0x65, 0x64, 0x67, 0x61
INVOKE, RESULT_LAST, ERROR, REJECT, RESULT = 0xA1, 0xA2, 0xA3, 0xA4, 0xA7
MISFITS = ("acn_does_not_fit_operation", "imsi_missing")  # go by the package and the context


def some(r: random.Random, nodes: list[Tlv]) -> list[Tlv]:
    """All, one, or a few."""
    if not nodes or r.random() < 0.3:
        return nodes
    return [r.choice(nodes)] if r.random() < 0.5 else [one for one in nodes if r.random() < 0.4]


def arguments(m: Message) -> list[Tlv]:
    """The parameters of Invokes and results."""
    found = []
    for component in m.components:
        parts = component.parts
        if component.tag in (RESULT_LAST, RESULT):
            parts = parts[-1].parts if parts else []
        found += [one for one in parts[-1:] if len(parts) > 1 and one.tag not in (0x02, 0x06)]
    return found


# ---- lengths, tags, integers (X.690 8.1, 8.3) ------------------------------------------------------------------------


@mutation()
def long_lengths(r: random.Random, m: Message, world: World) -> bool:
    octets = r.choice((1, 2, 3, 4, 4, 7))
    for one in some(r, m.package.every()):
        one.length = octets
    return True


@mutation()
def indefinite_lengths(r: random.Random, m: Message, world: World) -> bool:
    for one in some(r, [one for one in m.package.every() if one.constructed]):
        one.length = INDEFINITE
    return True


@mutation()
def high_tag_numbers(r: random.Random, m: Message, world: World) -> bool:
    for one in some(r, m.package.every()[1:]):
        one.long_tag = True
    return True


@mutation()
def high_tag_number_of_the_package(r: random.Random, m: Message, world: World) -> bool:
    m.package.long_tag = True
    return True


@mutation()
def padded_integers(r: random.Random, m: Message, world: World) -> bool:
    for one in some(r, [one for one in m.package.every() if one.tag in (0x02, 0x0A) and one.content]):
        sign = b"\xff" if one.content[0] & 0x80 else b"\0"
        one.content = sign * (r.choice((2, 3, 4, 4, 5, 9)) - len(one.content)) + one.content
    return True


@mutation()
def global_opcode(r: random.Random, m: Message, world: World) -> bool:
    done = False
    for component in m.components:
        codes = [one for one in component.parts[1:] if component.tag == INVOKE and one.tag == 0x02]
        if codes and len(codes[0].content) == 1 and codes[0].content[0] < 0x80:
            prefix = r.choice((b"\x04\0\0\1\0\x1d", b"\x2a\x03", b"", b"\x04\0\0\1\1\1\x88\x37"))
            codes[0].kind, codes[0].number, codes[0].content = 0, 6, prefix + codes[0].content
            done = True
    return done


@mutation()
def linked_id(r: random.Random, m: Message, world: World) -> bool:
    for component in m.components:
        if component.tag == INVOKE and len(component.parts) > 1 and component.parts[1].tag != 0x80:
            component.parts.insert(1, node(0x80, bytes((r.randrange(256),))))
    return bool(m.components)


@mutation("lenient")
def constructed_strings(r: random.Random, m: Message, world: World) -> bool:
    """X.690 8.7.3: an OCTET STRING in segments, each again a string."""
    leaves = [leaf for one in arguments(m) for leaf in one.every() if not leaf.constructed and leaf.content]
    for leaf in some(r, leaves):
        if leaf.kind == 0 and leaf.number != 4:
            continue
        at = r.randrange(len(leaf.content) + 1)
        leaf.parts = [node(0x04, leaf.content[:at]), node(0x04, leaf.content[at:])]
        if r.random() < 0.3:
            leaf.parts = [node(0x24, leaf.parts)]
        leaf.kind, leaf.content = leaf.kind | 0x20, b""
    return bool(leaves)


# ---- components (Q.773) ----------------------------------------------------------------------------------------------


def company(r: random.Random, world: World) -> Tlv:
    """Something to stand beside the component that matters."""
    donor = r.choice(world.donors).copy()
    opcode = next((one for one in donor.parts[1:] if one.tag == 0x02), node(0x02, b"\x3b"))
    what = r.randrange(10)
    if what < 4:
        return donor
    if what == 4:
        return node(RESULT_LAST, [node(0x02, b"\1"), node(0x30, [opcode.copy(), donor.parts[-1]])])
    if what == 5:
        return node(RESULT_LAST, [node(0x02, b"\2")])
    if what == 6:
        return node(ERROR, [node(0x02, b"\3"), node(0x02, bytes((r.randrange(100),)))])
    if what == 7:
        return node(REJECT, [r.choice((node(0x02, b"\4"), node(0x05))), node(0x80, b"\0")])
    if what == 8:  # no component of Q.773, or none that goes on
        return r.choice((node(0xA9, [node(0x02, b"\1")]), node(INVOKE), node(0x81, b"\1"), node(INVOKE, [node(0x02)])))
    return node(INVOKE, [node(0x02, b"\5"), node(0x02, bytes((r.randrange(128),)))])


@mutation()
def components_beside(r: random.Random, m: Message, world: World) -> bool:
    if not m.components:
        return False
    for _ in range(r.choice((1, 1, 2, 3, r.randrange(1, 31)))):
        if len(m.components) < 32:
            m.components.insert(r.choice((0, 0, r.randrange(len(m.components) + 1))), company(r, world))
    return True


@mutation()
def component_again(r: random.Random, m: Message, world: World) -> bool:
    if m.components and len(m.components) < 32:
        m.components.insert(r.randrange(len(m.components) + 1), r.choice(m.components).copy())
    return bool(m.components)


@mutation()
def components_reordered(r: random.Random, m: Message, world: World) -> bool:
    r.shuffle(m.components)
    return len(m.components) > 1


@mutation()
def component_portions(r: random.Random, m: Message, world: World) -> bool:
    """In two portions, of which Q.773 knows one."""
    if len(m.components) < 2:
        return False
    portion = m.package.find(0x6C)
    assert portion
    at = r.randrange(1, len(portion.parts))
    m.package.parts.append(node(0x6C, portion.parts[at:]))
    del portion.parts[at:]
    return True


# ---- packages --------------------------------------------------------------------------------------------------------


@mutation(*MISFITS)
def package_type(r: random.Random, m: Message, world: World) -> bool:
    """Of a dialogue that is open its beginning decides what it is about; so only where the context is named here."""
    if m.package.tag not in (BEGIN, CONTINUE, END, UNIDIRECTIONAL) or not m.components:
        return False
    named = m.package.find(0x6B, 0x28, 0xA0, 0x60, 0xA1) or m.package.find(0x6B, 0x28, 0xA0, 0x61, 0xA1)
    kinds = (BEGIN, UNIDIRECTIONAL) if not named else (BEGIN, CONTINUE, END, UNIDIRECTIONAL, ABORT)
    tag = r.choice(kinds)
    ids = {BEGIN: (0x48,), CONTINUE: (0x48, 0x49), END: (0x49,), ABORT: (0x49,), UNIDIRECTIONAL: ()}[tag]
    m.package.kind, m.package.number = tag & 0xE0, tag & 0x1F
    rest = [one for one in m.package.parts if one.tag not in (0x48, 0x49)]
    m.package.parts = [node(one, r.randbytes(4)) for one in ids] + rest
    return True


@mutation()
def transaction_ids(r: random.Random, m: Message, world: World) -> bool:
    for one in m.package.parts:
        if one.tag in (0x48, 0x49):
            one.content = r.randbytes(r.choice((1, 2, 3, 4, 4, 0, 5)))
    return True


@mutation()
def parts_of_the_package(r: random.Random, m: Message, world: World) -> bool:
    """Their order, one of them twice, one that no package has."""
    parts = m.package.parts
    what = r.randrange(3)
    if what == 0:
        r.shuffle(parts)
    elif what == 1:
        parts.insert(r.randrange(len(parts) + 1), node(r.choice((0x48, 0x49, 0x4A)), r.randbytes(4)))
    else:
        parts.insert(r.randrange(len(parts) + 1), r.choice((node(0x6C), node(0x6D), node(0x80), node(0x4B, b"\0"))))
    return True


@mutation()
def octets_behind(r: random.Random, m: Message, world: World) -> bool:
    """Behind the package, a component, an argument or in a constructed part of it."""
    if r.random() < 0.3:
        m.data.append(r.choice((node(0x04, b"\0\0"), node(0x62, [node(0x48, b"\0")]))))
        return True
    places = [m.package, *m.components]
    r.choice(places).parts.append(r.choice((node(0x04, b"\0"), node(0x9E), node(0xBF & 0xE0 | 30, [node(0x04)]))))
    return True


# ---- arguments -------------------------------------------------------------------------------------------------------

PRIVATE = node(0x30, [node(0x06, b"\x2a\x86\x48\x01"), node(0x04, b"\xde\xad")])


@mutation()
def extensions(r: random.Random, m: Message, world: World) -> bool:
    """What a later release or a vendor adds: unknown tags, and extension containers (TS 29.002 17.7.11)."""
    places = [one for argument in arguments(m) for one in argument.every() if one.constructed]
    for place in some(r, places):
        added = r.choice(
            (
                Tlv(0x80, r.randrange(25, 40), r.randbytes(3)),
                Tlv(0xA0, r.randrange(25, 200), b"", [node(0x80, r.randbytes(8))]),
                Tlv(0xC0, r.randrange(31), b"\1"),
                Tlv(0xE0, r.randrange(31), b"", [node(0x04, r.randbytes(8))]),
            )
        )
        place.parts.insert(r.choice((len(place.parts), len(place.parts), r.randrange(len(place.parts) + 1))), added)
        if r.random() < 0.2:  # an extension container goes last: of universal tags the place is the name
            place.parts.append(node(0x30, [node(0xA0, [PRIVATE.copy()])]))
    return bool(places)


@mutation()
def members_again(r: random.Random, m: Message, world: World) -> bool:
    """A member twice, one of the two with other octets: which of them counts is the receiver's.

    Only one that its tag names, behind those of universal tags: the place says which member such a one is.
    """
    places = [one for argument in arguments(m) for one in argument.every() if any(p.kind & 0x80 for p in one.parts)]
    if not places:
        return False
    place = r.choice(places)
    other = r.choice([one for one in place.parts if one.kind & 0x80]).copy()
    for leaf in other.every():
        if leaf.content and r.random() < 0.7:
            leaf.content = leaf.content[:1] + r.randbytes(len(leaf.content) - 1)
    free = max((i + 1 for i, part in enumerate(place.parts) if not part.kind & 0x80), default=0)
    place.parts.insert(r.randrange(free, len(place.parts) + 1), other)
    return True


@mutation()
def argument_twice(r: random.Random, m: Message, world: World) -> bool:
    """A second parameter behind or before that of a component."""
    found = [one for one in m.components if one.tag == INVOKE and len(one.parts) > 2]
    if not found:
        return False
    component, donor = r.choice(found), r.choice(world.donors)
    component.parts.append(donor.parts[-1].copy())
    return True
