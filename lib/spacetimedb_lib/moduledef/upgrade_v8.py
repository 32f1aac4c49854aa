"""Version 8 definitions in the form of version 9.

Version 8 describes a table by attributes of column sets (`Attribute`), which imply indexes, sequences and
unique constraints with names made from the constraint's. Lifecycle events are reducers of special names, and
a schedule's time is the column called `scheduled_at`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import IntFlag

from spacetimedb_lib.moduledef.errors import ErrorKind, ValidationError, validation_error
from spacetimedb_lib.moduledef.raw_common import Lifecycle, RawUniqueConstraint, TableAccess, TableType
from spacetimedb_lib.moduledef.raw_v8 import (
    ConstraintV8,
    IndexTypeV8,
    IndexV8,
    RawModuleDefV8,
    ReducerV8,
    SequenceV8,
    TableSchemaV8,
    TableV8,
)
from spacetimedb_lib.moduledef.raw_v9 import (
    RawConstraintDefV9,
    RawIndexDefV9,
    RawModuleDefV9,
    RawReducerDefV9,
    RawScheduleDefV9,
    RawScopedTypeNameV9,
    RawSequenceDefV9,
    RawTableDefV9,
    RawTypeDefV9,
)
from spacetimedb_lib.moduledef.records import Tagged
from spacetimedb_lib.sats.errors import TypeRefError
from spacetimedb_lib.sats.resolve import resolve
from spacetimedb_lib.sats.type_forms import type_text
from spacetimedb_lib.sats.types import Element, Product, Typespace


class Attribute(IntFlag):
    """The bits of a constraint's attributes; each implies those it contains."""

    INDEXED = 1
    AUTO_INC = 2
    UNIQUE = 4 | INDEXED
    IDENTITY = UNIQUE | AUTO_INC
    PRIMARY_KEY = 8 | UNIQUE
    PRIMARY_KEY_AUTO = PRIMARY_KEY | AUTO_INC


_EVENTS = {
    "__init__": Lifecycle.INIT,
    "__identity_connected__": Lifecycle.ON_CONNECT,
    "__identity_disconnected__": Lifecycle.ON_DISCONNECT,
}
_TABLE_TYPES = {"system": TableType.SYSTEM}
_ACCESS = {"private": TableAccess.PRIVATE}
_SCHEDULE_COLUMN = "scheduled_at"


def upgrade(raw: RawModuleDefV8) -> tuple[RawModuleDefV9, list[ValidationError]]:
    """The definition as version 9, and what is wrong with it in a way that version 9 cannot say."""
    errors: list[ValidationError] = []
    tables = []
    for table in raw.tables:
        errors.extend(_column_errors(table, raw.typespace))
        errors.extend(_constraint_errors(table.schema))
        tables.append(_table(table))
    upgraded = RawModuleDefV9(
        typespace=raw.typespace,
        tables=tuple(tables),
        reducers=tuple(map(_reducer, raw.reducers)),
        types=tuple(_type(alias.name, alias.ty) for _, alias in raw.misc_exports),
        misc_exports=(),
        row_level_security=(),
    )
    return upgraded, errors


def _table(table: TableV8) -> RawTableDefV9:
    schema = table.schema
    constraints = [*schema.constraints, *_implied_constraints(schema)]
    primary_key = [item.columns for item in constraints if _has(item, Attribute.PRIMARY_KEY)]
    return RawTableDefV9(
        name=schema.table_name,
        product_type_ref=table.data,
        primary_key=primary_key[-1][:1] if primary_key else (),
        indexes=tuple(map(_index, (*schema.indexes, *_implied_indexes(schema)))),
        constraints=tuple(
            RawConstraintDefV9(item.constraint_name, Tagged("Unique", RawUniqueConstraint(item.columns)))
            for item in constraints
            if _has(item, Attribute.UNIQUE)
        ),
        sequences=tuple(map(_sequence, (*schema.sequences, *_implied_sequences(schema)))),
        schedule=_schedule(schema),
        table_type=_TABLE_TYPES.get(schema.table_type, TableType.USER),
        table_access=_ACCESS.get(schema.table_access, TableAccess.PUBLIC),
    )


# --- what constraints and indexes imply ---


def _has(constraint: ConstraintV8, attribute: Attribute) -> bool:
    return constraint.constraints & attribute == attribute


def _implied_indexes(schema: TableSchemaV8) -> Iterator[IndexV8]:
    given = {index.index_name for index in schema.indexes}
    for constraint in schema.constraints:
        if _has(constraint, Attribute.INDEXED):
            unique = _has(constraint, Attribute.UNIQUE)
            kind = "unique" if unique else "non_unique"
            name = _derived(schema, constraint.constraint_name, "ct", "idx", kind)
            if name not in given:
                yield IndexV8(name, unique, IndexTypeV8.BTREE, constraint.columns)


