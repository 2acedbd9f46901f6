"""Every field that a policy may ask of a message, through the compiler: one that has the value and one that has not."""

from typing import Any

import pytest

from sigfw._core import mapop, probe
from sigfw.errors import ConfigError
from sigfw.names import NUMBER_KINDS, OPERATIONS
from sigfw.policy import schema
from sigfw.policy.compiler import compile_policy, oid_octets
from sigfw.policy.model import Condition, Home, Link, Operand, Operator, Policy, Rule
from tests.unit.rule_reference import ROLE_BITS, make_policy, make_rule

Case = tuple[Any, dict[str, Any], dict[str, Any]]  # value, a message that has it, one that has not

OID = oid_octets("0.4.0.0.1.0.29.3")
DATA = b"\0" + OID
ATI = next(i for i, (_, _, name, _) in enumerate(OPERATIONS) if name == "anyTimeInterrogation")
CAP = next(i for i, (application, *_) in enumerate(OPERATIONS) if application == "cap")
IMSI, MSISDN, ADDRESS = (NUMBER_KINDS.index(one) for one in ("imsi", "msisdn", "address"))


def gt(digits: str) -> dict[str, Any]:
    return {"gt": digits, "np": 1, "nai": 4, "gti": 4}


def component(**values: Any) -> dict[str, Any]:
    return {"components": [values]}


def number(kind: int, digits: str, **values: Any) -> dict[str, Any]:
    return {"numbers": [{"kind": kind, "digits": digits, **values}]}


def party_cases(side: str) -> dict[str, Case]:
    german, french = ({side: gt(digits)} for digits in ("491711234", "336123"))
    plain: dict[str, tuple[int, int]] = {"ssn": (6, 8), "np": (1, 7), "nai": (4, 3), "tt": (0, 9), "pc": (300, 301)}
    return {
        f"{side}.gt": ("49171", german, french),
        f"{side}.operator": ("DEUXX", german, french),
        f"{side}.country": ("DE", german, french),
        f"{side}.absent": (True, {}, german),
        f"{side}.gti": (4, german, {}),
        **{f"{side}.{one}": (yes, {side: {one: yes}}, {side: {one: no}}) for one, (yes, no) in plain.items()},
    }


CASES: dict[str, Case] = {
    "perimeter": ("national", {"header_perimeter": 2}, {}),
    "link": ("a", {"opc": 100}, {"opc": 101}),
    "direction": ("inbound", {"called": gt("4477009")}, {"calling": gt("4477009")}),
    "encapsulation": ("m3ua", {"encapsulation": 3}, {"encapsulation": 1}),
    "ni": (2, {"opc": 1, "ni": 2}, {"opc": 1, "ni": 0}),
    "opc": (16383, {"opc": 16383}, {"opc": 1}),
    "dpc": (16383, {"opc": 1, "dpc": 16383}, {"opc": 1}),
    "sls": (5, {"opc": 1, "sls": 5}, {"opc": 1}),
    "sccp.type": ("XUDT", {"type": 0x11}, {"type": 0x09}),
    "return_cause": (1, {"return_cause": 1}, {"return_cause": 7}),
    "management.type": ("SSP", {"management": 2}, {"management": 1}),
    **party_cases("called"),
    **party_cases("calling"),
    "tcap.type": ("begin", {"tcap": 1}, {"tcap": 3}),
    "acn": ("0.4.0.0.1.0.29.3", {"acn_offset": 1, "acn_octets": len(OID)}, {"acn_offset": 1, "acn_octets": 6}),
    "application": ("map", component(readings=[ATI]), component(readings=[CAP])),
    "operation": ("anyTimeInterrogation", component(readings=[ATI]), component(readings=[ATI], type=2)),
    "opcode": (71, component(opcode=71), component(opcode=72)),
    "opcode_form": ("global", component(opcode_form=2), component(opcode_form=1)),
    "map_version": (
        3,
        {"acn_octets": 7, "acn_application": 1, "acn_version": 3},
        {"acn_octets": 7, "acn_application": 2, "acn_version": 3},
    ),
    "component": ("reject", component(type=5), component(type=1)),
    "component_count": (1, {"tcap": 1} | component(), {"tcap": 1}),
    "imsi": ("00101", number(IMSI, "001011234"), number(MSISDN, "001011234")),
    "msisdn": ("447", number(MSISDN, "44771"), number(IMSI, "44771")),
    "sms.pid": (64, {"sms_pid": 64}, {"sms_pid": 0}),
    "sms.dcs": (4, {"sms_pid": 0, "sms_dcs": 4}, {"sms_pid": 0}),
    "requested_info": ("subscriberState", {"requested_info": 2}, {"requested_info": 5}),
    **{
        field: ("49171", number(ADDRESS, "491710", role=bit), number(ADDRESS, "491710", role=8))
        for field, bit in ROLE_BITS.items()
    },
}


