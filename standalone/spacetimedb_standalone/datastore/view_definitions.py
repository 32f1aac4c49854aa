"""Views as the datastore has them: a row in `st_view` and a backing table that is never logged.

The backing table is named as the view. Its column 0 tells whose rows these are (a hash of the arguments:
nothing for anonymous views, the caller's identity for others); the returned columns follow.
"""

from __future__ import annotations

from spacetimedb_engine import Store
from spacetimedb_lib.moduledef import ModuleDef, TableAccess, ViewDef
from spacetimedb_lib.moduledef.records import Tagged
from spacetimedb_lib.sats.type_codec import encode_type
from spacetimedb_lib.sats.types import U256, Element, Product
from spacetimedb_standalone.datastore.definitions import EPHEMERAL_TABLE, Definitions
from spacetimedb_standalone.datastore.schema import IndexKind, Schema, Table
from spacetimedb_standalone.datastore.system_rows import StView, StViewColumn, StViewParam
from spacetimedb_standalone.datastore.system_tables import ST_VIEW, ST_VIEW_COLUMN, ST_VIEW_PARAM, SystemTable

ARG_HASH = "arg_hash"


def backing_row_type(view: ViewDef) -> Product:
    """The row type of the view's backing table."""
    columns = (Element(column.name, column.resolved) for column in view.columns)
    return Product((Element(ARG_HASH, U256), *columns))


def add_view(store: Store, definitions: Definitions, view: ViewDef) -> int:
    """The view and its backing table, whose id comes back."""
    name = view.full_name
    access = TableAccess.PUBLIC if view.is_public else TableAccess.PRIVATE
    table_id = definitions.add_table_row(name, view.full_accessor, access, None)
    _describe(definitions, view, table_id)
    definitions.add_column_row(table_id, name, 0, ARG_HASH, None, U256)
    for column in view.columns:
        definitions.add_column_row(
            table_id, name, column.position + 1, column.name, column.accessor, column.resolved
        )
    store.create_table(table_id, encode_type(backing_row_type(view)), EPHEMERAL_TABLE)
    _add_index(store, definitions, table_id, f"{name}_{ARG_HASH}", (0,), unique=False)
    if view.primary_key is not None:
        key = view.columns[view.primary_key].name
        columns = (0, view.primary_key + 1)
        _add_index(store, definitions, table_id, f"{name}_{ARG_HASH}_{key}", columns, unique=True)
        definitions.add_constraint_row(table_id, f"{name}_{ARG_HASH}_{key}_key", columns)
    return table_id


def drop_view(definitions: Definitions, table: Table) -> None:
    """`table` is the view's backing table."""
    assert table.view is not None
    view_id = table.view.id
    definitions.rows.take(SystemTable.VIEW, ST_VIEW, lambda row: row.view_id == view_id)
    definitions.rows.take(SystemTable.VIEW_PARAM, ST_VIEW_PARAM, lambda row: row.view_id == view_id)
    definitions.rows.take(SystemTable.VIEW_COLUMN, ST_VIEW_COLUMN, lambda row: row.view_id == view_id)
    definitions.drop_table(table.id)


def stale_views(schema: Schema, module: ModuleDef) -> list[ViewDef]:
    """Views whose backing table is missing or has not the columns that the module returns."""
    stale = []
    for view in module.all_views:
        table = schema.named(view.full_name)
        if table is None or table.row_type != backing_row_type(view):
            stale.append(view)
    return stale


def renew_view(store: Store, definitions: Definitions, schema: Schema, view: ViewDef) -> None:
    """The view in the place of the one of that name, if there is one."""
    table = schema.named(view.full_name)
    if table is not None:
        drop_view(definitions, table)
    add_view(store, definitions, view)


def _describe(definitions: Definitions, view: ViewDef, table_id: int) -> None:
    """Rows that say what the module declared; their types may hold references into its typespace."""
    rows = definitions.rows
    row = StView(0, view.full_name, table_id, is_public=True, is_anonymous=view.is_anonymous)
    view_id = rows.add(SystemTable.VIEW, ST_VIEW, row).view_id
    for position, (name, element) in enumerate(zip(view.param_names, view.params.elements, strict=True)):
        param = StViewParam(view_id, position, name, encode_type(element.type))
        rows.add(SystemTable.VIEW_PARAM, ST_VIEW_PARAM, param)
    for column in view.columns:
        described = StViewColumn(view_id, column.position, column.name, encode_type(column.type))
        rows.add(SystemTable.VIEW_COLUMN, ST_VIEW_COLUMN, described)


def _add_index(
    store: Store,
    definitions: Definitions,
    table_id: int,
    name: str,
    columns: tuple[int, ...],
    *,
    unique: bool,
) -> None:
    index_id = definitions.add_index_row(table_id, f"{name}_idx_btree", Tagged("BTree", columns))
    store.create_index(index_id, table_id, IndexKind.BTREE, unique, list(columns))
