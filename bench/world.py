"""Who speaks in the corpus: our network, its partners, strangers; numbers as in configs/policies/interconnect.yaml."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench import encode
from bench.encode import Party, address, bcd, udt

HLR, VLR, MSC, SGSN, GSMSCF, GMLC, CAP_SSN = 6, 7, 8, 149, 147, 145, 146


@dataclass(frozen=True)
class Network:
    name: str
    prefix: str  # of its nodes' numbers
    digits: int  # of a whole number
    plmn: str

    first: int = 0  # the range for fiction begins there

    def node(self, number: int) -> str:
        left = self.digits - len(self.prefix)
        return self.prefix + str(self.first + number % (10**left - self.first)).rjust(left, "0")

    def imsi(self, rng: random.Random) -> str:
        return self.plmn + str(rng.randrange(10**10)).rjust(10, "0")


HOME = Network(
    "GBXXX", "447700900", 12, "00101"
)  # Ofcom's numbers for drama end here: nodes below 100, subscribers above
PARTNERS = (
    Network("DEUXX", "4917139200", 12, "00102"),
    Network("FRAXX", "3363998", 11, "00103"),
    Network("SWEXX", "467017406", 11, "00104", 5),
    Network("USAXX", "120255501", 11, "00105"),
    Network("AUSXX", "6149157015", 11, "00106", 6),
    Network("IRLXX", "3532091", 12, "00107"),
)
STRANGER = Network("nobody", "999420", 12, "99999")
BLOCKED = Network("blocked", "9994266", 12, "99999")


@dataclass
class Message:
    """One message, in one SCCP message or several segments, and what it is."""

    parts: Sequence[bytes]
    label: str = "legitimate"
    category: str = ""
    technique: str = ""
    lost: bool = False  # its last segment never comes


@dataclass
class World:
    rng: random.Random
    own: Network = field(default=HOME)

    def tid(self) -> bytes:
        return self.rng.randbytes(4)

    def reference(self) -> bytes:
        return self.rng.randbytes(3)

    def partner(self, other_than: Network | None = None) -> Network:
        return self.rng.choice([network for network in PARTNERS if network is not other_than])

    def stranger(self) -> str:
        return STRANGER.node(self.rng.randrange(40))

    def node(self, network: Network) -> str:
        return network.node(self.rng.randrange(40))

    def home_imsi(self) -> str:
        return HOME.imsi(self.rng)

    def home_msisdn(self) -> str:
        return HOME.node(100 + self.rng.randrange(890))

    def to(self, ssn: int) -> Party:
        """One of our nodes, by what it is."""
        first = {HLR: 10, VLR: 20, MSC: 30, SGSN: 40, GSMSCF: 50, CAP_SSN: 50, GMLC: 60}[ssn]
        return Party(HOME.node(first + self.rng.randrange(4)), ssn)

    def to_hlr(self, imsi: str) -> Party:
        """Our HLR: by its number, or by the subscriber's E.214 address (Q.713: numbering plan 7)."""
        if self.rng.random() < 0.5:
            return self.to(HLR)
        return Party("4477009" + imsi[5:13], HLR, np=7)

    def unit(self, called: Party, calling: Party, data: bytes) -> list[bytes]:
        """As UDT, seldom as XUDT; in segments where it must be."""
        if len(data) > 200:
            return encode.segmented(called, calling, data, self.reference(), -(-len(data) // 180))
        if self.rng.random() < 0.05:
            return [encode.xudt(called, calling, data, self.rng.randrange(3, 16))]
        return [udt(called, calling, data, self.rng.choice((0x80, 0x81, 0x80, 0)))]


def imsi(digits: str) -> bytes:
    return bcd(digits)


def number(digits: str) -> bytes:
    return address(digits)
