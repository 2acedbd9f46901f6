"""Links, rules, exceptions, modes: what happens to a message. The engine calls it; Python sees Tables."""

from sigfw._core.tables import Tables

__all__ = ["Tables"]
