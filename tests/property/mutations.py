"""All mutations: importing them registers them."""

from tests.property import addresses, dialogues, encodings
from tests.property.registry import MUTATIONS, Mutation, World, choose, mutate

__all__ = ["MUTATIONS", "Mutation", "World", "addresses", "choose", "dialogues", "encodings", "mutate"]
