"""The terminal as a value: where results, chatter, questions and progress go."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TextIO

from spacetimedb_paths.standard_streams import fill_standard_streams
from spacetimedb_update.errors import HostError, UserError

Progress = Callable[[int], None]
"""Called with the number of bytes done so far."""


@dataclass(frozen=True, slots=True)
class Terminal:
    """Standard input, output and error of one run. Results go to `out`, everything else to `err`."""

    stdin: TextIO = field(default_factory=lambda: sys.stdin)
    stdout: TextIO = field(default_factory=lambda: sys.stdout)
    stderr: TextIO = field(default_factory=lambda: sys.stderr)

    @property
    def is_interactive(self) -> bool:
        """Is there somebody to ask?"""
        return self.stdin.isatty() and self.stderr.isatty()

    def out(self, text: str) -> None:
        """Print a result. Raises `BrokenPipeError` where the reader has left, `HostError` where it is not taken."""
        try:
            self.stdout.write(text + "\n")
            self.stdout.flush()
        except OSError as error:
            _abandon(self.stdout)
            if isinstance(error, BrokenPipeError):
                raise
            raise HostError(
                f"the output cannot be written ({error.strerror}): see where it is led to, then run the command again"
            ) from None

    def err(self, text: str) -> None:
        self.stderr.write(text + "\n")
        self.stderr.flush()

    def confirm(self, question: str, default: bool = False, unasked: str = "--yes") -> bool:
        """Ask a yes-or-no question; an empty answer is `default`. Raises `UserError` if nobody is there."""
        self.stderr.write(f"{question} [{'Y/n' if default else 'y/N'}] ")
        self.stderr.flush()
        line = self.stdin.readline()
        if not line:
            self.err("")
            raise UserError(f"nobody answered, so nothing was changed: {unasked} goes on without asking")
        answer = line.strip().lower()
        return default if not answer else answer in ("y", "yes")

    @contextmanager
    def progress(self, label: str, total: int) -> Iterator[Progress]:
        """Show how far a download of `total` bytes is; nothing but a terminal is shown anything."""
        if not self.stderr.isatty():
            yield lambda done: None
            return
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )
        from rich.progress import Progress as Bars

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
        )
        with Bars(*columns, console=Console(file=self.stderr), transient=True) as bars:
            task = bars.add_task(label, total=total)
            yield lambda done: bars.update(task, completed=done)


def _abandon(stream: TextIO) -> None:
    """What a stream did not take is not tried once more, in vain and noisily, when the process ends."""
    if stream is sys.stdout:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)


def prepare_streams() -> None:
    """Make the process's streams fit to be used, whatever they are.

    One that was closed leads to nothing. All replace what their encoding cannot hold, rather than fail in the middle of a line.
    """
    fill_standard_streams()
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
