"""Becoming another program.

A program of the same release needs nothing new: it is Python for the interpreter that runs already, and to start
that once more would take longer than all the rest of the proxy. So its code is run right here.

Otherwise, on Unix the process is replaced: process id, terminal, exit code and signals are then the program's own.
Windows cannot do that: the program runs as a child, this process ignores Ctrl-C (the console sends it
to both, and the program decides what it means) and ends with the child's exit code.
"""

import _signal  # type: ignore[import-not-found]  # `signal` would import `enum` and take longer than the rest of the proxy
import os
import sys

PROGRAM = "spacetime-program"
"""The option of the interpreter by which the launcher of a release tells which program it is."""
MODULES = {"spacetimedb-cli": "spacetimedb_cli.__main__"}
"""The programs of a release that the proxy hands over to."""


class Damaged(Exception):
    """The release that this process is of lacks a part."""


def is_beside(program: str) -> bool:
    """Does `program` belong to the release that this process, and the interpreter in it, is of?"""
    folder = os.path.dirname(str(sys._xoptions.get(PROGRAM, "")))
    if not folder or sys.prefix != os.path.join(folder, "runtime") or not os.access(program, os.X_OK):
        return False
    return os.path.dirname(os.path.realpath(program)) == folder


def go_on_as(program: str, argv: list[str]) -> int:
    """Run a program that `is_beside`, in this process; its exit code, unless it exits itself. Raises `Damaged`."""
    name = os.path.splitext(os.path.basename(program))[0]
    sys.argv = argv
    sys._xoptions[PROGRAM] = os.path.realpath(program)
    try:
        module = __import__(MODULES[name], fromlist=["main"])  # by name: no program knows the others
    except (ImportError, EOFError, ValueError) as error:  # modules that are gone, or damaged
        raise Damaged(str(error)) from None
    module.main()
    return 0


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
