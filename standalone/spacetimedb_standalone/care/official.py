"""Data directories of the public server: told apart, and looked into as far as their formats are public.

Its control state is a directory of a store whose format is not published, so names, locks and which databases
were deleted cannot be read. Everything else about a database is in its log, program included.
"""

from __future__ import annotations

from pathlib import Path

from spacetimedb_standalone.control.schema import FILE_NAME

_CONTROL_FILES = ("conf", "db")
"""What the public server's control store keeps in `control-db/`."""


def is_official(control_db: Path) -> bool:
    """Is this the `control-db/` of the public server?"""
    return not (control_db / FILE_NAME).exists() and all(
        (control_db / name).exists() for name in _CONTROL_FILES
    )


def replica_directories(data_dir: Path) -> list[tuple[int, Path]]:
    """(id, directory) of all replicas, in the order of their ids."""
    root = data_dir / "replicas"
    if not root.is_dir():
        return []
    found = [(int(entry.name), entry) for entry in root.iterdir() if _is_id(entry.name) and entry.is_dir()]
    return sorted(found)


def _is_id(name: str) -> bool:
    return name.isascii() and name.isdigit()
