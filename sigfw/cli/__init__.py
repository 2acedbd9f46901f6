"""The command line. Each command is a module here that exposes `command`; it is imported when it is asked for."""

import errno
import importlib
import os
import signal
import sys
from typing import Final

import click

from sigfw import __version__
from sigfw.errors import SigfwError

INTERNAL_FAULT: Final = 3

COMMANDS: Final = {  # name: what it does, told by --help without importing it
    "decode": "Show what is in a capture.",
    "screen": "Show what a policy would do with a capture.",
    "explain": "Show one message as a tree, and how its verdict came about.",
    "run": "Run the service.",
    "replay": "Produce a capture to an input topic.",
    "policy": "Check, test and show policies.",
    "gt": "Look up global titles.",
    "schema": "Print the JSON Schema of records and files.",
}


class Commands(click.Group):
    """A group whose members are imported one at a time: start-up pays for what is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"sigfw.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="sigfw", message="%(prog)s %(version)s")
def cli() -> None:
    """A streaming SS7 signalling firewall."""


def main() -> None:
    """Entry point: run the command line, turn every outcome into an exit status, and no trace."""
    # Started with a closed stream (`>&-`) Python has None there.
    sys.stdin = sys.stdin or open(os.devnull)  # noqa: SIM115
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """The exit status: 0 done, 1 the answer is no, 2 bad usage, input or configuration, 3 a fault, 130 interrupted."""
    try:
        # Not cli.main: it makes status 1 of a broken pipe.
        with cli.make_context("sigfw", arguments) as context:
            cli.invoke(context)
        sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as e:
        click.echo(e.ctx.get_help() if e.ctx else str(e), err=True)
        return 2
    except click.UsageError as e:
        help_for = f"{e.ctx.command_path} --help" if e.ctx else "sigfw --help"
        _say(f"{_one_line(e.format_message()).rstrip('.?')}; see: {help_for}")
        return 2
    except click.exceptions.Exit as e:
        return e.exit_code
    except click.ClickException as e:
        _say(_one_line(e.format_message()))
        return 2
    except (KeyboardInterrupt, click.Abort):
        return 128 + signal.SIGINT
    except (BrokenPipeError, SystemExit):
        # Whoever read our output has gone (`| head`); rich makes SystemExit of it.
        _discard_output()
        return 128 + signal.SIGPIPE
    except SigfwError as e:
        if _traced():
            raise
        for line in str(e).splitlines():
            _say(line)
        return e.exit_status
    except Exception as e:
        if _traced():
            raise
        if isinstance(e, OSError) and e.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) and not e.filename:
            _discard_output()
            _say(f"the output cannot be written ({e.strerror}); make room and run again")
            return INTERNAL_FAULT
        _say(f"internal error: {type(e).__name__}: {_one_line(str(e))}; please report it with the command line")
        return INTERNAL_FAULT
    return 0


def _discard_output() -> None:
    """What is buffered must not complain at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _traced() -> bool:
    return os.environ.get("SIGFW_TRACE") == "1"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _say(line: str) -> None:
    click.echo(line, err=True)
