"""RAEX IR.21: the XML in which operators tell each other their numbers. Streamed; what is not asked for is passed over.

TADIGRAEXIR21 ─► RAEXIR21FileHeader/FileCreationTimestamp
              └► OrganisationInfo ─► CountryInitials
                                  └► NetworkList/Network ─► TADIGCode
                                                         ├► CCITT_E212_NumberSeries: MCC, MNC
                                                         ├► CCITT_E214_MGT: MGT_CC, MGT_NC
                                                         ├► GT_NumberRanges, MSISDN_NumberRanges / RangeData
                                                         └► NwNodeList/NwNode/GTAddressInfo
Names of elements are taken without their namespace, and where they stand is asked as far as it decides what they mean.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from xml.parsers import expat

from sigfw.policy.countries import ALPHA_2
from sigfw.policy.numbers import is_date
from sigfw.yamlfile import Mistakes, Node, shown

__all__ = ["Network", "is_xml", "networks"]

CHUNK: Final = 1 << 16
MAX_TOKEN: Final = 1 << 20  # octets of a tag or the like, which the parser has to keep whole
MAX_DEPTH: Final = 64  # IR.21 has some 15
MAX_TEXT: Final = 64  # characters that are kept of a value: numbers, codes, a date
MAX_NUMBERS: Final = 1_000_000  # of one network, kept until its end
TADIG: Final = r"[A-Z0-9]{5}"
NUMBER: Final = ("MCC", "MNC", "MGT_CC", "MGT_NC", "CC", "NDC", "SN_RangeStart", "SN_RangeStop", "NetworkOwner")
LEAVES: Final = frozenset(("FileCreationTimestamp", "CountryInitials", "TADIGCode", *NUMBER))
RANGES: Final = {"GT_NumberRanges": "global_titles", "MSISDN_NumberRanges": "msisdn"}
# What ends with these is taken; what is read within them is forgotten when another begins.
PARTS: Final = frozenset(("CCITT_E212_NumberSeries", "CCITT_E214_MGT", "RangeData", "GTAddressInfo"))


@dataclass
class Network:
    tadig: Node
    country: Node | None
    # By TADIG code: its own, and of ranges whose NetworkOwner is another, theirs. Keys as an operator's.
    numbers: dict[Node, dict[str, list[Node]]] = field(default_factory=dict)


class _Refused(Exception):
    """The file is not read on."""


def is_xml(path: Path) -> bool:
    """Whether a file begins as XML does. One that cannot be opened is told by who reads it."""
    if not path.is_file():  # to open a pipe may take for ever
        return False
    try:
        if not path.is_file():  # a pipe would wait
            return False
        with path.open("rb") as f:
            start = f.read(64)
    except OSError:
        return False
    return start.startswith((b"\xff\xfe<", b"\xfe\xff\0<")) or start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<"


def networks(path: Path, mistakes: Mistakes, named_by: Node, as_of: dict[str, str]) -> Iterator[Network]:
    """Yield the networks of a file, each at its end. as_of: gets the file's own date, by its file:line."""
    reader = _Reader(path, mistakes, as_of)
    try:
        with path.open("rb") as f:
            fed = 0
            while True:
                chunk = f.read(CHUNK)
                fed += len(chunk)
                reader.parser.Parse(chunk, not chunk)
                yield from reader.found
                reader.found.clear()
                if not chunk:
                    break
                if fed - reader.parser.CurrentByteIndex > MAX_TOKEN:
                    raise _Refused(f"has a tag or text of more than {MAX_TOKEN >> 20} MB; check that it is IR.21")
    except OSError as e:
        mistakes.at(named_by, f"{path} cannot be read ({e.strerror or e}); check the path and its permissions")
    except expat.ExpatError as e:
        mistakes.add(str(path), e.lineno, f"is no XML here ({expat.ErrorString(e.code)}); check that the file is whole")
    except _Refused as e:
        mistakes.add(str(path), reader.line, str(e))
    else:
        if not reader.networks:
            mistakes.add(str(path), 1, "has no Network; give a RAEX IR.21 file, or CSV")


