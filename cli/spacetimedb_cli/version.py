"""The version this tool reports. Nothing heavy may be imported here: `--version` must be instant."""

from __future__ import annotations

from pathlib import Path

VERSION = "2.10.0"


COMMIT_FILE = "commit.txt"
"""Lies beside this module in a release, which has no checkout around it."""


def version_text(program: Path) -> str:
    """The lines of `--version`; `program` is the path the tool was started by."""
    return (
        f"spacetime Path: {program}\n"
        f"Commit: {released_commit() or commit(Path(__file__).parents[2])}\n"
        f"spacetimedb tool version {VERSION}; spacetimedb-lib version {VERSION};"
    )


def released_commit() -> str | None:
    """The commit that a release was built from; None in a checkout."""
    try:
        return Path(__file__).with_name(COMMIT_FILE).read_text(encoding="ascii").strip()
    except OSError:
        return None


def commit(checkout: Path) -> str:
    """The commit that a checkout is at, read without git; `unknown` for an installed package."""
    git = checkout / ".git"
    try:
        head = (git / "HEAD").read_text(encoding="ascii").strip()
        if not head.startswith("ref: "):
            return head
        return (git / head.removeprefix("ref: ")).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return "unknown"
