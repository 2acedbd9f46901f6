"""Random policies that ask only for what a message means: who speaks to whom, about whom, for what."""

import random
from functools import cache
from pathlib import Path
from typing import Any

from sigfw import names
from sigfw._core.tables import Tables
from sigfw.policy.compiler import compile_policy
from sigfw.policy.model import Entry, Home, NumberList, Operator, Policy
from tests.property.seeds import seeds
from tests.unit.rule_random import random_rule
from tests.unit.rule_reference import make_policy

OPERATORS = (
    ("DEUXX", "DE", "4917139200", "00102"),
    ("FRAXX", "FR", "3363998", "00103"),
    ("SWEXX", "SE", "46701740", "00104"),
    ("USAXX", "US", "120255501", "00105"),
    ("AUSXX", "AU", "61491570", "00106"),
)
GTS = ["4477009", "44770090001", "44", "49171", "4917139200", "3363998", "46", "1", "6", "99942", "9994266", "7"]
IMSIS = ["00101", "00102", "001", "00103", "99999", "234", "26201", "2"]
PARTIES = {"gt": GTS, "operator": ["GBRXX", *(one[0] for one in OPERATORS)], "country": ["GB", "DE", "FR", "SE", "US"]}
CHECKS = tuple(one for one in names.CHECKS[1 : names.FIRST_STATE_CHECK])
ANY = [*GTS, *IMSIS]


@cache
def words() -> dict[str, list[Any]]:
    """Fields and their values; only what the seeds hold, so that rules meet them."""
    operations = sorted({name for name in operations_of_seeds() if name})
    return {
        "perimeter": ["international", "national"],
        "direction": ["inbound", "outbound", "transit"],
        **{f"called.{one}": values for one, values in PARTIES.items()},
        **{f"calling.{one}": values for one, values in PARTIES.items()},
        "application": ["map", "cap"],
        "operation": operations,
        "imsi": IMSIS,
        "msisdn": GTS,
        "sm_rp_oa": ANY,
        "sm_rp_da": ANY,
        "camel.gsmscf": GTS,
        "map.addresses.msc-Number.gt": GTS,
        "map.addresses.vlr-Number.operator": ["DEUXX", "FRAXX"],
        "map.addresses.gsmSCF-Address.gt": GTS,
        "map.addresses.hlr-Number.gt": GTS,
        "map.open.destination_reference": ANY,
        "map.open.origination_reference": GTS,
        "requested_info": ["locationInformation", "subscriberState"],
    }


def operations_of_seeds() -> list[str]:
    from sigfw._core import mapop

    have = {part[-1] for seed in seeds() for component in seed.message.components for part in opcodes(component)}
    return [name for number, (_, name) in enumerate(mapop.OPERATIONS) if number and names.OPERATIONS[number][1] in have]


def opcodes(component: Any) -> list[bytes]:
    return [one.content for one in component.every()[1:] if one.tag == 0x02 and one.content]


HOME = Home(
    country_code="44", global_titles=("4477009",), imsi=("00101",), e214=("4477009",), hosted_abroad=("44770090099",)
)
WORLD: dict[str, Any] = {
    "home": HOME,
    "operators": (
        Operator(tadig="GBRXX", country="GB", global_titles=("4477009",), imsi=("00101",)),
        *(Operator(tadig=t, country=c, global_titles=(gt,), imsi=(plmn,)) for t, c, gt, plmn in OPERATORS),
    ),
    "lists": {
        "gts": NumberList(
            kind="gt", entries=(Entry(prefix="4"), Entry(prefix="491", exclude=True), Entry(prefix="99942"))
        ),
        "imsis": NumberList(kind="imsi", entries=(Entry(prefix="001"), Entry(prefix="00102", exclude=True))),
        "subscribers": NumberList(kind="msisdn", entries=(Entry(prefix="447700"),)),
    },
}  # fmt: skip

# What passes by default, and whether what breaks a recommendation does. Where it does and the default drops, a
# malformed message is better off than a plain one: the policy says so, and `sigfw policy check` tells.
FAMILIES = {"allow": ("allow", "drop"), "lenient": ("allow", "allow"), "drop": ("drop", "drop")}
FOLDER = Path(__file__).parents[2] / "configs" / "policies"
SHIPPED = sorted({*FOLDER.glob("*.yaml")} - {*FOLDER.glob("*.tests.yaml")})
# What was never seen cannot be judged: a lenient policy of these would let it pass whatever it was.
UNSEEN = ("reassembly_timeout", "limit_exceeded")


def random_policy(r: random.Random, family: str) -> Policy:
    default, rest = FAMILIES[family]
    exceptions = dict.fromkeys(names.EXCEPTIONS, rest) | dict.fromkeys(UNSEEN, "drop") | {"default": default}
    wanted = tuple(words())
    count = r.choice((1, 2, 3, 5, 8))
    rules = [random_rule(r, number, wanted, words=words(), checks_of=CHECKS) for number in range(1, count + 1)]
    return make_policy(rules, exceptions=exceptions, **WORLD)


def fields_of(policy: Policy) -> frozenset[str]:
    """Fields and checks that the policy asks for."""
    return frozenset(
        [one.field for rule in policy.rules for one in rule.when]
        + [one for rule in policy.rules for one in rule.checks]
    )


def compiled(policy: Policy) -> Tables:
    return compile_policy(policy)
