"""How long it takes from one network to another at least: from country to country, and the operator's own journeys."""

import re
from array import array
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from sigfw.policy import csvfile, schema
from sigfw.policy.model import Journey
from sigfw.yamlfile import Mistakes, Node, shown

__all__ = ["load_default", "read_table"]

KM_PER_HOUR: Final = 1_000  # airliners fly at some 900; the wind gives the rest. No time for getting on and off
NEAR_KM: Final = 100  # neighbours: a mobile may hear both at once, across a border or a strait
# Networks in aircraft, on ships and of satellites (ITU-T E.164: shared codes, and codes of global services).
APART: Final = ("870", "878", "881", "882", "883")
MAX_JOURNEYS: Final = 4_096  # each is tried for each registration; EAGLE's table has 1,000
MAX_MINUTES: Final = 10_080  # a week
COLUMNS: Final = ("old_prefix", "new_prefix", "minutes")


@dataclass(frozen=True)
class Travel:
    countries: tuple[str, ...]  # ISO 3166
    minutes: "array[int]"  # by index of both, row by row
    prefixes: tuple[tuple[str, int], ...]  # E.164 prefix, index of the country; -1: apart from all


NOWHERE: Final = Travel((), array("H", [0]), ())


@cache
def load_default() -> Travel:
    countries: list[str] = []
    prefixes: list[tuple[str, int]] = [(prefix, -1) for prefix in APART]
    rows: list[array[int]] = []
    for line in (Path(__file__).parent / "travel.txt").read_text("ascii").splitlines():
        if not line.startswith("#"):
            country, codes, *distances = line.split(" ")
            prefixes += [(prefix, len(countries)) for prefix in codes.split(",")]
            countries.append(country)
            rows.append(array("H", [km * 60 // KM_PER_HOUR if km > NEAR_KM else 0 for km in map(int, distances)]))
    n = len(countries)
    table = array("H", bytes(2 * n * n))
    for i, row in enumerate(rows):
        table[i * n : i * n + len(row)] = row
        table[i : i + n * len(row) : n] = row
    return Travel(tuple(countries), table, tuple(prefixes))


def read_table(path: Path, mistakes: Mistakes, named_by: Node) -> tuple[Journey, ...]:
    """Journeys of a CSV file `old_prefix,new_prefix,minutes`; 0 minutes: always plausible."""
    found: dict[tuple[str, str], int] = {}
    for line, cells in csvfile.rows(path, COLUMNS, mistakes, named_by):
        old, new, minutes = (cell.strip() for cell in cells)
        wrong = False
        for name, digits in (("old_prefix", old), ("new_prefix", new)):
            if problem := schema.digits_problem(digits):
                mistakes.add(str(path), line, f"{name} {shown(digits)} {problem}")
                wrong = True
        if not re.fullmatch(r"[0-9]{1,5}", minutes) or int(minutes) > MAX_MINUTES:
            mistakes.add(str(path), line, f"minutes {shown(minutes)} is no whole number from 0 to {MAX_MINUTES}")
        elif not wrong and found.setdefault((old, new), int(minutes)) != int(minutes):
            mistakes.add(str(path), line, f"{old} to {new} stands above with {found[old, new]} minutes; remove one")
        if len(found) > MAX_JOURNEYS:
            mistakes.add(str(path), line, f"more than {MAX_JOURNEYS} journeys; use shorter prefixes")
            break
    return tuple(Journey(old=old, new=new, minutes=minutes) for (old, new), minutes in found.items())
