"""Validation of what belongs to a table: indexes, constraints, the primary key, sequences, defaults."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from spacetimedb_lib.moduledef.errors import ErrorKind, invalid
from spacetimedb_lib.moduledef.raw_v10 import (
    RawColumnDefaultValueV10,
    RawConstraintDefV10,
    RawIndexDefV10,
    RawSequenceDefV10,
)
from spacetimedb_lib.moduledef.rules import Edition
from spacetimedb_lib.moduledef.tables import IndexDef, IndexKind, SequenceDef, UniqueConstraintDef
from spacetimedb_lib.moduledef.validate.context import Context
from spacetimedb_lib.moduledef.validate.naming import constraint_name, identifier, index_name, sequence_name
from spacetimedb_lib.moduledef.validate.problems import Problems, each
from spacetimedb_lib.sats.bsatn import codec
from spacetimedb_lib.sats.errors import SatsError
from spacetimedb_lib.sats.resolve import is_integer, is_simple_enum
from spacetimedb_lib.sats.type_forms import type_text
from spacetimedb_lib.sats.types import U8, U16, U32, U64, AlgebraicType, Product, Ref


@dataclass(frozen=True)
class Row:
    """A table under validation: its names and its row type (with canonical names)."""

    context: Context
    table: str
    source: str
    type: Product

    def check_column(self, column: int, user: str) -> int:
        """The column's number. Raises `Invalid` when `user`, which refers to it, refers to nothing."""
        if column >= len(self.type.elements):
            raise invalid(ErrorKind.ColumnNotFound, table=self.source, def_name=user, column=column)
        return column

    def check_columns(self, columns: Sequence[int], user: str) -> tuple[int, ...]:
        each(columns, lambda column: self.check_column(column, user))
        if len(set(columns)) != len(columns):
            listed = f"[{', '.join(f'ColId({column})' for column in columns)}]"
            raise invalid(ErrorKind.DuplicateColumns, def_name=user, columns=listed)
        return tuple(columns)

    def column_name(self, column: int) -> str:
        """What errors call the column."""
        name = self.type.elements[column].name
        return str(column) if name is None else name


def index(row: Row, raw: RawIndexDefV10) -> IndexDef:
    """Check an index. It takes two names, the canonical one and the one that modules look it up by."""
    kind = IndexKind(raw.algorithm.name)
    content = raw.algorithm.content
    columns = (content,) if kind is IndexKind.DIRECT else content
    source, name = _index_names(row, raw, kind, columns)
    if kind is IndexKind.DIRECT:
        _check_direct(row, name, row.check_column(content, name))
    else:
        row.check_columns(columns, name)
    return IndexDef(
        namespace=row.context.namespace,
        name=name,
        source_name=source,
        accessor=None if raw.accessor_name is None else identifier(raw.accessor_name),
        kind=kind,
        columns=tuple(columns),
    )


def _index_names(row: Row, raw: RawIndexDefV10, kind: IndexKind, columns: Sequence[int]) -> tuple[str, str]:
    generated = index_name(row.table, row.type, kind, columns)
    if row.context.rules.names_are_given:
        name = row.context.claim(generated if raw.source_name is None else raw.source_name)
        return name, name
    if raw.source_name is None:
        raise invalid(ErrorKind.IndexWithoutSourceName, table=row.source)
    source = row.context.claim(raw.source_name)
    explicit = row.context.naming.explicit_index(source)
    name = identifier(generated if explicit is None else explicit)
    return source, name if name == source else row.context.claim(name)


def _check_direct(row: Row, name: str, column: int) -> None:
    type_ = row.type.elements[column].type
    types = row.context.types
    pointed: AlgebraicType = (
        types[type_.index] if isinstance(type_, Ref) and type_.index < len(types) else type_
    )
    if type_ not in (U8, U16, U32, U64) and not is_simple_enum(pointed):
        raise invalid(
            ErrorKind.DirectIndexOnBadType, index=name, column=row.column_name(column), type=type_text(type_)
        )


