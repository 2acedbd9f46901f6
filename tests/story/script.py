"""A day at the interconnect, as messages of both directions: ordinary roaming and SMS, and three campaigns among it.

Every message stands at its time, with what a reader should call it: `normal`, or the act and scene of an attack.
"""

import random
from dataclasses import dataclass

from bench.encode import Party, begin, continue_, end, invoke, m3ua_data, map_context, request, result, tlv
from bench.templates import argument
from bench.world import GMLC, HLR, HOME, MSC, PARTNERS, STRANGER, VLR, Network, World, imsi, number

OUR_STP, CARRIER = 8202, 4105  # point codes: which side a message comes from
HOURS = 3600.0
GERMANY, FRANCE, SWEDEN, AMERICA, AUSTRALIA, IRELAND = PARTNERS
LEASED = GERMANY.node(77)  # by a register whose lease of it has ended: policy.yaml
OUR_VLR, OUR_MSC, OUR_HLR = Party(HOME.node(20), VLR), Party(HOME.node(30), MSC), Party(HOME.node(10), HLR)


@dataclass(frozen=True)
class Line:
    """One message."""

    seconds: float
    octets: bytes  # of an M3UA message
    scene: str


class Script:
    def __init__(self, seed: int = 2026) -> None:
        self.w = World(random.Random(seed))
        self.lines: list[Line] = []
        self.scene = "normal"

    def told(self) -> list[Line]:
        """The whole day, in order."""
        self.everyday()
        self.locations()
        self.interception()
        self.lease()
        return sorted(self.lines, key=lambda line: line.seconds)

    def comes(self, at: float, sccp: list[bytes]) -> None:
        for part in sccp:
            self.lines.append(Line(at, m3ua_data(CARRIER, OUR_STP, 1, part), self.scene))

    def goes(self, at: float, sccp: list[bytes]) -> None:
        for part in sccp:
            self.lines.append(Line(at, m3ua_data(OUR_STP, CARRIER, 1, part), self.scene))

    # -- what happens every day ----------------------------------------------------------------------------------------

    def everyday(self) -> None:
        rng = self.w.rng
        for n in range(60):
            subscriber, msisdn = f"00101{n:010d}", HOME.node(200 + n)
            first = rng.choice((GERMANY, FRANCE, SWEDEN, IRELAND))
            began = rng.uniform(0, 2 * HOURS)
            self.registers(began, subscriber, msisdn, first)
            self.short_message(began + rng.uniform(60, 3 * HOURS), subscriber, msisdn, rng.choice(PARTNERS))
            self.sends(began + rng.uniform(60, 3 * HOURS), msisdn, first)
            if n % 3 == 0:  # the next country, by train
                self.registers(began + 4 * HOURS, subscriber, msisdn, FRANCE if first is GERMANY else GERMANY)
            if n % 20 == 1:  # a flight
                self.registers(began + 20 * HOURS, subscriber, msisdn, AUSTRALIA)
        for n in range(20):
            self.visits(rng.uniform(0, 20 * HOURS), f"{GERMANY.plmn}{n:010d}", GERMANY)

    def registers(self, at: float, subscriber: str, msisdn: str, network: Network) -> None:
        """updateLocation to an E.214 address; our HLR sends the profile by its own number, and says so."""
        w, theirs, ours = self.w, self.w.tid(), self.w.tid()
        vlr = Party(w.node(network), VLR)
        asked = argument("sendAuthenticationInfo", imsi=imsi(subscriber))
        vectors, tid = argument("quintuplets"), w.tid()
        self.comes(at, w.unit(w.to_hlr(subscriber), vlr, begin(tid, request(map_context(14, 3)), invoke(56, asked))))
        self.goes(at + 0.1, w.unit(vlr, OUR_HLR, end(tid, b"", result(56, vectors))))
        node = number(vlr.digits)
        arg = argument("updateLocation", imsi=imsi(subscriber), node=node, node_2=node)
        self.comes(at + 1, w.unit(w.to_hlr(subscriber), vlr, begin(theirs, request(map_context(1, 3)), invoke(2, arg))))
        profile = argument("insertSubscriberData", msisdn=number(msisdn))
        self.goes(at + 1.1, w.unit(vlr, OUR_HLR, continue_(ours, theirs, b"", invoke(7, profile))))
        self.comes(at + 1.2, w.unit(OUR_HLR, vlr, continue_(theirs, ours, b"", result(7, bytes.fromhex("3000")))))
        done = bytes.fromhex("3009") + b"\x04\x07" + number(OUR_HLR.digits)
        self.goes(at + 1.3, w.unit(vlr, OUR_HLR, end(theirs, b"", result(2, done))))

    def short_message(self, at: float, subscriber: str, msisdn: str, sender: Network) -> None:
        """Another network's SMSC asks where to, and delivers to our MSC."""
        w, tid, second = self.w, self.w.tid(), self.w.tid()
        centre = Party(w.node(sender), MSC)
        asked = argument("sendRoutingInfoForSM", msisdn=number(msisdn), centre=number(centre.digits))
        self.comes(at, w.unit(OUR_HLR, centre, begin(tid, request(map_context(20, 3)), invoke(45, asked))))
        self.goes(at + 0.1, w.unit(centre, OUR_HLR, end(tid, b"", result(45, routing(subscriber)))))
        text = argument("mt-forwardSM", imsi=imsi(subscriber), centre=number(centre.digits))
        self.comes(at + 1, w.unit(OUR_MSC, centre, begin(second, request(map_context(25, 3)), invoke(44, text))))
        self.goes(at + 2, w.unit(centre, OUR_MSC, end(second, b"", result(44, bytes.fromhex("3000")))))

    def sends(self, at: float, msisdn: str, network: Network) -> None:
        w, tid = self.w, self.w.tid()
        msc, ours = Party(w.node(network), MSC), w.to(MSC)
        text = argument("mo-forwardSM", msisdn=number(msisdn), centre=number(ours.digits))
        self.comes(at, w.unit(ours, msc, begin(tid, request(map_context(21, 3)), invoke(46, text))))
        self.goes(at + 1, w.unit(msc, ours, end(tid, b"", result(46, bytes.fromhex("3000")))))

    def visits(self, at: float, subscriber: str, network: Network) -> None:
        """A roamer with us: his HLR sends the profile in a Continue without IMSI, and asks where he is."""
        w, ours, theirs, second = self.w, self.w.tid(), self.w.tid(), self.w.tid()
        hlr = Party(w.node(network), HLR)
        node = number(OUR_VLR.digits)
        arg = argument("updateLocation", imsi=imsi(subscriber), node=number(OUR_MSC.digits), node_2=node)
        self.goes(at, w.unit(hlr, OUR_VLR, begin(ours, request(map_context(1, 3)), invoke(2, arg))))
        profile = argument("insertSubscriberData", msisdn=number(w.node(network)))
        self.comes(at + 1, w.unit(OUR_VLR, hlr, continue_(theirs, ours, b"", invoke(7, profile))))
        self.goes(at + 1.1, w.unit(hlr, OUR_VLR, continue_(ours, theirs, b"", result(7, bytes.fromhex("3000")))))
        done = bytes.fromhex("3009") + b"\x04\x07" + number(hlr.digits)
        self.comes(at + 2, w.unit(OUR_VLR, hlr, end(ours, b"", result(2, done))))
        where = argument("provideSubscriberInfo", imsi=imsi(subscriber))
        self.comes(at + 600, w.unit(OUR_VLR, hlr, begin(second, request(map_context(28, 3)), invoke(70, where))))
        told = argument("subscriberInfo", node=node)
        self.goes(at + 601, w.unit(hlr, OUR_VLR, end(second, b"", result(70, told))))

    # -- act one: where is she? ----------------------------------------------------------------------------------------

    def locations(self) -> None:
        """A tracker asks directly, then through what SMS needs: one GT about many, many GTs about one."""
        w, at = self.w, 5 * HOURS
        victim, msisdn = "001010000000007", HOME.node(207)
        tracker = STRANGER.node(7)
        self.scene = "location: asks where she is"
        for n in range(3):
            asked = argument("anyTimeInterrogationImsi", imsi=imsi(victim), node=number(tracker))
            data = begin(w.tid(), request(map_context(29, 3)), invoke(71, asked))
            self.comes(at + n * 300, w.unit(w.to(HLR), Party(tracker, GMLC), data))
            where = argument("provideSubscriberInfo", imsi=imsi(victim))
            data = begin(w.tid(), request(map_context(28, 3)), invoke(70, where))
            self.comes(at + n * 300 + 9, w.unit(w.to(VLR), Party(tracker, HLR), data))
        self.scene = "location: one caller asks about many"
        for n in range(150):
            self.asks(at + 1200 + n, Party(STRANGER.node(30), MSC), HOME.node(200 + n))
        self.scene = "location: many callers ask about her"
        for n in range(40):
            self.asks(at + 2400 + 20 * n, Party(STRANGER.node(n), MSC), msisdn)

    def asks(self, at: float, centre: Party, msisdn: str) -> None:
        asked = argument("sendRoutingInfoForSM", msisdn=number(msisdn), centre=number(centre.digits))
        data = begin(self.w.tid(), request(map_context(20, 3)), invoke(45, asked))
        self.comes(at, self.w.unit(OUR_HLR, centre, data))

    # -- act two: the code that a bank sends ---------------------------------------------------------------------------

    def interception(self) -> None:
        """The victim is in Sweden. A rented American GT registers him there, minutes later; then a text is forged."""
        w, at = self.w, 8 * HOURS
        victim, msisdn = "001010000000901", HOME.node(901)
        self.scene = "normal"
        self.registers(at, victim, msisdn, SWEDEN)
        rented = Party(AMERICA.node(55), VLR)
        self.scene = "interception: registers him elsewhere"
        for n in range(3):
            node = number(rented.digits)
            arg = argument("updateLocation", imsi=imsi(victim), node=node, node_2=node)
            data = begin(w.tid(), request(map_context(1, 3 - n % 2)), invoke(2, arg))
            self.comes(at + 600 + n * 60, w.unit(w.to_hlr(victim), rented, data))
        self.scene = "normal"
        self.short_message(at + 1200, victim, msisdn, IRELAND)
        self.scene = "interception: a text in a bank's name"
        text = argument("mt-forwardSM", imsi=imsi(victim), centre=number(rented.digits))
        data = begin(w.tid(), request(map_context(25, 3)), invoke(44, text))
        self.comes(at + 1230, w.unit(OUR_MSC, rented.on(ssn=MSC), data))
        self.scene = "interception: a text in his name"
        text = argument("mo-forwardSM", msisdn=number(msisdn), centre=number(OUR_MSC.digits))
        data = begin(w.tid(), request(map_context(21, 3)), invoke(46, text))
        self.comes(at + 1260, w.unit(w.to(MSC), rented.on(ssn=MSC), data))
        self.scene = "interception: an answer to nothing"
        self.comes(at + 1290, w.unit(OUR_HLR, rented, end(w.tid(), b"", result(7, bytes.fromhex("3000")))))

    # -- act three: a lease that has ended -----------------------------------------------------------------------------

    def lease(self) -> None:
        """A GT of a partner, leased out until last spring, goes on asking."""
        at = 12 * HOURS
        self.scene = "lease: a GT whose lease has ended"
        for n in range(5):
            self.asks(at + n * 100, Party(LEASED, MSC), HOME.node(300 + n))


def routing(subscriber: str) -> bytes:
    """RoutingInfoForSM-Res (TS 29.002 17.7.6): the IMSI and our MSC."""
    return tlv(0x30, tlv(4, imsi(subscriber)), tlv(0xA0, tlv(0x81, number(OUR_MSC.digits))))
