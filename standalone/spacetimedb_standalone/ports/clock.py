"""Time as a port: what the wall shows and what has passed."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    def now(self) -> int:
        """Microseconds since the Unix epoch, as the wall clock shows them; may go back."""
        ...

    def monotonic(self) -> float:
        """Seconds since some moment; never goes back."""
        ...


class SystemClock:
    """The host's clocks."""

    def now(self) -> int:
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        return time.monotonic()


class ManualClock:
    """A clock that stands still until it is moved, for tests."""

    def __init__(self, now: int = 1_700_000_000_000_000) -> None:
        self._now = now
        self._passed = 0

    def now(self) -> int:
        return self._now

    def monotonic(self) -> float:
        return self._passed / 1_000_000

    def advance(self, micros: int) -> None:
        """Let this many microseconds pass."""
        self._now += micros
        self._passed += micros
