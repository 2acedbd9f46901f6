"""Make asn1.json: the names and types of all that MAP and CAP operations and errors hold, as the dissector walks them.

    python -m sigfw.dissect.asn1_tables > sigfw/dissect/asn1.json        (needs pycrate)

The core's mapop_tables.h has only what verdicts ask for; here stands every member, from the same ASN.1 modules of
TS 29.002, TS 09.02 and TS 29.078.

    types       [kind, name of the type, how its octets are read, content]
                content: members of a SEQUENCE, SET, CHOICE or … OF; names by number of ENUMERATED, INTEGER, BIT STRING
    member      [identifiers, outermost first, name, type]; an untagged CHOICE stands as its alternatives, `name › one`
    operations  `map:71` -> [forms of the argument, forms of the result], the newest first, each a list of members
    errors      `map:1` -> [name, forms of the parameter]
"""

import json
import sys
from typing import Any

from sigfw import names
from sigfw._core import mapop_tables
from sigfw._core.mapop_tables import CONSTRUCTED_TYPES, LEAVES, argument_name, identifier, type_names

READ = {  # what the leaves of mapop_tables hold, by its numbers
    mapop_tables.IMSI: "tbcd",
    mapop_tables.IMEI: "tbcd",
    mapop_tables.ADDRESS: "address",
    mapop_tables.LMSI: "octets",
    mapop_tables.TMSI: "octets",
    mapop_tables.ISUP: "isup",
    mapop_tables.ISUP_GENERIC: "generic",
    mapop_tables.SKIP: "",
}
BY_TYPE = {  # other strings of octets that a reader wants in words
    "TBCD-STRING": "tbcd",
    "CellGlobalIdOrServiceAreaIdFixedLength": "cell",
    "LAIFixedLength": "cell",
    "PLMN-Id": "plmn",
}

Member = list[Any]


class Maker:
    """Equal types are kept once."""

    def __init__(self) -> None:
        self.types: list[Any] = []
        self.index: dict[str, int] = {}
        self.open: dict[int, int] = {}  # types that hold themselves
        self.known: dict[int, int] = {}
        self.cap_phase_2 = False

    def members(self, name: str, obj: Any, around: tuple[int, ...] = ()) -> list[Member]:
        tags = list(obj._tagc)
        if not tags:
            if obj.TYPE != "CHOICE":
                return []  # ANY: no tag of its own
            return [
                one
                for alternative, part in obj._cont.items()
                for one in self.members(f"{name} › {alternative}" if name else alternative, part, around)
            ]
        inner = identifier(tags[-1], obj.TYPE in CONSTRUCTED_TYPES)
        outer = [identifier(tag, True) for tag in tags[:-1]]
        if name in mapop_tables.GENERIC_MEMBERS:
            return [[[*around, *outer, inner], name, self.keep([obj.TYPE, type_names(obj)[0], "generic", None])]]
        return [[[*around, *outer, inner], name, self.type(obj)]]

    def keep(self, made: list[Any]) -> int:
        key = json.dumps(made)
        if key not in self.index:
            self.index[key] = len(self.types)
            self.types.append(made)
        return self.index[key]

    def type(self, obj: Any) -> int:
        if id(obj) in self.open:
            if self.open[id(obj)] < 0:
                self.types.append(None)
                self.open[id(obj)] = len(self.types) - 1
            return self.open[id(obj)]
        if id(obj) in self.known:
            return self.known[id(obj)]
        self.open[id(obj)] = -1
        made = [obj.TYPE, next(iter(type_names(obj)), ""), self.read(obj), self.content(obj)]
        reserved = self.open.pop(id(obj))
        if reserved >= 0:
            self.types[reserved] = made
        self.known[id(obj)] = reserved if reserved >= 0 else self.keep(made)
        return self.known[id(obj)]

    @staticmethod
    def read(obj: Any) -> str:
        if obj.TYPE != "OCTET STRING":
            return ""
        found = type_names(obj)
        leaf = next((READ[LEAVES[one]] for one in found if one in LEAVES), "")
        return leaf or next((BY_TYPE[one] for one in found if one in BY_TYPE), "")

    def content(self, obj: Any) -> Any:
        if self.cap_phase_2 and "InitialDPArgExtension" in type_names(obj):  # TS 09.78, as mapop_tables has it
            information = self.keep(["SEQUENCE", "NACarrierInformation", "", []])
            address = self.keep(["OCTET STRING", "ISDN-AddressString", "address", None])
            return [[[0xA0], "naCarrierInformation", information], [[0x81], "gmscAddress", address]]
        if obj.TYPE.endswith(" OF"):
            return self.members(next(iter(type_names(obj._cont)), ""), obj._cont)
        if obj.TYPE in ("SEQUENCE", "SET", "CHOICE"):
            return [one for member, part in obj._cont.items() for one in self.members(member, part)]
        if obj.TYPE in ("ENUMERATED", "INTEGER", "BIT STRING") and obj._cont:
            return {str(number): name for name, number in obj._cont.items()}
        return None

    def forms(self, objects: list[Any], bare: str = "") -> list[list[Member]]:
        """bare: the name of one whose type does not tell."""
        made: list[list[Member]] = []
        for obj in objects:
            members = self.members(bare or argument_name(obj), obj) if obj is not None else []
            if members and members not in made:
                made.append(members)
        return made

    def phase_2(self, argument: Any) -> list[list[Member]]:
        """The form of CAP phase 2, which has other types under the same names."""
        self.cap_phase_2, self.known = True, {}
        made = self.forms([argument])
        self.cap_phase_2, self.known = False, {}
        return made


