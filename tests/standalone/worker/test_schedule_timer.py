"""When scheduled rows are looked at again."""

from collections.abc import Callable
from typing import Any

from spacetimedb_standalone.ports import ManualClock
from spacetimedb_standalone.worker.schedule_timer import LONGEST_WAIT, ScheduleTimer


class Loop:
    """Notes what it is to do when, and does nothing."""

    def __init__(self) -> None:
        self.delays: list[float] = []

    def call_later(self, delay: float, callback: Callable[[], None]) -> Any:
        self.delays.append(delay)
        return self

    def cancel(self) -> None:
        pass


class Scheduler:
    def __init__(self, due: int) -> None:
        self.due = due

    def on_wake(self, wake: Callable[[], None]) -> None:
        pass

    def next_due(self) -> int:
        return self.due


def delay_of(due: int) -> float:
    """Seconds until a row is looked at that is due so many microseconds from now."""
    clock, loop = ManualClock(), Loop()
    scheduler: Any = Scheduler(clock.now() + due)
    anything: Any = loop
    ScheduleTimer(anything, scheduler, anything, clock).arm()
    return loop.delays[0]


def test_a_row_is_run_when_it_is_due() -> None:
    assert delay_of(1_500_000) == 1.5
    assert delay_of(-5) == 0


def test_the_clock_is_looked_at_now_and_then_for_it_may_be_set() -> None:
    assert delay_of(3600 * 1_000_000) == LONGEST_WAIT
