"""sigfw policy import: rules of other firewalls as a policy."""

from pathlib import Path

import click

from sigfw.policy.sigfw_json import import_sigfw_json


@click.group("import")
def command() -> None:
    """Turn the rules of another firewall into a policy."""


@command.command("sigfw-json")
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
def sigfw_json(path: Path) -> None:
    """Print a policy made from an ss7fw.json of P1 Security's SigFW.

    Comments say what SigFW let through by a rule, and every key that has no place in a policy. Credentials and keys in
    FILE are not printed.
    """
    click.echo(import_sigfw_json(path), nl=False)
