"""When a scheduled reducer runs: once at a time, or again and again after an interval."""

from __future__ import annotations

from typing import Final

from spacetimedb_lib.sats.types import SumValue
from spacetimedb_lib.timestamp import TimeDuration, Timestamp

INTERVAL_TAG: Final = 0
TIME_TAG: Final = 1


def interval(duration: TimeDuration) -> SumValue:
    """The column value for "every `duration`"."""
    return SumValue(INTERVAL_TAG, (duration.micros,))


def at(time: Timestamp) -> SumValue:
    """The column value for "once, at `time`"."""
    return SumValue(TIME_TAG, (time.micros,))


def parse(value: SumValue) -> Timestamp | TimeDuration:
    """What a column value says: a time, or an interval."""
    tag, (micros,) = value
    return TimeDuration(micros) if tag == INTERVAL_TAG else Timestamp(micros)


def next_run(value: SumValue, now: Timestamp) -> Timestamp:
    """When to run next, seen from `now`: the past means now, a negative interval counts as positive."""
    match parse(value):
        case TimeDuration(micros):
            return Timestamp(now.micros + abs(micros))
        case Timestamp(micros):
            return Timestamp(max(micros, now.micros))
