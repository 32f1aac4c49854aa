"""The numbers of an auto-increment column.

A sequence hands out `value`, then `value` stepped by `increment`, wrapping round between `minimum` and
`maximum`. The numbers up to `allocated` may be handed out; when they are used up 4096 more are allocated, and
the new `allocated` has to be written to the sequence's row before the first of them goes out. A database that
is opened again goes on at `allocated`, so no number is given twice.

Numbers are 128 bits. Drawing is an addition of two 64-bit halves, for as long as no wrapping and no
allocation is due (a *chunk*); what comes then is worked out here with Python's integers (`refill`).

Numbers do not go back when a transaction is rolled back. If the row that was written for them does, `unsaved`
says that it must be written again.
"""

from __future__ import annotations

import cython
from spacetimedb_engine.errors import SchemaError

STEP = 4096
"""So many numbers are allocated at a time."""


class Sequence:
    """`width`: bytes of the column. `value`: the next number (default: `allocated`). Raises SchemaError for
    nonsense."""

    def __init__(
        self,
        sequence_id: int,
        table_id: int,
        column: int,
        width: int,
        start: int,
        minimum: int,
        maximum: int,
        increment: int,
        allocated: int,
        value: int | None,
    ) -> None:
        if not minimum < maximum or not minimum <= start <= maximum:
            raise SchemaError(f"sequence {sequence_id} starts at {start}, outside {minimum}..{maximum}")
        if increment == 0 or abs(increment) >= maximum - minimum:
            raise SchemaError(f"sequence {sequence_id} steps by {increment} within {minimum}..{maximum}")
        self.id = sequence_id
        self.table_id = table_id
        self.column = column
        self.width = width
        self.start = start
        self.minimum = minimum
        self.maximum = maximum
        self.increment = increment
        self.allocated = allocated if allocated else start
        self.base = self.allocated if value is None else value
        self.unsaved = False
        self.fresh = False
        self.chunk = self.left = 0
        self.lo = self.hi = 0
        self.inc_lo = increment & 0xFFFFFFFFFFFFFFFF
        self.inc_hi = (increment >> 64) & 0xFFFFFFFFFFFFFFFF
        self.drawn_lo = self.drawn_hi = 0

    def draw(self) -> cython.bint:
        """Puts the next number into `drawn_lo`, `drawn_hi`; False when it takes a `refill` first."""
        full: cython.ulonglong = 0xFFFFFFFFFFFFFFFF
        if self.left == 0:
            return False
        self.left -= 1
        self.drawn_lo = self.lo
        self.drawn_hi = self.hi
        self.lo = (self.lo + self.inc_lo) & full
        self.hi = (self.hi + self.inc_hi + (1 if self.lo < self.inc_lo else 0)) & full
        return True

    def step(self, value: int) -> int:
        """The number after `value`."""
        value = value + self.increment
        span = self.maximum - self.minimum + 1
        if self.increment > 0 and value > self.maximum:
            return int(self.minimum + (value - self.maximum - 1) % span)
        if self.increment < 0 and value < self.minimum:
            return int(self.maximum - (self.minimum - value - 1) % span)
        return value

    def ahead(self, value: int, count: int) -> int:
        """The number `count` steps after `value`."""
        last = value + self.increment * count
        if self.minimum <= value and self.minimum <= last <= self.maximum:
            return last
        for _ in range(count):
            value = self.step(value)
        return value

    def value(self) -> int:
        """The next number."""
        return self.ahead(self.base, self.chunk - self.left)

    def allocate(self, value: int) -> int:
        """Where the next allocation after `value` ends: STEP steps on, or where it would run into itself."""
        end = self.ahead(value, STEP)
        if (end - value) == self.increment * STEP:
            return end
        end = value
        for _ in range(STEP):
            following = self.step(end)
            if following == value:
                break
            end = following
        return end

    def refill(self) -> int | None:
        """Begins a new chunk. The number that must be written as `allocated` before drawing, if any."""
        value = self.value()
        save = self.unsaved
        if value == self.allocated:
            self.allocated = self.allocate(value)
            save = True
        bound = self.maximum if self.increment > 0 else self.minimum
        room = (bound - value) // self.increment + 1 if (bound - value) * self.increment >= 0 else 1
        away, rest = divmod(self.allocated - value, self.increment)
        self.base = value
        self.chunk = self.left = min(room, away if rest == 0 and away > 0 else STEP, STEP)
        self.lo = value & 0xFFFFFFFFFFFFFFFF
        self.hi = (value >> 64) & 0xFFFFFFFFFFFFFFFF
        self.unsaved = False
        self.fresh = self.fresh or save  # also when this transaction has written it for an earlier chunk
        return self.allocated if save else None

    def forget(self) -> None:
        """The transaction that wrote `allocated` was rolled back."""
        if self.fresh:
            self.base = self.value()
            self.chunk = self.left = 0
            self.unsaved = True
            self.fresh = False
