"""sigfw policy compile: a policy as a file that is mapped."""

from pathlib import Path

import click

from sigfw.errors import UsageError
from sigfw.policy import compiled
from sigfw.policy.compiler import compiler_of
from sigfw.policy.loader import load


@click.command("compile")
@click.argument("path", metavar="POLICY", type=click.Path(path_type=Path))
@click.option("-o", "--output", "out", type=click.Path(path_type=Path), required=True, help="The file to write.")
def command(path: Path, out: Path) -> None:
    """Write POLICY, checked, with its prefix tables, as a file that stands wherever a policy file does.

    It is ready at once, and its memory is counted once however many processes use it. It is of this version of sigfw,
    and of the days until an entry of a list begins or ends; from then on each process makes tables for itself.
    """
    policy = load(path)
    if out.exists() and not (out.is_file() and compiled.is_compiled(out)):
        raise UsageError(f"{out} is no compiled policy, and is not overwritten; name another file with -o")
    compiler = compiler_of(policy)
    tables = compiler.tables()
    octets = compiled.write(compiler, out)
    prefixes = sum(tables.list_sizes().values())
    until = f"; until {policy.changes}, when entries of lists begin or end" if policy.changes else ""
    click.echo(f"{out}: {tables.name} {tables.digest}, {prefixes} prefixes, {octets} octets{until}")
