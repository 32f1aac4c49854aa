"""Points in time and durations, in microseconds, and their texts.

A timestamp counts from the Unix epoch and may be negative. As text it is a date by RFC 3339 in the proleptic
Gregorian calendar; only the years -262143 to 262142 have one. Python's own datetime ends at the years 1 and
9999, hence the arithmetic here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

MICROS_PER_SECOND: Final = 1_000_000
_SECONDS_PER_DAY: Final = 86_400
_FIRST_MICROS: Final = -8_334_601_228_800_000_000
_LAST_MICROS: Final = 8_210_266_876_799_999_999


class TimestampRangeError(ValueError):
    """A timestamp so far away that it has no date."""

    def __init__(self, micros: int) -> None:
        super().__init__(f"{micros}: Timestamp with i64 microseconds since Unix epoch overflows DateTime")


class TimestampFormatError(ValueError):
    """Text that is no date; `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__("Invalid timestamp format. Expected RFC 3339 format (e.g. '2025-02-10 15:45:30').")
        self.reason = reason


@dataclass(frozen=True, slots=True, order=True)
class Timestamp:
    """Microseconds since the Unix epoch."""

    micros: int

    @classmethod
    def parse(cls, text: str) -> Timestamp:
        """Read RFC 3339: `2025-02-10T15:45:30.5Z`, with any offset. Raises `TimestampFormatError`."""
        return cls(_Reader(text).timestamp())

    def __str__(self) -> str:
        """`2025-02-10T15:45:30+00:00`, a fraction of 3 or 6 digits if any. Raises `TimestampRangeError`."""
        if not _FIRST_MICROS <= self.micros <= _LAST_MICROS:
            raise TimestampRangeError(self.micros)
        seconds, micros = divmod(self.micros, MICROS_PER_SECOND)
        days, second = divmod(seconds, _SECONDS_PER_DAY)
        year, month, day = _civil_from_days(days)
        shown_year = f"{year:04}" if 0 <= year <= 9999 else f"{year:+05}"
        clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
        fraction = "" if micros == 0 else f".{micros // 1000:03}" if micros % 1000 == 0 else f".{micros:06}"
        return f"{shown_year}-{month:02}-{day:02}T{clock}{fraction}+00:00"


@dataclass(frozen=True, slots=True, order=True)
class TimeDuration:
    """Microseconds, of either sign."""

    micros: int

    def __str__(self) -> str:
        """`+1.500000`: sign, seconds, six digits of fraction."""
        seconds, micros = divmod(abs(self.micros), MICROS_PER_SECOND)
        return f"{'-' if self.micros < 0 else '+'}{seconds}.{micros:06}"

    def iso8601(self) -> str:
        """`PT1.5S`, `-PT0.000001S`, `P0D` for zero; never minutes or hours."""
        if self.micros == 0:
            return "P0D"
        seconds, micros = divmod(abs(self.micros), MICROS_PER_SECOND)
        fraction = f".{micros:06}".rstrip("0") if micros else ""
        return f"{'-' if self.micros < 0 else ''}PT{seconds}{fraction}S"


def _civil_from_days(days: int) -> tuple[int, int, int]:
    """(year, month, day) of a day counted from 1970-01-01.

    Years are taken to begin in March, so that the leap day comes last; 719468 days before the epoch such a
    year began that is divisible by 400.
    """
    era, day_of_era = divmod(days + 719_468, 146_097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month_from_march = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * month_from_march + 2) // 5 + 1
    month = month_from_march + 3 if month_from_march < 10 else month_from_march - 9
    return era * 400 + year_of_era + (month <= 2), month, day


def _days_from_civil(year: int, month: int, day: int) -> int:
    """The inverse of `_civil_from_days`."""
    year -= month <= 2
    era, year_of_era = divmod(year, 400)
    day_of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    return era * 146_097 + 365 * year_of_era + year_of_era // 4 - year_of_era // 100 + day_of_year - 719_468


def _days_in_month(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


_OUT_OF_RANGE: Final = "input is out of range"
_INVALID: Final = "input contains invalid characters"
_TOO_SHORT: Final = "premature end of input"
_TOO_LONG: Final = "trailing input"


class _Reader:
    """Reads a date from left to right, so that the first fault is the one reported."""

    def __init__(self, text: str) -> None:
        self._rest = text

    def timestamp(self) -> int:
        year = self._number(4, 0, 9999)
        self._one_of("-")
        month = self._number(2, 1, 12)
        self._one_of("-")
        day = self._number(2, 1, 31)
        self._one_of("Tt ")
        seconds = 3600 * self._number(2, 0, 23)
        self._one_of(":")
        seconds += 60 * self._number(2, 0, 59)
        self._one_of(":")
        seconds += self._number(2, 0, 60)
        micros = self._fraction()
        seconds -= self._offset()
        if self._rest:
            raise TimestampFormatError(_TOO_LONG)
        if day > _days_in_month(year, month):
            raise TimestampFormatError(_OUT_OF_RANGE)
        days = _days_from_civil(year, month, day)
        return (days * _SECONDS_PER_DAY + seconds) * MICROS_PER_SECOND + micros

    def _number(self, digits: int, low: int, high: int) -> int:
        text = self._rest[:digits]
        if len(text) < digits:
            raise TimestampFormatError(_TOO_SHORT)
        if not (text.isascii() and text.isdigit()):
            raise TimestampFormatError(_INVALID)
        if not low <= int(text) <= high:
            raise TimestampFormatError(_OUT_OF_RANGE)
        self._rest = self._rest[digits:]
        return int(text)

    def _one_of(self, chars: str) -> str:
        if not self._rest:
            raise TimestampFormatError(_TOO_SHORT)
        char = self._rest[0]
        if char not in chars:
            raise TimestampFormatError(_INVALID)
        self._rest = self._rest[1:]
        return char

    def _fraction(self) -> int:
        """Microseconds; further digits are cut off."""
        if not self._rest.startswith("."):
            return 0
        digits = re.match(r"[0-9]*", self._rest[1:])
        found = digits[0] if digits else ""
        if not found:
            raise TimestampFormatError(_INVALID if len(self._rest) > 1 else _TOO_SHORT)
        self._rest = self._rest[1 + len(found) :]
        return int(found[:6].ljust(6, "0"))

    def _offset(self) -> int:
        """Seconds east of Greenwich."""
        sign = self._one_of("Zz+-\N{MINUS SIGN}")
        if sign in "Zz":
            return 0
        hours = self._number(2, 0, 23)
        self._one_of(":")
        minutes = self._number(2, 0, 59)
        seconds = 3600 * hours + 60 * minutes
        return seconds if sign == "+" else -seconds
