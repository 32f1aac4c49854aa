"""A store on its way to the state of a database: from a snapshot, then from the log; or from the log alone.

It begins with the system tables and nothing else. A snapshot's rows go in as they lie, and indexes are made over
them. The engine applies the records of the log; where one changes the definition of tables it asks `UserTables`,
in the middle of the record, since the rows that follow may be of those tables. It asks no unique index: each row
of a log was checked when it was written. What the definitions say in the end is built when all is applied.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

from spacetimedb_engine import EngineError, ReplayError, Store
from spacetimedb_standalone.commitlog import OpenedLog
from spacetimedb_standalone.commitlog.errors import LogDamage
from spacetimedb_standalone.commitlog.format import StoredCommit
from spacetimedb_standalone.datastore.definition_rows import DefinitionRows
from spacetimedb_standalone.datastore.errors import StorageError
from spacetimedb_standalone.datastore.initialization import (
    create_indexes,
    create_sequences,
    create_system_tables,
)
from spacetimedb_standalone.datastore.program import read_module
from spacetimedb_standalone.datastore.schema import Schema
from spacetimedb_standalone.datastore.schema_reading import read_rows, read_schema
from spacetimedb_standalone.datastore.system_rows import StSequence
from spacetimedb_standalone.datastore.system_tables import (
    FIRST_USER_ID,
    ST_EVENT_TABLE,
    ST_SEQUENCE,
    ST_TABLE,
    SystemTable,
)
from spacetimedb_standalone.datastore.user_tables import DEFINING, UserTables
from spacetimedb_standalone.snapshots import Piece, SnapshotDamage, SnapshotReader

logger = logging.getLogger(__name__)

PIECE = 1 << 20
"""Bytes that the engine gets at a time."""
INSERTS_ONLY = b"\x20\x01"
"""A record of the log that inserts one group of rows: flags, number of groups."""


class Rebuild:
    """First `restore`, if there is a snapshot, then `replay`, then `finish`."""

    def __init__(self) -> None:
        self.store = Store()
        create_system_tables(self.store)
        self._tables = UserTables(self.store)
        self._indexed: Schema | None = None
        """What indexes were made for already."""

    # --- from a snapshot

    def restore(self, snapshot: SnapshotReader) -> None:
        """Raises `SnapshotDamage` if this gives no state, and then the store is of no use any more."""
        pieces = snapshot.pieces()
        try:
            self._take_in(pieces)
            schema = read_schema(self.store)
            create_indexes(self.store, (index for table in schema.tables.values() for index in table.indexes))
            self.store.loaded()
            module = read_module(self.store)
        except (EngineError, StorageError) as error:
            raise SnapshotDamage(
                snapshot.path, snapshot.position, f"its rows make no state: {error}"
            ) from error
        if module is None or module.database_identity.bsatn != snapshot.head.database_identity:
            raise SnapshotDamage(snapshot.path, 0, "it says that it is of another database than its rows do")
        self._indexed = schema
        self.store.next_offset = snapshot.head.next_offset

    def _take_in(self, pieces: Iterator[Piece]) -> None:
        """System tables come first; when all of them are there, the user's tables can be made."""
        defined = False
        for piece in pieces:
            if piece.table_id < FIRST_USER_ID:
                self.store.replay_record(_insertion(piece))
                continue
            if not defined:
                self._define()
                defined = True
            self.store.load(piece.table_id, piece.rows, piece.count)
        if not defined:
            self._define()

    def _define(self) -> None:
        _mend(self.store)
        self._tables.changed("inserts", [])

    # --- from a log

    def replay(self, log: OpenedLog) -> int:
        """Apply what the log has from the store's next transaction on; how many bytes that were.

        The engine checks what it is given, so a sound log goes to it in large pieces. Where it refuses one, what
        is left is read with care: a torn tail that healed, a commit that stands twice, or damage to be reported.

        Raises `LogDamage`, also for a history that cannot be, and `StorageError` for definitions that contradict
        themselves.
        """
        size = 0
        refused: ReplayError | LogDamage | None = None
        try:
            for run in log.runs(self.store.next_offset):
                self.store.replay(run, self._tables.changed, DEFINING)
                size += len(run)
        except (ReplayError, LogDamage) as error:
            refused = error
        return size + self._replay_with_care(log, refused)

    def _replay_with_care(self, log: OpenedLog, refused: ReplayError | LogDamage | None) -> int:
        """What the engine has not been given yet, or has refused with this error."""
        start, size = self.store.next_offset, 0
        if refused is not None:
            logger.info("from transaction %s on the log is read commit by commit: %s", start, refused)
        try:
            for piece in _pieces(log.commits(start)):
                self.store.replay(piece, self._tables.changed, DEFINING)
                size += len(piece)
        except ReplayError as again:
            # If nothing of it was applied, the log's form is not at fault, and the first text is the better one.
            error = again if refused is None or self.store.next_offset > start else refused
            offset = self.store.next_offset
            raise LogDamage(
                f"{log.segment_of(offset)} cannot be replayed from transaction offset {offset} on: {error}"
            ) from again
        return size

    # --- all is there

    def finish(self) -> Schema:
        """Make what the definitions say. Raises `StorageError`, and `UniqueViolation` for rows of the log alone."""
        _mend(self.store)
        schema = read_schema(self.store)
        if self._indexed is None:
            create_indexes(self.store, (index for table in schema.tables.values() for index in table.indexes))
        else:
            _renew_indexes(self.store, self._indexed, schema)
        create_sequences(self.store, schema.tables.values())
        return schema


def _insertion(piece: Piece) -> bytes:
    """A record that inserts the rows of a piece: they may be there, being built in."""
    count, varint = piece.count, bytearray()
    while count > 127:
        varint.append(count & 127 | 128)
        count >>= 7
    varint.append(count)
    return INSERTS_ONLY + piece.table_id.to_bytes(4, "little") + bytes(varint) + piece.rows + b"\0\0"


def _renew_indexes(store: Store, before: Schema, after: Schema) -> None:
    """The log has changed definitions since the indexes were made: the same for them. Tables take theirs along."""
    for table in before.tables.values():
        now = after.by_id(table.id)
        gone = () if now is None else (index for index in table.indexes if index not in now.indexes)
        for index in gone:
            store.drop_index(index.id)
    for table in after.tables.values():
        then = before.by_id(table.id)
        create_indexes(store, (index for index in table.indexes if then is None or index not in then.indexes))


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
