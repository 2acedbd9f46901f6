"""A component from its description: the operation, and its argument with what is named at its place.

Arguments are encoded by pycrate after the ASN.1 of TS 29.002, TS 09.02 and TS 29.078; its types are module globals: one
description at a time.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Final

from pycrate_asn1rt.asnobj import ASN1Obj  # type: ignore[import-untyped]
from pycrate_asn1rt.err import ASN1Err  # type: ignore[import-untyped]

from sigfw import names
from sigfw._core.mapop_tables import CAP_SPEAKERS, SPEAKERS
from sigfw.dissect.asn1 import tables
from sigfw.messages import octets
from sigfw.messages.fill import Filler, Given, Numbers, every
from sigfw.messages.forms import Form, Route, bare_name, contexts, forms, kind_of
from sigfw.messages.octets import tlv
from sigfw.yamlfile import Node, Reader, shown

KEYS: Final = ("operation", "opcode", "opcode_form", "component", "invoke_id", "error", "argument", "sms")
MT_FORWARD_SM, MO_FORWARD_SM = 44, 46
MT_RELAY: Final = 25  # the application context of MT-SMS
SYSTEM_FAILURE: Final = 34
ORIGINATOR, STAMP = bytes.fromhex("0c91447700091034"), bytes.fromhex("62111203000000")  # TS 23.040 9.2.2.1
TEXT: Final = bytes.fromhex("11c8329bfd0699e5ef36282c96bfc364")  # 17 septets

Members = dict[str, tuple[Node, Node]]  # of an argument: (key, value) by name


@dataclass(frozen=True)
class Operation:
    application: str
    opcode: int
    name: str
    version: int  # of the context: MAP 1 to 4, CAP 1 to 4; 0: none was asked for
    terminated: bool  # of a short message: to the mobile


@dataclass
class Wanted:
    """A component as it is described."""

    said: dict[str, Node]  # by KEYS
    members: Members
    kind: str
    operation: Operation | None


@contextmanager
def incomplete() -> Iterator[None]:
    """pycrate encodes a value that lacks what is mandatory: a description may leave it out on purpose."""
    before = ASN1Obj._SAFE_VAL
    ASN1Obj._SAFE_VAL = False
    try:
        yield
    finally:
        ASN1Obj._SAFE_VAL = before


def map_versions(opcode: int) -> dict[int, list[int]]:
    """Context -> the versions of it that have the operation."""
    found = {x: [v for v, ops in versions.items() if opcode in ops] for x, (_, versions) in names.MAP_CONTEXTS.items()}
    return {x: versions for x, versions in found.items() if versions}


def cap_phase(acn: tuple[int, ...]) -> int:
    """TS 09.78 and TS 29.078 5.6: the root of the name tells phases 2, 3 and 4, and the last arc phase 1."""
    return {21: 3, 23: 4}.get(acn[5], 1 if acn[-1] == 0 else 2)


def versions_of(application: str, opcode: int) -> set[int]:
    if application == "cap":
        return {cap_phase(acn) for acn in cap_contexts(opcode)}
    return {v for found in map_versions(opcode).values() for v in found}


def cap_contexts(opcode: int) -> list[tuple[int, ...]]:
    return [tuple(map(int, acn.split("."))) for acn in contexts("cap", 4, opcode)]


def own_context(operation: Operation) -> tuple[int, ...]:
    """The ACN with the fewest other operations, of the newest version or the one asked for; (): none is known."""
    if operation.application == "cap":
        acns = cap_contexts(operation.opcode)
        phase = operation.version or max(map(cap_phase, acns), default=0)
        return next((acn for acn in acns if cap_phase(acn) == phase), ())
    best: tuple[int, int, int] | None = None
    for x, versions in map_versions(operation.opcode).items():
        fitting = [v for v in versions if operation.version in (0, v)]
        if fitting and not (operation.opcode == MO_FORWARD_SM and (x == MT_RELAY) != operation.terminated):
            rank = (len(names.MAP_CONTEXTS[x][1][max(fitting)]), x, max(fitting))
            best = min(best or rank, rank)
    return (0, 4, 0, 0, 1, 0, best[1], best[2]) if best else ()


@cache
def form_of(operation: Operation, part: str, error: int | None = None) -> Form | None:
    """How the part is written: the newest form up to the version."""
    mine = (operation.application, operation.opcode, part, error)
    wanted = [form for form in forms() if (form.application, form.opcode, form.part, form.error) == mine]
    newest = operation.version or max(versions_of(operation.application, operation.opcode), default=3)
    fitting = [form for form in wanted if form.application == "cap" or (form.version == 3) == (newest >= 3)]
    return next(iter(fitting or wanted), None)


@cache
def places(operation: Operation, part: str, error: int | None) -> tuple[tuple[Route, str, str], ...]:
    """(route, identifier, kind of number) of all that stands in the part, the shallowest first."""
    form = form_of(operation, part, error)
    if form is None:
        return ()
    name = bare_name(form)
    there = ((route, last(route, name), one) for route, one in every(form.type, name, operation.terminated))
    return tuple((route, step, kind_of(step, one)) for route, step, one in there)


class Components(Reader):
    """Reads and writes components; mistakes are noted at the keys and values."""

    def wanted(self, said: dict[str, Node], members: Members, version: int, *, forced: bool) -> Wanted:
        """forced: the ACN is written out, and whatever it says of the operation is meant."""
        kind: str | None = "returnError" if "error" in said else "invoke"
        if "component" in said:
            kind = self.choice(said["component"], "component", names.COMPONENT_TYPES[1:])
        return Wanted(said, members, kind or "invoke", self.operation(said.get("operation"), version, forced=forced))

    def operation(self, node: Node | None, version: int, *, forced: bool) -> Operation | None:
        """None: none is named, or none of that name is known."""
        if node is None:
            return None
        known = {name: (application, opcode) for application, opcode, name, _ in names.OPERATIONS[1:]}
        text = self.choice(node, "operation", known)
        if text is None:
            return None
        application, opcode = known[text]
        if application == "map" and opcode == MT_FORWARD_SM and version in (1, 2):
            opcode = MO_FORWARD_SM  # the context alone tells them apart there (TS 09.02 17.6.5)
        versions = versions_of(application, opcode)
        if version and version not in versions and not forced:
            listed = ", ".join(map(str, sorted(versions)))
            self.mistakes.at(node, f"{text} has no version {version}; write {listed}, or `acn` to force another")
        return Operation(application, opcode, text, version, terminated=text != "mo-forwardSM")

    def component(self, wanted: Wanted, numbers: Numbers) -> bytes:
        said = wanted.said
        id_ = self.integer(said["invoke_id"], "invoke_id", -128, 127) if "invoke_id" in said else 1
        head = tlv(2, (id_ or 0).to_bytes(1, "big", signed=True))
        if wanted.kind == "reject":
            return tlv(0xA4, head, b"\x81\x01\x02")  # invoke problem: mistyped parameter
        if wanted.kind == "returnError":
            code = self.error(wanted)
            told = bool(wanted.members) or "argument" in said
            return tlv(0xA3, head, bytes((2, 1, code)), self.argument(wanted, numbers, code) if told else b"")
        opcode, content = self.opcode(wanted), self.argument(wanted, numbers)
        if wanted.kind == "invoke":
            return tlv(0xA1, head, opcode, content)
        tag = 0xA2 if wanted.kind == "returnResultLast" else 0xA7
        return tlv(tag, head, tlv(0x30, opcode, content)) if content else tlv(tag, head)

    def opcode(self, wanted: Wanted) -> bytes:
        said, number = wanted.said, wanted.operation.opcode if wanted.operation else 0
        if "opcode" in said:
            number = self.integer(said["opcode"], "opcode", 0, 65_535) or 0
        if "opcode_form" in said and self.choice(said["opcode_form"], "opcode_form", ("local", "global")) == "global":
            return tlv(6, octets.oid((0, 4, 0, 0, 1, 0, number)))
        return tlv(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))

    def error(self, wanted: Wanted) -> int:
        node = wanted.said.get("error")
        if node is None:
            return SYSTEM_FAILURE
        if re.fullmatch("[0-9]+", node.text):
            return self.integer(node, "error", 0, 127) or 0
        application = wanted.operation.application if wanted.operation else "map"
        listed = {key.partition(":"): said[0] for key, said in tables()["errors"].items()}
        known = {name: int(code) for (of, _, code), name in listed.items() if of == application}
        return known.get(self.choice(node, "error", known) or "", SYSTEM_FAILURE)

    def argument(self, wanted: Wanted, numbers: Numbers, error: int | None = None) -> bytes:
        """Octets of the argument, the result or the error's parameter."""
        whole, operation = wanted.said.get("argument"), wanted.operation
        for key, _ in wanted.members.values() if whole is not None else ():
            self.mistakes.at(key, f"{shown(key.text)} stands beside `argument`; write it within, or leave that out")
        if whole is not None and (whole.empty or whole.kind == "scalar"):
            return b"" if whole.empty else self.hex(whole, "argument", 0, 4096)
        part = {"invoke": "argument", "returnError": "error"}.get(wanted.kind, "result")
        form = form_of(operation, part, error) if operation else None
        if form is None or form.type is None:
            for key, _ in wanted.members.values():
                of = operation.name if operation else "an unknown operation"
                self.mistakes.at(key, f"{shown(key.text)}: {of} has no {part} that is known; give `argument` in hex")
            return b""
        assert operation is not None
        speakers = (SPEAKERS if operation.application == "map" else CAP_SPEAKERS).get(operation.opcode, ())
        filler = Filler(
            self.mistakes,
            numbers,
            speakers=speakers if part == "argument" else None,
            terminated=operation.terminated,
            tpdu=self.tpdu(wanted.said.get("sms"), terminated=operation.terminated),
        )
        before = self.mistakes.total
        given: Given = whole
        if whole is None:
            given = self.placed(places(operation, part, error), f"the {part} of {operation.name}", wanted)
        value = filler.make(form.type, bare_name(form), given)
        return self.encoded(form, value, wanted) if self.mistakes.total == before else b""

    def encoded(self, form: Form, value: object, wanted: Wanted) -> bytes:
        try:
            with incomplete():
                form.type.set_val(value)
                return bytes(form.type.to_ber())
        except (ASN1Err, AttributeError, IndexError, KeyError, TypeError, ValueError) as e:
            node = next((value for _, value in wanted.members.values()), wanted.said["operation"])
            why = " ".join(str(e).split())[:120]
            self.mistakes.at(node, f"{wanted.said['operation'].text} cannot be encoded ({why}); correct its values")
            return b""

    def placed(self, there: tuple[tuple[Route, str, str], ...], what: str, wanted: Wanted) -> Given:
        """What is named, at its places."""
        top: dict[str, Given] = {}
        bare: Given = None
        for text, (key, value) in wanted.members.items():
            if text in ("imsi", "msisdn"):
                found = next((route for route, _, kind in there if kind == text), None)
            else:
                found = next((route for route, step, _ in there if step == text), None)
            if found is None:
                known = {step for _, step, _ in there if step}
                self.mistakes.at(key, f"{what} has no {shown(text)}; {self.hint(key, text, known)}")
            elif not found:
                bare = value
            else:
                place(top, found, value)
        return top or bare

    def tpdu(self, node: Node | None, *, terminated: bool) -> bytes:
        """SMS-DELIVER or SMS-SUBMIT (TS 23.040 9.2.2)."""
        said = self.fields(node, "sms", ("pid", "dcs")) if node else {}
        about = bytes(self.integer(said[key], key, 0, 255) or 0 if key in said else 0 for key in ("pid", "dcs"))
        if terminated:
            return b"\x04" + ORIGINATOR + about + STAMP + TEXT
        return b"\x11\0" + ORIGINATOR + about + b"\xa7" + TEXT

    def number_or_word(self, node: Node, what: str, words: Mapping[str, int], high: int) -> int | None:
        """None: nothing is written after it, or a mistake was noted."""
        if node.empty:
            return None
        if not words or re.fullmatch("0x[0-9A-Fa-f]+|-?[0-9]+", node.text):
            return self.integer(node, what, 0, high)
        return words.get(self.choice(node, what, words) or "")

    def hex(self, node: Node, what: str, low: int, high: int) -> bytes:
        text = self.text(node, what, "(0x)?([0-9A-Fa-f]{2})*", "write octets as hex digits in pairs, in quotes")
        made = bytes.fromhex((text or "").removeprefix("0x"))
        if text is not None and not low <= len(made) <= high:
            self.mistakes.at(node, f"{what} has {len(made)} octets; write {low} to {high}")
        return made


def last(route: tuple[str, ...], name: str) -> str:
    """The identifier of what stands at a route: that of the list, of an item."""
    return next((step for step in reversed(route) if step != "[]"), name)


def place(top: dict[str, Given], route: tuple[str, ...], value: Node) -> None:
    at = top
    for step in route[:-1]:
        inner = at.setdefault(step, {})
        at = inner if isinstance(inner, dict) else {}  # named as a whole as well: that stands
    at[route[-1]] = value
