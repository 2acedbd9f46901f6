"""Attacks of every category in their plainest encoding. bench/evasions.py hides them.

Each yields messages labelled with the category and a technique. Those that nothing in the message itself gives away
bear the technique `needs_state`.
"""

from collections.abc import Callable

from bench.encode import CAP_2, Party, begin, continue_, end, invoke, map_context, request, response, result, udt, xudt
from bench.templates import argument
from bench.world import BLOCKED, CAP_SSN, GMLC, GSMSCF, HLR, HOME, MSC, SGSN, VLR, Message, Network, World, imsi, number


def attack(parts: list[bytes], category: str, technique: str) -> list[Message]:
    return [Message(parts, "attack", category, technique)]


def map_begin(w: World, context: tuple[int, int] | None, opcode: int, arg: bytes) -> bytes:
    return begin(w.tid(), request(map_context(*context)) if context else b"", invoke(opcode, arg))


def interrogation(w: World) -> bytes:
    """anyTimeInterrogation of one of our subscribers."""
    arg = argument("anyTimeInterrogation", msisdn=number(w.home_msisdn()), node=number(w.stranger()))
    return map_begin(w, (29, 3), 71, arg)


# ---- category 0


def own_gt(w: World) -> list[Message]:
    calling = Party(HOME.node(10 + w.rng.randrange(40)), HLR)
    arg = argument("provideSubscriberInfo", imsi=imsi(w.home_imsi()))
    return attack(w.unit(w.to(VLR), calling, map_begin(w, (28, 3), 70, arg)), "cat0", "own_gt")


def blocked_gt(w: World) -> list[Message]:
    centre = Party(w.node(BLOCKED), MSC)
    arg = argument("sendRoutingInfoForSM", msisdn=number(w.home_msisdn()), centre=number(centre.digits))
    return attack(w.unit(w.to(HLR), centre, map_begin(w, (20, 3), 45, arg)), "cat0", "blocked_gt")


def no_gt(w: World) -> list[Message]:
    calling = Party("", GSMSCF, gti=0, on_ssn=True, pc=w.rng.choice((None, 4105)))
    return attack([udt(w.to(HLR), calling, interrogation(w))], "cat0", "no_calling_gt")


def no_calling_party(w: World) -> list[Message]:
    return attack([udt(w.to(HLR), b"\0", interrogation(w))], "cat0", "no_calling_party")


def unusable_gt(w: World) -> list[Message]:
    digits = w.stranger()
    broken = w.rng.choice((digits[:4] + "b" + digits[5:], digits + "999999", ""))
    calling = Party(broken, MSC)
    arg = argument("sendRoutingInfoForSM", msisdn=number(w.home_msisdn()), centre=number(digits))
    return attack([udt(w.to(HLR), calling, map_begin(w, (20, 3), 45, arg))], "cat0", "unusable_gt")


def management(w: World) -> list[Message]:
    kind, ssn = w.rng.choice((2, 2, 1, 4)), w.rng.choice((6, 7, 8))  # SSP, SSA, SOR
    calling = Party(w.stranger(), 1) if w.rng.random() < 0.5 else Party("", 1, gti=0, on_ssn=True, pc=4105)
    called = w.to(HLR).on(ssn=1)
    return attack(
        [udt(called, calling, bytes((kind, ssn)) + (8202).to_bytes(2, "little") + b"\0", 0)], "cat0", "management"
    )


def relay(w: World) -> list[Message]:
    victim = Party(w.node(w.partner()), HLR)
    arg = argument("sendRoutingInfoForSM", msisdn=number(w.node(w.partner())), centre=number(w.stranger()))
    return attack([udt(victim, Party(w.stranger(), MSC), map_begin(w, (20, 3), 45, arg))], "cat0", "not_for_us")


def malformed(w: World) -> list[Message]:
    whole = interrogation(w)
    data = w.rng.choice(
        (
            whole[: w.rng.randrange(8, len(whole) - 4)],
            whole[:1] + bytes((whole[1] + 9,)) + whole[2:],
            bytes((0x62, 0x82)) + whole[1:],
            whole.replace(b"\x48\x04", b"\x48\x00", 1),
            whole + w.rng.randbytes(3),
        )
    )
    return attack([udt(w.to(HLR), Party(w.stranger(), GSMSCF), data)], "cat0", "malformed")


