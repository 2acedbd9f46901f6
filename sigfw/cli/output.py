"""How messages look on a terminal: fixed columns, a line a message; and what goes to stderr beside them."""

import datetime
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from sigfw import names
from sigfw.errors import UsageError

Object = dict[str, Any]

MIN_KEY_OCTETS = 16


def party(p: Object | None) -> str:
    """`digits/ssn`, or `pc-ssn` where there is no GT; `-` where there is nothing."""
    if p is None:
        return "-"
    ssn = "" if p["ssn"] is None else f"/{p['ssn']}"
    if p["digits"] is not None:
        return f"{p['digits'] or '(no digits)'}{ssn}"
    return f"pc {p['pc']}{ssn}" if p["pc"] is not None else f"no GT{ssn}"


def operations(message: Object) -> str:
    """What the components do: operation names, results and errors marked."""
    tcap = message["tcap"]
    if tcap is None:
        management = (message["sccp"] or {}).get("management")
        return str(management["type"]) if management else "-"
    marks = {"invoke": "", "returnResultLast": "=", "returnResultNotLast": "~", "returnError": "!", "reject": "?"}
    parts = []
    for c in tcap["components"]:
        name = c["operation"] or ("-" if c["opcode"] is None else c["opcode"])
        parts.append(f"{marks[c['type']]}{name}")
    return f"{tcap['type']} {', '.join(parts)}".rstrip()


def identity(message: Object) -> str:
    found = message["map"] or {}
    if found.get("imsi"):
        return f"imsi {found['imsi']}"
    return f"msisdn {found['msisdn']}" if found.get("msisdn") else "-"


def error(message: Object) -> str:
    e = message["error"]
    return f"{e['layer']} {e['code']} at {e['offset']}" if e else ""


def sccp_type(message: Object) -> str:
    sccp = message["sccp"]
    if sccp is None:
        return "-"
    segmentation = sccp["segmentation"]
    return f"{sccp['type']} +{segmentation['remaining']}" if segmentation else str(sccp["type"])


def columns(widths: Iterable[int], cells: Iterable[object]) -> str:
    return "  ".join(f"{cell!s:<{width}}" for width, cell in zip(widths, cells, strict=True)).rstrip()


class Progress:
    """A count on stderr while work is long, where stderr is a terminal and stdout is not."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.shown = sys.stderr.isatty() and not sys.stdout.isatty()
        self.next = time.monotonic() + 1

    def show(self, count: int) -> None:
        if self.shown and time.monotonic() >= self.next:
            self.next = time.monotonic() + 0.5
            click.echo(f"\r{count:,} {self.what}", err=True, nl=False)

    def end(self) -> None:
        if self.shown:
            click.echo("\r" + " " * 40 + "\r", err=True, nl=False)


def pseudonym_key(pseudonymise: bool, key_file: Path | None) -> bytes | None:
    """The key of `--pseudonymise`: that of `--key-file`, else one for this output alone."""
    if key_file is None:
        return os.urandom(32) if pseudonymise else None
    try:
        key = key_file.read_bytes().strip()
    except OSError as e:
        raise UsageError(f"{key_file}: {e.strerror}; give a readable file with the key") from None
    if len(key) < MIN_KEY_OCTETS:
        raise UsageError(f"{key_file}: {len(key)} octets are no key; give at least {MIN_KEY_OCTETS}")
    return key


def variant_option(command: Any) -> Any:
    """`--variant`, for the commands on local files."""
    text = "Dialect of MTP's label and of SCCP, where no link of the policy says otherwise."
    choice = click.Choice(names.VARIANTS[1:])
    return click.option("--variant", type=choice, default="itu", show_default=True, help=text)(command)


def date_option(command: Any) -> Any:
    """`--date`, for the commands that go by a policy: as `day`."""

    def day(_context: click.Context, _parameter: click.Parameter, value: datetime.datetime | None) -> object:
        return value.date() if value else None

    text = "The day (UTC) whose entries of lists are in force.  [default: today]"
    kind = click.DateTime(["%Y-%m-%d"])
    return click.option("--date", "day", type=kind, callback=day, metavar="YYYY-MM-DD", help=text)(command)


def pseudonymise_options(command: Any) -> Any:
    """`--pseudonymise` and `--key-file`, for the commands on local files."""
    key_help = "Key for --pseudonymise; without it, one for this output alone."
    command = click.option("--key-file", type=click.Path(path_type=Path), help=key_help)(command)
    return click.option("--pseudonymise", is_flag=True, help="Show identities as keyed pseudonyms.")(command)