def _implied_constraints(schema: TableSchemaV8) -> Iterator[ConstraintV8]:
    """Indexes over columns that no constraint speaks of get one of their own."""
    constrained = {item.columns for item in schema.constraints if item.constraints}
    names = [column.col_name for column in schema.columns]
    for index in schema.indexes:
        if index.columns not in constrained:
            columns = "_".join(names[column] for column in index.columns if column < len(names))
            kind, bits = ("unique", Attribute.UNIQUE) if index.is_unique else ("indexed", Attribute.INDEXED)
            yield ConstraintV8(_derived(schema, columns, "idx", "ct", kind), bits, index.columns)


def _implied_sequences(schema: TableSchemaV8) -> Iterator[SequenceV8]:
    given = {sequence.sequence_name for sequence in schema.sequences}
    for constraint in schema.constraints:
        if _has(constraint, Attribute.AUTO_INC) and constraint.columns:
            name = _derived(schema, constraint.constraint_name, "ct", "seq")
            if name not in given:
                yield SequenceV8(name, constraint.columns[0], 1, None, None, None, 0)


def _derived(schema: TableSchemaV8, name: str, old_prefix: str, prefix: str, suffix: str = "") -> str:
    """A name made from another: `ct_person_id_unique` becomes `idx_person_id_unique`."""
    table = schema.table_name
    bare = name
    while bare.startswith(f"{old_prefix}_{table}_"):
        bare = bare.removeprefix(f"{old_prefix}_{table}_")
    made = f"{prefix}_{table}_{bare}"
    return made if bare.endswith(suffix) else f"{made}_{suffix}"


# --- one to one ---


def _index(index: IndexV8) -> RawIndexDefV9:
    """Version 8 knows no accessors; the name serves as one."""
    return RawIndexDefV9(index.index_name, index.index_name, Tagged(index.index_type.value, index.columns))


def _sequence(item: SequenceV8) -> RawSequenceDefV9:
    return RawSequenceDefV9(
        item.sequence_name, item.col_pos, item.start, item.min_value, item.max_value, item.increment
    )


def _schedule(schema: TableSchemaV8) -> RawScheduleDefV9 | None:
    positions = [i for i, column in enumerate(schema.columns) if column.col_name == _SCHEDULE_COLUMN]
    if schema.scheduled is None or not positions:
        return None
    return RawScheduleDefV9(None, schema.scheduled, positions[0])


def _reducer(reducer: ReducerV8) -> RawReducerDefV9:
    return RawReducerDefV9(reducer.name, Product(reducer.args), _EVENTS.get(reducer.name))


def _type(name: str, ref: int) -> RawTypeDefV9:
    *scope, last = re.split(r"::|\.", name)
    return RawTypeDefV9(RawScopedTypeNameV9(tuple(scope), last), ref, custom_ordering=True)


# --- what only version 8 can get wrong ---


def _constraint_errors(schema: TableSchemaV8) -> Iterator[ValidationError]:
    keys = [item for item in schema.constraints if _has(item, Attribute.PRIMARY_KEY)]
    if len(keys) > 1 or any(len(key.columns) != 1 for key in keys):
        yield validation_error(ErrorKind.RepeatedPrimaryKey, table=schema.table_name)
    for item in schema.constraints:
        # An automatic number needs an index to find the column by; alone it means nothing.
        if item.constraints not in (0, *(int(attribute) for attribute in _SOUND)):
            yield validation_error(
                ErrorKind.InvalidConstraintV8,
                table=schema.table_name,
                constraint=item.constraint_name,
                bits=item.constraints,
            )


_SOUND = (
    Attribute.INDEXED,
    Attribute.INDEXED | Attribute.AUTO_INC,
    Attribute.UNIQUE,
    Attribute.IDENTITY,
    Attribute.PRIMARY_KEY,
    Attribute.PRIMARY_KEY_AUTO,
)


def _column_errors(table: TableV8, typespace: Typespace) -> Iterator[ValidationError]:
    """Columns are declared twice: in the schema and in the row type, which must agree."""
    schema = table.schema
    try:
        row = resolve(typespace[table.data], typespace)
    except (IndexError, TypeRefError):
        row = None
    if not isinstance(row, Product):
        yield validation_error(ErrorKind.InvalidProductTypeRef, table=schema.table_name, ref=table.data)
        return
    for position, column in enumerate(schema.columns):
        try:
            declared = resolve(column.col_type, typespace)
        except TypeRefError:
            declared = column.col_type
        expected = row.elements[position] if position < len(row.elements) else None
        if expected != Element(column.col_name, declared):
            yield validation_error(
                ErrorKind.ColumnDefMalformed,
                table=schema.table_name,
                column=column.col_name,
                type=type_text(declared),
                pos=position,
                product_type=type_text(row),
            )
