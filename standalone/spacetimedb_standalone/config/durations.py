"""Durations as people write them in settings and query strings: `15s`, `250ms`, `1min 30s`.

A duration is one or more pairs of a whole number and a unit; blanks may stand anywhere between them.
The error texts are those of the public system, because clients see them.
"""

from __future__ import annotations

from typing import Final

_NANOSECONDS: Final = {
    1: ("nsec", "ns"),
    1_000: ("usec", "us", "µs"),
    1_000_000: ("millis", "msec", "ms"),
    1_000_000_000: ("seconds", "second", "secs", "sec", "s"),
    60_000_000_000: ("minutes", "minute", "min", "mins", "m"),
    3_600_000_000_000: ("hours", "hour", "hrs", "hr", "h"),
    86_400_000_000_000: ("days", "day", "d"),
    604_800_000_000_000: ("weeks", "week", "wk", "wks", "w"),
    2_630_016_000_000_000: ("months", "month", "M"),
    31_557_600_000_000_000: ("years", "year", "yr", "yrs", "y"),
}
_UNITS: Final = {name: factor for factor, names in _NANOSECONDS.items() for name in names}
_SUPPORTED: Final = "ns, us, ms, sec, min, hours, days, weeks, months, years (and few variations)"
_LIMIT: Final = (1 << 64) * 1_000_000_000


class DurationError(ValueError):
    """Text that is no duration."""


def parse_duration(text: str) -> float:
    """`text` in seconds. Raises `DurationError`; positions in its texts count UTF-8 bytes."""
    parser = _Parser(text)
    total = parser.pair()
    while (more := parser.pair_or_end()) is not None:
        total += more
    if total >= _LIMIT:
        raise DurationError("number is too large")
    return total / 1e9


class _Parser:
    def __init__(self, text: str):
        self._text = text
        self._at = 0

    def pair(self) -> int:
        value = self.pair_or_end()
        if value is None:
            raise DurationError("value was empty")
        return value

    def pair_or_end(self) -> int | None:
        """The next number and unit in nanoseconds, None where only blanks are left."""
        self._skip_blanks()
        if self._at == len(self._text):
            return None
        number = self._number()
        unit = self._unit()
        if not unit:
            raise DurationError(f"time unit needed, for example {number}sec or {number}ms")
        factor = _UNITS.get(unit)
        if factor is None:
            raise DurationError(f'unknown time unit "{unit}", supported units: {_SUPPORTED}')
        return number * factor

    def _number(self) -> int:
        start, digits = self._at, ""
        while self._at < len(self._text):
            char = self._text[self._at]
            if char in "0123456789":
                digits += char
            elif not digits:
                raise DurationError(f"expected number at {self._offset(start)}")
            elif not char.isspace():
                break
            self._at += 1
        if len(digits) > 20:
            raise DurationError("number is too large")
        return int(digits)

    def _unit(self) -> str:
        start = self._at
        while self._at < len(self._text):
            char = self._text[self._at]
            if char in "0123456789" or char.isspace():
                break
            if not (char.isascii() and char.isalpha()) and char != "µ":
                raise DurationError(f"invalid character at {self._offset(self._at)}")
            self._at += 1
        return self._text[start : self._at]

    def _skip_blanks(self) -> None:
        while self._at < len(self._text) and self._text[self._at].isspace():
            self._at += 1

    def _offset(self, index: int) -> int:
        return len(self._text[:index].encode())
