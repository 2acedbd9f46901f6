"""sigfw schema: JSON Schema of what is written and read."""

from collections.abc import Callable
from typing import Any, Final

import click
import orjson

from sigfw import config, schemas
from sigfw.policy import schema

SCHEMAS: Final[dict[str, Callable[[], Any]]] = {
    "verdict": schemas.verdict_schema,
    "event": schemas.event_schema,
    "policy": schema.policy_schema,
    "config": config.schema,
}


@click.command("schema")
@click.argument("name", metavar="[verdict|event|policy|config]", type=click.Choice(list(SCHEMAS)))
def command(name: str) -> None:
    """Print the JSON Schema of a record or a file."""
    click.echo(orjson.dumps(SCHEMAS[name](), option=orjson.OPT_INDENT_2))
