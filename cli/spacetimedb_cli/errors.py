"""What can go wrong, by whose fault it is, and how it is told.

An error's text is one sentence with the cause and what to do next. Its `__cause__` chain, where one
was given with `raise … from …`, is printed below it.
"""

from __future__ import annotations

from collections.abc import Iterator


class CliError(Exception):
    """Ends the command with `exit_code` after its text was printed."""

    exit_code = 1


class ArgumentError(CliError):
    """The command line itself is wrong."""

    exit_code = 2


class UserError(CliError):
    """What the user asked for, or wrote into a file, cannot be."""


class PeerError(CliError):
    """The server refused or answered something that makes no sense."""


class HostError(CliError):
    """The machine or the network would not do it."""


def report(error: BaseException) -> str:
    """`Error: …`, and the causes behind it if there are any, as it is shown on standard error."""
    causes = [describe(cause) for cause in _causes(error)]
    if not causes:
        return f"Error: {describe(error)}"
    if len(causes) == 1:
        lines = [_indented(causes[0], "    ")]
    else:
        lines = [_indented(text, f"    {number}: ") for number, text in enumerate(causes)]
    return "\n".join([f"Error: {describe(error)}", "", "Caused by:", *lines])


def describe(error: BaseException) -> str:
    """An error's own sentence, without its causes."""
    if isinstance(error, OSError) and error.strerror and not isinstance(error, CliError):
        number = f" (os error {error.errno})" if error.errno is not None else ""
        return f"{error.strerror}{number}"
    return str(error) or type(error).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause = error.__cause__
    while cause is not None:
        yield cause
        cause = cause.__cause__


def _indented(text: str, head: str) -> str:
    first, *rest = text.split("\n")
    return "\n".join([head + first, *(" " * len(head) + line for line in rest)])
