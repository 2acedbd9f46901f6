"""Random well-formed values of pycrate's ASN.1 types, with numbers as networks write them."""

from random import Random
from typing import Any

from sigfw.messages.forms import Route, bounds, kind_of, type_names

DECIMAL = "0123456789"
OVERDECADIC = "0123456789abcde"
LATER = (b"\x9f\x5a", b"\xbf\x5b")  # identifiers of members that no release has yet: [90], and [91] constructed
SIZE_LIMIT = 24  # octets of a string without a longer minimum


def tbcd(digits: str) -> bytes:
    """TBCD-STRING (TS 29.002 17.7.8): the first digit in the low bits, f as filler."""
    padded = digits + "f" * (len(digits) % 2)
    return bytes(int(padded[i + 1] + padded[i], 16) for i in range(0, len(padded), 2))


class Values:
    """What one message is filled with.

    density: how many of the optional members are there; room: about how many octets the leaves may have;
    strange: digits above 9 and numbers of E.212 too short for one, which tshark stumbles over, now and then.
    """

    def __init__(self, random: Random, *, density: float, room: int, strange: bool) -> None:
        self.random = random
        self.density = density
        self.room = room
        self.strange = strange
        self.deliver = True  # the direction of a short message
        self.without: tuple[str, ...] = ()  # members that are left out
        self.extended = True  # members of later releases now and then

    def make(self, obj: Any, name: str = "", wanted: Route | None = None, depth: int = 0) -> Any:
        """A value of the type; the member at the path `wanted` is in it."""
        if obj.TYPE == "CHOICE":
            name = wanted[0] if wanted else self.random.choice(self.alternatives(obj, name))
            return name, self.make(obj._cont[name], name, wanted and wanted[1:], depth + 1)
        if obj.TYPE in ("SEQUENCE", "SET"):
            return self.members(obj, wanted, depth)
        if obj.TYPE.endswith(" OF"):
            low, high = bounds(obj._const_sz, 0, 4)
            count = min(high, int(self.random.expovariate(0.8)) + 1) if self.room > 0 else 0
            count = max(low, 1 if wanted else 0, count)
            return [self.make(obj._cont, name, wanted and wanted[1:], depth + 1) for _ in range(count)]
        return self.leaf(obj, name)

    def alternatives(self, obj: Any, name: str) -> list[str]:
        """Of a CHOICE; those of a short message's addresses that its direction has (TS 29.002 7.6.8.1, 7.6.8.2)."""
        if name in ("sm-RP-DA", "sm-RP-OA"):
            to_mobile = ("imsi", "lmsi", "roamingNumber", "serviceCentreAddressOA", "noSM-RP-DA", "noSM-RP-OA")
            return [a for a in obj._cont if (a in to_mobile) == self.deliver or a.startswith("noSM")]
        return list(obj._cont)

    def members(self, obj: Any, wanted: Route | None, depth: int) -> dict[str, Any]:
        value = {}
        for member, part in obj._cont.items():
            there = not part._opt and part._def is None
            if wanted and member == wanted[0]:
                value[member] = self.make(part, member, wanted[1:], depth + 1)
            elif there or (self.room > 0 and self.random.random() < self.chance(member, part, depth)):
                value[member] = self.make(part, member, None, depth + 1)
        if self.extended and obj._ext is not None and self.random.random() < 0.02:  # LATER, by pycrate's names
            name, content = self.random.choice((("_ext_2090", b"\x2a"), ("_ext_2191", b"\x80\x02\x91\x21")))
            value[name] = content
        return value

    def chance(self, member: str, part: Any, depth: int) -> float:
        if part.TYPE in ("OPEN_TYPE", "ANY") or depth > 12 or member in self.without:
            return 0.0
        if any(t in ("ExtensionContainer", "Extensions", "PCS-Extensions") for t in type_names(part)):
            return 0.02
        return self.density / (1 + depth / 4)

    def leaf(self, obj: Any, name: str) -> Any:
        kind = obj.TYPE
        if kind == "OCTET STRING":
            octets = self.octets(obj, name)
            self.room -= len(octets) + 2
            return octets
        self.room -= 3
        if kind == "INTEGER":
            low, high = bounds(obj._const_val, 0, 255)
            return self.random.randint(low, max(low, high))
        if kind == "ENUMERATED":
            return self.random.choice(list(obj._cont))
        if kind == "BOOLEAN":
            return self.random.random() < 0.5
        if kind == "BIT STRING":
            low, high = bounds(obj._const_sz, 1, 16)
            size = self.random.randint(low, max(low, min(high, 40)))
            return self.random.getrandbits(size) if size else 0, size
        if kind == "OBJECT IDENTIFIER":
            return (1, 3, 6, self.random.randrange(40), self.random.randrange(1000))
        if kind in ("NumericString", "IA5String"):
            low, high = bounds(obj._const_sz, 1, SIZE_LIMIT)
            size = self.random.randint(low, max(low, min(high, SIZE_LIMIT)))
            return self.digits(size)
        if kind == "NULL":
            return 0
        if kind in ("OPEN_TYPE", "ANY"):
            return "_unk_004", b"\x04\x01\x55"
        raise NotImplementedError(f"{name}: {kind}")

    def digits(self, count: int, *, overdecadic: bool = False) -> str:
        return "".join(self.random.choices(OVERDECADIC if overdecadic else DECIMAL, k=count))

    def octets(self, obj: Any, name: str) -> bytes:
        low, high = bounds(obj._const_sz, 1, SIZE_LIMIT)
        overdecadic = self.strange and self.random.random() < 0.05
        kind = kind_of(name, obj)
        if kind == "imsi":
            return tbcd(self.digits(self.random.choice((15, 15, 15, 15, 14, 6, 10, 16)), overdecadic=overdecadic))
        if kind == "imei":
            return tbcd(self.digits(self.random.choice((15, 16))))
        if kind in ("address", "msisdn"):
            return self.address(low, high, overdecadic=overdecadic)
        if kind in ("isup", "generic"):
            head = self.random.randbytes(1) if kind == "generic" else b""
            return head + self.isup(low - len(head), high - len(head), overdecadic=overdecadic)
        if name == "sm-RP-UI":
            return self.short_message()
        if any(t.endswith("GeographicalInformation") for t in type_names(obj)):
            return b"\x10" + self.random.randbytes(7)  # TS 23.032 6.1: ellipsoid point with uncertainty circle
        if "GlobalCellId" in type_names(obj):  # tshark stops, without a word, at one without a cell
            low = high
        size = self.random.randint(low, max(low, min(high, SIZE_LIMIT)))
        return self.random.randbytes(size)

    def address(self, low: int, high: int, *, overdecadic: bool) -> bytes:
        """AddressString: no extension, nature of address, numbering plan, TBCD."""
        nature = self.random.choice((1, 1, 1, 1, 0, 2, 4))
        plan = self.random.choice((1, 1, 1, 1, 1, 6, 7, 0, 3, 4, 8, 9))
        least = 5 if plan == 6 and not self.strange else 1
        count = self.random.randint(max(least, 2 * (low - 1)), 2 * (min(high, 9) - 1))
        digits = self.digits(count, overdecadic=overdecadic)
        return bytes((0x80 | nature << 4 | plan,)) + tbcd(digits)

    def isup(self, low: int, high: int, *, overdecadic: bool) -> bytes:
        """Q.763 3.9: odd and nature of address, plan, digits with 0 as filler."""
        count = self.random.randint(max(1, 2 * (low - 2)), 2 * (min(high, 10) - 2))
        digits = self.digits(count, overdecadic=overdecadic)
        odd = len(digits) % 2
        nature = self.random.choice((4, 4, 4, 3, 1, 2))
        padded = digits + "0" * odd
        pairs = bytes(int(padded[i + 1] + padded[i], 16) for i in range(0, len(padded), 2))
        return bytes((odd << 7 | nature, self.random.choice((0x10, 0x90, 0x14)))) + pairs

    def short_message(self) -> bytes:
        """A TPDU of TS 23.040 9.2.2: DELIVER to the mobile, SUBMIT from it."""
        digits = self.digits(self.random.randint(1, 15))
        party = bytes((len(digits), 0x91)) + tbcd(digits)
        pid, dcs = self.random.choice(((0, 0), (0x40, 0), (0x7F, 0xF6), (0, 8), (0, 4)))
        data = self.random.randbytes(self.random.randint(0, 30))
        length = len(data) * 8 // 7 if dcs == 0 else len(data)
        tail = bytes((length,)) + data[: -(-length * 7 // 8) if dcs == 0 else length]
        if self.deliver:
            return bytes((0x04,)) + party + bytes((pid, dcs)) + self.random.randbytes(7) + tail
        return bytes((0x01, self.random.randrange(256))) + party + bytes((pid, dcs)) + tail
