"""Scheduled rows: a reducer runs when a row of its table is due, with the row as its argument.

A row is queued as soon as the module writes it, before its transaction commits; when it is due it is looked
up again, so a row that was rolled back or deleted meanwhile simply does not run. A one-shot row is deleted
in a transaction of its own after its run, whether that succeeded or not: a crash in between runs it again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

from spacetimedb_lib.identity import ConnectionId
from spacetimedb_standalone.database.caller import Caller
from spacetimedb_standalone.database.database import Database
from spacetimedb_standalone.database.schedule_queue import (
    INTERVAL,
    LONGEST_DELAY,
    TIME,
    ScheduledRow,
    ScheduleQueue,
    first_due,
    next_tick,
)
from spacetimedb_standalone.database.views import ViewError
from spacetimedb_standalone.datastore.schema import Schedule, Table
from spacetimedb_standalone.ports.clock import Clock

log = logging.getLogger(__name__)

DELAY_TOO_LONG = 13
"""The module ABI's error number for it."""


class RunProcedure(Protocol):
    def __call__(self, name: str, caller: Caller, args: bytes) -> None:
        """Run a procedure as the database itself; failures are logged, not raised."""


class Scheduler:
    """`wake` is called whenever the next due time may have become earlier."""

    def __init__(self, database: Database, clock: Clock, run_procedure: RunProcedure) -> None:
        self._database, self._clock, self._run_procedure = database, clock, run_procedure
        self._queue = ScheduleQueue()
        self._wake: Callable[[], None] = lambda: None

    def on_wake(self, wake: Callable[[], None]) -> None:
        self._wake = wake

    def rebuild(self) -> None:
        """Queue every row of every scheduled table: at start, and when another module took over."""
        self._queue.clear()
        now = self._clock.now()
        scheduled = [table for table in self._database.datastore.schema.tables.values() if table.schedule]
        for table in scheduled:
            for row in self._database.store.scan(table.id):
                self._put(table, row, now)
        self._database.notify([table.id for table in scheduled])
        self._wake()

    def row_written(self, table_id: int, row: bytes) -> int:
        """The module inserted or updated a scheduled row: 0, or the error number that it gets."""
        table = self._database.datastore.schema.by_id(table_id)
        if table is None or table.schedule is None:
            return 0
        now = self._clock.now()
        _, tag, micros = _read(table, table.schedule, row)
        if first_due(tag, micros, now) - now > LONGEST_DELAY:
            return DELAY_TOO_LONG
        self._put(table, row, now)
        self._wake()
        return 0

    def next_due(self) -> int | None:
        return self._queue.next_due()

    def run_due(self) -> bool:
        """Run the first row that is due; False: none is."""
        entry = self._queue.pop_due(self._clock.now())
        if entry is None:
            return False
        table = self._database.datastore.schema.by_id(entry.table_id)
        if table is not None and table.schedule is not None:
            row = self._find(table, table.schedule, entry.row_id)
            if row is not None:
                self._run(table, table.schedule, entry, row)
        return True

    def _put(self, table: Table, row: bytes, now: int) -> None:
        assert table.schedule is not None
        row_id, tag, micros = _read(table, table.schedule, row)
        self._queue.put(ScheduledRow(table.id, row_id, first_due(tag, micros, now)))

    def _find(self, table: Table, schedule: Schedule, row_id: int) -> bytes | None:
        index = next(
            index for index in table.indexes if index.columns == (schedule.id_column,) and index.unique
        )
        rows = self._database.store.seek(index.id, row_id.to_bytes(8, "little"))
        return rows[0] if rows else None

    def _run(self, table: Table, schedule: Schedule, entry: ScheduledRow, row: bytes) -> None:
        datastore = self._database.datastore
        caller = Caller(datastore.database_identity, ConnectionId.ZERO, "{}", is_owner=True)
        reducer = self._database.reducers.get(schedule.function)
        if reducer is None:
            self._settle(table, schedule, entry)
            self._run_procedure(schedule.function, caller, row)
            return
        self._database.call(reducer, caller, row)
        self._settle(table, schedule, entry)

    def _settle(self, table: Table, schedule: Schedule, entry: ScheduledRow) -> None:
        """Delete a row that has run once; queue one that runs again."""
        row = self._find(table, schedule, entry.row_id)
        if row is None:
            return
        _, tag, micros = _read(table, schedule, row)
        if tag == INTERVAL:
            due = next_tick(entry.intended, micros, self._clock.now())
            self._queue.put(ScheduledRow(table.id, entry.row_id, due))
            return
        self._database.datastore.begin()
        self._database.store.delete(table.id, row)
        try:
            self._database.commit()
        except ViewError as error:
            log.error("a scheduled row of %s that has run could not be deleted: %s", table.name, error)


def _read(table: Table, schedule: Schedule, row: bytes) -> tuple[int, int, int]:
    """(id, tag of `ScheduleAt`, its microseconds) of a scheduled row."""
    values, _ = table.codec.decode(row)
    tag, (micros,) = values[schedule.at_column]
    assert tag in (INTERVAL, TIME)
    return values[schedule.id_column], tag, micros
