"""What the sections on numbers have in common: digits, dates."""

import datetime
import functools
import re
from typing import Final

from sigfw.policy import schema
from sigfw.yamlfile import Node, Reader, shown

__all__ = ["NumberReader", "is_date"]

DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")  # compared as text from here on


class NumberReader(Reader):
    def digits(self, node: Node, what: str, *, zero: bool = False, least: int = 1) -> str | None:
        if node.kind != "scalar" or node.empty:
            self.mistakes.at(node, f"{what} is no number; {schema.DIGITS_MUST}")
            return None
        problem = schema.digits_problem(node.text, zero=zero)
        if problem is None and len(node.text) < least:
            problem = f"has {len(node.text)} digits; write MCC and MNC, {least} digits at least"
        if problem is not None:
            self.mistakes.at(node, f"{what} {shown(node.text)} {problem}")
            return None
        return node.text


@functools.lru_cache(maxsize=4096)  # a file of a million leases has few days
def is_date(text: str) -> bool:
    if DATE.fullmatch(text) is None:
        return False
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        return False
    return True
