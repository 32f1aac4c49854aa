"""The program of a database: the module's bytes, kept in `st_module` with whose database it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from spacetimedb_engine import Store
from spacetimedb_lib.identity import Identity
from spacetimedb_standalone.datastore.errors import StorageError
from spacetimedb_standalone.datastore.system_rows import StModule
from spacetimedb_standalone.datastore.system_tables import ST_MODULE, SystemTable

MODULE_VERSION = "0.0.1"


class ProgramKind(IntEnum):
    """As `st_module.program_kind` has it."""

    WASM = 0
    JS = 1


@dataclass(frozen=True)
class Program:
    """`hash` is the Keccak-256 of `data`, in the order of its text form."""

    kind: ProgramKind
    hash: bytes
    data: bytes


@dataclass(frozen=True)
class StoredModule:
    """What `st_module` says."""

    database_identity: Identity
    owner: Identity
    program: Program


def read_module(store: Store) -> StoredModule | None:
    """None: the database was never initialized. Raises `StorageError` for rows that cannot be."""
    rows = store.scan(SystemTable.MODULE)
    if not rows:
        return None
    if len(rows) > 1:
        raise StorageError(
            f"st_module has {len(rows)} rows where one is due; restore the database from a backup"
        )
    row = ST_MODULE.decode(rows[0])
    if row.program_kind not in tuple(ProgramKind):
        raise StorageError(f"program kind {row.program_kind} is not known here; a newer server wrote it")
    program = Program(
        ProgramKind(row.program_kind), row.program_hash.to_bytes(32, "little"), row.program_bytes
    )
    return StoredModule(
        Identity.from_int(row.database_identity), Identity.from_int(row.owner_identity), program
    )


def write_module(store: Store, module: StoredModule) -> None:
    """Put the row in the place of the one that is there, if any. Inside a transaction."""
    store.clear(SystemTable.MODULE)
    row = StModule(
        database_identity=module.database_identity.to_int(),
        owner_identity=module.owner.to_int(),
        program_kind=module.program.kind,
        program_hash=int.from_bytes(module.program.hash, "little"),
        program_bytes=module.program.data,
        module_version=MODULE_VERSION,
    )
    store.insert(SystemTable.MODULE, ST_MODULE.encode(row))
