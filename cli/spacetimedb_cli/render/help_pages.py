"""Writes the help pages that a release shows without loading its commands (`help_pages`).

Run as a program: `python -m spacetimedb_cli.render.help_pages FOLDER`.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from spacetimedb_cli.app import app, run
from spacetimedb_cli.help_pages import COLUMNS, file_name


def command_paths(command: Any | None = None, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words of every command and group that has a help page; the root, without words, first."""
    command = typer.main.get_command(app) if command is None else command
    if not command.add_help_option or words[-1:] == ("help",):
        return
    yield words
    if isinstance(command, TyperGroup):
        context = command.make_context("spacetime", [], resilient_parsing=True)
        for name in command.list_commands(context):
            yield from command_paths(command.get_command(context, name), (*words, name))


def write_pages(folder: Path) -> int:
    """Write all pages into `folder`; how many."""
    folder.mkdir(parents=True, exist_ok=True)
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = str(COLUMNS)
    try:
        paths = list(command_paths())
        for words in paths:
            (folder / file_name(list(words))).write_text(_rendered(words), encoding="utf-8")
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before
    return len(paths)


def _rendered(words: tuple[str, ...]) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        if code := run([*words, "--help"]):
            raise RuntimeError(f"`spacetime {' '.join(words)} --help` ended with exit code {code}")
    return out.getvalue()


if __name__ == "__main__":
    print(f"{write_pages(Path(sys.argv[1]))} pages")
