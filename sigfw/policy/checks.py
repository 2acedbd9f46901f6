"""`checks` of a policy: what the checks on state go by."""

import re
from collections.abc import Mapping
from typing import Any, Final

from sigfw import names
from sigfw.policy import schema
from sigfw.policy.model import NumberList, RateLimit
from sigfw.yamlfile import Mistakes, Node, Reader, shown

STATE_CHECKS: Final = names.CHECKS[names.FIRST_STATE_CHECK :]
MAX_LIMITS: Final = 64
MAX_SECONDS: Final = 86_400  # of a window
MAX_PER_SECOND: Final = 1e6
# What a sketch tells apart (sigfw/_core/memory.pyx): 1,024 bits a caller, 128 a subscriber.
MAX_SUBSCRIBERS: Final = 2_000
MAX_CALLERS: Final = 60


class ChecksReader(Reader):
    def __init__(self, mistakes: Mistakes, lists: Mapping[str, NumberList]) -> None:
        super().__init__(mistakes)
        self.lists = lists
        self.travel: Node | None = None  # the file of journeys, for who reads files

    def read(self, sections: Mapping[str, Node]) -> dict[str, Any]:
        """Keys of Checks, from the nodes by name of check."""
        found: dict[str, Any] = {}
        for name, node in sections.items():
            found |= getattr(self, f"_{name}")(node)
        return {key: value for key, value in found.items() if value is not None}

    def _location_implausible(self, node: Node) -> dict[str, Any]:
        found = self.fields(node, "location_implausible", ("travel", "unknown_subscriber"))
        self.travel = found.get("travel")
        said = found.get("unknown_subscriber")
        return {
            "unknown_subscriber": self.choice(said, "unknown_subscriber", ("unknown", "true", "false"))
            if said
            else None
        }

    def _sms_origin_mismatch(self, node: Node) -> dict[str, Any]:
        found = self.fields(node, "sms_origin_mismatch", ("window_seconds", "hubs"))
        return {"sms_window_seconds": self._seconds(found, "window_seconds"), "hubs": self._hubs(found.get("hubs"))}

    def _hubs(self, node: Node | None) -> str | None:
        if node is None or self.text(node, "hubs") is None:
            return None
        numbers = self.lists.get(node.text)
        if numbers is None:
            self.mistakes.at(node, f"unknown list {shown(node.text)} in hubs; {self.hint(node, node.text, self.lists)}")
        elif numbers.kind != "gt":
            self.mistakes.at(node, f"the list `{node.text}` is of kind {numbers.kind}; hubs wants one of kind gt")
        return node.text

    def _dialogue_unknown(self, node: Node) -> dict[str, Any]:
        found = self.fields(node, "dialogue_unknown", ("lifetime_seconds", "warm_up_seconds"))
        return {
            "dialogue_seconds": self._seconds(found, "lifetime_seconds"),
            "warm_up_seconds": self._seconds(found, "warm_up_seconds", 0),
        }

    def _target_scanned(self, node: Node) -> dict[str, Any]:
        keys = ("window_seconds", "subscribers_per_caller", "callers_per_subscriber")
        found = self.fields(node, "target_scanned", keys)
        numbers = {
            key: self.integer(found[key], key, 0, high)
            for key, high in (("subscribers_per_caller", MAX_SUBSCRIBERS), ("callers_per_subscriber", MAX_CALLERS))
            if key in found
        }
        return {"scan_window_seconds": self._seconds(found, "window_seconds"), **numbers}

    def _seconds(self, found: Mapping[str, Node], key: str, low: int = 1) -> int | None:
        return self.integer(found[key], key, low, MAX_SECONDS) if key in found else None

    # -- rates ---------------------------------------------------------------------------------------------------------

    def _rate_exceeded(self, node: Node) -> dict[str, Any]:
        found = self.fields(node, "rate_exceeded", ("limits",), ("limits",))
        nodes = self.items(found["limits"], "limits") if "limits" in found else []
        if len(nodes) > MAX_LIMITS:
            self.mistakes.at(nodes[MAX_LIMITS], f"more than {MAX_LIMITS} limits; count several operations in one")
        return {"limits": tuple(limit for one in nodes if (limit := self._limit(one)) is not None)}

    def _limit(self, node: Node) -> RateLimit | None:
        keys = ("by", "operation", "per_second", "burst")
        found = self.fields(node, "a limit", keys, ("by", "per_second", "burst"))
        by = [self.choice(n, "by", names.LIMIT_BY) for n in self.one_or_more(found["by"])] if "by" in found else []
        operations = self.one_or_more(found["operation"]) if "operation" in found else []
        named = [self.choice(n, "operation", schema.operations()) for n in operations]
        per_second = self._per_second(found["per_second"]) if "per_second" in found else None
        burst = self.integer(found["burst"], "burst", 1, 1_000_000) if "burst" in found else None
        if not by or per_second is None or burst is None:
            if "by" in found and not by:
                self.mistakes.at(found["by"], f"by has no value; write some of {', '.join(names.LIMIT_BY)}")
            return None
        return RateLimit(
            by=tuple(one for one in by if one),
            operation=tuple(one for one in named if one),
            per_second=per_second,
            burst=burst,
        )

    def _per_second(self, node: Node) -> float | None:
        text = node.text if node.kind == "scalar" else ""
        number = float(text) if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text) else 0.0
        if not 0 < number <= MAX_PER_SECOND:
            self.mistakes.at(node, f"per_second {shown(text)} is no rate; write a number above 0, such as 0.5 or 20")
            return None
        return number
