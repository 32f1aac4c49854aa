"""Becoming another program.

On Unix the process is replaced: process id, terminal, exit code and signals are then the program's own.
Windows cannot do that: the program runs as a child, this process ignores Ctrl-C (the console sends it
to both, and the program decides what it means) and ends with the child's exit code.
"""

import _signal  # type: ignore[import-not-found]  # `signal` would import `enum` and take longer than the rest of the proxy
import os
import sys


def become(program: str, argv: list[str]) -> int:
    """Run `program` with `argv` (its own name first) in place of this process.

    Returns the exit code on Windows, does not return on Unix. Raises `OSError` if it cannot be started.
    """
    if sys.platform == "win32":
        return _run_as_child(program, argv)
    _restore_signals()
    os.execv(program, argv)


def _restore_signals() -> None:
    """The interpreter ignores these for itself, and a program would inherit that."""
    for name in ("SIGPIPE", "SIGXFSZ"):
        number = getattr(_signal, name, None)
        if number is not None:
            _signal.signal(number, _signal.SIG_DFL)


def _run_as_child(program: str, argv: list[str]) -> int:
    _signal.signal(_signal.SIGINT, _signal.SIG_IGN)
    code: int = os.spawnv(os.P_WAIT, program, [quoted(argument) for argument in argv])
    return code


def quoted(argument: str) -> str:
    """An argument as the C library's rules for Windows command lines want it: `spawnv` quotes nothing."""
    if argument and not any(character in argument for character in ' \t\n\v"'):
        return argument
    parts = ['"']
    backslashes = 0
    for character in argument:
        if character == "\\":
            backslashes += 1
            continue
        parts.append("\\" * (2 * backslashes + 1 if character == '"' else backslashes) + character)
        backslashes = 0
    parts.append("\\" * (2 * backslashes) + '"')
    return "".join(parts)
