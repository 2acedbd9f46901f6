"""Make mapop_tables.h: the arguments and results of every operation as a table that mapop.pyx walks.

    python -m sigfw._core.mapop_tables > sigfw/_core/mapop_tables.h        (needs pycrate)

Source of the types: the ASN.1 modules of TS 29.002, TS 09.02 and TS 29.078 as pycrate compiled them. A node is the
content of a constructed type: its members in order, each an edge (identifier, what it is, where it leads). Those of an
argument itself all stay. Deeper, what leads to nothing of interest stays where its tag says nothing by itself
(universal tags: the position decides) or is another's too; the rest is left out, and so is what extensions hold.
"""

from __future__ import annotations

import sys
from collections import Counter
from typing import Any

from sigfw import names

# What an edge is; mapop.pyx has the same numbers.
SKIP, NODE, IMSI, ADDRESS, MSISDN, IMEI, LMSI, TMSI, ISUP, ISUP_GENERIC, SM_RP_UI, REQUESTED = range(12)
ROLE_SM_RP_OA, ROLE_SM_RP_DA, ROLE_CAMEL_GSMSCF, ROLE_NODE = 1, 2, 4, 8
# Deeper than the argument's own members only these are held to be there: a CSI that has none may hide it from us.
OF_A_CSI = {"gsmscf-address", "o-bcsmcameltdpdatalist", "t-bcsmcameltdpdatalist", "ss-cameldata"}
IN_ORDER, ONE_OF, CLOSED = 1, 2, 4  # of a node: a SEQUENCE; a CHOICE; one that no later release extends

LEAVES = {
    "HLR-Id": SKIP,  # the leading digits of an IMSI only (TS 29.002 17.7.8)
    "IMSI": IMSI,
    "IMEI": IMEI,
    "LMSI": LMSI,
    "TMSI": TMSI,
    "AddressString": ADDRESS,
    "CalledPartyBCDNumber": ADDRESS,  # TS 24.008 10.5.4.7: laid out as AddressString
    "CalledPartyNumber": ISUP,  # Q.763 3.9; the next three 3.10, 3.30, 3.39
    "CallingPartyNumber": ISUP,
    "LocationNumber": ISUP,
    "OriginalCalledPartyID": ISUP,
    "RedirectingPartyID": ISUP,
    "GenericNumber": ISUP_GENERIC,  # Q.763 3.26: a qualifier octet before
    "AssistingSSPIPRoutingAddress": ISUP_GENERIC,  # of type Digits; which are generic numbers: TS 29.078 5.1
    "AdditionalCallingPartyNumber": ISUP_GENERIC,
}
GENERIC_MEMBERS = ("calledAddressValue", "callingAddressValue")  # of type Digits

# Addresses that name the node which sends the Invoke, so that their operator must be the CgPA's. Not among them:
# addresses of the receiver or of a third node (alertServiceCentre's serviceCentreAddress, provideRoamingNumber's
# msc-Number and gmsc-Address, cancelLocation's new VLR).
SPEAKERS = {
    2: ("msc-Number", "vlr-Number"),  # the VLR registers itself
    15: ("vlr-Number", "sgsn-Number"),  # reports its own failed authentication
    22: ("gmsc-OrGsmSCF-Address",),  # the GMSC or gsmSCF that asks
    23: ("sgsn-Number",),
    24: ("ggsn-Number",),
    25: ("ggsn-Number",),
    37: ("hlr-Number",),  # the HLR that restarted
    44: ("serviceCentreAddressOA",),  # the SMSC behind the gateway that delivers
    45: ("serviceCentreAddress",),  # the SMSC on whose behalf the gateway asks
    46: ("serviceCentreAddressOA",),
    47: ("serviceCentreAddress",),
    53: ("vlr-Number", "sgsn-Number"),
    54: ("originatingEntityNumber",),
    55: ("newVLR-Number",),
    62: ("gsmSCF-Address",),
    65: ("gsmSCF-Address",),
    67: ("vlr-Number", "sgsn-Number"),
    71: ("gsmSCF-Address",),
    83: ("mlc-Number",),
    85: ("mlcNumber",),
}
CAP_SPEAKERS = {0: ("mscAddress",), 60: ("mscAddress", "sgsn-Number")}

