"""What the checks on state go by, as the core's arrays (StateRules of sigfw/_core/tables.pxd)."""

from array import array
from typing import TYPE_CHECKING, Any, Final

from sigfw import names
from sigfw._core.gttable import OPERATOR_ITEM, PrefixTable
from sigfw.policy.model import RateLimit
from sigfw.policy.travel import NOWHERE, load_default

if TYPE_CHECKING:
    from sigfw.policy.compiler import Numbers, Vocabulary
    from sigfw.policy.model import Policy

NEEDS_DIALOGUES, NEEDS_LOCATIONS, NEEDS_SMS = 1, 2, 4
NEEDS: Final = {  # what a check has to have learned
    "location_implausible": NEEDS_DIALOGUES | NEEDS_LOCATIONS,
    "sms_origin_mismatch": NEEDS_DIALOGUES | NEEDS_LOCATIONS | NEEDS_SMS,
    "dialogue_unknown": NEEDS_DIALOGUES,
}
ZONE_APART, FIRST_COUNTRY = 1, 2
UNKNOWN_SUBSCRIBER: Final = ("unknown", "true", "false")


def state_rules(
    policy: "Policy", numbers: "Numbers", vocabulary: "Vocabulary", spaces: tuple[PrefixTable | None, ...], used: int
) -> dict[str, Any]:
    """used: bit a check that some enabled rule asks for."""
    checks = policy.checks
    asked = {name for i, name in enumerate(names.CHECKS) if used >> i & 1}
    travel = load_default() if "location_implausible" in asked else NOWHERE
    countries = {country: i for i, country in enumerate(travel.countries, 1)}
    needs = 0
    for name in asked:
        needs |= NEEDS.get(name, 0)
    return {
        "needs": needs,
        "dialogue_seconds": checks.dialogue_seconds,
        "warm_up_seconds": checks.warm_up_seconds,
        "sms_seconds": checks.sms_window_seconds,
        "hubs": _hubs(checks.hubs, numbers, spaces),
        "unknown_subscriber": UNKNOWN_SUBSCRIBER.index(checks.unknown_subscriber),
        "journeys": [(one.old, one.new, one.minutes) for one in checks.journeys],
        "zones": PrefixTable(
            [prefix for prefix, _ in travel.prefixes],
            array("I", [OPERATOR_ITEM | (FIRST_COUNTRY + i if i >= 0 else ZONE_APART) for _, i in travel.prefixes]),
        ),
        "minutes": travel.minutes,
        "n_countries": len(travel.countries),
        "operator_country": array("H", [countries.get(country, 0) for country in numbers.countries]),
        "limits": [_limit(one, vocabulary) for one in checks.limits],
        "scan_seconds": checks.scan_window_seconds,
        "subscribers_per_caller": checks.subscribers_per_caller,
        "callers_per_subscriber": checks.callers_per_subscriber,
    }


def _hubs(name: str, numbers: "Numbers", spaces: tuple[PrefixTable | None, ...]) -> list["array[int] | None"]:
    """By space and class, whether a number is a hub's."""
    if not name:
        return [None] * len(spaces)
    hubs = numbers.lists[name]
    return [array("B", [hubs in lists for lists, _ in table.classes]) if table else None for table in spaces]


def _limit(limit: RateLimit, vocabulary: "Vocabulary") -> tuple[int, float, int, "array[int] | None"]:
    by = sum(1 << names.LIMIT_BY.index(one) for one in limit.by)
    counted = array("B", [name in limit.operation for _, name in vocabulary.operations]) if limit.operation else None
    return by, limit.per_second, limit.burst, counted
