"""Tokens of JSON, and errors that know their place.

Two ways of placing an error are in use, as in the public system: *at* the byte last consumed, or one further,
at the byte that was looked at. An error raised while an array or object is open gets its place only when the
reader leaves that container, after having tried to read its end (`JsonError.position` is None until then).
"""

from __future__ import annotations

import math
import re
from typing import NoReturn

_BLANKS = re.compile(rb"[ \n\t\r]*")
_NUMBER = re.compile(rb"(-?)(0|[1-9][0-9]*)?(\.[0-9]*)?([eE][+-]?[0-9]*)?")
_DIGITS = re.compile(rb"0|[1-9][0-9]*")
_TEXT = re.compile(rb'[^"\\\x00-\x1f]*')
_HEX4 = re.compile(rb"[0-9a-fA-F]{4}")
_SHORT_ESCAPES = dict(zip(b'"\\/bfnrt', '"\\/\b\f\n\r\t', strict=True))
_KEYWORDS = {b"n": (b"null", None), b"t": (b"true", True), b"f": (b"false", False)}


class JsonError(Exception):
    """What is wrong, the byte offset where (None: not placed yet), and the path to the element at fault."""

    def __init__(self, text: str, position: int | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.position = position
        self.path: list[int | str] = []
        """Indexes and keys, from the inside out."""

    def path_text(self) -> str:
        """`.` for the root, else `[0].name`."""
        text = ""
        for depth, segment in enumerate(reversed(self.path)):
            text += f"[{segment}]" if isinstance(segment, int) else f".{segment}" if depth else segment
        return text if self.path else "."


class Tokens:
    """Reads tokens from UTF-8 JSON text; `at` is the offset of the next byte."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    # --- errors ---

    def fail(self, text: str) -> NoReturn:
        """An error about the byte last consumed."""
        raise JsonError(text, self.at)

    def fail_here(self, text: str) -> NoReturn:
        """An error about the next byte."""
        raise JsonError(text, min(self.at + 1, len(self.data)))

    def located(self, error: JsonError) -> str:
        """The text of an error with line and column (in bytes) of its place."""
        position = len(self.data) if error.position is None else error.position
        line_start = self.data.rfind(b"\n", 0, position) + 1
        line = 1 + self.data.count(b"\n", 0, line_start)
        return f"{error.text} at line {line} column {position - line_start}"

    # --- tokens ---

    def peek(self) -> bytes:
        """The next byte that is no blank, not consumed; empty at the end."""
        data, at = self.data, self.at
        if data[at : at + 1] <= b" ":
            match = _BLANKS.match(data, at)
            assert match is not None
            self.at = at = match.end()
        return data[at : at + 1]

    def peek_value(self) -> bytes:
        """The first byte of a value that must come here."""
        return self.peek() or self.fail_here("EOF while parsing a value")

    def keyword(self, first: bytes) -> bool | None:
        """`null`, `true` or `false`, whose first byte was peeked."""
        word, value = _KEYWORDS[first]
        for expected in word:
            byte = self.data[self.at : self.at + 1]
            self.at += len(byte)
            if byte != bytes((expected,)):
                self.fail("expected ident" if byte else "EOF while parsing a value")
        return value

    def number(self) -> int | float:
        """An integer if it has no fraction or exponent and fits 64 bits, else a float; `-0` is a float."""
        match = _NUMBER.match(self.data, self.at)
        assert match is not None
        sign, whole, fraction, exponent = match.groups()
        if whole is None:
            self._stop(match.end(1), "invalid number")
        if whole == b"0" and self.data[match.end(2) : match.end(2) + 1].isdigit():
            self._stop(match.end(2), "invalid number")
        if fraction == b".":
            self._stop(match.end(3), "invalid number")
        if exponent is not None and not exponent[-1:].isdigit():
            self._stop(match.end(4), "invalid number")
        self.at = match.end()
        if fraction is None and exponent is None and len(whole) <= 20:
            value = int(match[0])
            if (value or not sign) and -(1 << 63) <= value < 1 << 64:
                return value
        number = float(match[0])
        if math.isinf(number):
            self.fail("number out of range")
        return number

    def _stop(self, at: int, text: str) -> NoReturn:
        """An error about the byte at `at`, or about the end if there is none."""
        if at >= len(self.data):
            raise JsonError("EOF while parsing a value", len(self.data))
        raise JsonError(text, at + 1)

    def big_integer(self, low: int, high: int) -> int:
        """An integer of any number of digits, within the limits."""
        negative = self.peek_value() == b"-"
        if negative:
            if low >= 0:
                self.fail_here("number out of range")
            self.at += 1
        match = _DIGITS.match(self.data, self.at)
        if match is None:
            self.at = min(self.at + 1, len(self.data))
            self.fail("invalid number")
        self.at = match.end()
        if match[0] == b"0" and self.data[self.at : self.at + 1].isdigit():
            self.fail_here("invalid number")
        size = int(match[0]) if len(match[0]) < 50 else 1 << 256
        value = -size if negative else size
        if not low <= value <= high:
            self.fail("number out of range")
        return value

    def string(self) -> str:
        """A string, whose opening quote was peeked."""
        self.at += 1
        parts = []
        while True:
            match = _TEXT.match(self.data, self.at)
            assert match is not None
            parts.append(match[0].decode())
            self.at = match.end() + 1
            match self.data[match.end() : self.at]:
                case b'"':
                    return parts[0] if len(parts) == 1 else "".join(parts)
                case b"\\":
                    parts.append(self._escape())
                case b"":
                    self.at -= 1
                    self.fail("EOF while parsing a string")
                case _:
                    self.fail("control character (\\u0000-\\u001F) found while parsing a string")

    def _next(self) -> int:
        if self.at >= len(self.data):
            self.fail("EOF while parsing a string")
        self.at += 1
        return self.data[self.at - 1]

    def _escape(self) -> str:
        letter = self._next()
        if letter in _SHORT_ESCAPES:
            return _SHORT_ESCAPES[letter]
        if letter != ord("u"):
            self.fail("invalid escape")
        unit = self._hex_escape()
        if 0xDC00 <= unit <= 0xDFFF:
            self.fail("lone leading surrogate in hex escape")
        if not 0xD800 <= unit <= 0xDBFF:
            return chr(unit)
        for expected in b"\\u":
            if self._next() != expected:
                self.fail("unexpected end of hex escape")
        low = self._hex_escape()
        if not 0xDC00 <= low <= 0xDFFF:
            self.fail("lone leading surrogate in hex escape")
        return chr(0x10000 + ((unit - 0xD800) << 10 | low - 0xDC00))

    def _hex_escape(self) -> int:
        digits = self.data[self.at : self.at + 4]
        if len(digits) < 4:
            self.at = len(self.data)
            self.fail("EOF while parsing a string")
        self.at += 4
        if _HEX4.fullmatch(digits) is None:
            self.fail("invalid escape")
        return int(digits, 16)
