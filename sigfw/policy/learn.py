"""What a capture says of who is who: evidence counted by the beginning of the calling GT, in bounded memory.

Three kinds of request tell something, all of them by who may send them (TS 29.002, TS 29.078):
- a visited network asks the home network of its guest (updateLocation, …): whoever calls is a roaming partner, and who
  is called is the HLR of the IMSI;
- a home network manages its guest elsewhere (insertSubscriberData, …): whoever calls is the HLR of the IMSI;
- an SMSC asks where to deliver, and delivers.
Attackers send all of these as well. So a few messages, or messages about a few subscribers, teach nothing; what a
policy denies teaches nothing; and what no partner sends unasked is told beside the rest, as forged GTs are partners'
GTs: who sends much of it is a suspect.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from sigfw import names
from sigfw._core.tables import Tables
from sigfw.policy.whois import readings

__all__ = ["Learner", "Seen", "Source", "common_prefix", "plmn"]

Object = dict[str, Any]

RANGE_DIGITS: Final = 7  # country code, network and a little: GTs that begin alike are counted as one source
MAX_SOURCES: Final = 20_000
MAX_RATES: Final = 50_000  # (calling GT, operation)
MAX_SEEN: Final = 64  # distinct GTs and subscribers of a source are counted as far as this
MAX_PLMNS: Final = 32  # of one source
MAX_ASKED: Final = 1_000  # (range of called GTs, PLMN)
MAX_NODES: Final = 64  # gsmSCFs of one source
MIN_IMSI_DIGITS: Final = 7  # MCC, MNC and a subscriber

VISITED: Final = frozenset(
    ("updateLocation", "updateGprsLocation", "sendAuthenticationInfo", "purgeMS", "restoreData", "readyForSM")
)
MANAGING: Final = frozenset(
    ("insertSubscriberData", "deleteSubscriberData", "cancelLocation", "provideRoamingNumber", "provideSubscriberInfo")
)
DELIVERING: Final = frozenset(("sendRoutingInfoForSM", "mt-forwardSM", "reportSM-DeliveryStatus"))
# Of one network, or by a contract that no capture shows: category 1 of configs/policies/interconnect.yaml.
UNASKED: Final = frozenset(
    (
        *(
            "anyTimeInterrogation",
            "anyTimeSubscriptionInterrogation",
            "anyTimeModification",
            "provideSubscriberLocation",
        ),
        *("sendRoutingInfoForLCS", "sendRoutingInfo", "sendRoutingInfoForGprs", "sendIMSI", "sendIdentification"),
        *("sendParameters", "registerCC-Entry", "eraseCC-Entry"),
    )
)
# MCCs whose MNCs have three digits (ITU-T E.212, list of MNCs); where both are in use two are taken.
THREE_DIGITS: Final = frozenset(
    (
        *("302", "310", "311", "312", "313", "314", "315", "316", "334", "338", "342", "344", "346", "348"),
        *("352", "354", "356", "358", "360", "365", "366", "376", "708", "722", "732", "750"),
    )
)


def plmn(imsi: str) -> str:
    """MCC and MNC of an IMSI (TS 23.003 2.2)."""
    return imsi[: 6 if imsi[:3] in THREE_DIGITS else 5]


def common_prefix(numbers: Iterable[str]) -> str:
    """What all of them begin with."""
    ordered = sorted(numbers)
    first, last = ordered[0], ordered[-1]
    same = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    return first[:same]


class Seen:
    """A count with its first and last time, and the distinct subscribers behind it as far as MAX_SEEN."""

    __slots__ = ("count", "first", "last", "subscribers")

    def __init__(self) -> None:
        self.count = 0
        self.first = self.last = ""
        self.subscribers: set[int] = set()

    def add(self, time: str | None, subscriber: str) -> None:
        self.count += 1
        if time:
            self.first = min(self.first or time, time)
            self.last = max(self.last, time)
        if subscriber and len(self.subscribers) < MAX_SEEN:
            self.subscribers.add(hash(subscriber))


class Source:
    """What GTs of one range sent."""

    __slots__ = (
        "delivered",
        "denied",
        "gsmscf",
        "gts",
        "known",
        "managed",
        "more_plmns",
        "prefix",
        "unasked",
        "visited",
    )

    def __init__(self, gt: str, known: str) -> None:
        self.prefix = gt  # what all its GTs begin with
        self.known = known  # the operator by the policy; "": none
        self.gts: set[str] = set()
        self.visited = Seen()
        self.managed: dict[str, Seen] = {}  # by PLMN
        self.more_plmns = 0
        self.delivered = Seen()
        self.gsmscf: Counter[str] = Counter()
        self.unasked: Counter[str] = Counter()
        self.denied = 0

    def add_gt(self, gt: str) -> None:
        if not gt.startswith(self.prefix):
            self.prefix = common_prefix((self.prefix, gt))
        if len(self.gts) < MAX_SEEN:
            self.gts.add(gt)

    def requests(self) -> int:
        """Those that were counted as evidence, for or against."""
        seen = [self.visited, self.delivered, *self.managed.values()]
        return sum(one.count for one in seen) + self.unasked.total() + self.more_plmns

    def manages(self, network: str) -> Seen | None:
        if network not in self.managed and len(self.managed) >= MAX_PLMNS:
            self.more_plmns += 1
            return None
        return self.managed.setdefault(network, Seen())


class Rate:
    """The most messages of one second."""

    __slots__ = ("count", "now", "peak", "second")

    def __init__(self) -> None:
        self.second = ""
        self.count = self.now = self.peak = 0

    def add(self, second: str) -> None:
        self.count += 1
        self.now = self.now + 1 if second == self.second else 1
        self.second = second
        self.peak = max(self.peak, self.now)


class Learner:
    """tables: of the policy by which the objects were judged; None: they have no verdict."""

    def __init__(self, tables: Tables | None, country_code: str = "", *, ansi: bool = False) -> None:
        self.tables = tables
        self.country_code = country_code
        self.ansi = ansi
        self.sources: dict[str, Source] = {}
        self.asked: dict[tuple[str, str], Source] = {}  # (range of called GTs, PLMN) -> who was asked about it
        self.gt_rates: dict[tuple[str, str], Rate] = {}  # (GT, operation)
        self.range_rates: dict[tuple[str, str], Rate] = {}
        self.left_out: Counter[str] = Counter()
        self.messages = self.denied = 0

    def take(self, message: Object) -> None:
        """A decode or verdict object, in the order of the capture."""
        if not message["sccp"] or not message["tcap"]:
            return
        self.messages += 1
        operations = [c["operation"] for c in message["tcap"]["components"] if c["type"] == "invoke" and c["operation"]]
        gt = self.number(message["sccp"]["calling"])
        if not operations or message["error"] or not gt:
            self.left_out["messages without a request, malformed, or without a usable E.164 calling GT"] += 1
            return
        source = self.source(gt)
        if source is None:
            self.left_out[f"messages of GTs beyond the first {MAX_SOURCES} ranges"] += 1
            return
        source.add_gt(gt)
        if message.get("action", "allow") != "allow":
            source.denied += 1
            self.denied += 1
            return
        for operation in dict.fromkeys(operations):
            self.request(source, operation, message)
            self.rate(gt, operation, message["time"])

    def request(self, source: Source, operation: str, message: Object) -> None:
        numbers, time = message["map"] or {}, message["time"]
        imsi = numbers.get("imsi") or ""
        imsi = imsi if imsi.isdecimal() and len(imsi) >= MIN_IMSI_DIGITS else ""
        if operation in UNASKED:
            source.unasked[operation] += 1
        elif operation in DELIVERING:
            source.delivered.add(time, imsi or numbers.get("msisdn") or "")
        elif operation in VISITED and imsi:
            source.visited.add(time, imsi)
            self.ask(message["sccp"]["called"], imsi, time)
        elif operation in MANAGING and imsi:
            seen = source.manages(plmn(imsi))
            if seen is not None:
                seen.add(time, imsi)
            for address in message["map"]["addresses"].get("gsmSCF-Address", ()):
                if address in source.gsmscf or len(source.gsmscf) < MAX_NODES:
                    source.gsmscf[address] += 1

    def ask(self, called: Object | None, imsi: str, time: str | None) -> None:
        gt = self.number(called)
        key = gt[:RANGE_DIGITS], plmn(imsi)
        if not gt or (key not in self.asked and len(self.asked) >= MAX_ASKED):
            return
        source = self.asked.setdefault(key, Source(gt, ""))
        source.add_gt(gt)
        source.visited.add(time, imsi)

    def rate(self, gt: str, operation: str, time: str | None) -> None:
        if time is None:
            self.left_out["requests without a time, for rates"] += 1
            return
        for rates, key in ((self.gt_rates, gt), (self.range_rates, gt[:RANGE_DIGITS])):
            if (key, operation) in rates or len(rates) < MAX_RATES:
                rates.setdefault((key, operation), Rate()).add(time[:19])
            else:
                self.left_out[f"requests beyond the first {MAX_RATES} pairs of GT and operation, for rates"] += 1

    def source(self, gt: str) -> Source | None:
        key = gt[:RANGE_DIGITS]
        if key not in self.sources and len(self.sources) < MAX_SOURCES:
            found = self.tables.lookup(gt[:16], "e164") if self.tables else None
            self.sources[key] = Source(gt, (found and found["operator"]) or "")
        return self.sources.get(key)

    def number(self, party: Object | None) -> str:
        """The GT as an international E.164 number; "" where it is none, or may be read in two ways."""
        if not party or not party["digits"]:
            return ""
        found = readings(party, self.country_code, ansi=self.ansi)
        if len(found) != 1 or names.SPACES[found[0][0]] != "e164":
            return ""
        digits = found[0][1][:16]
        return digits if digits.isdecimal() and digits[0] != "0" else ""

    def peaks(self, operators: Iterable[Iterable[str]]) -> tuple[dict[str, int], dict[str, int], Counter[str]]:
        """Operation -> the most of a second that one GT sent, and one operator (a sum over its ranges), and how many.

        operators: the ranges of each.
        """
        owner = {key: number for number, ranges in enumerate(operators) for key in ranges}
        by_gt: dict[str, int] = {}
        counts: Counter[str] = Counter()
        for (gt, operation), rate in self.gt_rates.items():
            if gt[:RANGE_DIGITS] in owner:
                by_gt[operation] = max(by_gt.get(operation, 0), rate.peak)
                counts[operation] += rate.count
        sums: Counter[tuple[int, str]] = Counter()
        for (key, operation), rate in self.range_rates.items():
            if key in owner:
                sums[owner[key], operation] += rate.peak
        by_operator: dict[str, int] = {}
        for (_, operation), peak in sums.items():
            by_operator[operation] = max(by_operator.get(operation, 0), peak)
        return by_gt, by_operator, counts
