"""SCCP unitdata as a structure (Q.713), read and written apart from the core: what a mutation may change is a field."""

from dataclasses import dataclass, field, replace

from tests.property.tree import Tlv, Unreadable, read

UDT, UDTS, XUDT, XUDTS, LUDT, LUDTS = 0x09, 0x0A, 0x11, 0x12, 0x13, 0x14
SERVICE = {UDT: UDTS, XUDT: XUDTS, LUDT: LUDTS}
SEGMENTATION = 0x10
MOST_UDT, MOST_LUDT = 255, 3952  # octets of user data (Q.713 3.16, 4.20)


@dataclass(slots=True)
class Address:
    """Called or calling party address (Q.713 3.4). raw: octets that are left as they are."""

    ssn: int | None = None
    pc: int | None = None
    on_ssn: bool = False
    gti: int = 0
    tt: int = 0
    np: int = 1
    es: int | None = None  # None: the truth
    nai: int = 4
    spare: int = 0  # bits that mean nothing to a receiver: bit 8 of the indicator, the point code's upper two
    digits: str = ""
    filler: str = "0"
    raw: bytes | None = None

    def copy(self) -> "Address":
        return replace(self)

    def octets(self) -> bytes:
        if self.raw is not None:
            return self.raw
        odd = len(self.digits) % 2
        es = self.es if self.es is not None else 2 - odd
        head = {
            0: b"",
            1: bytes((odd << 7 | self.nai,)),
            2: bytes((self.tt,)),
            3: bytes((self.tt, self.np << 4 | es)),
            4: bytes((self.tt, self.np << 4 | es, self.nai)),
        }[self.gti]
        indicator = self.gti << 2 | (self.ssn is not None) << 1 | (self.pc is not None) | self.on_ssn << 6
        out = bytes((indicator | (self.spare & 2) << 6,))
        if self.pc is not None:
            out += (self.pc | (self.spare & 1) << 14).to_bytes(2, "little")
        if self.ssn is not None:
            out += bytes((self.ssn,))
        digits = self.digits + self.filler * odd
        return out + head + bytes.fromhex("".join(digits[i + 1] + digits[i] for i in range(0, len(digits), 2)))


def read_address(octets: bytes) -> Address:
    """An address with a GT that says whether its digits are odd; all else stays as it is."""
    raw = Address(raw=octets)
    if len(octets) < 3:
        return raw
    indicator, at = octets[0], 1
    one = Address(gti=indicator >> 2 & 15, on_ssn=bool(indicator & 0x40))
    if indicator & 1:
        one.pc, at = int.from_bytes(octets[at : at + 2], "little"), at + 2
    if indicator & 2:
        one.ssn, at = octets[at], at + 1
    if one.gti == 4:
        one.tt, plan, one.nai = octets[at : at + 3]
        one.np, odd, at = plan >> 4, plan & 15 == 1, at + 3
    elif one.gti == 1:
        one.nai, odd, at = octets[at] & 0x7F, bool(octets[at] & 0x80), at + 1
    else:
        return raw
    one.digits = "".join(f"{octet & 15:x}{octet >> 4:x}" for octet in octets[at:])
    if odd:
        one.digits, one.filler = one.digits[:-1], one.digits[-1]
    return one if one.octets() == octets else raw


