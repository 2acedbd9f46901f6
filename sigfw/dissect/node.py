"""The tree: what stands at which octets, and what is odd about it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Object = dict[str, Any]


@dataclass(slots=True)
class Node:
    """One field of a message.

    start, end: octets from the start of what was taken apart, the end beyond the last one. body: where the content
    begins, behind tag and length. value: the content in words, "" where the children say it. odd: what a plain sender
    would not have done. stopped: why nothing could be read from here on.
    number: (kind, digits) of an identity or address: `gt`, or a name of names.NUMBER_KINDS.
    """

    start: int
    end: int
    name: str
    value: str = ""
    body: int = -1
    odd: list[str] = field(default_factory=list)
    children: list["Node"] = field(default_factory=list)
    stopped: str = ""
    number: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        if self.body < 0:
            self.body = self.start

    def add(self, start: int, end: int, name: str, value: str = "", *odd: str) -> "Node":
        node = Node(start, end, name, value, odd=list(odd))
        self.children.append(node)
        return node

    def stop(self, start: int, end: int, why: str) -> None:
        """What is left cannot be read."""
        node = self.add(start, end, "not decoded")
        node.stopped = why

    def walk(self) -> Iterator["Node"]:
        yield self
        for child in self.children:
            yield from child.walk()


def octets(n: int) -> str:
    return "1 octet" if n == 1 else f"{n} octets"


def nibbles(content: bytes) -> str:
    """Digits of an octet string, the low nibble first; above 9 they are a to f."""
    return "".join(f"{octet & 15:x}{octet >> 4:x}" for octet in content)
