"""Values of ASN.1 types: what a description names, and the mandatory rest made up from ranges kept for fiction."""

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from sigfw.messages.forms import Route, bounds, kind_of, type_names
from sigfw.messages.octets import bcd
from sigfw.policy import schema
from sigfw.yamlfile import Mistakes, Node, Reader, shown

Given: TypeAlias = "Node | dict[str, Given] | None"  # what is named of a value: all of it, some members, nothing

MAX_DEPTH: Final = 12  # of members within members; nothing that names somebody lies deeper
EXTENSIONS: Final = ("ExtensionContainer", "Extensions", "PCS-Extensions")
MOBILE_TERMINATED: Final = ("imsi", "lmsi", "roamingNumber", "serviceCentreAddressOA")  # TS 29.002 7.6.8.1, 7.6.8.2
USUAL: Final = {  # octets by member or type, where some of the right length would be odd
    "ss-Code": "21",  # call forwarding unconditional
    "SS-Code": "21",
    "Ext-TeleserviceCode": "11",  # telephony
    "USSD-DataCodingScheme": "0f",
    "USSD-String": "aa180c3602",
    "GSN-Address": "04c0000201",  # 192.0.2.1 (RFC 5737)
    "GlobalCellId": "00f11000010001",  # MCC 001, MNC 01
    "AccessPointName": "08696e7465726e6574",
    "SignalInfo": "0401a0",  # of gsm-0408: a bearer capability (TS 24.008 10.5.4.5)
    "correlationID": "00031021",  # Q.763 3.26
    "LongSignalInfo": "000420040109",  # BSSMAP: CLEAR COMMAND, call control (TS 48.008 3.2.1.21)
    "AllCallSegments": "8490",  # Q.850: normal call clearing
    "AChBillingChargingCharacteristics": "a0058003008ca0",
    "ApplyChargingReportArg": "a00da003810101a10380011a820100",
    "FurnishChargingInformationArg": "a00b800401020304a103800101",
    "FurnishChargingInformationSMSArg": "a006800401020304",
    "FurnishChargingInformationGPRSArg": "a006800401020304",
    "SCIBillingChargingCharacteristics": "a002a000",
    "SCIGPRSBillingChargingCharacteristics": "a002a000",
    "LegType": "01",
    "TMSI": "12345678",
    "LMSI": "00000001",
    "TimeAndTimezone": "0262111203000000",
}
IMEI: Final = "001010101010105"  # a TAC that begins 00 is for tests
ASKED: Final = ("locationInformation", "subscriberState")  # of RequestedInfo, where nothing is said


@dataclass
class Numbers:
    """Whose numbers stand where the description names none."""

    calling: str
    called: str
    imsi: str
    msisdn: str


def members(obj: Any, name: str, *, terminated: bool) -> dict[str, Any]:
    """Members of a constructed type; of a short message's addresses those that its direction has."""
    found: dict[str, Any] = obj._cont
    if name not in ("sm-RP-DA", "sm-RP-OA"):
        return found
    return {one: part for one, part in found.items() if (one in MOBILE_TERMINATED) == terminated or "noSM" in one}


def every(obj: Any, name: str, terminated: bool) -> Iterator[tuple[Route, Any]]:
    """(route, type) of everything within a type, the shallowest first."""
    queue: deque[tuple[Route, str, Any]] = deque([((), name, obj)])
    while queue:
        route, name, one = queue.popleft()
        yield route, one
        if len(route) >= MAX_DEPTH or any(t in EXTENSIONS for t in type_names(one)):
            continue
        if one.TYPE in ("SEQUENCE", "SET", "CHOICE"):
            queue.extend(
                ((*route, member), member, part) for member, part in members(one, name, terminated=terminated).items()
            )
        elif one.TYPE.endswith(" OF"):
            queue.append(((*route, "[]"), name, one._cont))


