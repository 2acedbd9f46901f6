"""A message from its description: `{operation: anyTimeInterrogation, calling: "49171…", imsi: "23415…"}`.

docs/policy.md lists the keys. What is not said is made up: the operation's own context, its mandatory members, whose
numbers are those of the parties or of ranges kept for fiction.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sigfw.messages import component, octets
from sigfw.messages.component import Components, Members, Wanted, own_context
from sigfw.messages.fill import Numbers
from sigfw.messages.octets import EXTENDED, LONG, SIMPLE, Party
from sigfw.messages.roles import subsystems
from sigfw.policy import schema
from sigfw.yamlfile import Mistakes, Node, shown

KEYS: Final = (
    *("calling", "called", "calling_ssn", "called_ssn", "sccp", "segments", "hop_counter", "return_cause"),
    *("return_on_error", "tcap", "otid", "dtid", "acn", "version", "destination_reference", "origination_reference"),
    *("components", "data"),
)
OF_TCAP: Final = {
    *("tcap", "otid", "dtid", "acn", "version", "destination_reference", "origination_reference", "components"),
}
PARTY_KEYS: Final = ("gt", "ssn", "np", "nai", "tt", "gti", "pc", "route_on")
PACKAGES: Final = ("begin", "continue", "end", "abort", "unidirectional")
UNITDATA: Final = {"UDT": SIMPLE, "XUDT": EXTENDED, "LUDT": LONG}
SERVICE: Final = {name + "S": number + 1 for name, number in UNITDATA.items()}
# Their IMSI stands in the destination reference of MAP-OPEN, as the argument has none (TS 29.002 9.1, 11, 17.6.4).
OPENED_BY_IMSI: Final = [("map", opcode) for opcode in (10, 11, 12, 13, 14, 17, 18, 19, 59, 60, 61)]
MAX_UDT_OCTETS: Final = 200  # of user data, with room for the longest addresses
MAX_OCTETS: Final = 4096  # of octets that are written out: longer than any segmented message (Q.714 4.1.1.1)
STRANGER: Final = "999420000001"  # E.164 has not given 999 away
GT: Final = "[0-9a-f]{0,32}"
GT_MUST: Final = "write digits only, in quotes; a to f are overdecadic digits"


@dataclass(frozen=True)
class Defaults:
    """What holds for all descriptions of a file that say nothing else."""

    parties: Mapping[str, Node]  # calling, called
    called: str = ""  # one of our nodes
    imsi: str = "001010000000001"
    msisdn: str = "447700900123"


def describe(node: Node, mistakes: Mistakes, defaults: Defaults, number: int) -> tuple[bytes, ...]:
    """The SCCP messages of a description: one, or the segments of one; none where mistakes were noted.

    number: of the message in its case, from which transaction ids are made where none are given.
    """
    before = mistakes.total
    made = Description(mistakes, defaults, number).message(node)
    return made if mistakes.total == before else ()


class Description(Components):
    def __init__(self, mistakes: Mistakes, defaults: Defaults, number: int) -> None:
        super().__init__(mistakes)
        self.defaults = defaults
        self.number = number

    def message(self, node: Node) -> tuple[bytes, ...]:
        if node.kind != "mapping":
            self.mistakes.at(node, "a message is described by keys and values: {operation: …, calling: …}")
            return ()
        said, members = self.split(node, (*KEYS, *component.KEYS))
        acn, version = self.context(said)
        wanted = self.components(said, members, version, forced=acn is not None)
        calling, called = self.parties(node, said, wanted)
        numbers = Numbers(
            e164(calling) or STRANGER,
            e164(called) or self.defaults.called or STRANGER,
            self.defaults.imsi,
            self.defaults.msisdn,
        )
        if "data" in said:
            for key in OF_TCAP & said.keys():
                self.mistakes.at(said[key], f"{key} stands beside `data`, which is in place of all TCAP; leave it out")
            data = self.hex(said["data"], "data", 1, MAX_OCTETS)
        else:
            data = self.tcap(node, said, wanted, acn, numbers)
        return self.sccp(said, calling, called, data)

    def split(self, node: Node, known: tuple[str, ...]) -> tuple[dict[str, Node], Members]:
        """Values of known keys, and the others: members of the argument."""
        pairs = list(self.mapping(node, "a message"))
        said = {key.text: value for key, value in pairs if key.text in known}
        return said, {key.text: (key, value) for key, value in pairs if key.text not in known}

    def components(self, said: dict[str, Node], members: Members, version: int, *, forced: bool) -> list[Wanted]:
        own: dict[str, Node] = {key: said[key] for key in component.KEYS if key in said}
        if {"operation", "opcode", "component", "error"} & own.keys():
            for one in ("components", "data"):
                if one in said:
                    self.mistakes.at(said[one], f"{one} and `operation` stand in one message; write one of them")
            return [self.wanted(own, members, version, forced=forced)]
        for unknown, _ in members.values():
            hint = self.hint(unknown, unknown.text, (*KEYS, *component.KEYS))
            self.mistakes.at(unknown, f"unknown key {shown(unknown.text)} in a message without `operation`; {hint}")
        for name, value in own.items():
            self.mistakes.at(value, f"{name} stands in a message without `operation`; name one")
        listed = self.items(said["components"], "components") if "components" in said else []
        return [self.wanted(*self.split(one, component.KEYS), version, forced=forced) for one in listed]

    def context(self, said: dict[str, Node]) -> tuple[tuple[int, ...] | None, int]:
        """ACN and version as written: None and 0 where they are not, an empty ACN where there is to be none."""
        version = self.integer(said["version"], "version", 1, 4) or 0 if "version" in said else 0
        node = said.get("acn")
        if node is None:
            return None, version
        if node.empty:
            return (), version
        text = self.text(node, "acn", r"[0-2](\.[0-9]{1,9}){2,20}", "write an OID with dots: 0.4.0.0.1.0.29.3")
        arcs = tuple(map(int, (text or "0.0.0").split(".")))
        if not version and arcs[:6] == (0, 4, 0, 0, 1, 0) and len(arcs) == 8 and arcs[6] < 50:
            version = min(arcs[7], 4)
        return arcs, version

    # ---- TCAP

    def tcap(
        self, node: Node, said: dict[str, Node], wanted: list[Wanted], acn: tuple[int, ...] | None, numbers: Numbers
    ) -> bytes:
        package: str | None = "begin" if wanted and wanted[0].kind == "invoke" else "end"
        if "tcap" in said:
            package = self.choice(said["tcap"], "tcap", PACKAGES)
        elif not wanted:
            self.mistakes.at(node, "a message has neither `operation`, `tcap` nor `data`; say what it is")
        own = wanted[0].operation if wanted else None
        if acn is None and own is not None and package in ("begin", "unidirectional"):
            acn = own_context(own)
            if own.application == "map" and acn[-1:] == (1,):
                acn = ()  # version 1 has no dialogue portion (TS 29.002 17.1)
        context = octets.oid(acn) if acn else b""
        opened = self.opened(said, wanted)
        if opened and (package != "begin" or not context):
            self.mistakes.at(next(iter(opened.values())), "MAP-OpenInfo names it, which only a begin with an ACN has")
        parts = [self.component(one, numbers) for one in wanted]
        otid = self.hex(said["otid"], "otid", 0, 8) if "otid" in said else self.number.to_bytes(4, "big")
        dtid = self.hex(said["dtid"], "dtid", 0, 8) if "dtid" in said else b"\x80" + self.number.to_bytes(3, "big")
        if package == "begin":
            user = octets.map_open(*(self.reference(opened, one) for one in REFERENCES)) if opened else b""
            return octets.begin(otid, octets.request(context, user) if context else b"", *parts)
        if package == "unidirectional":
            return octets.unidirectional(context, *parts)
        if package == "abort":
            return octets.abort(dtid, 0)
        dialogue = octets.response(context) if context else b""
        if package == "continue":
            return octets.continue_(otid, dtid, dialogue, *parts)
        return octets.end(dtid, dialogue, *parts)

    def opened(self, said: dict[str, Node], wanted: list[Wanted]) -> dict[str, Node]:
        """What MAP-OpenInfo names; the IMSI of an operation whose argument has none moves there."""
        opened: dict[str, Node] = {one: said[one] for one in REFERENCES if one in said}
        for one in wanted:
            of = one.operation
            if of is None or one.kind != "invoke" or (of.application, of.opcode) not in OPENED_BY_IMSI:
                continue
            if "imsi" in one.members:
                opened.setdefault("destination_reference", one.members.pop("imsi")[1])
        return opened

    def reference(self, opened: dict[str, Node], which: str) -> bytes:
        """An AddressString: of a subscriber by IMSI (numbering plan 6), of a node by its number."""
        if which not in opened:
            return b""
        text = self.text(opened[which], which, "[0-9a-e]{1,18}", "write digits only, in quotes")
        return (b"\x96" if which == "destination_reference" else b"\x91") + octets.bcd(text or "0")

    # ---- SCCP

    def parties(self, node: Node, said: dict[str, Node], wanted: list[Wanted]) -> list[Party | bytes]:
        """Calling and called."""
        own = wanted[0].operation if wanted else None
        answered = bool(wanted) and wanted[0].kind != "invoke"
        usual = subsystems(own.application if own else "map", own.opcode if own else -1, answered=answered)
        made: list[Party | bytes] = []
        for side, ssn in zip(("calling", "called"), usual, strict=True):
            address = said.get(side, self.defaults.parties.get(side))
            party: Party | bytes = Party(self.defaults.called, ssn)
            if address is not None:
                party = self.party(address, side, ssn)
            elif side == "calling" or not self.defaults.called:
                self.mistakes.at(node, f"a message has no `{side}`; add it, here or under `defaults`")
            own_ssn = said.get(f"{side}_ssn")
            if own_ssn is not None and isinstance(party, Party):
                party = party.on(ssn=self.number_or_word(own_ssn, f"{side}_ssn", schema.SSNS, 255))
            made.append(party)
        return made

    def party(self, node: Node, side: str, ssn: int) -> Party | bytes:
        if node.empty:
            return b""  # an address without an octet
        if node.kind == "scalar":
            return Party(self.text(node, side, GT, GT_MUST) or "", ssn)
        said = self.fields(node, side, PARTY_KEYS)
        gt = self.text(said["gt"], f"{side}.gt", GT, GT_MUST) or "" if "gt" in said and not said["gt"].empty else ""
        values: dict[str, Any] = {"ssn": ssn, "np": 1, "nai": 4, "tt": 0, "gti": 4 if gt else 0, "pc": None}
        words = {"ssn": schema.SSNS, "np": schema.NUMBERING_PLANS, "nai": schema.NATURES}
        highest = {"ssn": 255, "np": 15, "nai": 127, "tt": 255, "gti": 4, "pc": 0x3FFF}
        for key in values.keys() & said.keys():
            value = self.number_or_word(said[key], f"{side}.{key}", words.get(key, {}), highest[key])
            values[key] = value if value is not None or key in ("ssn", "pc") else values[key]
        routed = self.choice(said["route_on"], "route_on", ("gt", "ssn")) if "route_on" in said else None
        return Party(gt, on_ssn=routed == "ssn" or (routed is None and not gt), **values)

    def sccp(
        self, said: dict[str, Node], calling: Party | bytes, called: Party | bytes, data: bytes
    ) -> tuple[bytes, ...]:
        kind = self.choice(said["sccp"], "sccp", (*UNITDATA, *SERVICE)) if "sccp" in said else None
        segments = self.integer(said["segments"], "segments", 1, 16) or 1 if "segments" in said else 1
        if kind is None:
            segments = max(segments, -(-len(data) // MAX_UDT_OCTETS))
            kind = "UDT" if segments == 1 else "XUDT"
        elif segments > 1 and kind != "XUDT":
            self.mistakes.at(said["segments"], f"a {kind} has no segments here; leave `sccp` out, or write XUDT")
        elif kind[0] != "L" and len(data) > 254:
            self.mistakes.at(
                said["sccp"], f"{len(data)} octets do not fit into a {kind}; leave `sccp` out, or write LUDT"
            )
        hops = self.integer(said["hop_counter"], "hop_counter", 0, 255) if "hop_counter" in said else 12
        asked = "return_on_error" in said and self.boolean(said["return_on_error"], "return_on_error")
        second: int | None = (0x80 if asked else 0) | (segments > 1)  # class 1 keeps segments in order
        if "return_cause" in said:
            second = self.number_or_word(said["return_cause"], "return_cause", schema.RETURN_CAUSES, 255)
            if kind not in SERVICE:
                self.mistakes.at(said["return_cause"], f"a {kind} has no return cause; write sccp: {kind}S")
        if self.mistakes:  # nothing is made of it any more, and it may not fit
            return ()
        head = bytes((second or 0,)) + (b"" if kind[0] == "U" else bytes((hops or 0,)))
        to, by = (one.octets() if isinstance(one, Party) else one for one in (called, calling))
        if segments == 1:
            return (octets.unitdata((UNITDATA | SERVICE)[kind], head, to, by, data),)
        size = -(-len(data) // segments)
        pieces = [data[i : i + size] for i in range(0, len(data), size)]
        reference = b"\x10" + self.number.to_bytes(2, "big")
        out = []
        for i, piece in enumerate(pieces):
            parameter = b"\x10\x04" + bytes(((0x40 if i else 0xC0) | len(pieces) - 1 - i,)) + reference
            out.append(octets.unitdata(EXTENDED, head, to, by, piece, parameter))
        return tuple(out)


REFERENCES: Final = ("destination_reference", "origination_reference")


def e164(party: Party | bytes) -> str:
    """Its number, where it stands for a node in an argument."""
    digits = party.digits if isinstance(party, Party) and party.np == 1 else ""
    return digits if digits.isdecimal() and len(digits) <= 15 else ""
