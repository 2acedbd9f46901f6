"""Operators by TADIG code, from YAML, CSV and IR.21: who owns which numbers, and whose else they count as."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from sigfw.policy import csvfile, ir21, schema
from sigfw.policy.model import Operator, Shared
from sigfw.policy.numbers import NumberReader
from sigfw.yamlfile import Mistakes, Node, shown

__all__ = ["KEYS", "OperatorBook"]

COLUMNS: Final = ("tadig", "country", "global_title", "imsi")
MORE_COLUMNS: Final = ("e214", "msisdn", "also")  # only under a header
NUMBERS: Final = {  # keys of an operator that hold prefixes, and what one is called
    "global_titles": "global title",
    "imsi": "imsi",
    "e214": "e214",
    "msisdn": "msisdn",
}
KEYS: Final = ("tadig", "country", *NUMBERS, "also", "file")
CODE: Final = r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}"
CODE_MUST: Final = "write the code of GSMA TD.13, such as GBRXX"


class OperatorBook(NumberReader):
    """Rows and entries of one code add up; a prefix belongs to one operator."""

    def __init__(self, mistakes: Mistakes, as_of: dict[str, str]) -> None:
        super().__init__(mistakes)
        self.as_of = as_of  # file:line of a date in a file -> the date
        self.country: dict[str, str] = {}
        self.where: dict[str, str] = {}
        self.owner: dict[tuple[str, str], str] = {}  # (key, prefix) -> code
        self.also: dict[tuple[str, str], tuple[str, ...]] = {}  # of prefixes where something is said
        self.named: dict[str, Node] = {}  # by `also`

    def operators(self) -> list[Operator]:
        for code, node in self.named.items():
            if code != "home" and code not in self.country:
                hint = self.hint(node, code, self.country)
                self.mistakes.at(node, f"unknown operator {shown(code)} in also; {hint}")
        numbers: dict[str, dict[str, list[str]]] = {code: {} for code in self.country}
        shared: dict[str, list[Shared]] = {}
        for (key, prefix), code in self.owner.items():
            numbers[code].setdefault(key, []).append(prefix)
            also = self.also.get((key, prefix))
            if also is not None:
                shared.setdefault(code, []).append(Shared(key=key, prefix=prefix, also=also))
        return [
            Operator(
                tadig=code,
                country=self.country[code],
                shared=tuple(shared.get(code, ())),
                where=self.where[code],
                **{key: tuple(prefixes) for key, prefixes in by_key.items()},
            )
            for code, by_key in numbers.items()
        ]

    def take(self, found: Mapping[str, Node]) -> None:
        """An entry of YAML: its values by key."""
        self.add(
            found["tadig"],
            found.get("country"),
            {key: self.items(found[key], key) for key in NUMBERS if key in found},
            self.one_or_more(found["also"]) if "also" in found else None,
        )

    def read(self, path: Path, named_by: Node) -> None:
        """A file: IR.21 if it is XML, else CSV."""
        if ir21.is_xml(path):
            for network in ir21.networks(path, self.mistakes, named_by, self.as_of):
                others = [code for code in network.numbers if code is not network.tadig]
                for code, numbers in network.numbers.items():
                    own = code is network.tadig
                    self.add(code, network.country if own else None, numbers, (others or None) if own else None)
        else:
            self._rows(path, named_by)

    def _rows(self, path: Path, named_by: Node) -> None:
        for line, row in csvfile.rows(path, COLUMNS, self.mistakes, named_by, more=MORE_COLUMNS, as_of=self.as_of):
            tadig, country, *numbers, also = (Node("scalar", str(path), line, cell.strip()) for cell in row)
            if not any(one.text for one in numbers):
                self.mistakes.at(
                    tadig, "the row has no global title and no IMSI; write tadig,country,global_title,imsi"
                )
                continue
            by_key = {key: _split(cell) for key, cell in zip(NUMBERS, numbers, strict=True)}
            self.add(tadig, country if country.text else None, by_key, _split(also) or None)

    def add(
        self, tadig: Node, country: Node | None, numbers: Mapping[str, list[Node]], also: list[Node] | None
    ) -> None:
        code = self._code(tadig, "tadig")
        if code == "home":
            self.mistakes.at(tadig, "the operator `home` is made of `home`; write its TADIG code")
            code = None
        iso = self.text(country, "country", r"[A-Z]{2}", schema.COUNTRY_MUST) if country else ""
        if iso == "UK" and country:
            self.mistakes.at(country, "country UK is no code of ISO 3166; write GB")
        found = [(key, node, digits) for key, node, digits in self._digits(numbers) if digits is not None]
        others = None if also is None else self._others(also, code)
        if code is None or not self._known(code, iso or "", tadig):
            return
        for key, node, digits in found:
            self._own(key, digits, code, node)
            if others is not None:
                said = self.also.get((key, digits)) or ()
                self.also[key, digits] = tuple(sorted({*said, *others}))

    def _code(self, node: Node, what: str) -> str | None:
        return self.text(node, what, CODE, CODE_MUST)

    def _digits(self, numbers: Mapping[str, list[Node]]) -> Iterator[tuple[str, Node, str | None]]:
        for key, nodes in numbers.items():
            imsi = key == "imsi"
            for node in nodes:
                yield key, node, self.digits(node, NUMBERS[key], zero=imsi, least=5 if imsi else 1)

    def _others(self, nodes: list[Node], code: str | None) -> list[str]:
        found = []
        for node in nodes:
            other = self._code(node, "also")
            if other is not None and other == code:
                self.mistakes.at(node, f"also names {code} itself; name the other operator")
            elif other is not None:
                self.named.setdefault(other, node)
                found.append(other)
        return found

    def _known(self, code: str, country: str, node: Node) -> bool:
        if code not in self.country:
            self.country[code], self.where[code] = country, node.where
        elif country and self.country[code] and country != self.country[code]:
            self.mistakes.at(node, f"operator {code} is of {self.country[code]} and of {country}; mend one of them")
            return False
        self.country[code] = self.country[code] or country
        return True

    def _own(self, key: str, digits: str, code: str, node: Node) -> None:
        owner = self.owner.setdefault((key, digits), code)
        if owner != code:
            self.mistakes.at(node, f"the prefix {digits} of {code} is {owner}'s already; give it to one of them")


def _split(cell: Node) -> list[Node]:
    """Several prefixes may stand in a cell, with semicolons between."""
    return [Node("scalar", cell.file, cell.line, part.strip()) for part in cell.text.split(";")] if cell.text else []
