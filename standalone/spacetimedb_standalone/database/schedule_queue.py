"""When which scheduled row is due: a queue without a clock.

A row is known by its table and its id; at most one entry each. Entries are not removed when their row goes:
whoever fires one looks the row up again and finds nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count

INTERVAL, TIME = 0, 1
"""Tags of `ScheduleAt`."""
LONGEST_DELAY = ((1 << 36) - 1) * 1000
"""Microseconds; about 2.18 years. What lies further ahead is refused."""


@dataclass(frozen=True, slots=True)
class ScheduledRow:
    """Which row, and when it was meant to run (microseconds since the epoch)."""

    table_id: int
    row_id: int
    intended: int


def first_due(tag: int, micros: int, base: int) -> int:
    """When a row written at `base` is due: `micros` is the interval (its sign does not count) or the time."""
    return micros if tag == TIME else base + abs(micros)


def next_tick(intended: int, interval: int, now: int) -> int:
    """The tick after `intended` that lies after `now`: ticks that were missed are left out, without drift.

    Without an interval it is due again at once, but behind what is due by now: it must not keep the rest waiting.
    """
    interval = abs(interval)
    if not interval:
        return max(intended, now)
    missed = max(0, now - intended) // interval
    return intended + (missed + 1) * interval


class ScheduleQueue:
    def __init__(self) -> None:
        self._heap: list[tuple[int, int, ScheduledRow]] = []
        self._current: dict[tuple[int, int], int] = {}
        self._numbers = count()

    def put(self, row: ScheduledRow) -> None:
        """Queue a row; what was queued for it before no longer counts."""
        number = next(self._numbers)
        self._current[row.table_id, row.row_id] = number
        heappush(self._heap, (row.intended, number, row))

    def holds(self, table_id: int, row_id: int) -> bool:
        """Is there an entry for this row?"""
        return (table_id, row_id) in self._current

    def clear(self) -> None:
        self._heap.clear()
        self._current.clear()

    def next_due(self) -> int | None:
        """When the first entry is due; None: the queue is empty."""
        self._drop_replaced()
        return self._heap[0][0] if self._heap else None

    def pop_due(self, now: int) -> ScheduledRow | None:
        """Take the first entry that is due at `now`."""
        self._drop_replaced()
        if not self._heap or self._heap[0][0] > now:
            return None
        row = heappop(self._heap)[2]
        del self._current[row.table_id, row.row_id]
        return row

    def _drop_replaced(self) -> None:
        while self._heap:
            _, number, row = self._heap[0]
            if self._current.get((row.table_id, row.row_id)) == number:
                return
            heappop(self._heap)
