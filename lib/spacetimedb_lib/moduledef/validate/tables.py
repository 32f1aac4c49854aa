"""Validation of tables and their columns."""

from __future__ import annotations

from dataclasses import replace

from spacetimedb_lib.moduledef.errors import ErrorKind, invalid
from spacetimedb_lib.moduledef.raw_common import TableType
from spacetimedb_lib.moduledef.raw_v10 import RawTableDefV10
from spacetimedb_lib.moduledef.tables import ColumnDef, TableDef
from spacetimedb_lib.moduledef.validate import table_parts as parts
from spacetimedb_lib.moduledef.validate.client_types import in_typespace
from spacetimedb_lib.moduledef.validate.context import Context
from spacetimedb_lib.moduledef.validate.naming import identifier
from spacetimedb_lib.moduledef.validate.problems import Problems, each
from spacetimedb_lib.sats.types import Product

RESERVED_PREFIX = "st_"


def table(context: Context, raw: RawTableDefV10) -> TableDef:
    """Check a table, without its schedule. Raises `Invalid`.

    Without a row type, a name and columns nothing else can be judged, so errors there hide the rest.
    """
    canonical, source = context.row_types(raw.product_type_ref, raw.source_name)
    row = parts.Row(context, context.naming.table(raw.source_name), raw.source_name, canonical)
    table_columns = columns(context, raw.product_type_ref, source, raw.source_name)
    problems = Problems()
    with problems:
        indexes = each(raw.indexes, lambda index: parts.index(row, index))
    with problems:
        constraints = each(raw.constraints, lambda constraint: parts.unique_constraint(row, constraint))
        primary_key = parts.primary_key(row, raw.primary_key, constraints)
    if not problems.errors:
        with problems:
            each(constraints, lambda constraint: parts.check_backed(constraint, indexes))
    with problems:
        taken: set[int] = set()
        sequences = each(raw.sequences, lambda sequence: parts.sequence(row, sequence, taken))
    with problems:
        _claim_names(row, raw.table_type)
    with problems:
        defaults = dict(each(raw.default_values, lambda default: parts.default_value(row, default)))
    problems.raise_any()
    return TableDef(
        namespace=context.namespace,
        name=row.table,
        accessor=identifier(raw.source_name),
        product_type_ref=raw.product_type_ref,
        columns=tuple(replace(column, default=defaults.get(column.position)) for column in table_columns),
        primary_key=primary_key,
        indexes={index.name: index for index in indexes},
        constraints={constraint.name: constraint for constraint in constraints},
        sequences={sequence.name: sequence for sequence in sequences},
        schedule=None,
        table_type=raw.table_type,
        access=raw.table_access,
        is_event=raw.is_event,
    )


def _claim_names(row: parts.Row, table_type: TableType) -> None:
    """A table takes its canonical name and its source name, which is kept as an alias."""
    row.context.claim(row.source)
    if table_type is not TableType.SYSTEM and row.table.startswith(RESERVED_PREFIX):
        raise invalid(ErrorKind.TableNameReserved, table=row.table)
    if row.table != row.source:
        row.context.claim(row.table)


def columns(context: Context, ref: int, source: Product, owner: str) -> tuple[ColumnDef, ...]:
    """The columns of a row type, given with the names of the source; `owner` is the table or view."""

    def column(position: int) -> ColumnDef:
        element = source.elements[position]
        problems = Problems()
        with problems:
            if element.name is None:
                raise invalid(ErrorKind.UnnamedColumn, table=owner, column=str(position))
        with problems:
            context.client_types.check_use(element.type, in_typespace(ref))
        problems.raise_any()
        accessor = identifier(str(element.name))
        return ColumnDef(position, context.naming.converted(accessor), accessor, element.type, context.types)

    return tuple(each(range(len(source.elements)), column))
