"""Who stands behind a global title, as far as a policy's data say: for events and for people, never for a verdict."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sigfw._core.normalise import gt_readings
from sigfw.policy.model import NumberList, Operator, Policy, Row

__all__ = ["Whois", "readings"]

LONGEST: Final = 16  # digits of a prefix


def readings(party: Mapping[str, Any], country_code: str, *, ansi: bool) -> list[tuple[int, str]]:
    """What the GT of a decoded party is looked up as: (space, digits) each; none where it cannot be."""
    return gt_readings(
        party["digits"],
        np=party["np"],
        nai=party["nai"],
        es=party["es"],
        home_country_code=country_code,
        ansi=ansi,
    )


class Whois:
    """What the operators and lease registers of a policy, on its day, say of a number.

    Cost: a sorted reference or two a prefix of an operator or a lease, nothing for other lists; a question takes up to
    sixteen bisections in each.
    """

    def __init__(self, policy: Policy) -> None:
        owners = list(_owners(policy))
        owners.sort(key=lambda owner: owner[0])  # of two with one prefix the first counts, as in the tables
        self._prefixes = [prefix for prefix, _ in owners]
        self._operators = [operator for _, operator in owners]
        leases = [row for numbers in policy.lists.values() if numbers.kind == "gt" for row in _leases(numbers)]
        leases.sort(key=lambda row: row.prefix)
        self._leased = [row.prefix for row in leases]
        self._leases = leases

    def of(self, digits: str) -> dict[str, Any]:
        """What is known of an international GT: {"operator", "country", "lease"}, None where it is nothing.

        lease: {"lessor", "lessee", "valid_until", "source"}. It says who should be there; a sender chooses its digits.
        """
        at = _longest(self._prefixes, digits)
        operator = self._operators[at] if at is not None else None
        leased = _longest(self._leased, digits)
        lease = self._leases[leased] if leased is not None else None
        return {
            "operator": operator.tadig if operator else None,
            "country": (operator.country or None) if operator else None,
            "lease": None
            if lease is None
            else {
                "lessor": lease.lessor or None,
                "lessee": lease.lessee or None,
                "valid_until": lease.valid_until or None,
                "source": lease.source or None,
            },
        }


def _owners(policy: Policy) -> Iterable[tuple[str, Operator]]:
    """Home's prefixes first."""
    home, code = policy.home, policy.home_tadig
    us = next((one for one in policy.operators if one.tadig == code), Operator(tadig=code, country=""))
    for prefix in (*home.global_titles, *home.e214):
        yield prefix, us
    for operator in policy.operators:
        for prefix in {*operator.global_titles, *operator.e214}:
            yield prefix, operator


def _leases(numbers: NumberList) -> Iterable[Row]:
    return (row for row in numbers.listed.rows if (row.lessor or row.lessee) and not row.exclude)


def _longest(prefixes: list[str], digits: str) -> int | None:
    """Index of the longest prefix of the digits; of equal ones the first."""
    end = len(prefixes)
    for n in range(min(len(digits), LONGEST), 0, -1):
        end = at = bisect_left(prefixes, digits[:n], 0, end)  # what is shorter sorts before
        if at < len(prefixes) and prefixes[at] == digits[:n]:
            return at
    return None
