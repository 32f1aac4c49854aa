"""The root of trust: the first root metadata, which comes with the program and not over the network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from spacetimedb_update.errors import UserError
from spacetimedb_update.ports.file_trees import read_or_none
from spacetimedb_update.ports.files import Files
from spacetimedb_update.releases.store import MetadataStore

ANCHOR_FILE = "root.json"
VARIABLE = "SPACETIME_TRUSTED_ROOT"


def anchor(environment: Mapping[str, str], files: Files, program_folder: Path, store: MetadataStore) -> bytes:
    """The root metadata that all trust starts from.

    In this order: the file that SPACETIME_TRUSTED_ROOT names (for repositories of one's own), `root.json`
    beside the program, what an earlier installation trusted. Raises `UserError` where there is none.
    """
    named = environment.get(VARIABLE)
    if named:
        data = read_or_none(files, Path(named))
        if data is None:
            raise UserError(f"{VARIABLE} names {named}, which does not exist: correct or unset it")
        return data
    data = read_or_none(files, program_folder / ANCHOR_FILE) or store.newest_root()
    if data is None:
        raise UserError(
            "this program comes without the keys that releases are signed with: install a released version, "
            f"or let {VARIABLE} name the root metadata of the repository you trust"
        )
    return data
