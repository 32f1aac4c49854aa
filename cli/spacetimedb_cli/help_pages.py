"""Help pages as text, rendered when a release is built: showing one loads no command, nor what it imports.

`render.help_pages` writes them into the folder `pages` beside this module; a checkout has none, and help is made
by the commands themselves. The pages are for terminals of 80 columns or more, where all pages look the same.
"""

# Plain strings and `os.path`: this must load nothing that the interpreter has not loaded anyway.
# ruff: noqa: PTH118, PTH120, PTH123

from __future__ import annotations

import os

FOLDER = os.path.join(os.path.dirname(__file__), "pages")
COLUMNS = 80
HELP_OPTIONS = ("-h", "--help")


def wanted(arguments: list[str]) -> list[str] | None:
    """The words of the command whose help these arguments ask for; None if they may mean something else."""
    if arguments and arguments[-1] in HELP_OPTIONS:
        words = arguments[:-1]
    elif arguments and arguments[0] == "help":
        words = arguments[1:]
    else:
        return None
    return words if all(word.replace("-", "").isalpha() and word[0] != "-" for word in words) else None


def file_name(words: list[str]) -> str:
    """The name of a command's page; no words are the root's."""
    return ".".join(["spacetime", *words]) + ".txt"


def page(arguments: list[str], folder: str | None = None) -> str | None:
    """The page that these arguments ask for, None if it was not rendered or would not fit the terminal."""
    words = wanted(arguments)
    if words is None or _columns() < COLUMNS:
        return None
    try:
        with open(os.path.join(folder or FOLDER, file_name(words)), encoding="utf-8") as file:
            return file.read()
    except OSError:
        return None


def _columns() -> int:
    """The width that help is made for, as `shutil.get_terminal_size` tells it."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdigit() and int(columns) > 0:
        return int(columns)
    try:
        return os.get_terminal_size(1).columns or COLUMNS
    except OSError:
        return COLUMNS
