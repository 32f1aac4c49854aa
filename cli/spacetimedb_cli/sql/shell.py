"""The interactive SQL shell: a statement a line, until `.exit` or the end of input."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from spacetimedb_cli.errors import CliError, report
from spacetimedb_cli.sql.results import duration, read_results, tables
from spacetimedb_cli.terminal import Terminal

BANNER = """\
┌──────────────────────────────────────────────────────────┐
│ .exit: Exit the REPL                                     │
│ .clear: Clear the Screen                                 │
│                                                          │
│ Give us feedback in our Discord server:                  │
│    https://discord.gg/w2DVqNZXdN                         │
└──────────────────────────────────────────────────────────┘"""
GREEN, RED, PLAIN = "\x1b[32m", "\x1b[31m", "\x1b[0m"
CLEAR_SCREEN = "\x1b[2J\x1b[1;1H"


def shell(terminal: Terminal, database: str, ask: Callable[[str], str], history: Path) -> None:
    """Read statements and show what `ask` (statement to JSON text) answers; its errors end no shell."""
    terminal.out(BANNER)
    with _line_editing(terminal, history):
        while True:
            try:
                line = _read(terminal, f"🪐{database}>").strip()
            except (EOFError, KeyboardInterrupt):
                terminal.out("Aborted!")
                return
            if line == ".exit":
                return
            if line == ".clear":
                terminal.out(CLEAR_SCREEN, end="")
            elif line:
                _run(terminal, line, ask)


def _run(terminal: Terminal, statement: str, ask: Callable[[str], str]) -> None:
    started = time.monotonic()
    try:
        results = read_results(ask(statement))
        taken = time.monotonic() - started
        for result in results:
            terminal.out(f"{tables([result])}\n{result.summary()}")
        terminal.out(f"Roundtrip time: {duration(taken)}\n")
    except CliError as error:
        text = report(error)
        terminal.err(f"{RED}{text}{PLAIN}" if terminal.shows_colors else text)


def _read(terminal: Terminal, prompt: str) -> str:
    if terminal.is_interactive:
        # Control characters are bracketed so that line editing counts the prompt's width right.
        return input(f"\x01{GREEN}\x02{prompt}\x01{PLAIN}\x02 ")
    return terminal.read_line()


@contextlib.contextmanager
def _line_editing(terminal: Terminal, history: Path) -> Iterator[None]:
    """Line editing with a history that lasts, where there is a terminal and a library for it."""
    if not history.exists():
        terminal.err("No previous history.")
    try:
        import readline
    except ImportError:
        yield
        return
    if not terminal.is_interactive:
        yield
        return
    with contextlib.suppress(OSError):
        readline.read_history_file(history)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # a history that cannot be saved is no reason to fail
            readline.write_history_file(history)