def hop_counter(w: World) -> list[Message]:
    calling = Party(w.node(w.partner()), MSC)
    arg = argument("sendRoutingInfoForSM", msisdn=number(w.home_msisdn()), centre=number(calling.digits))
    data = map_begin(w, (20, 3), 45, arg)
    return attack([xudt(w.to(HLR), calling, data, w.rng.choice((0, 16, 200)))], "cat0", "hop_counter")


def not_tcap(w: World) -> list[Message]:
    calling = Party(w.stranger(), w.rng.choice((254, 250, 5)))
    return attack([udt(w.to(MSC), calling, w.rng.randbytes(w.rng.randrange(4, 40)), 0)], "cat0", "not_tcap")


# ---- category 1

CATEGORY_1: tuple[tuple[str, int, tuple[int, int] | None, int, str], ...] = (  # name, opcode, context, SSN, called by
    ("anyTimeInterrogation", 71, (29, 3), HLR, "msisdn"),
    ("anyTimeInterrogationImsi", 71, (29, 3), HLR, "imsi"),
    ("anyTimeSubscriptionInterrogation", 62, (43, 3), HLR, "imsi"),
    ("anyTimeModification", 65, (43, 3), HLR, "imsi"),
    ("provideSubscriberLocation", 83, (38, 3), MSC, "imsi"),
    ("sendRoutingInfoForLCS", 85, (37, 3), HLR, "msisdn"),
    ("sendRoutingInfo", 22, (5, 3), HLR, "msisdn"),
    ("sendRoutingInfoForGprs", 24, (33, 3), HLR, "imsi"),
    ("sendIdentification", 55, (15, 3), VLR, ""),
)


def interconnect_operation(w: World) -> list[Message]:
    name, opcode, context, ssn, _ = w.rng.choice(CATEGORY_1)
    sender = w.stranger() if w.rng.random() < 0.7 else w.node(w.partner())
    numbers = {
        "imsi": imsi(w.home_imsi()),
        "msisdn": number(w.home_msisdn()),
        "node": number(sender),
        "node_2": number(w.stranger()),
    }
    calling = Party(sender, w.rng.choice((GSMSCF, GMLC, MSC)))
    data = map_begin(w, context, opcode, argument(name, **numbers))
    return attack(w.unit(w.to(ssn), calling, data), "cat1", name.removesuffix("Imsi"))


def send_imsi(w: World) -> list[Message]:
    data = map_begin(w, (26, 2), 58, b"\x04\x07" + number(w.home_msisdn()))
    return attack([udt(w.to(HLR), Party(w.stranger(), VLR), data)], "cat1", "sendIMSI")


def send_parameters(w: World) -> list[Message]:
    # MAP version 1: SentParameterList of subscriberId [0] imsi [0] and one requestParameter, authenticationSet (2).
    identity = b"\xa0\x0a\x04\x08" + imsi(w.home_imsi())
    data = map_begin(w, None, 9, b"\x30\x11" + identity + b"\x30\x03\x0a\x01\x02")
    return attack([udt(w.to(HLR), Party(w.stranger(), VLR), data)], "cat1", "sendParameters")


# ---- category 2


def _managed(w: World, subscriber: str, sender: str) -> tuple[str, bytes]:
    name, opcode, context = w.rng.choice(
        (
            ("cancelLocation", 3, (2, 3)),
            ("provideRoamingNumber", 4, (3, 3)),
            ("insertSubscriberDataImsi", 7, (16, 3)),
            ("deleteSubscriberData", 8, (16, 3)),
            ("provideSubscriberInfo", 70, (28, 3)),
        )
    )
    node, msisdn = number(sender), number(w.home_msisdn())
    arg = argument(name, imsi=imsi(subscriber), node=number(w.to(MSC).digits), node_2=node, msisdn=msisdn)
    return name.removesuffix("Imsi"), map_begin(w, context, opcode, arg)