def error_classes() -> dict[str, tuple[str, list[Any]]]:
    from pycrate_asn1dir import TCAP_CAP, TCAP_MAPv2v3  # type: ignore[import-untyped]

    found: dict[str, tuple[str, list[Any]]] = {}
    sets = (("map", TCAP_MAPv2v3.MAP_Errors), ("map", TCAP_MAPv2v3.MAPv2_Errors), ("cap", TCAP_CAP.CAP_errortypes))
    for application, module in sets:
        for obj in module._all_:
            if obj.TYPE == "CLASS" and obj._mode == "VALUE" and "errorCode" in (obj._val or {}):
                key = f"{application}:{obj._val['errorCode'][1]}"
                found.setdefault(key, (obj._name, []))[1].append(obj._val.get("ParameterType"))
    return found


def render() -> str:
    """The file's text, a type a line."""
    maker = Maker()
    defined = mapop_tables.operations()
    operations = {}
    for application, opcode, _, _ in names.OPERATIONS[1:]:
        variants = defined.get((application, opcode), [])
        bare = mapop_tables.BARE_RESULTS.get(opcode, "") if application == "map" else ""
        arguments = maker.forms([v.get("ArgumentType") for v in variants])
        if (application, opcode) == mapop_tables.INITIAL_DP:
            arguments += maker.phase_2(variants[0]["ArgumentType"])
        operations[f"{application}:{opcode}"] = [arguments, maker.forms([v.get("ResultType") for v in variants], bare)]
    errors = {key: [name, maker.forms(objects)] for key, (name, objects) in sorted(error_classes().items())}
    parts = []
    for title, rows in (
        ("types", [json.dumps(one, ensure_ascii=False) for one in maker.types]),
        ("operations", [f'"{key}": {json.dumps(one, ensure_ascii=False)}' for key, one in operations.items()]),
        ("errors", [f'"{key}": {json.dumps(one, ensure_ascii=False)}' for key, one in errors.items()]),
    ):
        left, right = "[]" if title == "types" else "{}"
        parts.append(f'"{title}": {left}\n' + ",\n".join(rows) + f"\n{right}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    sys.stdout.write(render())
