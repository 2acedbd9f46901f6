"""What partners rightly send: roaming in both directions, SMS and CAMEL, with results, errors and empty messages."""

from collections.abc import Callable

from bench.encode import (
    CAP_2,
    CAP_4,
    Party,
    abort,
    begin,
    continue_,
    end,
    error,
    invoke,
    map_context,
    map_open,
    request,
    response,
    result,
    tlv,
    udts,
)
from bench.templates import argument
from bench.world import CAP_SSN, HLR, MSC, SGSN, VLR, Message, World, imsi, number


def location_update(w: World) -> list[Message]:
    network, subscriber = w.partner(), w.home_imsi()
    vlr = Party(w.node(network), VLR)
    node = number(vlr.digits)
    arg = argument("updateLocation", imsi=imsi(subscriber), node=node, node_2=node)
    data = begin(w.tid(), request(map_context(1, 3)), invoke(2, arg))
    answer = continue_(w.tid(), w.tid(), b"", result(None))
    hlr = w.to_hlr(subscriber)
    return [Message(w.unit(hlr, vlr, data)), Message(w.unit(w.to(HLR), vlr, answer))]


def location_update_v1(w: World) -> list[Message]:
    vlr, subscriber = Party(w.node(w.partner()), VLR), w.home_imsi()
    node = number(vlr.digits)
    arg = argument("updateLocation", imsi=imsi(subscriber), node=node, node_2=node)
    return [Message(w.unit(w.to_hlr(subscriber), vlr, begin(w.tid(), b"", invoke(2, arg))))]


def gprs_location_update(w: World) -> list[Message]:
    sgsn, subscriber = Party(w.node(w.partner()), SGSN), w.home_imsi()
    arg = argument("updateGprsLocation", imsi=imsi(subscriber), node=number(sgsn.digits))
    data = begin(w.tid(), request(map_context(32, 3)), invoke(23, arg))
    return [Message(w.unit(w.to_hlr(subscriber), sgsn, data))]


def authentication(w: World) -> list[Message]:
    vlr, subscriber = Party(w.node(w.partner()), VLR), w.home_imsi()
    data = begin(
        w.tid(), request(map_context(14, 3)), invoke(56, argument("sendAuthenticationInfo", imsi=imsi(subscriber)))
    )
    return [Message(w.unit(w.to_hlr(subscriber), vlr, data))]


def purge(w: World) -> list[Message]:
    vlr, subscriber = Party(w.node(w.partner()), VLR), w.home_imsi()
    arg = argument("purgeMS", imsi=imsi(subscriber), node=number(vlr.digits))
    return [Message(w.unit(w.to(HLR), vlr, begin(w.tid(), request(map_context(27, 3)), invoke(67, arg))))]


def restore(w: World) -> list[Message]:
    vlr, subscriber = Party(w.node(w.partner()), VLR), w.home_imsi()
    data = begin(w.tid(), request(map_context(1, 3)), invoke(57, argument("restoreData", imsi=imsi(subscriber))))
    return [Message(w.unit(w.to(HLR), vlr, data))]


def ready_for_sm(w: World) -> list[Message]:
    vlr, subscriber = Party(w.node(w.partner()), VLR), w.home_imsi()
    data = begin(w.tid(), request(map_context(24, 3)), invoke(66, argument("readyForSM", imsi=imsi(subscriber))))
    return [Message(w.unit(w.to(HLR), vlr, data))]


def ussd(w: World) -> list[Message]:
    vlr, subscriber = Party(w.node(w.partner()), VLR), w.home_imsi()
    opened = map_open(b"\x96" + imsi(subscriber), number(vlr.digits))
    data = begin(w.tid(), request(map_context(19, 2), opened), invoke(59, argument("ussd")))
    return [Message(w.unit(w.to(HLR), vlr, data))]


def answers_of_visited(w: World) -> list[Message]:
    """cancelLocation, provideRoamingNumber and provideSubscriberInfo that our HLR sent, answered."""
    vlr = Party(w.node(w.partner()), VLR)
    context, component = w.rng.choice(
        (
            ((2, 3), result(None)),
            ((3, 3), result(4, argument("roamingNumber", msisdn=number(vlr.digits)))),
            ((28, 3), result(70, argument("subscriberInfo", node=number(vlr.digits)))),
            ((3, 3), error(27)),  # absentSubscriber
        )
    )
    return [Message(w.unit(w.to(HLR), vlr, end(w.tid(), response(map_context(*context)), component)))]