def home_subscriber_managed(w: World) -> list[Message]:
    sender = w.stranger() if w.rng.random() < 0.5 else w.node(w.partner())
    name, data = _managed(w, w.home_imsi(), sender)
    return attack(w.unit(w.to(VLR), Party(sender, HLR), data), "cat2", f"{name}_of_home")


def roamer_managed_by_another(w: World) -> list[Message]:
    victim = w.partner()
    sender = w.node(w.partner(other_than=victim)) if w.rng.random() < 0.6 else w.stranger()
    name, data = _managed(w, victim.imsi(w.rng), sender)
    return attack(w.unit(w.to(VLR), Party(sender, HLR), data), "cat2", f"{name}_by_another")


def foreign_gsmscf(w: World) -> list[Message]:
    network = w.partner()
    arg = argument(
        "insertSubscriberDataCsi",
        imsi=imsi(network.imsi(w.rng)),
        msisdn=number(w.node(network)),
        gsmscf=number(w.stranger()),
    )
    data = map_begin(w, (16, 3), 7, arg)
    return attack(w.unit(w.to(VLR), Party(w.node(network), HLR), data), "cat2", "foreign_gsmscf")


# ---- category 3


def _visited(w: World, subscriber: str, node: str) -> tuple[str, int, bytes]:
    name, opcode, context, ssn = w.rng.choice(
        (
            ("updateLocation", 2, (1, 3), VLR),
            ("updateGprsLocation", 23, (32, 3), SGSN),
            ("sendAuthenticationInfo", 56, (14, 3), VLR),
            ("purgeMS", 67, (27, 3), VLR),
            ("authenticationFailureReport", 15, (39, 3), VLR),
        )
    )
    arg = argument(name, imsi=imsi(subscriber), node=number(node), node_2=number(node))
    return name, ssn, map_begin(w, context, opcode, arg)


def registration_by_stranger(w: World) -> list[Message]:
    subscriber, sender = w.home_imsi(), w.stranger()
    name, ssn, data = _visited(w, subscriber, sender)
    return attack(w.unit(w.to_hlr(subscriber), Party(sender, ssn), data), "cat3", f"{name}_by_stranger")


def node_of_another(w: World) -> list[Message]:
    subscriber, network = w.home_imsi(), w.partner()
    other = w.partner(other_than=network)
    arg = argument("updateLocation", imsi=imsi(subscriber), node=number(w.node(other)), node_2=number(w.node(other)))
    data = map_begin(w, (1, 3), 2, arg)
    return attack(w.unit(w.to(HLR), Party(w.node(network), VLR), data), "cat3", "node_of_another")


def not_our_subscriber(w: World) -> list[Message]:
    network = w.partner()
    sender = w.node(network)
    name, ssn, data = _visited(w, w.partner(other_than=network).imsi(w.rng), sender)
    return attack(w.unit(w.to(HLR), Party(sender, ssn), data), "cat3", f"{name}_not_ours")


def implausible_location(w: World) -> list[Message]:
    """A partner's own GT registers our subscriber, who is elsewhere."""
    subscriber, sender = w.home_imsi(), w.node(w.partner())
    arg = argument("updateLocation", imsi=imsi(subscriber), node=number(sender), node_2=number(sender))
    return attack(w.unit(w.to(HLR), Party(sender, VLR), map_begin(w, (1, 3), 2, arg)), "cat3", "needs_state")


# ---- SMS


def mo_of_foreign(w: World) -> list[Message]:
    sender = Party(w.node(w.partner()), MSC)
    arg = argument("mo-forwardSM", msisdn=number(w.stranger()), centre=number(w.to(MSC).digits))
    return attack(w.unit(w.to(MSC), sender, map_begin(w, (21, 3), 46, arg)), "sms", "mo_of_foreign_sender")


def mo_from_stranger(w: World) -> list[Message]:
    arg = argument("mo-forwardSM", msisdn=number(w.home_msisdn()), centre=number(w.to(MSC).digits))
    data = map_begin(w, (21, 3), 46, arg)
    return attack(w.unit(w.to(MSC), Party(w.stranger(), MSC), data), "sms", "mo_from_stranger")


