"""From the log to the state it leads to.

A replay begins with the system tables and nothing else, without any index or sequence: a log holds a history
in which every row was checked once. The engine applies the records; where one changes the definition of
tables it asks `_Definitions`, in the middle of the record, since the rows that follow may be of those tables.
When all is applied, what the definitions say is built: indexes and sequences.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator

from spacetimedb_engine import ReplayError, Store
from spacetimedb_lib.sats.type_codec import decode_type, encode_type
from spacetimedb_lib.sats.types import Element, Product
from spacetimedb_standalone.commitlog import OpenedLog
from spacetimedb_standalone.commitlog.errors import BadHeader
from spacetimedb_standalone.commitlog.format import StoredCommit
from spacetimedb_standalone.datastore.definition_rows import DefinitionRows
from spacetimedb_standalone.datastore.definitions import EPHEMERAL_TABLE, EVENT_TABLE
from spacetimedb_standalone.datastore.initialization import create_parts
from spacetimedb_standalone.datastore.schema import Schema
from spacetimedb_standalone.datastore.schema_reading import read_rows, read_schema
from spacetimedb_standalone.datastore.system_rows import StColumn, StSequence
from spacetimedb_standalone.datastore.system_tables import (
    FIRST_USER_ID,
    ST_COLUMN,
    ST_EVENT_TABLE,
    ST_SEQUENCE,
    ST_TABLE,
    ST_VIEW,
    SystemTable,
)

logger = logging.getLogger(__name__)

PIECE = 1 << 20
"""Bytes that the engine gets at a time."""
DEFINING = (SystemTable.TABLE, SystemTable.COLUMN, SystemTable.EVENT_TABLE)
"""Rows of these say what tables there are."""


def replay(store: Store, log: OpenedLog) -> Schema:
    """Apply a log, from offset 0, to a store that holds the system tables and nothing else.

    The engine checks what it is given, so a sound log goes to it in large pieces. Where it refuses one, what
    is left is read with care: a torn tail that healed, a commit that stands twice, or damage to be reported.

    Raises `ReplayError` for a history that cannot be, `StorageError` for definitions that contradict
    themselves, `UniqueViolation` for rows that a constraint forbids, and `LogDamage`.
    """
    definitions = _Definitions(store)
    refused: ReplayError | BadHeader | None = None
    try:
        for run in log.runs():
            store.replay(run, definitions.changed, DEFINING)
    except (ReplayError, BadHeader) as error:
        refused = error
    _replay_with_care(store, log, definitions, refused)
    _mend(store)
    schema = read_schema(store)
    create_parts(store, schema.tables.values())
    return schema


def _replay_with_care(
    store: Store, log: OpenedLog, definitions: _Definitions, refused: ReplayError | BadHeader | None
) -> None:
    """What the engine has not been given yet, or has refused with this error."""
    start = store.next_offset
    if refused is not None:
        logger.info("from transaction %s on the log is read commit by commit: %s", start, refused)
    try:
        for piece in _pieces(log.commits(start)):
            store.replay(piece, definitions.changed, DEFINING)
    except ReplayError as again:
        if refused is not None and store.next_offset == start:
            raise refused from again  # the log's form is not at fault, and the first text is the better one
        raise


def _pieces(commits: Iterable[StoredCommit]) -> Iterator[bytes]:
    """The commits as bytes, many at a time."""
    piece = bytearray()
    for commit in commits:
        piece += commit.encoded
        if len(piece) >= PIECE:
            yield bytes(piece)
            piece.clear()
    if piece:
        yield bytes(piece)


def _mend(store: Store) -> None:
    """Undo what older servers left behind: they logged sequences of system tables twice, and kept the marks
    of event tables that were dropped. Nothing of it is logged, as every replay does it again."""
    store.begin()
    rows = DefinitionRows(store)
    bounds: dict[int, int] = {}
    for row in rows.find(SystemTable.SEQUENCE, ST_SEQUENCE, lambda row: row.sequence_id < FIRST_USER_ID):
        bounds[row.sequence_id] = max(row.allocated, bounds.get(row.sequence_id, row.allocated))

    def is_surpassed(row: StSequence) -> bool:
        return row.allocated < bounds.get(row.sequence_id, row.allocated)

    surpassed = rows.take(SystemTable.SEQUENCE, ST_SEQUENCE, is_surpassed)
    tables = {row.table_id for row in read_rows(store, SystemTable.TABLE, ST_TABLE)}
    orphans = rows.take(SystemTable.EVENT_TABLE, ST_EVENT_TABLE, lambda row: row.table_id not in tables)
    if surpassed or orphans:
        next_offset = store.next_offset
        store.commit(None)
        store.take_log()
        store.next_offset = next_offset
    else:
        store.rollback()


class _Definitions:
    """The user's tables as the engine has them now, while a replay goes through their history."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._types: dict[int, dict[int, bytes]] = {}
        """By table, then by position, the column types."""

    def changed(self, section: str, groups: list[tuple[int, list[bytes]]]) -> None:
        """Rows of definitions have come (section "inserts") or gone ("deletes") in the middle of a record."""
        defined = {
            row.table_id
            for row in read_rows(self._store, SystemTable.TABLE, ST_TABLE)
            if row.table_id >= FIRST_USER_ID
        }
        if section == "deletes":
            for table_id in self._types.keys() - defined:
                self._store.drop_table(table_id)
                del self._types[table_id]
        self._define(defined)

    def _define(self, tables: set[int]) -> None:
        """Make the engine's tables be as the rows say."""
        columns: dict[int, list[StColumn]] = defaultdict(list)
        for column in read_rows(self._store, SystemTable.COLUMN, ST_COLUMN):
            columns[column.table_id].append(column)
        events = {row.table_id for row in read_rows(self._store, SystemTable.EVENT_TABLE, ST_EVENT_TABLE)}
        views = {row.table_id for row in read_rows(self._store, SystemTable.VIEW, ST_VIEW)}
        for table_id in sorted(tables):
            known = self._types.get(table_id, {})
            newest = _newest(columns[table_id], known)
            types = {column.col_pos: column.col_type for column in newest}
            if types == known:
                continue
            row_type = encode_type(
                Product(tuple(Element(column.col_name, decode_type(column.col_type)[0]) for column in newest))
            )
            if known:
                self._store.alter_table(table_id, row_type)
            else:
                flags = (EVENT_TABLE if table_id in events else 0) | (
                    EPHEMERAL_TABLE if table_id in views else 0
                )
                self._store.create_table(table_id, row_type, flags)
            self._types[table_id] = types


def _newest(columns: list[StColumn], known: dict[int, bytes]) -> list[StColumn]:
    """One column a position. Where a record replaces one, old and new are both there until its end."""
    chosen: dict[int, StColumn] = {}
    for column in columns:
        if column.col_pos not in chosen or column.col_type != known.get(column.col_pos):
            chosen[column.col_pos] = column
    return [chosen[position] for position in sorted(chosen)]
