"""Rows of the system tables, as records.

The fields and their order are those of the public system; each record also gives the row type of its table.
Identities, connection ids and hashes are bare numbers here (little-endian bytes, as BSATN has them).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Generic, TypeVar

from spacetimedb_lib.moduledef.records import (
    Choice,
    Int8,
    Int16,
    Int32,
    Int256,
    Shape,
    Signed128,
    Tagged,
    shape_of,
)
from spacetimedb_lib.sats.bsatn import Codec, codec
from spacetimedb_lib.sats.types import (
    F32,
    F64,
    I8,
    I16,
    I32,
    I64,
    I128,
    U8,
    U16,
    U32,
    U64,
    U128,
    Product,
)

R = TypeVar("R")

Int64 = Annotated[int, U64]
Signed64 = Annotated[int, I64]
Int128 = Annotated[int, U128]

IndexAlgorithm = Annotated[
    Tagged,
    Choice({"Unused": Int128, "BTree": tuple[Int16, ...], "Direct": Int16, "Hash": tuple[Int16, ...]}),
]
ConstraintData = Annotated[Tagged, Choice({"Unused": Int128, "Unique": tuple[Int16, ...]})]
VariableValue = Annotated[
    Tagged,
    Choice(
        {
            "Bool": bool,
            "I8": Annotated[int, I8],
            "U8": Annotated[int, U8],
            "I16": Annotated[int, I16],
            "U16": Annotated[int, U16],
            "I32": Annotated[int, I32],
            "U32": Annotated[int, U32],
            "I64": Annotated[int, I64],
            "U64": Annotated[int, U64],
            "I128": Annotated[int, I128],
            "U128": Annotated[int, U128],
            "F32": Annotated[float, F32],
            "F64": Annotated[float, F64],
            "String": str,
        }
    ),
]


@dataclass(frozen=True)
class StTable:
    table_id: Int32
    table_name: str
    table_type: str
    table_access: str
    table_primary_key: tuple[Int16, ...] | None


@dataclass(frozen=True)
class StColumn:
    table_id: Int32
    col_pos: Int16
    col_name: str
    col_type: bytes
    """BSATN of the type, with no references left in it."""


@dataclass(frozen=True)
class StSequence:
    sequence_id: Int32
    sequence_name: str
    table_id: Int32
    col_pos: Int16
    increment: Signed128
    start: Signed128
    min_value: Signed128
    max_value: Signed128
    allocated: Signed128


@dataclass(frozen=True)
class StIndex:
    index_id: Int32
    table_id: Int32
    index_name: str
    index_algorithm: IndexAlgorithm


@dataclass(frozen=True)
class StConstraint:
    constraint_id: Int32
    constraint_name: str
    table_id: Int32
    constraint_data: ConstraintData


@dataclass(frozen=True)
class StModule:
    database_identity: Int256
    owner_identity: Int256
    program_kind: Int8
    program_hash: Int256
    program_bytes: bytes
    module_version: str


@dataclass(frozen=True)
class StClient:
    identity: Int256
    connection_id: Int128


@dataclass(frozen=True)
class StVar:
    name: str
    value: VariableValue


@dataclass(frozen=True)
class StScheduled:
    schedule_id: Int32
    table_id: Int32
    reducer_name: str
    schedule_name: str
    at_column: Int16


@dataclass(frozen=True)
class StRowLevelSecurity:
    table_id: Int32
    sql: str


@dataclass(frozen=True)
class StConnectionCredentials:
    connection_id: Int128
    jwt_payload: str


@dataclass(frozen=True)
class StView:
    view_id: Int32
    view_name: str
    table_id: Int32 | None
    is_public: bool
    is_anonymous: bool


@dataclass(frozen=True)
class StViewParam:
    view_id: Int32
    param_pos: Int16
    param_name: str
    param_type: bytes


@dataclass(frozen=True)
class StViewColumn:
    view_id: Int32
    col_pos: Int16
    col_name: str
    col_type: bytes


@dataclass(frozen=True)
class StViewSub:
    """Of older servers; nobody writes it any more."""

    view_id: Int32
    arg_id: Int64
    identity: Int256
    num_subscribers: Int64
    has_subscribers: bool
    last_called: Signed64


@dataclass(frozen=True)
class StViewArg:
    """Of older servers; nobody writes it any more."""

    id: Int64
    bytes: bytes


@dataclass(frozen=True)
class StEventTable:
    table_id: Int32


@dataclass(frozen=True)
class StTableAccessor:
    table_name: str
    accessor_name: str


@dataclass(frozen=True)
class StIndexAccessor:
    index_name: str
    accessor_name: str


@dataclass(frozen=True)
class StColumnAccessor:
    table_name: str
    col_name: str
    accessor_name: str


class RowForm(Generic[R]):
    """How the records of one system table become rows and back."""

    def __init__(self, record: type[R]) -> None:
        self._record = record

    @cached_property
    def _shape(self) -> Shape:
        return shape_of(self._record)

    @cached_property
    def _codec(self) -> Codec:
        return codec(self.row_type)

    @cached_property
    def row_type(self) -> Product:
        type_ = self._shape.type
        assert isinstance(type_, Product)
        return type_

    def encode(self, record: R) -> bytes:
        return self._codec.encode(self._shape.write(record))

    def decode(self, row: bytes) -> R:
        record: R = self._shape.read(self._codec.decode_exact(row))
        return record
