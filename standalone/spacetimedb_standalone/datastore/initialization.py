"""What a database begins with: system tables in memory, then, in one transaction, its first module."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from spacetimedb_engine import EngineError, Store
from spacetimedb_lib.moduledef import ModuleDef
from spacetimedb_lib.sats.errors import TypeRefError
from spacetimedb_standalone.datastore.definitions import EPHEMERAL_TABLE, Definitions, create_sequence
from spacetimedb_standalone.datastore.errors import InitError
from spacetimedb_standalone.datastore.schema import Index, Table
from spacetimedb_standalone.datastore.system_tables import (
    EPHEMERAL,
    built_in_rows,
    sequence_row,
    system_schema,
)
from spacetimedb_standalone.datastore.view_definitions import add_view
from spacetimedb_standalone.module_logs import Level

SystemLog = Callable[[Level, str], None]
"""Where the author of the module reads what the server did."""
RuleTarget = Callable[[str], int]
"""The table (id) that the SQL text of a row level rule is about. Raises what the text is wrong about."""


def create_system_tables(store: Store) -> None:
    """The system tables and the rows that describe them, of which the log never hears.

    There are no indexes and sequences yet: they are made when the rows are there.
    """
    for table in system_schema().tables.values():
        store.create_table(table.id, table.row_type_bytes, EPHEMERAL_TABLE if table.id in EPHEMERAL else 0)
    store.begin()
    for table_id, row in built_in_rows():
        store.insert(table_id, row)
    store.commit(None)
    store.take_log()
    store.next_offset = 0


def create_indexes(store: Store, indexes: Iterable[Index]) -> None:
    """Raises `UniqueViolation` for rows that a unique one does not allow."""
    for index in indexes:
        store.create_index(index.id, index.table_id, index.kind, index.unique, list(index.columns))


def create_sequences(store: Store, tables: Iterable[Table]) -> None:
    """The sequences of tables that have none yet."""
    for table in tables:
        for sequence in table.sequences:
            create_sequence(store, sequence_row(table.id, sequence))


def create_module(
    store: Store,
    module: ModuleDef,
    system_log: SystemLog,
    rule_target: RuleTarget,
    reread: Callable[[], object],
) -> None:
    """All that a module declares, inside the open transaction. Raises `InitError`.

    Tables first, then views, each in the order of names, then row level rules. `reread` is called when the
    tables are there and before the rules are looked at, which speak of them.
    """
    _create_tables(store, module, system_log)
    rules = [sql for part in module.walk() for sql in part.row_level_security]
    if rules:
        reread()
        for sql in rules:
            system_log(Level.INFO, f"Creating row level security `{sql}`")
            add_rule(Definitions(store), sql, rule_target)


def add_rule(definitions: Definitions, sql: str, rule_target: RuleTarget) -> None:
    """A row level rule of a module. Raises `InitError` if its text is wrong."""
    try:
        table_id = rule_target(sql)
    except Exception as error:  # of a parser and a type checker that this package knows nothing of
        raise InitError(f"failed to create row-level security: `{sql}`: {error}") from error
    definitions.add_rule(table_id, sql)


def _create_tables(store: Store, module: ModuleDef, system_log: SystemLog) -> None:
    definitions = Definitions(store)
    for table in sorted(module.all_tables, key=lambda table: table.full_name):
        system_log(Level.INFO, f"Creating table `{table.full_name}`")
        with _refusals(f"table `{table.full_name}`"):
            definitions.add_table(table)
    for view in sorted(module.all_views, key=lambda view: view.full_name):
        system_log(Level.INFO, f"Creating table for view `{view.full_name}`")
        with _refusals(f"the table of view `{view.full_name}`"):
            add_view(store, definitions, view)


@contextmanager
def _refusals(what: str) -> Iterator[None]:
    """What the engine does not make, or what has no end: a column whose type contains itself."""
    try:
        yield
    except (EngineError, TypeRefError) as error:
        raise InitError(f"{what} cannot be created: {error}") from error
