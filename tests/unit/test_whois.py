"""Who stands behind a GT: operators and lease registers, as events and `gt lookup` ask them."""

import datetime
import random
from pathlib import Path

from sigfw.policy.dates import on
from sigfw.policy.loader import load
from sigfw.policy.model import Home, NumberList, Operator, Policy, Row
from sigfw.policy.whois import Whois
from tests.unit.rule_reference import make_policy

DAY = datetime.date(2026, 11, 24)
POLICY = """\
schema: 1
name: p
home: {country_code: "44", global_titles: ["4477009"], imsi: ["00101"], e214: ["4477009"]}
operators:
  - {tadig: GBRXX, country: GB, imsi: ["00101"]}
  - {tadig: DEUXX, country: DE, global_titles: ["4917139200", "49171"]}
  - {tadig: DEUYY, country: DE, global_titles: ["491713920077"]}
lists:
  leases: {kind: gt, file: leases.csv}
"""
LEASES = """\
prefix,lessor,lessee,valid_from,valid_until,source
4477009001,Lessor A,Lessee A,2025-01-01,2026-12-31,register of 2025-01-01
44770090012,Lessor A,Lessee B,,,
4477009003,Lessor A,Lessee C,2025-01-01,2026-04-21,register of 2025-01-01
!44770090019,Lessor A,nobody,,,
"""


def policy(folder: Path, leases: str = LEASES) -> Policy:
    (folder / "p.yaml").write_text(POLICY)
    (folder / "leases.csv").write_text(leases)
    return load(folder / "p.yaml", today=DAY)


def test_owner_is_that_of_the_longest_prefix(tmp_path: Path) -> None:
    whois = Whois(policy(tmp_path))
    nobody = {"operator": None, "country": None, "lease": None}
    assert whois.of("491713920012") == {"operator": "DEUXX", "country": "DE", "lease": None}
    assert whois.of("4917139200771")["operator"] == "DEUYY"
    assert whois.of("49171")["operator"] == "DEUXX"
    assert whois.of("4477009999")["operator"] == "GBRXX"
    assert whois.of("4917") == whois.of("99942") == whois.of("") == whois.of("4ab") == nobody


def test_lease_names_both_sides_while_it_is_in_force(tmp_path: Path) -> None:
    leased = policy(tmp_path)
    whois = Whois(leased)
    assert whois.of("447700900111")["lease"] == {
        "lessor": "Lessor A",
        "lessee": "Lessee A",
        "valid_until": "2026-12-31",
        "source": "register of 2025-01-01",
    }
    assert whois.of("447700900121")["lease"] == {
        "lessor": "Lessor A",
        "lessee": "Lessee B",
        "valid_until": None,
        "source": None,
    }
    assert whois.of("447700900311")["lease"] is None
    assert Whois(on(leased, datetime.date(2026, 4, 21))).of("447700900311")["lease"]["lessee"] == "Lessee C"


def test_answer_is_that_of_trying_every_prefix() -> None:
    random.seed(4)
    digits = ["".join(random.choices("12", k=random.randint(1, 9))) for _ in range(200)]
    rows = tuple(Row(prefix=one, lessee=one) for one in dict.fromkeys(digits[:100]))
    operators = tuple(Operator(tadig=one, country="", global_titles=(one,)) for one in dict.fromkeys(digits[100:]))
    made = make_policy((), home=Home(), operators=operators, lists={"l": NumberList(kind="gt", entries=rows)})
    whois = Whois(made)
    for number in ("".join(random.choices("12", k=random.randint(1, 20))) for _ in range(1000)):
        found = whois.of(number)
        owned = max((o.tadig for o in operators if number.startswith(o.tadig)), key=len, default=None)
        leased = max((row.prefix for row in rows if number.startswith(row.prefix)), key=len, default=None)
        assert found["operator"] == owned
        assert (found["lease"] or {"lessee": None})["lessee"] == leased
