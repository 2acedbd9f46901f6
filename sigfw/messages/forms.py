"""What pycrate defines of MAP and CAP: the argument, result and errors of each operation, and the numbers in them.

The encoder's side, and the oracle's of the tests: nothing here is taken from sigfw._core.mapop_tables. Which octets are
an identity or an address goes by the type's name in TS 29.002 and TS 29.078, and by the identifier only where the type
does not tell. pycrate takes a second to import: only who encodes imports this.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from pycrate_asn1dir import TCAP_CAP, TCAP_MAPv2v3  # type: ignore[import-untyped]

from sigfw import names

Route = tuple[str, ...]

# Types of TS 29.002 17.7.8 by their layout; the first of a type's names that stands here decides.
KINDS = {
    "HLR-Id": "",  # the leading digits of an IMSI
    "IMSI": "imsi",
    "IMEI": "imei",
    "LMSI": "lmsi",
    "TMSI": "tmsi",
    "AddressString": "address",
    "CalledPartyBCDNumber": "address",  # TS 24.008 10.5.4.7
    # TS 29.078 5.1 refers to Q.763 for these: 3.9, 3.10, 3.30, 3.39
    "CalledPartyNumber": "isup",
    "CallingPartyNumber": "isup",
    "LocationNumber": "isup",
    "OriginalCalledPartyID": "isup",
    "RedirectingPartyID": "isup",
    # Q.763 3.26; of the parameters of type Digits these are generic numbers, the others generic digits or correlations.
    "GenericNumber": "generic",
    "AssistingSSPIPRoutingAddress": "generic",
    "AdditionalCallingPartyNumber": "generic",
}
GENERIC_MEMBERS = ("calledAddressValue", "callingAddressValue")  # of type Digits, TS 29.078 5.1

# What a bare argument or result is, which has no identifier of its own (TS 29.002 8 to 12, parameter tables).
BARE = {
    ("IMSI",): "imsi",
    ("IMEI",): "imei",
    ("TMSI",): "tmsi",
    (58, "argument"): "msisdn",
    (4, "result"): "roamingNumber",
    (47, "result"): "storedMSISDN",
}


class Form(NamedTuple):
    """One way to write an argument, a result or an error's parameter."""

    application: str
    version: int  # of MAP: 2 (TS 09.02, for versions 1 and 2) or 3; of CAP: 4
    opcode: int  # an error's: of the operation that it answers
    part: str  # argument, result, error
    type: Any  # None: no parameter
    error: int | None = None

    def __repr__(self) -> str:
        return f"{self.application} v{self.version} {self.opcode} {self.part} {self.error or ''}".rstrip()


def type_names(obj: Any) -> list[str]:
    """The names that a type goes by, its own first."""
    found = []
    while obj is not None:
        if obj._typeref is not None:
            found.append(obj._typeref.called[-1])
        obj = obj._tr
    return found


def kind_of(name: str, obj: Any) -> str:
    """What a member of this identifier and type is; empty: nothing that is looked for."""
    if obj.TYPE != "OCTET STRING":
        return ""
    kind = next((KINDS[t] for t in type_names(obj) if t in KINDS), "")
    if not kind and name in GENERIC_MEMBERS:
        return "generic"
    return "msisdn" if kind == "address" and "msisdn" in name.lower() else kind


def bounds(constraint: Any, low: int, high: int) -> tuple[int, int]:
    """Least and greatest that a constraint allows; the defaults where it leaves them open."""
    if constraint is None:
        return low, high
    if constraint.lb is None and constraint.ub is None and constraint.root:
        plain = [part for part in constraint.root if isinstance(part, int)]
        if plain:
            return min(plain), max(plain)
    found = low if constraint.lb is None else constraint.lb
    return found, max(found, high) if constraint.ub is None else constraint.ub


def bare_name(form: Form) -> str:
    if form.type is None:
        return ""
    for key in ((form.opcode, form.part), *((t,) for t in type_names(form.type))):
        if key in BARE:
            return BARE[key]
    return ""


