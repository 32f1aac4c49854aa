"""Scheduled rows: a function runs when a row of its table is due, with the row as its argument.

A row is queued as soon as the module writes it, before its transaction commits; when it is due it is looked
up again, so a row that was rolled back or deleted meanwhile simply does not run. A one-shot row of a reducer
is deleted in a transaction of its own after its run, whether that succeeded or not: a crash in between runs it
again. That of a procedure is deleted before: it runs once at most.

Procedures run beside the engine's thread, one scheduled one at a time, so that a row with a short interval
can't fill the pool. Those that come due meanwhile wait in a lane of their own and hold up no reducer; a row
is settled only when its turn comes, so the ticks that it missed in the lane are left out.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import NamedTuple, Protocol

from spacetimedb_lib.identity import ConnectionId
from spacetimedb_standalone.database.caller import Caller
from spacetimedb_standalone.database.database import Database
from spacetimedb_standalone.database.functions import UncallableError, check_arguments, find_reducer
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
    def __call__(self, name: str, caller: Caller, args: bytes, done: Callable[[], None]) -> None:
        """Start a procedure; `done` is called when it is over. Its failures are logged, not raised.

        Raises UncallableError if it can't be started; then `done` is not called.
        """


class _Found(NamedTuple):
    """A row that is due."""

    table: Table
    schedule: Schedule
    row: bytes


class Scheduler:
    """`wake` is called whenever the next due time may have become earlier."""

    def __init__(self, database: Database, clock: Clock, run_procedure: RunProcedure) -> None:
        self._database, self._clock, self._run_procedure = database, clock, run_procedure
        self._queue = ScheduleQueue()
        self._lane: deque[ScheduledRow] = deque()
        self._lane_busy = False
        self._wake: Callable[[], None] = lambda: None

    def on_wake(self, wake: Callable[[], None]) -> None:
        self._wake = wake

    def rebuild(self) -> None:
        """Queue every row of every scheduled table: at start, and when another module took over."""
        self._queue.clear()
        self._lane.clear()
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
        found = self._find(entry)
        if found is None:
            return True
        reducer = self._database.reducers.get(found.schedule.function)
        if reducer is None:
            self._lane.append(entry)
            self._next_procedure()
        else:
            self._database.call(reducer, self._myself(), found.row)
            self._settle(entry)
        return True

    def run_now(self, function: str, args: bytes) -> None:
        """What a module asked to be run as soon as possible. There is no row, and nobody hears of failures."""
        database = self._database
        try:
            if function in database.reducers:
                reducer = find_reducer(database, function, is_owner=True)
                check_arguments(database, reducer, args)
                database.call(reducer, self._myself(), args)
            else:
                self._run_procedure(function, self._myself(), args, lambda: None)
        except UncallableError as error:
            log.error("the module asked to run %s now, which is not possible: %s", function, error)

    def _next_procedure(self) -> None:
        """Start the first one in the lane, unless one runs."""
        while self._lane and not self._lane_busy:
            entry = self._lane.popleft()
            found = None if self._queue.holds(entry.table_id, entry.row_id) else self._find(entry)
            if found is None:
                continue  # the row is gone, or was written anew with another time
            self._settle(entry)
            self._lane_busy = True
            try:
                self._run_procedure(found.schedule.function, self._myself(), found.row, self._procedure_over)
            except UncallableError as error:
                self._lane_busy = False
                log.error("the procedure scheduled by %s can't be run: %s", found.table.name, error)
        self._wake()

    def _procedure_over(self) -> None:
        self._lane_busy = False
        self._next_procedure()

    def _myself(self) -> Caller:
        """Scheduled functions are called by the database."""
        return Caller(self._database.datastore.database_identity, ConnectionId.ZERO, "{}", is_owner=True)

    def _put(self, table: Table, row: bytes, now: int) -> None:
        assert table.schedule is not None
        row_id, tag, micros = _read(table, table.schedule, row)
        self._queue.put(ScheduledRow(table.id, row_id, first_due(tag, micros, now)))

    def _find(self, entry: ScheduledRow) -> _Found | None:
        """The row as it is now; None: it is gone."""
        table = self._database.datastore.schema.by_id(entry.table_id)
        if table is None or table.schedule is None:
            return None
        ids = (table.schedule.id_column,)
        index = next(index for index in table.indexes if index.columns == ids and index.unique)
        rows = self._database.store.seek(index.id, entry.row_id.to_bytes(8, "little"))
        return _Found(table, table.schedule, rows[0]) if rows else None

    def _settle(self, entry: ScheduledRow) -> None:
        """Delete a row that runs once; queue one that runs again."""
        found = self._find(entry)
        if found is None:
            return
        _, tag, micros = _read(found.table, found.schedule, found.row)
        if tag == INTERVAL:
            due = next_tick(entry.intended, micros, self._clock.now())
            self._queue.put(ScheduledRow(entry.table_id, entry.row_id, due))
            return
        self._database.datastore.begin()
        self._database.store.delete(entry.table_id, found.row)
        try:
            self._database.commit()
        except ViewError as error:
            log.error("a scheduled row of %s that has run could not be deleted: %s", found.table.name, error)


def _read(table: Table, schedule: Schedule, row: bytes) -> tuple[int, int, int]:
    """(id, tag of `ScheduleAt`, its microseconds) of a scheduled row."""
    values, _ = table.codec.decode(row)
    tag, (micros,) = values[schedule.at_column]
    assert tag in (INTERVAL, TIME)
    return values[schedule.id_column], tag, micros
