"""TCAP (Q.773): package, dialogue portion, components; what they carry by the readings that the core gave them."""

import re
from collections.abc import Callable
from typing import Any

from sigfw import names
from sigfw.dissect import asn1, ber, sms, tcap_ansi, words
from sigfw.dissect.ber import Tlv
from sigfw.dissect.node import Node, Object, octets

PACKAGES = {0x61: "Unidirectional", 0x62: "Begin", 0x64: "End", 0x65: "Continue", 0x67: "Abort"}
COMPONENTS = {
    0xA1: "Invoke",
    0xA2: "ReturnResultLast",
    0xA3: "ReturnError",
    0xA4: "Reject",
    0xA7: "ReturnResultNotLast",
}
DIALOGUE_PDUS = {0x60: "AARQ", 0x61: "AARE", 0x64: "ABRT"}
ONCE = {0x48: "originating transaction ID", 0x49: "destination transaction ID", 0x4A: "P-abort cause"}
PHASE_2 = re.compile(r"0\.4\.0\.0\.1\.0\.5[0-2]\.[01](\..*)?")
SHORT_MESSAGES = ("mo-forwardSM", "mt-forwardSM", "mt-forwardSM-VGCS")
OPCODES = {(application, opcode): name for application, opcode, name, _ in names.OPERATIONS[1:]}