@cache
def forms() -> tuple[Form, ...]:
    """Every argument, result and error parameter of the applications."""
    found: dict[tuple[Any, ...], Form] = {}
    for application, version, operation in operations():
        opcode = operation["operationCode"][1]
        parts = [("argument", operation.get("ArgumentType"), None), ("result", operation.get("ResultType"), None)]
        errors = operation["Errors"].root if operation.get("Errors") else ()
        parts += [("error", error.get("ParameterType"), error["errorCode"][1]) for error in errors]
        for part, type_, code in parts:
            form = Form(application, version, opcode, part, type_, code)
            found.setdefault((application, version, opcode, part, code), form)
    return tuple(found.values())


def operations() -> Iterator[tuple[str, int, Any]]:
    sets = (
        ("map", 3, TCAP_MAPv2v3.MAP_Protocol, "Supported-MAP-Operations"),
        ("map", 2, TCAP_MAPv2v3.MAPv2_Protocol, "Supported-MAPv2-Operations"),
        ("cap", 4, TCAP_CAP.TCAP_CAP_Messages, "AllCAPInvokable"),
        ("cap", 4, TCAP_CAP.TCAP_CAP_Messages, "AllCAPReturnable"),
    )
    for application, version, module, name in sets:
        for operation in named(module, name)._val.root:
            yield application, version, operation


def named(module: Any, name: str) -> Any:
    return next(obj for obj in module._all_ if obj._name == name)


@cache
def paths(form: Form) -> tuple[Route, ...]:
    """Where the numbers of a form stand: the identifiers on the way, `[]` for an item of a list."""
    found: list[Route] = []

    def walk(name: str, obj: Any, at: Route, inside: tuple[int, ...]) -> None:
        if id(obj) in inside or "ExtensionContainer" in type_names(obj):
            return
        if obj.TYPE in ("SEQUENCE", "SET", "CHOICE"):
            for member, part in obj._cont.items():
                walk(member, part, (*at, member), (*inside, id(obj)))
        elif obj.TYPE.endswith(" OF"):
            walk(name, obj._cont, (*at, "[]"), (*inside, id(obj)))
        elif kind_of(name, obj):
            found.append(at)

    if form.type is not None:
        walk(bare_name(form), form.type, (), ())
    return tuple(found)


CAP_NAMES = {  # context of names.CAP_CONTEXTS -> names of phases 1 to 4 (TS 09.78, TS 29.078 5.6)
    1: ("0.4.0.0.1.0.50.0", "0.4.0.0.1.0.50.1", "0.4.0.0.1.21.3.4", "0.4.0.0.1.23.3.4", "0.4.0.0.1.23.3.8"),
    2: ("0.4.0.0.1.0.51.1", "0.4.0.0.1.21.3.6", "0.4.0.0.1.23.3.6"),
    3: ("0.4.0.0.1.0.52.1", "0.4.0.0.1.21.3.14", "0.4.0.0.1.23.3.14"),
    4: ("0.4.0.0.1.21.3.50", "0.4.0.0.1.21.3.51"),
    5: ("0.4.0.0.1.21.3.61", "0.4.0.0.1.23.3.61"),
}


@cache
def contexts(application: str, version: int, opcode: int) -> tuple[str, ...]:
    """Application context names under which the operation may be written in this version's form."""
    if application == "cap":
        return tuple(acn for x, acns in CAP_NAMES.items() if opcode in names.CAP_CONTEXTS[x][1] for acn in acns)
    listed = [(x, v, ops) for x, (_, versions) in names.MAP_CONTEXTS.items() for v, ops in versions.items()]
    every = [(x, v) for x, v, ops in listed if opcode in ops]
    fitting = [(x, v) for x, v in every if (v >= 3) == (version == 3)] or every
    return tuple(f"0.4.0.0.1.0.{x}.{v}" for x, v in fitting)