# Where a message cannot do without an identity: 1 an IMSI, 2 any identity, + 4 in a Begin only, + 8 with an ACN only.
IDENTITY = {
    **dict.fromkeys((2, 3, 4, 5, 8, 15, 23, 24, 25, 26, 48, 53, 54, 57, 66, 67, 70, 72, 75, 89), 1),
    **dict.fromkeys((9, 22, 36, 45, 47, 58, 62, 64, 65, 71, 83, 85), 2),
    **dict.fromkeys((7, 50, 51), 1 | 4),  # within updateLocation's dialogue they go without
    56: 1 | 4,  # a further request of the dialogue goes without (TS 29.002 8.5.2)
    **dict.fromkeys((44, 46), 2 | 4),  # further messages of the dialogue go by noSM-RP-DA (TS 29.002 12.9)
    **dict.fromkeys((10, 11, 12, 13, 14, 17, 60, 61), 2 | 4 | 8),  # the destination reference of MAP-OPEN
}
INITIAL_DP = ("cap", 0)
BARE_RESULTS = {4: "roamingNumber", 47: "storedMSISDN"}  # of version 2: an ISDN-AddressString alone
OPTIONAL_ARGUMENT = {56}  # sendAuthenticationInfo amid its dialogue

Edge = tuple[int, ...]  # identifier, kind, role, next node, field, mandatory bit, least and most octets, place after it
ENDLESS = 255  # as most octets: no bound

CONSTRUCTED_TYPES = {"SEQUENCE", "SET", "SEQUENCE OF", "SET OF", "CHOICE", "EXTERNAL"}


def type_names(obj: Any) -> list[str]:
    found = []
    while obj is not None:
        if obj._typeref is not None:
            found.append(obj._typeref.called[-1])
        obj = obj._tr
    return found