@dataclass(slots=True)
class Message:
    """One message; segments: sizes to cut the user data into, none: it goes whole."""

    kind: int
    protocol: int  # class and return option, of a unitdata
    cause: int
    hops: int
    called: Address
    calling: Address
    data: list[Tlv]  # the TCAP message, and what a mutation puts behind it
    options: list[tuple[int, bytes]] = field(default_factory=list)
    order: tuple[int, ...] = (0, 1, 2, 3)  # of the parts: called, calling, data, options
    gaps: tuple[int, ...] = (0, 0, 0, 0)
    tail: bytes = b""
    segments: int = 0
    cuts: tuple[float, ...] = ()
    reference: bytes = b"\0\0\0"
    imsis: tuple[str, ...] = ()  # of the plain message

    def copy(self) -> "Message":
        return replace(
            self,
            called=self.called.copy(),
            calling=self.calling.copy(),
            data=[one.copy() for one in self.data],
            options=list(self.options),
        )

    @property
    def package(self) -> Tlv:
        return self.data[0]

    @property
    def components(self) -> list[Tlv]:
        """The components themselves, to be changed in place; without a component portion a list of nobody's."""
        portion = self.package.find(0x6C)
        return portion.parts if portion else []

    def encode(self) -> list[bytes]:
        """The SCCP messages, in order."""
        user = b"".join([one.encode() for one in self.data])
        if self.segments:
            return self._segmented(user)
        kind = self.kind
        if len(user) > MOST_UDT and kind not in (LUDT, LUDTS):
            kind = LUDTS if kind in (UDTS, XUDTS) else LUDT
        return [self._unit(kind, user, self.options)]

    def _segmented(self, user: bytes) -> list[bytes]:
        kind = {UDT: XUDT, UDTS: XUDTS}.get(self.kind, self.kind)
        most = MOST_UDT - 1 if kind in (XUDT, XUDTS) else MOST_LUDT
        count = min(max(self.segments, -(-len(user) // most)), 16, max(2, len(user)))
        size = -(-len(user) // count)
        at = [0, *(min(len(user), i * size) for i in range(1, count)), len(user)]
        if size < most // 2:  # uneven, where there is room
            at[1:-1] = sorted(int(cut * len(user)) for cut in self.cuts[: count - 1])
        parts = [user[at[i] : at[i + 1]] for i in range(len(at) - 1)]
        parts = [part for part in parts if part] if len(parts) > 2 else parts
        if max(map(len, parts)) > most:
            parts = [user[i : i + most] for i in range(0, len(user), most)]
        found = []
        for i, part in enumerate(parts):
            head = (0xC0 if i == 0 else 0x40) | len(parts) - 1 - i
            found.append(self._unit(kind, part, [*self.options, (SEGMENTATION, bytes((head,)) + self.reference)]))
        return found

    def _unit(self, kind: int, user: bytes, options: list[tuple[int, bytes]]) -> bytes:
        service, wide = kind in (UDTS, XUDTS, LUDTS), kind in (LUDT, LUDTS)
        head = bytes((kind, self.cause if service else self.protocol))
        parts = [bytes((len(one),)) + one for one in (self.called.octets(), self.calling.octets())]
        parts.append(len(user).to_bytes(2, "little") + user if wide else bytes((len(user),)) + user)
        pointers = 3
        if kind not in (UDT, UDTS):
            head += bytes((self.hops,))
            pointers = 4
            option = b"".join([bytes((name, len(value))) + value for name, value in options])
            parts.append(option + b"\0" if options else b"")
        none = (0, 0, 0, 0)
        for order, gaps in ((self.order, self.gaps), ((0, 1, 2, 3), none), ((0, 1, 3, 2), none)):
            whole = self._laid_out(head, parts, pointers, 2 if wide else 1, order, gaps)
            if whole is not None:
                return whole + self.tail
        raise Unreadable("no room")

    @staticmethod
    def _laid_out(
        head: bytes, parts: list[bytes], pointers: int, width: int, order: tuple[int, ...], gaps: tuple[int, ...]
    ) -> bytes | None:
        """None where a pointer does not reach."""
        body, begins = b"", [0] * pointers
        for i in order:
            if i < pointers and parts[i]:
                body += bytes([0xA5]) * gaps[i]
                begins[i] = len(head) + pointers * width + len(body)
                body += parts[i]
        out = head
        for i in range(pointers):
            # A pointer counts from its own last octet (Q.713 2.3).
            distance = begins[i] - (len(head) + i * width + width - 1) if begins[i] else 0
            if distance >= 1 << 8 * width:
                return None
            out += distance.to_bytes(width, "little")
        return out + body


def read_message(octets: bytes) -> Message:
    """A unitdata message of one piece that carries TCAP. Raises Unreadable."""
    try:
        kind, second = octets[0], octets[1]
        if kind not in (UDT, XUDT):
            raise Unreadable("type")
        extended = kind == XUDT
        at = 3 if extended else 2
        parts = []
        for i in range(3):
            begin = at + i + octets[at + i]
            parts.append(octets[begin + 1 : begin + 1 + octets[begin]])
        if extended and octets[6]:
            raise Unreadable("options")
        data = read(parts[2])
        hops = octets[2] if extended else 12
    except (IndexError, ValueError) as error:
        raise Unreadable(str(error)) from error
    if len(data) != 1 or data[0].tag not in (0x61, 0x62, 0x64, 0x65, 0x67):
        raise Unreadable("no TCAP")
    return Message(kind, second, 7, hops, read_address(parts[0]), read_address(parts[1]), data)
