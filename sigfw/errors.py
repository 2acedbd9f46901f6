"""Exceptions of sigfw. Decode problems are no exceptions: they are data in the verdict.

    SigfwError
    ├── UsageError          a command line or file that cannot be used          exit 2
    ├── ConfigError         policy or configuration, with file:line, all at once exit 2
    ├── StartError          broker, topic, codec or port not as needed           exit 2
    └── RunError            a fault while running                                exit 3

Each message is one line (ConfigError: one a mistake) that says what is wrong and what to do next.
"""

from collections.abc import Iterable


class SigfwError(Exception):
    """Base of all of them. `exit_status` is what the command line returns."""

    exit_status = 3


class UsageError(SigfwError):
    """The arguments, or a file they name, cannot be used."""

    exit_status = 2


class ConfigError(SigfwError):
    """A policy or a configuration with mistakes.

    mistakes: one line each, `file:line: what is wrong; what to do`, in the order of file and line.
    files: those that were read, as far as is known.
    """

    exit_status = 2

    def __init__(self, mistakes: list[str], files: Iterable[str] = ()) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes
        self.files = tuple(files)


class StartError(SigfwError):
    """What the service needs from outside is not there."""

    exit_status = 2


class RunError(SigfwError):
    """The service met a fault it cannot go on with."""

    exit_status = 3
