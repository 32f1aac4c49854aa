"""The terminal as a value: where results, chatter and answers go, so that tests can stand in for it."""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass, field
from typing import TextIO


@dataclass(frozen=True, slots=True)
class Terminal:
    """Standard input, output and error of one run. Results go to `out`, everything else to `err`."""

    stdin: TextIO = field(default_factory=lambda: sys.stdin)
    stdout: TextIO = field(default_factory=lambda: sys.stdout)
    stderr: TextIO = field(default_factory=lambda: sys.stderr)

    @property
    def is_interactive(self) -> bool:
        """Are input and output both a terminal?"""
        return self.stdin.isatty() and self.stdout.isatty()

    @property
    def shows_colors(self) -> bool:
        return self.stdout.isatty()

    def out(self, text: str, end: str = "\n") -> None:
        """Print to standard output, at once."""
        self.stdout.write(text + end)
        self.stdout.flush()

    def err(self, text: str) -> None:
        self.stderr.write(text + "\n")
        self.stderr.flush()

    def read_line(self) -> str:
        """One line of input without its end. Raises `EOFError` at the end of input."""
        line = self.stdin.readline()
        if not line:
            raise EOFError
        return line.rstrip("\r\n")

    def confirm(self, prompt: str, force: bool = False) -> bool:
        """Ask a yes-or-no question; `force` answers yes. No answer, or another one, is no."""
        if force:
            self.out("Skipping confirmation due to --yes")
            return True
        self.out(f"{prompt} [y/N]", end="")
        try:
            return self.read_line().strip().lower() in ("y", "yes")
        except EOFError:
            return False


def print_anything(*streams: TextIO) -> None:
    """Make streams replace what their encoding cannot hold, rather than fail in the middle of a line."""
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