def octets(obj: Any) -> tuple[int, int]:
    """Least and most content octets of a primitive type (X.690 8.2 to 8.4, 8.8; an OCTET STRING's constraint)."""
    if obj.TYPE in ("BOOLEAN", "NULL", "ENUMERATED"):  # no ENUMERATED here goes beyond 127
        return {"NULL": (0, 0)}.get(obj.TYPE, (1, 1))
    size = obj._const_sz if obj.TYPE == "OCTET STRING" else None
    if size is not None and size.ub is not None:
        return min(size.lb or 0, ENDLESS), min(size.ub, ENDLESS)
    value = obj._const_val if obj.TYPE == "INTEGER" else None
    if value is not None and value.lb is not None and value.ub is not None:
        return 1, max(edge.bit_length() // 8 + 1 for edge in (value.lb, value.ub))
    return 0, ENDLESS


def identifier(tag: tuple[int, int], constructed: bool) -> int:
    first = tag[0] << 6 | (0x20 if constructed else 0)
    return first | tag[1] if tag[1] < 31 else tag[1] << 8 | first | 0x1F


class Maker:
    """Nodes are kept once each: equal ones get one number."""

    def __init__(self) -> None:
        # Those of the MAP-OpenInfo are in no argument's table.
        self.fields = ["", "destinationReference", "originationReference"]
        self.nodes: list[tuple[int, int, tuple[Edge, ...]]] = [(0, 0, ())]
        self.index = {self.nodes[0]: 0}
        self.open: list[int] = []
        self.cap_phase_2 = False

    def field(self, name: str) -> int:
        if name not in self.fields:
            self.fields.append(name)
        return self.fields.index(name)

    def node(self, flags: int, must: int, edges: list[Edge]) -> int:
        key = (flags, must, tuple(edges))
        if key not in self.index:
            self.index[key] = len(self.nodes)
            self.nodes.append(key)
        return self.index[key]

    def edges(self, name: str, obj: Any, role: int, speakers: tuple[str, ...], depth: int, must: int) -> list[Edge]:
        """The edges of one member: one, or one an alternative of an untagged CHOICE."""
        tags = obj._tagc
        if not tags:
            if obj.TYPE != "CHOICE":
                return []  # ANY: no tag of its own
            out = []
            for alternative, part in obj._cont.items():
                out += self.edges(alternative, part, role | self.choice_role(name), speakers, depth, must)
            return out
        constructed = obj.TYPE in CONSTRUCTED_TYPES
        kind, next_, leaf_role = self.leaf(name, obj, role | self.choice_role(name), speakers, depth)
        field = self.field(name) if kind > NODE else 0
        edge: Edge = (identifier(tags[-1], constructed), kind, leaf_role, next_, field, 0, *octets(obj))
        for tag in reversed(tags[:-1]):  # explicit tags around it
            inner = self.node(CLOSED, 0, [(*edge, 0)])
            edge = (identifier(tag, True), NODE if kind else SKIP, 0, inner if kind else 0, 0, 0, 0, ENDLESS)
        return [(*edge[:5], must, *edge[6:])]

    @staticmethod
    def choice_role(name: str) -> int:
        return {"sm-RP-OA": ROLE_SM_RP_OA, "sm-RP-DA": ROLE_SM_RP_DA}.get(name, 0)

    def leaf(self, name: str, obj: Any, role: int, speakers: tuple[str, ...], depth: int) -> tuple[int, int, int]:
        if obj.TYPE in CONSTRUCTED_TYPES:
            if "ExtensionContainer" in type_names(obj) or id(obj) in self.open:
                return SKIP, 0, 0
            inner = self.content(name, obj, role, speakers, depth + 1, mandatory=False)
            return (NODE, inner, 0) if inner else (SKIP, 0, 0)
        if name == "sm-RP-UI":
            return SM_RP_UI, 0, 0
        types = type_names(obj)
        kind = next((LEAVES[t] for t in types if t in LEAVES), SKIP)
        if name in GENERIC_MEMBERS:
            kind = ISUP_GENERIC
        if kind == ADDRESS and "msisdn" in name.lower():
            kind = MSISDN
        if name in speakers and depth <= 1:
            role |= ROLE_NODE
        if name.lower() == "gsmscf-address" and depth > 1:
            role |= ROLE_CAMEL_GSMSCF
        return kind, 0, role if kind else 0

    def content(self, name: str, obj: Any, role: int, speakers: tuple[str, ...], depth: int, *, mandatory: bool) -> int:
        """The node of what stands inside a constructed type; 0 where nothing in it is of interest."""
        if self.cap_phase_2 and "InitialDPArgExtension" in type_names(obj):
            # TS 09.78: naCarrierInformation [0], gmscAddress [1] ISDN-AddressString, which is [0] from phase 3 on.
            gmsc = (0x81, ADDRESS, 0, 0, self.field("gmscAddress"), 0, 1, 9, 2)
            return self.node(IN_ORDER, 0, [(0xA0, SKIP, 0, 0, 0, 0, 0, ENDLESS, 1), gmsc])
        self.open.append(id(obj))
        must, edges, bit = 0, [], 0
        if obj.TYPE.endswith(" OF"):
            edges = [(*e, 0) for e in self.edges(name, obj._cont, role, speakers, depth, 0)]
        else:
            requested, members = "RequestedInfo" in type_names(obj), []
            for member, part in obj._cont.items():
                member_bit = 0
                needed = mandatory or member.lower() in OF_A_CSI
                if needed and member in obj._root and not part._opt and part._def is None:
                    bit += 1
                    member_bit = bit
                    must |= 1 << (bit - 1)
                made = self.edges(member, part, role, speakers, depth, member_bit)
                if requested and member in names.REQUESTED_INFO:
                    made = [(e[0], REQUESTED, 0, names.REQUESTED_INFO.index(member), 0, *e[5:]) for e in made]
                members.append(made)
            edges = self.keep(members, every=depth <= 1 or obj.TYPE == "CHOICE")
        self.open.pop()
        if not mandatory and all(e[1] == SKIP for e in edges):
            return 0
        flags = IN_ORDER if obj.TYPE == "SEQUENCE" else 0
        if obj.TYPE == "CHOICE":
            flags = ONE_OF | (CLOSED if obj._ext is None else 0)
        elif obj.TYPE.endswith(" OF") and (obj._cont._tagc or obj._cont._ext is None):  # of one type, and no other
            flags = CLOSED
        return self.node(flags, must, edges)

    @staticmethod
    def keep(members: list[list[Edge]], every: bool) -> list[Edge]:
        """The members that matter, and those that others could be taken for.

        A CHOICE's alternatives are passed together.
        """
        forms = Counter(e[0] & ~0x20 for made in members for e in made)
        edges: list[Edge] = []
        for made in members:
            kept = [e for e in made if every or e[1] != SKIP or e[5] or e[0] < 0x40 or forms[e[0] & ~0x20] > 1]
            edges += [(*e, len(edges) + len(kept)) for e in kept]
        return edges

    def paths(self, node: int, at: tuple[int, ...] = ()) -> set[tuple[int, ...]]:
        """Where leaves stand under a node: the identifiers on the way, and the field."""
        found = set()
        for tag, kind, _, next_, name, *_ in self.nodes[node][2]:
            if kind == NODE:
                found |= self.paths(next_, (*at, tag))
            elif kind != SKIP:
                found.add((*at, tag, name))
        return found

    def root(self, obj: Any, speakers: tuple[str, ...] = (), bare: str = "") -> int:
        """A node of one member: the argument itself. bare: its identifier where its type does not tell."""
        if obj is None:
            return 0
        name = bare or argument_name(obj)
        made: list[Edge] = [(*edge, 0) for edge in self.edges(name, obj, 0, speakers, 0, 0)]
        inner = obj
        if obj.TYPE in ("SEQUENCE", "SET") and len(obj._tagc) == 1:
            node = self.content("", inner, 0, speakers, 1, mandatory=True)
            made = [(identifier(obj._tagc[0], True), NODE, 0, node, 0, 0, 0, ENDLESS, 0)]
        return self.node(0, 0, made)


def argument_name(obj: Any) -> str:
    """A bare argument has no identifier: it goes by that which its type bears elsewhere."""
    for type_ in type_names(obj):
        if type_ in ("IMSI", "IMEI", "TMSI", "LMSI"):
            return type_.lower()
        if type_ == "ISDN-AddressString":
            return "msisdn"
    return ""


def operations() -> dict[tuple[str, int], list[Any]]:
    """(application, opcode) -> the operation as its modules define it, the newest first."""
    from pycrate_asn1dir import TCAP_CAP, TCAP_MAPv2v3  # type: ignore[import-untyped]

    found: dict[tuple[str, int], list[Any]] = {}
    sets = (
        ("map", TCAP_MAPv2v3.MAP_Protocol, "Supported-MAP-Operations"),
        ("map", TCAP_MAPv2v3.MAPv2_Protocol, "Supported-MAPv2-Operations"),
        ("cap", TCAP_CAP.TCAP_CAP_Messages, "AllCAPInvokable"),
        ("cap", TCAP_CAP.TCAP_CAP_Messages, "AllCAPReturnable"),
        ("cap", TCAP_CAP.CAP_SMS_ops_args, ""),
    )
    for application, module, name in sets:
        for obj in module._all_:
            if obj.TYPE != "CLASS" or (name and obj._name != name) or (not name and obj._mode != "VALUE"):
                continue
            for value in [obj._val] if not name else obj._val.root:
                known = found.setdefault((application, value["operationCode"][1]), [])
                if application == "map" or not known:
                    known.append(value)
    return found


def opcode_bits(opcodes: tuple[int, ...]) -> str:
    low = sum(1 << op for op in opcodes if op < 64)
    high = sum(1 << (op - 64) for op in opcodes if op >= 64)
    return f"{{{{0x{low:x}ull, 0x{high:x}ull}}}}"


def operation_rows(maker: Maker) -> list[str]:
    defined = operations()
    rows = ['    {"", 0, -1, 0, 0, 0, {0, 0}, {0, 0}},']
    for application, opcode, name, _ in names.OPERATIONS[1:]:
        variants = defined.get((application, opcode), [])
        speakers = (SPEAKERS if application == "map" else CAP_SPEAKERS).get(opcode, ())
        arguments = list(dict.fromkeys(maker.root(v.get("ArgumentType"), speakers) for v in variants))
        bare = BARE_RESULTS.get(opcode, "") if application == "map" else ""
        results = list(dict.fromkeys(maker.root(v.get("ResultType"), bare=bare) for v in variants))
        flags = 0 if variants else 1
        flags |= 2 if application == "map" and opcode in OPTIONAL_ARGUMENT else 0
        for forms, flag in ((arguments, 4), (results, 8)):
            if len(forms) == 2 and forms[1] and maker.paths(forms[1]) - maker.paths(forms[0]):
                flags |= flag
        if (application, opcode) == INITIAL_DP:
            flags |= 16
            maker.cap_phase_2 = True
            arguments.append(maker.root(variants[0]["ArgumentType"], speakers))
            maker.cap_phase_2 = False
        arguments, results = [*arguments, 0, 0][:2], [*results, 0, 0][:2]
        identity = IDENTITY.get(opcode, 0) if application == "map" else 0
        number = names.APPLICATIONS.index(application)
        rows.append(
            f'    {{"{name}", {number}, {opcode}, {identity}, {flags}, {len(set(arguments) - {0})}, '
            f"{{{arguments[0]}, {arguments[1]}}}, {{{results[0]}, {results[1]}}}}},"
        )
    return rows


def error_roots(maker: Maker) -> list[int]:
    """By MAP's local error code: the node of its parameter, where that names somebody."""
    roots = [0] * 128
    for (application, _), variants in operations().items():
        errors = [error for v in variants if v.get("Errors") for error in v["Errors"].root]
        for error in errors if application == "map" else ():
            node = maker.root(error.get("ParameterType"))
            roots[error["errorCode"][1]] = node if maker.paths(node) else roots[error["errorCode"][1]]
    return roots


def render() -> str:
    """The header's text."""
    maker = Maker()
    rows = operation_rows(maker)
    errors = error_roots(maker)
    nodes: list[str] = []
    edges: list[str] = []
    for flags, must, content in maker.nodes:
        nodes.append(f"    {{{len(edges)}, {len(content)}, {flags}, 0x{must:x}}},")
        edges += [f"    {{0x{e[0]:x}, {e[3]}, {e[4]}, {e[1]}, {e[2]}, {', '.join(map(str, e[5:]))}}}," for e in content]
    by_opcode = []
    for application in ("map", "cap"):
        line = [0] * 128
        for number, (app, opcode, _, _) in enumerate(names.OPERATIONS):
            if app == application:
                line[opcode] = number
        by_opcode.append("    " + ", ".join(map(str, line)) + ",")
    contexts = []
    for x in range(max(names.MAP_CONTEXTS) + 1):
        versions = names.MAP_CONTEXTS.get(x, ("", {}))[1]
        contexts.append("    " + ", ".join(opcode_bits(versions.get(v, ())) for v in range(5)) + ",")
    caps = [f"    {opcode_bits(names.CAP_CONTEXTS[x][1] if x else ())}," for x in range(max(names.CAP_CONTEXTS) + 1)]
    return "\n".join(
        [
            "/* Made by mapop_tables.py; change that. */",
            "#include <stdint.h>",
            "typedef struct { uint16_t tag, next, name; uint8_t kind, role, must, min, max, after; } MapEdge;",
            "typedef struct { uint16_t first, count; uint8_t flags; uint32_t must; } MapNode;",
            "typedef struct { const char* name; uint8_t application; int16_t opcode;",
            "                 uint8_t identity, flags, n_arguments; uint16_t argument[2], result[2]; } MapOperation;",
            "typedef struct { uint64_t bits[2]; } OpcodeSet;",
            f"enum {{ MAPOP_OPERATIONS = {len(rows)}, MAPOP_FIELDS = {len(maker.fields)},",
            f"       MAPOP_MAP_CONTEXTS = {len(contexts)}, MAPOP_CAP_CONTEXTS = {len(caps)},",
            *(
                f"       MAPOP_NAME_{key} = {maker.field(name)},"
                for key, name in (
                    ("SC_OA", "serviceCentreAddressOA"),
                    ("SC_DA", "serviceCentreAddressDA"),
                    ("DESTINATION", "destinationReference"),
                    ("ORIGINATION", "originationReference"),
                )
            ),
            "};",
            f"static const MapEdge mapop_edges[{len(edges)}] = {{",
            *edges,
            "};",
            f"static const MapNode mapop_nodes[{len(nodes)}] = {{",
            *nodes,
            "};",
            f"static const MapOperation mapop_operations[{len(rows)}] = {{",
            *rows,
            "};",
            "static const char* const mapop_fields[] = {",
            *(f'    "{name}",' for name in maker.fields),
            "};",
            "static const uint16_t mapop_by_opcode[2 * 128] = {",
            *by_opcode,
            "};",
            "static const uint16_t mapop_errors[128] = {",
            "    " + ", ".join(map(str, errors)) + ",",
            "};",
            f"static const OpcodeSet mapop_v1 = {opcode_bits(names.MAP_V1_OPCODES)};",
            f"static const OpcodeSet mapop_contexts[{len(contexts)} * 5] = {{",
            *contexts,
            "};",
            f"static const OpcodeSet mapop_cap_contexts[{len(caps)}] = {{",
            *caps,
            "};",
            "",
        ]
    )


if __name__ == "__main__":
    sys.stdout.write(render())