def mo_spoofed(w: World) -> list[Message]:
    arg = argument("mo-forwardSM", msisdn=number(w.home_msisdn()), centre=number(w.to(MSC).digits))
    data = map_begin(w, (21, 3), 46, arg)
    return attack(w.unit(w.to(MSC), Party(w.node(w.partner()), MSC), data), "sms", "needs_state")


def sim_download(w: World) -> list[Message]:
    centre = Party(w.stranger() if w.rng.random() < 0.5 else w.node(w.partner()), MSC)
    arg = argument("mt-download", imsi=imsi(w.home_imsi()), centre=number(centre.digits))
    return attack(w.unit(w.to(MSC), centre, map_begin(w, (25, 3), 44, arg)), "sms", "sim_download")


def harvesting(w: World) -> list[Message]:
    """One sender asks for the IMSI and MSC of one number after the other."""
    centre = Party(w.stranger(), MSC)
    out: list[Message] = []
    for _ in range(8):
        arg = argument("sendRoutingInfoForSM", msisdn=number(w.home_msisdn()), centre=number(centre.digits))
        out += attack(w.unit(w.to(HLR), centre, map_begin(w, (20, 3), 45, arg)), "sms", "needs_state")
    return out


# ---- CAMEL


def _initial(w: World, subscriber: str, sender: str) -> bytes:
    arg = argument("initialDP", imsi=imsi(subscriber), node=number(sender), node_2=number(sender))
    return begin(w.tid(), request(CAP_2), invoke(0, arg))


def initial_dp_by_stranger(w: World) -> list[Message]:
    sender = w.stranger()
    data = _initial(w, w.home_imsi(), sender)
    return attack(w.unit(w.to(CAP_SSN), Party(sender, CAP_SSN), data), "cap", "initialDP_by_stranger")


def initial_dp_of_foreign(w: World) -> list[Message]:
    network = w.partner()
    data = _initial(w, w.partner(other_than=network).imsi(w.rng), w.node(network))
    return attack(w.unit(w.to(CAP_SSN), Party(w.node(network), CAP_SSN), data), "cap", "initialDP_not_ours")


def instruction_in_begin(w: World) -> list[Message]:
    data = begin(w.tid(), request(CAP_2), invoke(20, argument("connect")))
    return attack(w.unit(w.to(CAP_SSN), Party(w.stranger(), CAP_SSN), data), "cap", "connect_in_begin")


# ---- dialogues


def answer_to_nothing(w: World) -> list[Message]:
    value = argument("subscriberInfo", node=number(w.stranger()))
    dialogue = response(map_context(28, 3))
    data = w.rng.choice((end(w.tid(), dialogue, result(70, value)), continue_(w.tid(), w.tid(), b"", result(None))))
    return attack(w.unit(w.to(HLR), Party(w.stranger(), VLR), data), "cat0", "needs_state")


Kind = Callable[[World], list[Message]]
KINDS: dict[Kind, int] = {
    own_gt: 6,
    blocked_gt: 4,
    no_gt: 3,
    no_calling_party: 1,
    unusable_gt: 3,
    management: 3,
    relay: 3,
    malformed: 5,
    hop_counter: 1,
    not_tcap: 2,
    interconnect_operation: 24,
    send_imsi: 3,
    send_parameters: 2,
    home_subscriber_managed: 12,
    roamer_managed_by_another: 8,
    foreign_gsmscf: 3,
    registration_by_stranger: 10,
    node_of_another: 4,
    not_our_subscriber: 4,
    implausible_location: 3,
    mo_of_foreign: 4,
    mo_from_stranger: 3,
    mo_spoofed: 2,
    sim_download: 4,
    harvesting: 1,
    initial_dp_by_stranger: 3,
    initial_dp_of_foreign: 2,
    instruction_in_begin: 2,
    answer_to_nothing: 2,
}
__all__ = ["KINDS", "Network", "attack", "interrogation", "map_begin"]
