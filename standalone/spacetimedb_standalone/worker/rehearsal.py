"""What every database does when it starts, done once before there is any: in the template, of which workers are copies.

Codecs are compiled when they are first used, and the interpreter fits code to what it has seen of it. Workers find
both done, in memory that they share.
"""

from __future__ import annotations

from typing import Final

from spacetimedb_lib.hashing import keccak256
from spacetimedb_lib.identity import Identity
from spacetimedb_lib.moduledef import TableAccess, TableType, decode, validate
from spacetimedb_lib.moduledef.raw_common import RawUniqueConstraint
from spacetimedb_lib.moduledef.raw_v10 import (
    RawConstraintDefV10,
    RawIndexDefV10,
    RawModuleDefV10,
    RawSequenceDefV10,
    RawTableDefV10,
)
from spacetimedb_lib.moduledef.records import Tagged
from spacetimedb_lib.sats.types import STRING, U32, product
from spacetimedb_standalone.datastore.datastore import Datastore
from spacetimedb_standalone.datastore.program import Program, ProgramKind

_EMPTY: Final = bytes([2, 0, 0, 0, 0])
"""A definition of version 10 without sections."""
_TYPES: Final = (product(id=U32, name=STRING),)
_TABLE: Final = RawTableDefV10(
    source_name="example",
    product_type_ref=0,
    primary_key=(0,),
    indexes=(RawIndexDefV10("example_id_idx_btree", "id", Tagged("BTree", (0,))),),
    constraints=(RawConstraintDefV10(None, Tagged("Unique", RawUniqueConstraint((0,)))),),
    sequences=(RawSequenceDefV10(None, 0, None, None, None, 1),),
    table_type=TableType.USER,
    table_access=TableAccess.PUBLIC,
    default_values=(),
    is_event=False,
)
_MODULE: Final = RawModuleDefV10((Tagged("Typespace", _TYPES), Tagged("Tables", (_TABLE,))))


def rehearse() -> None:
    """Create a database in memory and forget it. No file is opened, no thread started, no module run."""
    decode(_EMPTY)
    datastore = Datastore.in_memory()
    datastore.init_program(
        Program(ProgramKind.WASM, keccak256(b""), b""),
        validate(Tagged("V10", _MODULE)),
        database_identity=Identity.ZERO,
        owner=Identity.ZERO,
        system_log=lambda *_: None,
        rule_target=lambda _: 0,
        run_init=None,
    )
    datastore.close()
