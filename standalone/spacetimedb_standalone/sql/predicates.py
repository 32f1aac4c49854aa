"""Conditions as Python expressions over rows of bytes.

Equality needs no decoding: equal values have equal bytes (except floats). For order, integers and floats
are unpacked, strings and bytes compared without their length. Floats are ordered in total: a NaN equals
itself and is greater than everything else; the two zeros are equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from spacetimedb_lib.sats.types import BYTES, F32, F64, AlgebraicType, Kind, Primitive, Product

from .code import UNPACK, RowReader, Source
from .relation import Column, Compare, Constant, Every, Some, Typed

_OPERATORS: Final = {"=": "==", "<>": "!="} | {op: op for op in ("<", "<=", ">", ">=")}
_FLIPPED_FLOAT: Final = {">": "<=", ">=": "<"}
_SIGNED_WIDE: Final = (Kind.I128, Kind.I256)


class Conditions:
    """Writes conditions over the rows of some tables, by alias, into a source."""

    def __init__(self, source: Source, readers: Mapping[str, RowReader]) -> None:
        self._source = source
        self._readers = readers

    def text(self, condition: Typed) -> str:
        """An expression that is true or false; the readers' lines must have run before it."""
        match condition:
            case Every(conditions):
                return f"({' and '.join(map(self.text, conditions))})"
            case Some(conditions):
                return f"({' or '.join(map(self.text, conditions))})"
            case Compare():
                return self._comparison(condition)
            case Column(alias, position):
                reader = self._readers[alias]
                return f"{reader.row}[{reader.start(position)}]"
            case Constant():
                return self._source.constant(Ordered(condition))

    def _comparison(self, compare: Compare) -> str:
        left, op, right = compare.left, compare.op, compare.right
        if compare.type in (F32, F64):
            return self._float_comparison(left, op, right)
        if op in ("=", "<>") and isinstance(left, Column):
            if isinstance(right, Constant):
                return self._equals_constant(left, _OPERATORS[op], right)
            if isinstance(right, Column):
                return f"{self._bytes(left)} {_OPERATORS[op]} {self._bytes(right)}"
        return f"({self._ordered(left)}) {_OPERATORS[op]} ({self._ordered(right)})"

    def _equals_constant(self, column: Column, op: str, constant: Constant) -> str:
        reader = self._readers[column.alias]
        start, size = reader.start(column.position), reader.size_of(column.position)
        if size == 1:
            return f"{reader.row}[{start}] {op} {self._source.constant(FirstByte(constant))}"
        if size is not None:
            return f"{reader.bytes_of(column.position)} {op} {self._source.constant(constant)}"
        # The length is part of the bytes, so a row that begins so is equal.
        begins = f"{reader.row}.startswith({self._source.constant(constant)}, {start})"
        return begins if op == "==" else f"not {begins}"

    def _float_comparison(self, left: Typed, op: str, right: Typed) -> str:
        if isinstance(left, Column) and isinstance(right, Constant):
            # A constant is never NaN: only "greater" has to mind the NaN of a column.
            turned = _FLIPPED_FLOAT.get(op)
            text = f"{self._ordered(left)} {turned or _OPERATORS[op]} {self._ordered(right)}"
            return f"not {text}" if turned else text
        return f"total_order({self._ordered(left)}) {_OPERATORS[op]} total_order({self._ordered(right)})"

    def _bytes(self, column: Column) -> str:
        return self._readers[column.alias].bytes_of(column.position)

    def _ordered(self, operand: Typed) -> str:
        """A Python value that compares like the operand."""
        if isinstance(operand, Constant):
            return self._source.constant(Ordered(operand))
        if not isinstance(operand, Column):
            return self.text(operand)
        reader, position = self._readers[operand.alias], operand.position
        row, start = reader.row, reader.start(position)
        kind = ordering_kind(operand.type)
        if kind is Kind.STRING:
            return f"{row}[{start} + 4:{reader.end(position)}]"
        if kind in (Kind.BOOL, Kind.U8):
            return f"{row}[{start}]"
        if kind in UNPACK:
            return f"{kind.name.lower()}({row}, {start})[0]"
        return f'integer({reader.bytes_of(position)}, "little", signed={kind in _SIGNED_WIDE})'


class Ordered:
    """A constant to be used as the Python value that compares like it."""

    def __init__(self, constant: Constant) -> None:
        self.constant = constant


class FirstByte:
    """A constant of one byte, to be used as that byte."""

    def __init__(self, constant: Constant) -> None:
        self.constant = constant


def ordering_kind(type_: AlgebraicType) -> Kind:
    """The primitive that a comparable type is ordered as; bytes are ordered like strings."""
    if isinstance(type_, Product):
        type_ = type_.elements[0].type
    if type_ == BYTES:
        return Kind.STRING
    assert isinstance(type_, Primitive)
    return type_.kind


def ordered_value(type_: AlgebraicType, bsatn: bytes) -> Any:
    """The Python value of a constant that compares like those of generated code."""
    kind = ordering_kind(type_)
    if kind is Kind.STRING:
        return bsatn[4:]
    if kind in UNPACK:
        return UNPACK[kind](bsatn, 0)[0]
    return int.from_bytes(bsatn, "little", signed=kind in _SIGNED_WIDE)