class Tcap:
    """decoded: the object `tcap` of the message's line, for the readings of its components; None where it has none."""

    def __init__(self, data: bytes, decoded: Object | None) -> None:
        self.data = data
        self.components: list[Object] = (decoded or {}).get("components", [])
        self.acn = str((decoded or {}).get("acn") or "")
        self.count = 0

    def dissect(self, parent: Node, start: int, end: int) -> None:
        """The user data, start to end, under `parent`. Any octets give a tree."""
        found = ber.salvage(self.data, start, end)
        if isinstance(found, str):
            parent.stop(start, end, found)
            return
        parent.children.append(self.package(found))
        if found.end < end:
            parent.add(found.end, end, "trailing octets").odd.append("behind the TCAP message")

    def package(self, whole: Tlv) -> Node:
        if whole.id in tcap_ansi.PACKAGES:
            return tcap_ansi.package(self.data, whole, self.components)
        if whole.id not in PACKAGES:
            return ber.generic(self.data, whole)
        node = whole.node(f"TCAP {PACKAGES[whole.id]}")
        seen = set()
        for tlv in ber.each(self.data, node, whole.body, whole.stop, lax=True):
            if tlv.id in ONCE:
                child = tlv.node(ONCE[tlv.id], self.hex(tlv))
                if tlv.id == 0x4A:
                    leaf_integer(child, self.data[tlv.body : tlv.stop], words.P_ABORT_CAUSES)
                elif not 1 <= tlv.stop - tlv.body <= 4:
                    child.odd.append(f"{octets(tlv.stop - tlv.body)}: a transaction ID has 1 to 4")
            elif tlv.id == 0x6B:
                child = self.dialogue(tlv)
            elif tlv.id == 0x6C:
                child = self.portion(tlv)
            else:
                child = ber.generic(self.data, tlv)
                child.odd.append("no part of a TCAP message")
            if tlv.id in seen:
                child.odd.append("a second time")
            seen.add(tlv.id)
            node.children.append(child)
        return node

    def hex(self, tlv: Tlv) -> str:
        return self.data[tlv.body : tlv.stop].hex()

    # ---- dialogue portion --------------------------------------------------------------------------------------------

    def dialogue(self, tlv: Tlv) -> Node:
        node = tlv.node("dialogue portion")
        for part in ber.each(self.data, node, tlv.body, tlv.stop):
            node.children.append(self.external(part, lambda pdu, _: self.dialogue_pdu(pdu)))
        return node

    def external(self, tlv: Tlv, inside: Callable[[Tlv, str], Node]) -> Node:
        """EXTERNAL (X.690 8.18): the syntax it names, and what it holds by that syntax."""
        if tlv.id != 0x28:
            return ber.generic(self.data, tlv)
        node = tlv.node("EXTERNAL")
        syntax = ""
        for part in ber.each(self.data, node, tlv.body, tlv.stop):
            if part.id == 0x06:
                syntax = ber.oid(self.data[part.body : part.stop])
                said = words.ABSTRACT_SYNTAXES.get(syntax, "")
                child = part.node("direct-reference", f"{syntax} {said}".rstrip())
            elif part.id in (0xA0, 0x81):
                child = part.node("single-ASN1-type" if part.id == 0xA0 else "octet-aligned")
                for pdu in ber.each(self.data, child, part.body, part.stop):
                    child.children.append(inside(pdu, syntax))
            else:
                child = ber.generic(self.data, part)
            node.children.append(child)
        return node

    def dialogue_pdu(self, pdu: Tlv) -> Node:
        if pdu.id not in DIALOGUE_PDUS:
            return ber.generic(self.data, pdu)
        node = pdu.node(DIALOGUE_PDUS[pdu.id])
        for tlv in ber.each(self.data, node, pdu.body, pdu.stop):
            node.children.append(self.dialogue_field(tlv, pdu.id))
        return node

    def dialogue_field(self, tlv: Tlv, pdu: int) -> Node:
        content = self.data[tlv.body : tlv.stop]
        if tlv.id == 0x80 and pdu == 0x64:
            node = tlv.node("abort-source")
            leaf_integer(node, content, {0: "dialogue-service-user", 1: "dialogue-service-provider"})
            return node
        if tlv.id == 0x80:
            return tlv.node("protocol-version", "version1" if content[1:] == b"\x80" else content.hex())
        if tlv.id == 0xA1 and pdu != 0x64:
            return self.holding(tlv, "application-context-name", self.context)
        if tlv.id == 0xA2 and pdu == 0x61:
            return self.holding(tlv, "result", lambda part: self.named(part, words.ASSOCIATE_RESULTS))
        if tlv.id == 0xA3 and pdu == 0x61:
            return self.holding(tlv, "result-source-diagnostic", self.diagnostic)
        if tlv.id == 0xBE:
            return self.holding(tlv, "user-information", lambda part: self.external(part, self.map_pdu))
        node = ber.generic(self.data, tlv)
        node.odd.append("no part of a dialogue PDU")
        return node

    def holding(self, tlv: Tlv, name: str, inside: Callable[[Tlv], Node]) -> Node:
        node = tlv.node(name)
        for part in ber.each(self.data, node, tlv.body, tlv.stop):
            node.children.append(inside(part))
        return node

    def named(self, tlv: Tlv, values: dict[int, str]) -> Node:
        if tlv.id != 0x02:
            return ber.generic(self.data, tlv)
        node = tlv.node("INTEGER")
        leaf_integer(node, self.data[tlv.body : tlv.stop], values)
        return node

    def diagnostic(self, tlv: Tlv) -> Node:
        if tlv.id not in words.DIAGNOSTICS:
            return ber.generic(self.data, tlv)
        name, values = words.DIAGNOSTICS[tlv.id]
        return self.holding(tlv, name, lambda part: self.named(part, values))

    def context(self, tlv: Tlv) -> Node:
        if tlv.id != 0x06:
            return ber.generic(self.data, tlv)
        dotted = ber.oid(self.data[tlv.body : tlv.stop])
        node = tlv.node("OBJECT IDENTIFIER", f"{dotted} {words.context_name(dotted)}".rstrip())
        if not words.context_name(dotted):
            node.odd.append("no context of MAP or CAP that is known")
        elif dotted.count(".") > 7:
            node.odd.append("arcs behind the version")
        return node

    def map_pdu(self, pdu: Tlv, syntax: str) -> Node:
        """MAP-DialoguePDU (TS 29.002 17.4)."""
        if syntax != "0.4.0.0.1.1.1.1" or pdu.id not in words.MAP_DIALOGUE:
            return ber.generic(self.data, pdu)
        node = pdu.node(words.MAP_DIALOGUE[pdu.id])
        references = {0x80: "destinationReference", 0x81: "originationReference"} if pdu.id == 0xA0 else {}
        for tlv in ber.each(self.data, node, pdu.body, pdu.stop):
            if tlv.id in references:
                child = tlv.node(references[tlv.id])
                asn1.leaf(child, self.data[tlv.body : tlv.stop], "OCTET STRING", "AddressString", "address", None)
                if child.number and self.data[tlv.body] & 15 == 6:
                    child.number = "imsi", child.number[1]
            else:
                child = ber.generic(self.data, tlv)
            node.children.append(child)
        return node

    # ---- components --------------------------------------------------------------------------------------------------

    def portion(self, tlv: Tlv) -> Node:
        node = tlv.node("component portion")
        for part in ber.each(self.data, node, tlv.body, tlv.stop, lax=True):
            if part.id not in COMPONENTS:
                child = ber.generic(self.data, part)
                child.odd.append("no component of Q.773")
            elif self.count >= len(self.components):
                child = ber.generic(self.data, part, 0, COMPONENTS[part.id])
                child.odd.append("beyond the components that are read")
            else:
                child = self.component(part, self.components[self.count])
                self.count += 1
            node.children.append(child)
        if not node.children:
            node.odd.append("no component")
        return node

    def component(self, whole: Tlv, decoded: Object) -> Node:
        node = whole.node(f"component {self.count}, {COMPONENTS[whole.id]}")
        parts = list(ber.each(self.data, node, whole.body, whole.stop))
        stopped = node.children
        node.children = []
        rest = iter(parts)
        first = next(rest, None)
        if first is not None:
            node.children.append(self.invoke_id(first, "invoke ID"))
        second = next(rest, None)
        if second is not None and whole.id == 0xA1 and second.id in (0x80, 0xA0):
            node.children.append(self.invoke_id(second, "linked ID"))
            second = next(rest, None)
        if second is not None:
            if whole.id == 0xA1:
                node.children.append(self.opcode(second, decoded))
            elif whole.id == 0xA3:
                node.children.append(self.error_code(second))
            elif whole.id == 0xA4:
                node.children.append(self.problem(second))
            elif second.id == 0x30:
                node.children.append(self.result(second, decoded))
            else:
                node.children.append(ber.generic(self.data, second))
        for i, tlv in enumerate(rest):
            if i == 0 and whole.id == 0xA1:
                node.children += self.arguments(tlv, decoded, "argument")
            elif i == 0 and whole.id == 0xA3:
                node.children.append(self.error_parameter(tlv, decoded))
            else:
                node.children.append(ber.generic(self.data, tlv))
                node.children[-1].odd.append("behind the parameter")
        node.children += stopped
        return node

    def invoke_id(self, tlv: Tlv, name: str) -> Node:
        node = tlv.node(name)
        if tlv.id in (0x02, 0x80):
            leaf_integer(node, self.data[tlv.body : tlv.stop], {})
        elif tlv.id == 0x05:
            node.value = "NULL"
        else:
            node.odd.append(f"{ber.tag_name(tlv.id)}, where an INTEGER stands")
        return node

    def opcode(self, tlv: Tlv, decoded: Object) -> Node:
        node = tlv.node("operation code")
        content = self.data[tlv.body : tlv.stop]
        said = " or ".join(reading.replace(":", " ") for reading in decoded["readings"]) or "no operation that is known"
        if tlv.id == 0x02:
            leaf_integer(node, content, {})
            node.value += f" {said}"
        elif tlv.id == 0x06:
            node.name = "operation code, global"
            node.value = f"{ber.oid(content)} {said}"
            node.odd.append("MAP and CAP use local codes")
        else:
            node.odd.append(f"{ber.tag_name(tlv.id)}, where an INTEGER stands")
        return node

    def result(self, tlv: Tlv, decoded: Object) -> Node:
        node = tlv.node("result")
        parts = list(ber.each(self.data, node, tlv.body, tlv.stop))
        stopped = node.children
        node.children = []
        for i, part in enumerate(parts):
            if i == 0:
                node.children.append(self.opcode(part, decoded))
            elif i == 1:
                node.children += self.arguments(part, decoded, "parameter", result=True)
            else:
                node.children.append(ber.generic(self.data, part))
                node.children[-1].odd.append("behind the parameter")
        node.children += stopped
        return node

    def arguments(self, tlv: Tlv, decoded: Object, label: str, *, result: bool = False) -> list[Node]:
        """The parameter, once for each reading that takes it for something else."""
        shown: list[Node] = []
        tried: list[Any] = []
        for reading in decoded["readings"]:
            application, _, name = reading.partition(":")
            opcode = next((code for (app, code), one in OPCODES.items() if (app, one) == (application, name)), -1)
            wanted = asn1.forms(application, opcode, result=result)
            if reading == "cap:initialDP":  # its second form is that of CAP's phases 1 and 2
                wanted = wanted[1:] if PHASE_2.fullmatch(self.acn) else wanted[:1]
            if wanted in tried or (not wanted and tried):
                continue
            tried.append(wanted)
            shown.append(asn1.parameter(self.data, tlv, wanted, label))
            if name in SHORT_MESSAGES and not result:
                self.short_message(shown[-1], decoded["readings"])
            if len(tried) > 1:
                shown[-1].name += f" as {reading.replace(':', ' ')}"
        return shown or [asn1.parameter(self.data, tlv, [], label)]

    def short_message(self, argument: Node, readings: list[str]) -> None:
        """The TPDU in it; where the operation leaves its direction open, its own type says it."""
        originated = {reading == "map:mo-forwardSM" for reading in readings}
        for node in argument.walk():
            if node.name.endswith("sm-RP-UI") and node.body < node.end and not node.children:
                own = self.data[node.body] & 3 == 1
                sms.tpdu(
                    self.data,
                    node,
                    node.body,
                    node.end,
                    mobile_originated=own if len(originated) > 1 else True in originated,
                )
                return

    def error_code(self, tlv: Tlv) -> Node:
        decoded = self.components[self.count]
        node = tlv.node("error code")
        content = self.data[tlv.body : tlv.stop]
        if tlv.id == 0x02:
            leaf_integer(node, content, {})
            if decoded["error_code"] is not None:
                node.value = error_name(decoded, self.acn)
        elif tlv.id == 0x06:
            node.value = ber.oid(content)
        else:
            node.odd.append(f"{ber.tag_name(tlv.id)}, where an INTEGER stands")
        return node

    def error_parameter(self, tlv: Tlv, decoded: Object) -> Node:
        wanted = asn1.error(application_of(decoded, self.acn), decoded["error_code"] or 0)[1]
        return asn1.parameter(self.data, tlv, wanted, "parameter")

    def problem(self, tlv: Tlv) -> Node:
        if tlv.id not in words.PROBLEMS:
            return ber.generic(self.data, tlv)
        name, values = words.PROBLEMS[tlv.id]
        node = tlv.node(f"problem › {name}")
        leaf_integer(node, self.data[tlv.body : tlv.stop], values)
        return node


def leaf_integer(node: Node, content: bytes, named: dict[int, str]) -> None:
    value, odd = ber.integer(content)
    node.odd += odd
    node.value = content.hex() if value is None else words.spoken(value, named)


def application_of(component: Object, acn: str) -> str:
    """Whose error codes: the application of the component, else of the context, else MAP's."""
    return component["application"] or ("cap" if words.context_name(acn).startswith("CAP") else "map")


def error_name(component: Object, acn: str) -> str:
    """Number and name of a ReturnError's code; "" where it has no local one."""
    code = component["error_code"]
    return "" if code is None else f"{code} {asn1.error(application_of(component, acn), code)[0]}".rstrip()
