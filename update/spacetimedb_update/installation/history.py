"""Which versions were selected, oldest first: what `rollback` goes by.

A version is added after the link `current` was set, so the last entry that differs from the link is
always one that really was in use. JSON: `{"selected": ["2.9.0", "2.10.0"]}`.
"""

from __future__ import annotations

import json
from pathlib import Path

from spacetimedb_update.ports.file_trees import read_or_none, replace_file
from spacetimedb_update.ports.files import Files

LONGEST = 50


def read_history(files: Files, path: Path) -> tuple[str, ...]:
    """What is damaged counts as nothing known: selecting works without it."""
    try:
        names = json.loads(read_or_none(files, path) or b"{}").get("selected", [])
    except (ValueError, AttributeError):
        return ()
    return tuple(name for name in names if isinstance(name, str)) if isinstance(names, list) else ()


def record_selection(files: Files, path: Path, name: str) -> None:
    """Add a version, unless it is the last entry already."""
    names = read_history(files, path)
    if names[-1:] == (name,):
        return
    data = json.dumps({"selected": [*names, name][-LONGEST:]}) + "\n"
    replace_file(files, path, data.encode())