class Filler(Reader):
    """Makes the value of one argument, result or parameter.

    speakers: members that name who sends; every address is the sender's where there are none of them (None).
    terminated: a short message goes to the mobile. tpdu: that short message.
    """

    def __init__(
        self,
        mistakes: Mistakes,
        numbers: Numbers,
        *,
        speakers: tuple[str, ...] | None,
        terminated: bool,
        tpdu: bytes,
    ) -> None:
        super().__init__(mistakes)
        self.numbers = numbers
        self.speakers = speakers
        self.terminated = terminated
        self.tpdu = tpdu

    def make(self, obj: Any, name: str, given: Given) -> Any:
        """A value that pycrate encodes. What is mandatory is there but where it is named with nothing after it."""
        if isinstance(given, Node) and (obj.TYPE in ("SEQUENCE", "SET", "CHOICE") or obj.TYPE.endswith(" OF")):
            return self.written(obj, name, given)
        if obj.TYPE == "CHOICE":
            return self.choice_of(obj, name, given if isinstance(given, dict) else {})
        if obj.TYPE in ("SEQUENCE", "SET"):
            return self.members_of(obj, given if isinstance(given, dict) else {})
        if obj.TYPE.endswith(" OF"):
            low, _ = bounds(obj._const_sz, 1, 1)
            first = given.get("[]") if isinstance(given, dict) else None
            return [self.make(obj._cont, name, first)] + [self.make(obj._cont, name, None)] * (max(low, 1) - 1)
        return self.leaf(obj, name, given if isinstance(given, Node) else None)

    def written(self, obj: Any, name: str, node: Node) -> Any:
        """A constructed value of which all is written out; what is mandatory and left out is made up all the same."""
        if obj.TYPE.endswith(" OF"):
            return [self.make(obj._cont, name, one) for one in self.one_or_more(node)]
        known = members(obj, name, terminated=self.terminated)
        if node.kind == "mapping":
            pairs = list(self.mapping(node, name or "the argument"))
        else:  # names alone: members that say something by being there
            pairs = [(one, Node("scalar", one.file, one.line, "true")) for one in self.one_or_more(node)]
        given: dict[str, Given] = {}
        for key, value in pairs:
            if key.text in known:
                given[key.text] = value
            else:
                what = f"{name or 'the argument'} has no {shown(key.text)}"
                self.mistakes.at(key, f"{what}; {self.hint(key, key.text, known)}")
        return self.make(obj, name, given)

    def choice_of(self, obj: Any, name: str, given: dict[str, Given]) -> Any:
        known = members(obj, name, terminated=self.terminated)
        if len(given) > 1:
            node = next((one for one in given.values() if isinstance(one, Node)), None)
            if node is not None:
                self.mistakes.at(node, f"{name} is one of {', '.join(given)}; name one of them")
        identities = (one for one, part in known.items() if kind_of(one, part) in ("imsi", "msisdn"))
        senders = (one for one in known if one in (self.speakers or ()))
        chosen = (*given, *identities, *senders, *known)[0]
        return chosen, self.make(obj._cont[chosen], chosen, given.get(chosen))

    def members_of(self, obj: Any, given: dict[str, Given]) -> dict[str, Any]:
        value = {}
        if not given and "RequestedInfo" in type_names(obj):
            return dict.fromkeys(ASKED, 0)
        for member, part in obj._cont.items():
            said = given.get(member)
            if isinstance(said, Node) and said.empty:
                continue
            if said is not None or (not part._opt and part._def is None and member in obj._root):
                value[member] = self.make(part, member, said)
        return value

    # ---- leaves

    def leaf(self, obj: Any, name: str, node: Node | None) -> Any:
        if node is not None and (node.kind == "list" or (node.kind == "mapping" and not kind_of(name, obj))):
            self.mistakes.at(node, f"{name or 'the argument'} is a {node.kind}; write one value ({obj.TYPE})")
            node = None
        kind = obj.TYPE
        if kind == "OCTET STRING":
            return self.octets(obj, name, node)
        if kind == "INTEGER":
            low, high = bounds(obj._const_val, 0, 255)
            said = self.integer(node, name, low, high) if node else None
            return max(low, min(1, high)) if said is None else said
        if kind == "ENUMERATED":
            chosen = self.choice(node, name, list(obj._cont)) if node else None
            return chosen or next(iter(obj._cont))
        if kind == "BOOLEAN":
            truth = self.boolean(node, name) if node else None
            return True if truth is None else truth
        if kind == "BIT STRING":
            low, _ = bounds(obj._const_sz, 1, 16)
            bits = self.text(node, name, "[01]{1,64}", "write its bits, as 0101") if node else None
            return (int(bits, 2), len(bits)) if bits else (0, low)
        if kind == "NULL":
            if node is not None:
                self.choice(node, name, ("true",))
            return 0
        if kind in ("NumericString", "IA5String"):
            low, _ = bounds(obj._const_sz, 1, 1)
            return (self.text(node, name) if node else None) or "1" * low
        if kind == "OBJECT IDENTIFIER":
            oid = self.text(node, name, r"[0-9]+(\.[0-9]+)+", "write an OID, as 1.3.6.1") if node else None
            return tuple(map(int, (oid or "1.3.6.1").split(".")))
        if node is not None:
            self.mistakes.at(node, f"{name} ({kind}) cannot be written by its value; give the whole `argument` in hex")
        return "_unk_004", b"\x04\x01\x55"

    def octets(self, obj: Any, name: str, node: Node | None) -> bytes:
        kind = kind_of(name, obj)
        if node is not None:
            made = self.number(node, name, kind) if kind else self.raw(node, name)
            return made if made is not None else b"\0"
        if kind in ("imsi", "imei"):
            return bcd(self.numbers.imsi if kind == "imsi" else IMEI)
        if kind == "msisdn":
            return address(self.numbers.msisdn)
        if kind in ("address", "isup", "generic"):
            sender = self.speakers is None or name in self.speakers
            digits = self.numbers.calling if sender else self.numbers.called
            return address(digits) if kind == "address" else isup(digits, kind)
        if name == "sm-RP-UI":
            return self.tpdu
        for key in (name, *type_names(obj)):
            if key in USUAL:
                return bytes.fromhex(USUAL[key])
        low, _ = bounds(obj._const_sz, 1, 1)
        return bytes(max(low, 1))

    def raw(self, node: Node, name: str) -> bytes | None:
        text = self.text(node, name, "(0x)?([0-9A-Fa-f]{2}){0,4096}", "write octets as hex digits in pairs")
        return None if text is None else bytes.fromhex(text.removeprefix("0x"))

    def number(self, node: Node, name: str, kind: str) -> bytes | None:
        """Octets of an identity or address: digits, a mapping of digits, nai and np, or 0x and the octets."""
        said = {"digits": node}
        if node.kind == "mapping":
            said = self.fields(node, name, ("digits", "nai", "np"), ("digits",))
        text = self.text(said["digits"], name, *DIGITS) if "digits" in said else None
        if text is None:
            return None
        if text.startswith("0x"):
            return bytes.fromhex(text[2:])
        if kind in ("tmsi", "lmsi"):
            return self.raw(said["digits"], name)
        if kind in ("imsi", "imei"):
            return bcd(text)
        nai = self.word(said.get("nai"), "nai", STRING_NATURES, 7)
        np = self.word(said.get("np"), "np", schema.NUMBERING_PLANS, 15)
        return address(text, nai, np) if kind in ("address", "msisdn") else isup(text, kind, nai, np)

    def word(self, node: Node | None, what: str, words: dict[str, int], high: int) -> int:
        """A number or its word; 1 where it is left out: international, E.164."""
        if node is None:
            return 1
        if node.kind == "scalar" and re.fullmatch("0x[0-9A-Fa-f]+|[0-9]+", node.text):
            return self.integer(node, what, 0, high) or 0
        return words.get(self.choice(node, what, words) or "", 1)


DIGITS: Final = ("[0-9a-e]{1,20}|0x([0-9A-Fa-f]{2}){1,40}", "write 1 to 20 digits, or 0x and the octets in hex")
STRING_NATURES: Final = {"unknown": 0, "international": 1, "national": 2, "subscriber": 4}  # TS 29.002 17.7.8


def address(digits: str, nai: int = 1, np: int = 1) -> bytes:
    """AddressString (TS 29.002 17.7.8): no extension, nature of address, numbering plan, TBCD."""
    return bytes((0x80 | nai << 4 | np,)) + bcd(digits)


def isup(digits: str, kind: str, nai: int = 1, np: int = 1) -> bytes:
    """Q.763 3.9, and 3.26 with a qualifier before: odd and nature of address, plan, digits with 0 as filler."""
    nature = {0: 2, 1: 4, 2: 3, 4: 1}.get(nai, nai)
    head = b"\x06" if kind == "generic" else b""
    return head + bytes((len(digits) % 2 << 7 | nature, np << 4)) + bcd(digits, "0")