def unique_constraint(row: Row, raw: RawConstraintDefV10) -> UniqueConstraintDef:
    columns = raw.data.content.columns
    name = constraint_name(row.table, row.type, columns)
    if row.context.rules.names_are_given and raw.source_name is not None:
        name = raw.source_name
    problems = Problems()
    with problems:
        row.check_columns(columns, name)
    with problems:
        row.context.claim(name)
    problems.raise_any()
    return UniqueConstraintDef(row.context.namespace, name, tuple(sorted(columns)))


def primary_key(row: Row, declared: Sequence[int], constraints: Sequence[UniqueConstraintDef]) -> int | None:
    """The primary key's column; it must be unique by a constraint of its own."""
    if len(declared) > 1:
        raise invalid(ErrorKind.RepeatedPrimaryKey, table=row.source)
    if not declared:
        return None
    column = row.check_column(declared[0], row.source)
    if all(constraint.columns != (column,) for constraint in constraints):
        name = row.column_name(column)
        raise invalid(ErrorKind.MissingPrimaryKeyUniqueConstraint, table=row.source, column=name)
    return column


def check_backed(constraint: UniqueConstraintDef, indexes: Sequence[IndexDef]) -> None:
    """A unique constraint needs an index over the same columns, in whatever order."""
    if all(set(index.columns) != set(constraint.columns) for index in indexes):
        columns = "{" + ", ".join(f"ColId({column})" for column in constraint.columns) + "}"
        raise invalid(ErrorKind.UniqueConstraintWithoutIndex, constraint=constraint.name, columns=columns)


def sequence(row: Row, raw: RawSequenceDefV10, taken: set[int]) -> SequenceDef:
    """Check a sequence; `taken` are the columns that have one already, and gets this one's."""
    name = sequence_name(row.table, row.type, raw.column) if raw.source_name is None else raw.source_name
    problems = Problems()
    with problems:
        _check_sequence_column(row, raw.column, name, taken)
    with problems:
        if row.context.rules.edition is Edition.V2_14:
            _check_no_options(raw, name)
        else:
            _check_range(raw, name)
    with problems:
        row.context.claim(name)
    problems.raise_any()
    return SequenceDef(
        row.context.namespace, name, raw.column, raw.start, raw.min_value, raw.max_value, raw.increment
    )


def _check_sequence_column(row: Row, column: int, name: str, taken: set[int]) -> None:
    row.check_column(column, name)
    type_ = row.type.elements[column].type
    column_name = row.column_name(column)
    if not is_integer(type_):
        raise invalid(
            ErrorKind.InvalidSequenceColumnType,
            sequence=name,
            table=row.source,
            column=column_name,
            type=type_text(type_),
        )
    if column in taken:
        raise invalid(ErrorKind.OneAutoInc, table=row.source, column=column_name)
    taken.add(column)


def _optional(number: int | None) -> str:
    return "None" if number is None else f"Some({number})"


def _check_range(raw: RawSequenceDefV10, name: str) -> None:
    given = [number for number in (raw.min_value, raw.start, raw.max_value) if number is not None]
    if given != sorted(given):
        raise invalid(
            ErrorKind.InvalidSequenceRange,
            sequence=name,
            min_value=_optional(raw.min_value),
            start=_optional(raw.start),
            max_value=_optional(raw.max_value),
        )


def _check_no_options(raw: RawSequenceDefV10, name: str) -> None:
    problems = Problems()
    options = {"start": raw.start, "min_value": raw.min_value, "max_value": raw.max_value}
    expectations = [(option, value, None) for option, value in options.items()] + [
        ("increment", raw.increment, 1)
    ]
    for option, value, expected in expectations:
        with problems:
            if value != expected:
                raise invalid(
                    ErrorKind.InvalidSequenceDefOption,
                    sequence=name,
                    option=option,
                    value=value,
                    expected=expected,
                )
    problems.raise_any()


def default_value(row: Row, raw: RawColumnDefaultValueV10) -> tuple[int, bytes]:
    """A column and the BSATN of its default, without surplus bytes."""
    column = row.check_column(raw.col_id, row.source)
    try:
        value_codec = codec(row.type.elements[column].type, row.context.types)
        _, end = value_codec.decode(raw.value)
    except SatsError as error:
        raise invalid(
            ErrorKind.ColumnDefaultValueMalformed, table=row.source, column=column, error=error
        ) from error
    return column, raw.value[:end]