def answers_of_home(w: World) -> list[Message]:
    """What the HLR of an inbound roamer answers to our VLR, with the profile it puts in between."""
    network = w.partner()
    hlr = Party(w.node(network), HLR)
    name = w.rng.choice(("insertSubscriberData", "triplets", "quintuplets", "updateLocationRes", "error", "profileCsi"))
    if name == "insertSubscriberData":
        arg = argument(name, msisdn=number(w.node(network)))
        data = continue_(w.tid(), w.tid(), response(map_context(1, 3)), invoke(7, arg))
    elif name == "profileCsi":
        arg = argument(
            "insertSubscriberDataCsi",
            imsi=imsi(network.imsi(w.rng)),
            msisdn=number(w.node(network)),
            gsmscf=number(w.node(network)),
        )
        data = continue_(w.tid(), w.tid(), b"", invoke(7, arg))
    elif name == "updateLocationRes":
        data = end(w.tid(), b"", result(2, argument(name, node=number(hlr.digits))))
    elif name == "error":
        data = end(
            w.tid(), response(map_context(1, 3)), error(w.rng.choice((1, 8)))
        )  # unknownSubscriber, roamingNotAllowed
    else:
        data = end(w.tid(), response(map_context(14, 3)), result(56, argument(name)))
    return [Message(w.unit(w.to(VLR), hlr, data))]


def managed_roamer(w: World) -> list[Message]:
    """The home network manages its roamer with us."""
    network = w.partner()
    hlr, subscriber = Party(w.node(network), HLR), imsi(network.imsi(w.rng))
    node = number(hlr.digits)
    opcode, context, arg = w.rng.choice(
        (
            (3, (2, 3), argument("cancelLocation", imsi=subscriber)),
            (4, (3, 3), argument("provideRoamingNumber", imsi=subscriber, node=number(w.to(MSC).digits), node_2=node)),
            (7, (16, 3), argument("insertSubscriberDataImsi", imsi=subscriber, msisdn=number(w.node(network)))),
            (8, (16, 3), argument("deleteSubscriberData", imsi=subscriber)),
            (70, (28, 3), argument("provideSubscriberInfo", imsi=subscriber)),
        )
    )
    return [Message(w.unit(w.to(VLR), hlr, begin(w.tid(), request(map_context(*context)), invoke(opcode, arg))))]


def empty(w: World) -> list[Message]:
    peer = Party(w.node(w.partner()), w.rng.choice((HLR, VLR, MSC)))
    data = w.rng.choice(
        (
            continue_(w.tid(), w.tid(), response(map_context(25, 3))),
            continue_(w.tid(), w.tid(), b""),
            end(w.tid(), b""),
            abort(w.tid(), w.rng.randrange(5)),
            tlv(0x67, tlv(0x49, w.tid())),
        )
    )
    return [Message(w.unit(w.to(w.rng.choice((HLR, VLR, MSC))), peer, data))]


def sms_to_ours(w: World) -> list[Message]:
    """Routing information, delivery to one of our own, and at times the report of a failure."""
    centre = Party(w.node(w.partner()), MSC)
    numbers = {"msisdn": number(w.home_msisdn()), "centre": number(centre.digits)}
    ask = begin(w.tid(), request(map_context(20, 3)), invoke(45, argument("sendRoutingInfoForSM", **numbers)))
    arg = argument("mt-forwardSM", imsi=imsi(w.home_imsi()), centre=number(centre.digits))
    out = [Message(w.unit(w.to(HLR), centre, ask))]
    msc = w.to(MSC)
    if w.rng.random() < 0.4:  # in two steps, where one message would be too long
        out.append(Message(w.unit(msc, centre, begin(w.tid(), request(map_context(25, 3))))))
        out.append(Message(w.unit(msc, centre, continue_(w.tid(), w.tid(), b"", invoke(44, arg)))))
    else:
        out.append(Message(w.unit(msc, centre, begin(w.tid(), request(map_context(25, 3)), invoke(44, arg)))))
    if w.rng.random() < 0.2:
        report = invoke(47, argument("reportSM-DeliveryStatus", **numbers))
        out.append(Message(w.unit(w.to(HLR), centre, begin(w.tid(), request(map_context(20, 3)), report))))
    return out


