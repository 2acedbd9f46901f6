"""Mutations of SCCP (Q.713): message types, parts and segments, and every way to write one address."""

import random

from tests.property.dialogues import context, pdu_of
from tests.property.encodings import BEGIN, UNIDIRECTIONAL
from tests.property.message import LUDT, SERVICE, UDT, XUDT, Address, Message
from tests.property.registry import World, mutation

HOME_COUNTRY = "44"
SSN_FITS = "ssn_does_not_fit_application"
MAP_SSNS, CAP_SSN = (5, 6, 7, 8, 9, 10, 145, 147, 148, 149, 150), 146


# ---- messages --------------------------------------------------------------------------------------------------------


@mutation()
def message_type(r: random.Random, m: Message, world: World) -> bool:
    m.kind = r.choice((UDT, XUDT, LUDT))
    return True


@mutation()
def service_message(r: random.Random, m: Message, world: World) -> bool:
    m.kind, m.cause = SERVICE.get(m.kind, m.kind), r.randrange(15)
    return True


@mutation()
def protocol_class(r: random.Random, m: Message, world: World) -> bool:
    """The class, and never more of a right to an answer than there was."""
    m.protocol = r.choice((0, 1, m.protocol & 0x80, m.protocol & 0x80 | 1))
    return True


@mutation()
def hop_counter(r: random.Random, m: Message, world: World) -> bool:
    m.hops = r.choice((1, 15, r.randrange(1, 16), 0, 16, 255))
    return True


@mutation()
def layout(r: random.Random, m: Message, world: World) -> bool:
    m.order = tuple(r.sample(range(4), 4))
    if r.random() < 0.4:
        m.gaps = tuple(r.choice((0, 0, 1, 3)) for _ in range(4))
    return True


@mutation()
def octets_behind_the_parts(r: random.Random, m: Message, world: World) -> bool:
    m.tail = r.choice((b"\0", b"\0\0\0", b"\x10\x04\xc0\0\0\1\0"))
    return True


@mutation()
def options(r: random.Random, m: Message, world: World) -> bool:
    """Importance (Q.713 3.19), and names that nobody has."""
    if m.kind not in (XUDT, LUDT):
        m.kind = XUDT if m.kind == UDT else m.kind
    known = ((0x12, b"\1"), (0x81, b"\0\0"), (0x7F, b""), (0xFE, b"\0" * 9), (0x55, b"\x10\4"))
    m.options = [*r.choices(known, k=r.randrange(1, 5)), *m.options]
    r.shuffle(m.options)
    return True


@mutation("whole")
def segmentation(r: random.Random, m: Message, world: World) -> bool:
    m.segments = r.choice((1, 2, 2, 3, 4, 8, 16))
    m.cuts = tuple(sorted(r.random() for _ in range(15)))
    if m.kind == UDT:
        m.kind = r.choice((XUDT, XUDT, LUDT))
    return True


# ---- addresses -------------------------------------------------------------------------------------------------------


def party(r: random.Random, m: Message) -> Address | None:
    one = r.choice((m.called, m.calling))
    return one if one.raw is None and one.gti else None


def international(one: Address) -> bool:
    return one.np == 1 and one.nai == 4 and one.gti == 4 and one.digits.isdecimal() and one.digits[:1] != "0"


@mutation()
def translation_type(r: random.Random, m: Message, world: World) -> bool:
    one = party(r, m)
    if one:
        one.tt = r.choice((0, 1, 9, 127, 255))
    return bool(one)


@mutation()
def nature_of_address(r: random.Random, m: Message, world: World) -> bool:
    """National with the home country code left away, unknown with a prefix or plain."""
    one = party(r, m)
    if not one or not international(one):
        return False
    what = r.randrange(4)
    if what == 0 and one.digits.startswith(HOME_COUNTRY) and len(one.digits) > 6:
        one.nai, one.digits = 3, r.choice(("", "", "0")) + one.digits[2:]
    elif what == 1 and len(one.digits) < 14:
        one.nai, one.digits = 0, "00" + one.digits
    elif what == 2 and one.digits.startswith(HOME_COUNTRY) and len(one.digits) > 6:
        one.nai, one.digits = 0, "0" + one.digits[2:]
    else:
        one.nai = 0
    return True


@mutation()
def global_title_indicator(r: random.Random, m: Message, world: World) -> bool:
    """Every form but 2 says nature or plan; where it does not, a receiver takes international E.164."""
    one = party(r, m)
    if not one or one.gti != 4 or one.np not in (1, 7):
        return False
    if one.np == 7 or one.nai != 4:
        forms = (4,) if one.np == 7 and one.nai != 4 else (3, 4) if one.np == 7 else (1, 4)
    else:
        forms = (1, 2, 3, 4)
    one.gti = r.choice(forms)
    if one.gti == 2 and len(one.digits) % 2:
        one.filler = r.choice("f")
    return True


@mutation()
def numbering_plan(r: random.Random, m: Message, world: World) -> bool:
    """Unknown and generic are read as E.164."""
    one = party(r, m)
    if not one or one.np != 1 or one.gti not in (3, 4):
        return False
    one.np = r.choice((0, 2, 1))
    return True


@mutation("called.gt", "called.operator", "called.country", "calling.gt", "calling.operator", "calling.country",
          "direction", "called_is_not_home", "calling_operator_unknown", "calling_operator_is_not_imsi_home",
          "calling_operator_is_not_map_node")  # fmt: skip
def other_numbering_plan(r: random.Random, m: Message, world: World) -> bool:
    """Whatever the address then is, the message is the same."""
    one = party(r, m)
    if not one or one.gti not in (3, 4):
        return False
    one.np = r.choice((6, 7, 3, 4, 5, 14, 15))
    return True


@mutation()
def encoding_scheme(r: random.Random, m: Message, world: World) -> bool:
    """A filler that the scheme does not own up to, or a last digit that it makes a filler."""
    one = party(r, m)
    if not one or one.gti not in (3, 4) or len(one.digits) < 10:
        return False
    if len(one.digits) % 2:
        one.es = r.choice((0, 2, 3, 15))
        one.filler = r.choice("f0" if len(one.digits) == 15 else "f")
    else:
        one.es = r.choice((0, 2, 3, 15, 1))
    return True


@mutation()
def filler(r: random.Random, m: Message, world: World) -> bool:
    one = party(r, m)
    if not one or one.es not in (None, 1) or one.gti == 2:
        return False
    one.filler = r.choice("0123456789abcdef")
    return True


@mutation()
def point_code_and_routing(r: random.Random, m: Message, world: World) -> bool:
    one = party(r, m)
    if one:
        one.pc = r.choice((None, 0, 100, 0x3FFF))
        one.on_ssn = r.random() < 0.5
        one.spare = r.randrange(4)
    return bool(one)


@mutation(SSN_FITS)
def subsystem_number(r: random.Random, m: Message, world: World) -> bool:
    """Absent, odd, another's. Where a dialogue goes on unnamed, both together tell what it is: so but one of them."""
    one = party(r, m)
    if not one:
        return False
    unnamed = m.package.tag not in (BEGIN, UNIDIRECTIONAL) and not context(pdu_of(m)).startswith(b"\x04\0\0\1")
    odd: tuple[int | None, ...] = (None, 0, 1, 3, 11, 12, 142, 254, 255)
    one.ssn = r.choice(odd if unnamed else (*odd, *MAP_SSNS, CAP_SSN))
    return True
