"""Reassembly against a small model of it, on what senders and the network may do to segments."""

from dataclasses import dataclass, field
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from sigfw import names
from sigfw._core.reassembly import Harness
from tests.unit.segments import segment

SECOND = 10**9
CALLERS = (b"\x42\x08", b"\x42\x09", b"\x43\x01\x00\x08")
CALLED = (b"\x42\x06", b"\x42\x07")


@dataclass(frozen=True)
class Part:
    caller: int
    reference: int
    first: bool
    remaining: int
    data: bytes
    called: int = 0

    def octets(self) -> bytes:
        reference = bytes([self.reference, 0, 0])
        where = {"calling": CALLERS[self.caller], "called": CALLED[self.called], "reference": reference}
        return segment(self.data, self.remaining, first=self.first, **where)  # type: ignore[arg-type]


@dataclass
class Model:
    """What reassembly.pyi says, over dicts: (state, code, whole) of each part."""

    room: int
    flights: dict[tuple[int, int], list[Part]] = field(default_factory=dict)

    def take(self, part: Part) -> tuple[str, str | None, bytes | None]:
        key = part.caller, part.reference
        held = self.flights.get(key)
        if held is None:
            return self._begin(key, part) if part.first else ("orphan", "no_first", None)
        why = self._why_not(held, part)
        if why is not None:
            del self.flights[key]
            return "failed", why, None
        held.append(part)
        if part.remaining:
            return "held", None, None
        return "final", None, b"".join(one.data for one in self.flights.pop(key))

    def _begin(self, key: tuple[int, int], part: Part) -> tuple[str, str | None, bytes | None]:
        if part.remaining == 0:
            return "final", None, part.data
        if len(self.flights) == self.room:
            return "failed", "no_room", None
        self.flights[key] = [part]
        return "held", None, None

    @staticmethod
    def _why_not(held: list[Part], part: Part) -> str | None:
        place = held[0].remaining - part.remaining
        if part.called != held[0].called:
            return "mismatch"
        if part.first != (place == 0):
            return "overlapping"
        if not 0 <= place <= len(held):
            return "out_of_sequence"
        if place == len(held):
            return None
        return "repeated" if part.data == held[place].data else "overlapping"


@st.composite
def messages(draw: st.DrawFn) -> list[list[Part]]:
    """Messages of several senders that share references, each octet of one message its own."""
    found: list[list[Part]] = []
    for n in range(draw(st.integers(1, 8))):
        caller, reference = draw(st.integers(0, 2)), draw(st.integers(0, 2))
        count = draw(st.integers(1, 5))
        pieces = [bytes([n + 1]) * draw(st.integers(1, 3)) + bytes([i]) for i in range(count)]
        found.append([Part(caller, reference, i == 0, count - 1 - i, piece) for i, piece in enumerate(pieces)])
    return found


@st.composite
def traffic(draw: st.DrawFn) -> list[Part]:
    """What comes of messages: interleaved, some parts lost, repeated, overtaken, altered, called elsewhere."""
    queues = draw(messages())
    out: list[Part] = []
    while any(queues):
        queue = draw(st.sampled_from([one for one in queues if one]))
        fate = draw(st.sampled_from(["plain"] * 12 + ["lost", "twice", "late", "altered", "elsewhere", "counted"]))
        part = queue.pop(draw(st.integers(0, len(queue) - 1)) if fate == "late" else 0)
        if fate == "altered":
            out.append(part)
            part = Part(part.caller, part.reference, part.first, part.remaining, part.data + b"\xff")
        elif fate == "elsewhere":
            part = Part(part.caller, part.reference, part.first, part.remaining, part.data, 1)
        elif fate == "counted":
            part = Part(part.caller, part.reference, part.first, draw(st.integers(0, 15)), part.data)
        out += [] if fate == "lost" else [part, part] if fate == "twice" else [part]
    return out


@settings(max_examples=400)
@given(traffic(), st.integers(1, 4))
def test_every_part_is_taken_as_the_model_takes_it(came: list[Part], room: int) -> None:
    harness, model = Harness(room, 10 * SECOND), Model(room)
    for part in came:
        (found,) = harness.feed([(part.octets(), SECOND)])
        code = names.ERROR_CODES[found["error"][0]] if found["error"] else None
        whole = found["data"] if found["state"] == "final" else None
        assert (found["state"], code, whole) == model.take(part)
        assert harness.in_flight == len(model.flights)


@settings(max_examples=400)
@given(traffic())
def test_whole_is_of_one_sender_and_in_order(came: list[Part]) -> None:
    harness = Harness(64, 10 * SECOND)
    found = harness.feed([(part.octets(), SECOND) for part in came])
    for part, one in zip(came, found, strict=True):
        if one["state"] != "final":
            continue
        parts = [came[frame - 1] for frame in one["frames"]]
        assert {(p.caller, p.reference, p.called) for p in parts} == {(part.caller, part.reference, part.called)}
        assert b"".join(p.data for p in parts) == one["data"]
        assert all(b < a for a, b in pairwise([p.remaining for p in parts]))
        assert [p.first for p in parts] == [True] + [False] * (len(parts) - 1)


@settings(max_examples=200)
@given(messages(), st.randoms())
def test_undisturbed_messages_come_out_whole_however_they_interleave(sent: list[list[Part]], random: object) -> None:
    own = [[Part(p.caller, n, p.first, p.remaining, p.data) for p in parts] for n, parts in enumerate(sent)]
    queues = [list(parts) for parts in own]
    came: list[Part] = []
    while any(queues):
        came.append(random.choice([queue for queue in queues if queue]).pop(0))  # type: ignore[attr-defined]
    harness = Harness(64, 10 * SECOND)
    found = harness.feed([(part.octets(), SECOND) for part in came])
    wholes = [one["data"] for one in found if one["state"] == "final"]
    assert sorted(wholes) == sorted(b"".join(p.data for p in parts) for parts in own)
