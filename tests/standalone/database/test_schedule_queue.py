"""When scheduled rows are due, and in which order."""

from __future__ import annotations

import pytest

from spacetimedb_standalone.database.schedule_queue import ScheduledRow, ScheduleQueue, next_tick

FOREVER, ONCE = 1, 2


@pytest.mark.parametrize(
    ("interval", "now", "due"),
    [
        (100, 1350, 1400),
        (100, 1300, 1400),
        (-100, 1350, 1400),
        (100, 900, 1100),
        (0, 1350, 1350),
        (0, 900, 1000),
    ],
)
def test_the_next_tick_of_a_row_that_was_meant_for_1000(interval: int, now: int, due: int) -> None:
    assert next_tick(1000, interval, now) == due


def test_a_row_without_an_interval_lets_the_others_run() -> None:
    """It is due again at once, for ever."""
    queue, now = ScheduleQueue(), 1000
    queue.put(ScheduledRow(4096, FOREVER, now))
    queue.put(ScheduledRow(4096, ONCE, now + 5))
    ran: list[int] = []
    while len(ran) < 20:
        now += 1
        row = queue.pop_due(now)
        assert row is not None
        ran.append(row.row_id)
        if row.row_id == FOREVER:
            queue.put(ScheduledRow(4096, FOREVER, next_tick(row.intended, 0, now)))
    assert ran.count(ONCE) == 1


def test_of_a_row_only_what_was_put_last_counts() -> None:
    queue = ScheduleQueue()
    queue.put(ScheduledRow(4096, ONCE, 10))
    queue.put(ScheduledRow(4096, ONCE, 30))
    assert queue.next_due() == 30 and queue.pop_due(20) is None
    assert queue.pop_due(30) == ScheduledRow(4096, ONCE, 30)
    assert queue.next_due() is None and not queue.holds(4096, ONCE)
