"""What has to be true of the data before, or in, a migration."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from spacetimedb_engine import Store
from spacetimedb_lib.moduledef import ModuleDef, UniqueConstraintDef
from spacetimedb_lib.moduledef.migrate import Precheck
from spacetimedb_lib.moduledef.migrate.debug_value import debug_value
from spacetimedb_lib.sats.layout import saturate
from spacetimedb_lib.sats.types import AlgebraicType, Element, Product
from spacetimedb_standalone.datastore.errors import UpdateError
from spacetimedb_standalone.datastore.schema import Schema, Table, TableKind
from spacetimedb_standalone.datastore.system_tables import I128_MAX

SHOWN_DUPLICATES = 10


def require_definition(schema: Schema, module: ModuleDef) -> None:
    """The tables that are stored must be those of the module that is to be replaced."""
    for table in schema.tables.values():
        if table.kind is TableKind.SYSTEM or table.view is not None:
            continue
        defined = module.find_table(table.name)
        if defined is None:
            raise UpdateError(f"table {table.name} not found in old_module_def")
        if defined.row_type != table.row_type:
            raise UpdateError(
                f"Columns mismatch: the stored table {table.name} is not as its module defines it"
            )


def require_room(store: Store, schema: Schema, check: Precheck) -> None:
    """No row may have a number that a new sequence is going to give."""
    table = schema.named(check.table.full_name)
    sequence = check.sequence
    if table is None or sequence.column >= len(table.columns):
        return
    column = table.columns[sequence.column]
    low = saturate(column.type, 1 if sequence.min_value is None else sequence.min_value)
    high = saturate(column.type, I128_MAX if sequence.max_value is None else sequence.max_value)
    for row in store.scan(table.id):
        if low <= table.codec.decode(row)[0][sequence.column] <= high:
            raise UpdateError(
                f"Precheck failed: added sequence {sequence.full_name} already has values in range"
            )


def duplicates(store: Store, table: Table, constraint: UniqueConstraintDef) -> str:
    """Which rows forbid a unique constraint, for the publisher."""
    type_ = _key_type(table, constraint.columns)
    keys = Counter(
        debug_value(type_, _key(table.codec.decode(row)[0], constraint.columns))
        for row in store.scan(table.id)
    )
    groups = [(key, count) for key, count in keys.items() if count > 1]
    lines = [f"  - {_on_one_line(key)} appears {count} times" for key, count in groups[:SHOWN_DUPLICATES]]
    if len(groups) > SHOWN_DUPLICATES:
        lines.append("  ... and more")
    where = f"table {table.id} column(s) {list(constraint.columns)}"
    head = f"Cannot add unique constraint on {where} (committed state):"
    return "\n".join([head, f"{len(groups)} duplicate group(s) found.", *lines])


def _key_type(table: Table, columns: tuple[int, ...]) -> AlgebraicType:
    if len(columns) == 1:
        return table.columns[columns[0]].type
    return Product(
        tuple(Element(table.columns[column].name, table.columns[column].type) for column in columns)
    )


def _key(row: tuple[Any, ...], columns: Iterable[int]) -> Any:
    values = tuple(row[column] for column in columns)
    return values[0] if len(values) == 1 else values


def _on_one_line(form: str) -> str:
    """The programmer's form of a value without its line breaks: `U32(5)`."""
    form = re.sub(r",\n *([)\]])", r"\1", form)
    form = re.sub(r",\n *}", " }", form)
    form = re.sub(r"([(\[])\n *", r"\1", form)
    return re.sub(r"\n *", " ", form)
