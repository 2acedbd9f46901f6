"""BER as a tree (X.690 8.1), read and written apart from the core, each freedom of the encoding a field of its node."""

from dataclasses import dataclass, field

INDEFINITE = -1


class Unreadable(ValueError):
    """Octets that are no well-formed message: nothing to start from."""


@dataclass(slots=True)
class Tlv:
    """kind: class and form, the top three bits of the first octet; number: of the tag; parts: of a constructed one.

    length: octets of a long form, 0 the shortest, INDEFINITE; long_tag: the high-tag-number form (X.690 8.1.2.4).
    """

    kind: int
    number: int
    content: bytes = b""
    parts: list["Tlv"] = field(default_factory=list)
    length: int = 0
    long_tag: bool = False

    @property
    def constructed(self) -> bool:
        return bool(self.kind & 0x20)

    @property
    def tag(self) -> int:
        """As the one octet that it fits in; -1 where it does not."""
        return self.kind | self.number if self.number < 31 else -1

    def copy(self) -> "Tlv":
        parts = [part.copy() for part in self.parts]
        return Tlv(self.kind, self.number, self.content, parts, self.length, self.long_tag)

    def encode(self) -> bytes:
        content = b"".join([part.encode() for part in self.parts]) if self.constructed else self.content
        if self.length == INDEFINITE and self.constructed:
            return self.identifier() + b"\x80" + content + b"\0\0"
        octets = len(content)
        if self.length > 0:
            room = max(self.length, (octets.bit_length() + 7) // 8)
            return self.identifier() + bytes((0x80 | room,)) + octets.to_bytes(room, "big") + content
        if octets < 128:
            return self.identifier() + bytes((octets,)) + content
        room = (octets.bit_length() + 7) // 8
        return self.identifier() + bytes((0x80 | room,)) + octets.to_bytes(room, "big") + content

    def identifier(self) -> bytes:
        if self.number < 31 and not self.long_tag:
            return bytes((self.kind | self.number,))
        septets = [self.number & 0x7F]
        number = self.number >> 7
        while number:
            septets.append(number & 0x7F | 0x80)
            number >>= 7
        return bytes((self.kind | 0x1F, *reversed(septets)))

    def every(self) -> list["Tlv"]:
        """This node and all under it."""
        found = [self]
        for part in self.parts:
            found += part.every()
        return found

    def find(self, *tags: int) -> "Tlv | None":
        """The node that these tags lead to, from among the parts on."""
        at: Tlv | None = self
        for tag in tags:
            at = next((part for part in at.parts if part.tag == tag), None) if at else None
        return at


def node(tag: int, content: "bytes | list[Tlv]" = b"") -> Tlv:
    """A node of a low tag number."""
    if isinstance(content, list):
        return Tlv(tag & 0xE0, tag & 0x1F, b"", content)
    return Tlv(tag & 0xE0, tag & 0x1F, content)


def read(octets: bytes, depth: int = 0) -> list[Tlv]:
    """TLVs end to end, definite lengths only: seeds are plain. Raises Unreadable."""
    found, at = [], 0
    if depth > 24:
        raise Unreadable("too deep")
    while at < len(octets):
        first, at = octets[at], at + 1
        number = first & 0x1F
        if number == 0x1F:
            number = 0
            while True:
                if at >= len(octets) or number > 0x3FFF:
                    raise Unreadable("tag")
                number = number << 7 | octets[at] & 0x7F
                at += 1
                if not octets[at - 1] & 0x80:
                    break
        if at >= len(octets) or first == 0:
            raise Unreadable("length")
        length, at = octets[at], at + 1
        if length >= 0x80:
            room = length & 0x7F
            if room == 0 or room > 4:
                raise Unreadable("length")
            length, at = int.from_bytes(octets[at : at + room], "big"), at + room
        content, at = octets[at : at + length], at + length
        if at > len(octets):
            raise Unreadable("overrun")
        one = Tlv(first & 0xE0, number, content)
        if one.constructed:
            one.parts, one.content = read(content, depth + 1), b""
        found.append(one)
    return found
