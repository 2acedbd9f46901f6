"""Random policies and messages over a small world, so that rules meet the messages that they are about."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

from sigfw import names
from sigfw.policy.compiler import oid_octets
from sigfw.policy.model import Entry, Home, Link, NumberList, Operator, Policy, Rule, Shared
from tests.unit.rule_reference import VOCABULARY, make_policy, make_rule

ACNS = {"0.4.0.0.1.0.29.3": (1, 3), "0.4.0.0.1.0.50.1": (2, 1), "1.2.3": (0, 0)}  # application, version
GLOBAL_OPCODES = ("1.2.3", "0.4.0.0.9")
OIDS = [oid_octets(one) for one in (*ACNS, *GLOBAL_OPCODES)]
DATA = b"\0" + b"".join(OIDS)
DIGITS = (
    *("447700900123", "447700955000", "447712345678", "44123", "7700900123", "07700900123", "4477", "491711234567"),
    *("49171", "4479", "23276551", "23276", "234150123456789", "262011234567890", "0012", "44a7", "", "1" * 20),
)
GT = ["44", "4477", "447700955", "49", "49171", "2327", "23415", "7700"]
NUMBERS = [*GT, "262", "001"]
PARTY: dict[str, list[Any]] = {
    "gt": GT, "ssn": [6, 8, 147], "np": [1, 6, 7], "nai": [0, 3, 4], "tt": [0, 9], "gti": [0, 4], "pc": [100, 300],
    "operator": ["DEUXX", "GBRYY", "FRAZZ"], "country": ["DE", "GB"], "absent": [True, False],
}  # fmt: skip
WORDS: dict[str, list[Any]] = {
    "perimeter": list(names.PERIMETERS[1:]), "link": ["a", "b"], "direction": list(names.DIRECTIONS[1:]),
    "encapsulation": ["sccp", "m3ua"], "ni": [0, 2], "opc": [100, 300], "dpc": [200, 300], "sls": [0, 5],
    "sccp.type": ["UDT", "XUDT", "UDTS"], "return_cause": [0, 7], "management.type": ["SSA", "SSP"],
    **{f"called.{one}": values for one, values in PARTY.items()},
    **{f"calling.{one}": values for one, values in PARTY.items()},
    "tcap.type": list(names.TCAP_TYPES[1:]), "acn": list(ACNS), "application": ["map", "cap"],
    "operation": ["updateLocation", "map:anyTimeInterrogation", "activityTest", "cap:activityTest", "initialDP"],
    "opcode": [2, 71, 200, *GLOBAL_OPCODES], "opcode_form": list(names.OPCODE_FORMS[1:]), "map_version": [1, 3],
    "component": list(names.COMPONENT_TYPES[1:]), "component_count": [0, 1, 2], "imsi": NUMBERS, "msisdn": NUMBERS,
    "map.open.destination_reference": NUMBERS, "map.open.origination_reference": NUMBERS, "sm_rp_oa": NUMBERS,
    "sm_rp_da": NUMBERS, "sms.pid": [0, 64], "sms.dcs": [0, 4], "camel.gsmscf": GT, "map.addresses.msc-Number.gt": GT,
    "map.addresses.vlr-Number.operator": ["DEUXX", "GBRYY"], "requested_info": list(VOCABULARY.requested_info),
}  # fmt: skip
LISTS: dict[str, Any] = {"gts": "gt", "imsis": "imsi", "subscribers": "msisdn"}
WITH_LISTS = {"called.gt", "calling.gt", "imsi", "msisdn", "sm_rp_oa", "sm_rp_da", "camel.gsmscf",
              "map.open.destination_reference", "map.addresses.msc-Number.gt"}  # fmt: skip


WORLD: dict[str, Any] = {
    "home": Home(country_code="44", global_titles=("4477009",), imsi=("23415",), hosted_abroad=("447700955",)),
    "operators": (
        Operator(tadig="DEUXX", country="DE", global_titles=("49171",), imsi=("26201",)),
        Operator(tadig="GBRYY", country="GB", global_titles=("44",), imsi=("234",)),
    ),
    "lists": {name: NumberList(kind=kind, entries=(Entry(prefix="4"), Entry(prefix="491", exclude=True)))
              for name, kind in LISTS.items()},
}  # fmt: skip


def random_operand(r: random.Random, field: str, words: Mapping[str, list[Any]]) -> Any:
    if field in WITH_LISTS and r.random() < 0.5:
        return r.choice(["home", "hosted_abroad", *LISTS])
    return r.sample(words[field], r.randint(1, min(3, len(words[field]))))


def random_when(r: random.Random, fields: Sequence[str], words: Mapping[str, list[Any]]) -> dict[str, Any]:
    when: dict[str, Any] = {}
    for field in r.sample(fields, r.choice([0, 1, 1, 1, 2, 2, 3])):
        within, without = random_operand(r, field, words), random_operand(r, field, words)
        when[field] = r.choice([{"in": within}, {"in": within}, {"not_in": without}, {"in": within, "not_in": without}])
    return when


def random_rule(
    r: random.Random,
    number: int,
    fields: Sequence[str] = tuple(WORDS),
    *,
    words: Mapping[str, list[Any]] = WORDS,
    checks_of: Sequence[str] = names.CHECKS[1:],
) -> Rule:
    action = r.choice(["allow", "allow", "allow", "drop", "reject", "redirect"])
    checks = r.sample(checks_of, r.choice([0, 0, 0, 1, 2]))
    return make_rule(
        f"r{number}",
        action=action,
        category=r.choice(["c1", "c2", "c3"]),
        when=random_when(r, fields, words),
        checks=tuple(checks),
        checks_all=bool(checks) and r.random() < 0.3,
        redirect=r.choice(["447700900999", "447700900998"]) if action == "redirect" else "",
        return_cause=r.choice([1, 7]),
        alert=r.random() < 0.1,
        final=action == "allow" and r.random() < 0.2,
        mode=r.choice(["enforce", "enforce", "enforce", "enforce", "shadow", "off"]),
    )


def random_policy(r: random.Random) -> Policy:
    perimeters = names.PERIMETERS[1:]
    exceptions = {
        one: {perimeter: r.choice(["allow", "allow", "drop", "reject"]) for perimeter in perimeters}
        for one in names.EXCEPTIONS
    }
    entries = [
        Entry(prefix=r.choice(NUMBERS) + r.choice(["", "0", "7"]), exclude=r.random() < 0.3)
        for _ in range(r.randint(1, 8))
    ]
    links = (
        Link(name="a", perimeter="national", opc=(100,), ni=r.choice([(), (2,)]), country_code=r.choice(["", "49"])),
        Link(name="b", perimeter="internal", topics=("t1",), dpc=r.choice([(), (200, 300)])),
    )
    return make_policy(
        [random_rule(r, i) for i in range(r.choice([0, 2, 6, 12, 80, 200]))],
        exceptions=exceptions,
        links=links,
        home=Home(
            country_code=r.choice(["", "44"]),
            global_titles=("4477009",),
            imsi=("23415",),
            e214=("447700",),
            msisdn=r.choice([(), ("447712",)]),
            point_codes=r.choice([(), (100, 200)]),
            hosted_abroad=("447700955",),
        ),
        operators=(
            Operator(tadig="DEUXX", country="DE", global_titles=("49171", "44"), imsi=("26201",)),
            Operator(tadig="GBRYY", country="GB", global_titles=("44", r.choice(["4477009", "4479"])), imsi=("234",)),
            Operator(
                tadig="FRAZZ",
                country="",
                global_titles=("33", "491712"),
                imsi=("2620112",),
                shared=(
                    Shared(key="imsi", prefix="2620112", also=r.choice([(), ("DEUXX",), ("GBRYY", "DEUXX")])),
                    Shared(key="global_titles", prefix="491712", also=r.choice([(), ("GBRYY",)])),
                ),
            ),
        ),
        lists={name: NumberList(kind=kind, entries=tuple(entries)) for name, kind in LISTS.items()},
    )


def random_party(r: random.Random) -> dict[str, Any]:
    party: dict[str, Any] = {}
    if r.random() < 0.8:
        party |= {"gt": r.choice(DIGITS), "gti": 4}
        party |= {one: r.choice(PARTY[one]) for one in ("np", "nai", "tt") if r.random() < 0.8}
    party |= {one: r.choice(PARTY[one]) for one in ("pc", "ssn") if r.random() < 0.4}
    return party


def random_component(r: random.Random) -> dict[str, Any]:
    component: dict[str, Any] = {
        "type": r.choice([1, 1, 1, 2, 3, 4, 5]),
        "opcode_form": r.choice([0, 1, 1, 2, 3, 4]),
        "opcode": r.choice([2, 71, 200]),
        "readings": r.sample(range(1, len(VOCABULARY.operations)), r.choice([0, 1, 1, 2, 3])),
        "requested_info": r.choice([0, 1]),
        **{one: r.getrandbits(3) for one in ("acn_misfit", "ssn_misfit", "imsi_missing")},
    }
    if component["opcode_form"] == 2:
        component |= octets_of(r.randrange(len(ACNS), len(OIDS)), "oid")
    return component


def octets_of(i: int, what: str) -> dict[str, int]:
    return {f"{what}_offset": 1 + sum(map(len, OIDS[:i])), f"{what}_octets": len(OIDS[i])}


def random_number(r: random.Random) -> dict[str, Any]:
    return {
        "digits": r.choice(DIGITS), "kind": r.choice([1, 1, 2, 3, 6, 6]), "nature": r.choice([0, 1, 1, 2]),
        "plan": r.choice([1, 1, 6, 7]), "role": r.choice([0, 0, 1, 2, 4, 8, 8, 16, 32]), "name": r.randrange(4),
        "origin": r.choice([-1, 0, 0, 1, 2]),
    }  # fmt: skip


def random_components(r: random.Random) -> list[dict[str, Any]]:
    count = r.choice([0, 1, 1, 2, 3])
    if count > 1 and r.random() < 0.3:  # alike but for what the numbers say of each
        one = random_component(r)
        return [dict(one) for _ in range(count)]
    return [random_component(r) for _ in range(count)]


def random_message(r: random.Random) -> dict[str, Any]:
    message: dict[str, Any] = {
        "type": r.choice([0x09, 0x09, 0x11, 0x0A]), "encapsulation": r.choice([1, 3]), "called": random_party(r),
        "calling": random_party(r), "return_on_error": r.getrandbits(1), "header_perimeter": r.choice([0, 0, 1, 2]),
        "expired": int(r.random() < 0.1), "exceptions": r.choice([0, 0, 0, 1, 4, 64, 65]),
    }  # fmt: skip
    if r.random() < 0.6:
        message |= {one: r.choice(WORDS[one]) for one in ("opc", "dpc", "ni", "sls")}
        message["mtp_from_headers"] = int(r.random() < 0.3)
        if message["mtp_from_headers"]:
            message |= {"ni": 0, "sls": 0}
    if r.random() < 0.3:
        message |= {"return_cause": r.choice([0, 7]), "management": r.choice([0, 1, 2])}
    if r.random() < 0.3:
        message |= {"segmented": 1, "segment_first": r.getrandbits(1), "segment_state": r.choice([0, 2])}
    if r.random() < 0.8:
        message |= {
            "tcap": r.randint(1, 5),
            "components": random_components(r),
            "numbers": [random_number(r) for _ in range(r.choice([0, 1, 2, 4]))],
            "requested_info": r.choice([0, 0, 1, 3, 7]),
        }
        if r.random() < 0.3:
            message |= {"sms_pid": r.choice([0, 64]), "sms_dcs": r.choice([0, 4])}
        if r.random() < 0.6:
            i = r.randrange(len(ACNS))
            application, version = list(ACNS.values())[i]
            message |= octets_of(i, "acn") | {"acn_application": application, "acn_version": version}
    return message