def sms_to_roamer(w: World) -> list[Message]:
    """MT-SMS to an inbound roamer, (U)SIM data downloads of its own operator among them."""
    network = w.partner()
    centre = Party(w.node(network), MSC)
    name = "mt-download" if w.rng.random() < 0.1 else "mt-forwardSM"
    arg = argument(name, imsi=imsi(network.imsi(w.rng)), centre=number(centre.digits))
    return [Message(w.unit(w.to(MSC), centre, begin(w.tid(), request(map_context(25, 3)), invoke(44, arg))))]


def sms_from_ours(w: World) -> list[Message]:
    msc, centre = Party(w.node(w.partner()), MSC), w.to(MSC)
    arg = argument("mo-forwardSM", msisdn=number(w.home_msisdn()), centre=number(centre.digits))
    return [Message(w.unit(centre, msc, begin(w.tid(), request(map_context(21, 3)), invoke(46, arg))))]


def sms_answers(w: World) -> list[Message]:
    msc = Party(w.node(w.partner()), MSC)
    context = w.rng.choice((25, 21))
    component = result(None) if w.rng.random() < 0.8 else error(32)  # sm-DeliveryFailure
    return [Message(w.unit(w.to(MSC), msc, end(w.tid(), response(map_context(context, 3)), component)))]


def alert(w: World) -> list[Message]:
    network = w.partner()
    hlr, centre = Party(w.node(network), HLR), w.to(MSC)
    arg = argument("alertServiceCentre", msisdn=number(w.node(network)), centre=number(centre.digits))
    return [Message(w.unit(centre, hlr, begin(w.tid(), request(map_context(23, 2)), invoke(64, arg))))]


def camel_of_ours(w: World) -> list[Message]:
    """A call of one of ours abroad: the visited gsmSSF reports to our gsmSCF."""
    ssf, scf = Party(w.node(w.partner()), CAP_SSN), w.to(CAP_SSN)
    node = number(ssf.digits)
    arg = argument("initialDP", imsi=imsi(w.home_imsi()), node=node, node_2=node)
    otid, dtid = w.tid(), w.tid()
    charged, answered = invoke(36, argument("applyChargingReport"), 3), invoke(24, argument("eventReportBCSM"), 2)
    return [
        Message(w.unit(scf, ssf, begin(otid, request(w.rng.choice((CAP_2, CAP_4))), invoke(0, arg)))),
        Message(w.unit(scf, ssf, continue_(otid, dtid, b"", answered))),
        Message(w.unit(scf, ssf, continue_(otid, dtid, b"", charged, invoke(24, argument("eventReportBCSM"), 4)))),
    ]


def camel_of_roamer(w: World) -> list[Message]:
    """The gsmSCF of an inbound roamer instructs our gsmSSF."""
    scf, ssf = Party(w.node(w.partner()), CAP_SSN), w.to(CAP_SSN)
    otid, dtid = w.tid(), w.tid()
    armed, charge = invoke(23, argument("requestReportBCSMEvent")), invoke(35, argument("applyCharging"), 2)
    go = invoke(31, b"", 3) if w.rng.random() < 0.7 else invoke(20, argument("connect"), 3)
    return [
        Message(w.unit(ssf, scf, continue_(otid, dtid, response(w.rng.choice((CAP_2, CAP_4))), armed, charge, go))),
        Message(w.unit(ssf, scf, end(dtid, b"", invoke(22, argument("releaseCall"), 4)))),
    ]


def returned(w: World) -> list[Message]:
    """A short message of ours that a partner's network could not deliver comes back."""
    network = w.partner()
    arg = argument("mt-forwardSM", imsi=imsi(network.imsi(w.rng)), centre=number(w.to(MSC).digits))
    data = begin(w.tid(), request(map_context(25, 3)), invoke(44, arg))
    return [Message([udts(w.to(MSC), Party(w.node(network), MSC), data, w.rng.choice((1, 2, 8)))])]


KINDS: dict[Callable[[World], list[Message]], int] = {  # weights
    location_update: 14,
    location_update_v1: 1,
    gprs_location_update: 8,
    authentication: 16,
    purge: 3,
    restore: 1,
    ready_for_sm: 1,
    ussd: 3,
    answers_of_visited: 8,
    answers_of_home: 14,
    managed_roamer: 8,
    empty: 5,
    sms_to_ours: 14,
    sms_to_roamer: 5,
    sms_from_ours: 4,
    sms_answers: 5,
    alert: 1,
    camel_of_ours: 5,
    camel_of_roamer: 4,
    returned: 1,
}