def policy(field: str, **operands: Operand) -> Policy:
    return make_policy(
        [Rule(id="r", action="drop", category="c", when=(Condition(field=field, **operands),))],
        exceptions={"default": "allow", "unknown_operation": "allow"},
        home=Home(country_code="44", global_titles=("4477009",)),
        links=(Link(name="a", perimeter="international", opc=(100,)),),
        operators=(
            Operator(tadig="DEUXX", country="DE", global_titles=("49171",)),
            Operator(tadig="FRAXX", country="FR", global_titles=("336",)),
        ),
    )


def matches(field: str, message: dict[str, Any], **operands: Operand) -> bool:
    return bool(probe.judge(compile_policy(policy(field, **operands)), message, data=DATA)["rule"])


def test_every_field_of_the_language_has_a_case() -> None:
    assert CASES.keys() == schema.FIELDS.keys()


@pytest.mark.parametrize("field", CASES)
def test_field_matches_the_message_that_has_its_value_alone(field: str) -> None:
    value, has, has_not = CASES[field]
    operand = Operand(values=(value,))
    assert matches(field, has, within=operand)
    assert not matches(field, has_not, within=operand)
    # operation is about Invokes in both directions, so that the counter-example, a result, is not `not_in` either
    assert not matches(field, has, without=operand)
    assert matches(field, has_not, without=operand) is (field != "operation")


@pytest.mark.parametrize("aspect", ["gt", "operator"])
def test_every_named_address_can_be_asked(aspect: str) -> None:
    value = {"gt": "49171", "operator": "DEUXX"}[aspect]
    for i, name in enumerate(mapop.FIELD_NAMES):
        if not name:
            continue
        field, operand = f"map.addresses.{name}.{aspect}", Operand(values=(value,))
        assert schema.field(field) is not None
        same_name = [j for j, other in enumerate(mapop.FIELD_NAMES) if other == name]
        other_name = next(j for j in range(len(mapop.FIELD_NAMES)) if j not in same_name)
        assert matches(field, number(ADDRESS, "491710", name=i), within=operand), name
        assert not matches(field, number(ADDRESS, "491710", name=other_name), within=operand), name
        assert not matches(field, number(ADDRESS, "336", name=i), within=operand), name


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("operation", "anyTimeInterogation", "no operation is called"),
        ("link", "b", "no value of this field"),
        ("ni", 256, "no value of this field"),
        ("map.addresses.hlr.gt", "44", "no address is called"),
        ("called.xyz", 1, "no such field"),
    ],
)
def test_value_that_means_nothing_is_refused(field: str, value: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        compile_policy(policy(field, within=Operand(values=(value,))))


def test_more_than_the_core_holds_is_refused_all_at_once() -> None:
    rules = [make_rule(f"r{i}", category=f"c{i % 17}") for i in range(1025)]
    with pytest.raises(ConfigError, match=r"1025 rules are too many(.|\n)*17 categories are too many"):
        compile_policy(make_policy(rules))
