"""The version this tool reports. Nothing heavy may be imported here: `--version` must be instant."""

# Plain strings and `os.path`, as in `program`.
# ruff: noqa: PTH118, PTH120, PTH123

from __future__ import annotations

import os

VERSION = "2.10.0"

COMMIT_FILE = "commit.txt"
"""Lies beside this module in a release, which has no checkout around it."""


def version_text(program: str) -> str:
    """The lines of `--version`; `program` is the path the tool was started by."""
    return (
        f"spacetime Path: {program}\n"
        f"Commit: {released_commit() or commit(_checkout())}\n"
        f"spacetimedb tool version {VERSION}; spacetimedb-lib version {VERSION};"
    )


def released_commit() -> str | None:
    """The commit that a release was built from; None in a checkout."""
    return _line(os.path.join(os.path.dirname(__file__), COMMIT_FILE))


def commit(checkout: str) -> str:
    """The commit that a checkout is at, read without git; `unknown` for an installed package."""
    head = _line(os.path.join(checkout, ".git", "HEAD"))
    if head is not None and head.startswith("ref: "):
        head = _line(os.path.join(checkout, ".git", head.removeprefix("ref: ")))
    return head or "unknown"


def _checkout() -> str:
    """The folder that holds this package's house, if this is a checkout."""
    return os.path.dirname(os.path.dirname(os.path.dirname(__file__)))


def _line(path: str) -> str | None:
    try:
        with open(path, encoding="ascii") as file:
            return file.read().strip()
    except (OSError, UnicodeDecodeError):
        return None