class _Reader:
    """Handlers of the parser: a stack of names, the values of the part that is open, the numbers of the network."""

    def __init__(self, path: Path, mistakes: Mistakes, as_of: dict[str, str]) -> None:
        self.file = str(path)
        self.mistakes = mistakes
        self.as_of = as_of
        self.found: list[Network] = []
        self.networks = 0
        self.stack: list[str] = []
        self.text: list[str] | None = None
        self.kept = 0  # characters in `text`
        self.values: dict[str, str] = {}
        self.country: Node | None = None
        self.tadig: Node | None = None
        self.numbers: list[tuple[str, str, Node]] = []  # owner ("": the network), key, number
        parser = self.parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters

    @property
    def line(self) -> int:
        return self.parser.CurrentLineNumber

    def _doctype(self, *_: object) -> None:
        """Entities are declared there: files that grow without bound, or that name other files."""
        raise _Refused("declares a document type, which IR.21 has not; remove the <!DOCTYPE …>")

    def _start(self, name: str, _attributes: object) -> None:
        local = name.rpartition(":")[2]
        if len(self.stack) == MAX_DEPTH:
            raise _Refused(f"nests deeper than {MAX_DEPTH} elements; check that it is IR.21")
        if not self.stack and local != "TADIGRAEXIR21":
            raise _Refused(f"begins with {shown(local)}; give a RAEX IR.21 file (TADIGRAEXIR21), or CSV")
        self.stack.append(local)
        self.text, self.kept = ([] if local in LEAVES else None), 0
        if local in PARTS:
            self.values = {}
        elif local == "Network":
            self.tadig = None
            self.numbers = []

    def _characters(self, text: str) -> None:
        if self.text is not None and self.kept < MAX_TEXT:
            self.text.append(text[: MAX_TEXT - self.kept])
            self.kept += len(text)

    def _end(self, name: str) -> None:
        local = self.stack.pop()
        if self.text is not None:
            self._value(local, "".join(self.text).strip())
            self.text = None
        elif local == "Network":
            self._network()
        elif local in PARTS and "Network" in self.stack:
            self._part(local, self.stack[-1])

    def _value(self, local: str, text: str) -> None:
        above = self.stack[-1] if self.stack else ""
        if local == "TADIGCode":
            if above == "Network":
                self.tadig = self._node(text)
        elif local == "CountryInitials":
            self.country = self._node(ALPHA_2[text.upper()]) if text.upper() in ALPHA_2 else None
        elif local == "FileCreationTimestamp":
            self._date(text)
        else:
            self.values[local] = text

    def _date(self, text: str) -> None:
        date = text[:10] if "-" in text else f"{text[:4]}-{text[4:6]}-{text[6:8]}"
        if is_date(date):
            self.as_of[f"{self.file}:{self.line}"] = date
        else:
            self.mistakes.add(self.file, self.line, f"FileCreationTimestamp {shown(text)} is no date; mend it")

    def _part(self, local: str, above: str) -> None:
        value = self.values.get
        if local == "CCITT_E212_NumberSeries":
            self._number("imsi", value("MCC", "") + value("MNC", ""))
        elif local == "CCITT_E214_MGT":
            self._number("e214", value("MGT_CC", "") + value("MGT_NC", ""))
        elif local == "GTAddressInfo" and above == "NwNode":
            self._range("global_titles")
        elif local == "RangeData" and above in RANGES:
            self._range(RANGES[above])

    def _range(self, key: str) -> None:
        """CC and NDC, and all subscribers' numbers behind them or those from start to stop."""
        value = self.values.get
        start, stop = value("SN_RangeStart", ""), value("SN_RangeStop", "") or value("SN_RangeStart", "")
        parts = prefixes(start, stop)
        if parts is None:
            told = f"{shown(start)} to {shown(stop)}"
            self.mistakes.add(
                self.file, self.line, f"the range {told} is none: digits, as many in both, the lower first"
            )
            return
        owner = value("NetworkOwner", "")
        for part in parts:
            self._number(key, value("CC", "") + value("NDC", "") + part, owner)

    def _number(self, key: str, digits: str, owner: str = "") -> None:
        if len(self.numbers) == MAX_NUMBERS:
            raise _Refused(f"has a Network of more than {MAX_NUMBERS} numbers; check that it is IR.21")
        self.numbers.append((owner if re.fullmatch(TADIG, owner) else "", key, self._node(digits)))

    def _network(self) -> None:
        self.networks += 1
        if self.tadig is None:
            self.mistakes.add(self.file, self.line, "the Network that ends here has no TADIGCode; add it")
            return
        network = Network(self.tadig, self.country)
        codes = {self.tadig.text: self.tadig}
        for owner, key, node in self.numbers:
            code = codes.setdefault(owner or self.tadig.text, self._node_at(owner, node.line))
            network.numbers.setdefault(code, {}).setdefault(key, []).append(node)
        network.numbers.setdefault(self.tadig, {})
        self.found.append(network)
        self.tadig, self.numbers = None, []

    def _node(self, text: str) -> Node:
        return self._node_at(text, self.line)

    def _node_at(self, text: str, line: int) -> Node:
        return Node("scalar", self.file, line, text)


def prefixes(start: str, stop: str) -> list[str] | None:
    """The fewest prefixes that stand for all numbers from start to stop; None: that is no range.

    Cost: at most 18 a digit.
    """
    digits = len(start)
    if not digits and not stop:
        return [""]
    if not (start + stop).isascii() or not (start + stop).isdecimal() or len(stop) != digits or start > stop:
        return None
    low, high = int(start), int(stop)
    found = []
    while low <= high:
        size, cut = 1, 0
        while cut < digits and low % (size * 10) == 0 and low + size * 10 - 1 <= high:
            size, cut = size * 10, cut + 1
        found.append(str(low // size).zfill(digits - cut) if cut < digits else "")
        low += size
    return found
