"""Runs scheduled rows when the loop's clock says so, one to a turn, so that clients are heard in between."""

from __future__ import annotations

import asyncio

from spacetimedb_standalone.database.scheduler import Scheduler
from spacetimedb_standalone.ports.clock import Clock
from spacetimedb_standalone.worker.loop_turn import LoopTurn

LONGEST_WAIT = 60.0
"""Seconds. Rows are due by the wall clock, which may be set, or go on while the machine sleeps and the loop's does not."""


class ScheduleTimer:
    def __init__(
        self, loop: asyncio.AbstractEventLoop, scheduler: Scheduler, turn: LoopTurn, clock: Clock
    ) -> None:
        self._loop, self._scheduler, self._turn, self._clock = loop, scheduler, turn, clock
        self._handle: asyncio.TimerHandle | None = None
        self._stopped = False
        scheduler.on_wake(self.arm)

    def arm(self) -> None:
        """Wait for the first row in the queue."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        due = self._scheduler.next_due()
        if due is not None and not self._stopped:
            delay = max(0, due - self._clock.now()) / 1_000_000
            self._handle = self._loop.call_later(min(delay, LONGEST_WAIT), self._fire)

    def stop(self) -> None:
        self._stopped = True
        if self._handle is not None:
            self._handle.cancel()

    def _fire(self) -> None:
        self._handle = None
        self._scheduler.run_due()
        self._turn.flush()
        self.arm()
