"""What a mutation is: a change of a message's encoding, with the words of a policy that it does not keep."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.property.message import Message
from tests.property.tree import Tlv


@dataclass(frozen=True)
class World:
    """What a mutation may take from elsewhere."""

    donors: Sequence[Tlv]  # Invokes of other messages


Change = Callable[[random.Random, Message, World], bool]


@dataclass(frozen=True)
class Mutation:
    """touches: fields and checks whose value for the receiver may be another afterwards.

    `lenient` among them: the result breaks a recommendation so far that only the malformed verdict is promised, and
    what could not be decoded may be lost where a policy lets malformed messages pass.
    """

    name: str
    touches: frozenset[str]
    change: Change  # False: nothing to be done to this message


MUTATIONS: list[Mutation] = []


def mutation(*touches: str) -> Callable[[Change], Change]:
    def register(change: Change) -> Change:
        MUTATIONS.append(Mutation(change.__name__, frozenset(touches), change))
        return change

    return register


def choose(fields: frozenset[str]) -> list[Mutation]:
    """The mutations that keep every one of these fields and checks."""
    return [one for one in MUTATIONS if not one.touches & fields]


def mutate(r: random.Random, plain: Message, usable: Sequence[Mutation], world: World) -> tuple[Message, list[str]]:
    """A composition of one to eight mutations, and their names in order."""
    message = plain.copy()
    chosen = r.choices(usable, k=r.choice((1, 1, 2, 2, 3, 4, 6, 8)))
    return message, [one.name for one in chosen if one.change(r, message, world)]
