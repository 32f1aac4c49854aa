"""A reader of JSON that knows where it stands: the tokens, and the errors with their positions.

Reducer arguments are read with the shape already known, directly into values, so this is no parser of
documents: the readers in `json_read` ask for the next token of the kind they expect. What a standard parser
could not give are 128-bit integers, duplicate keys, and the public system's error texts, which tell line and
column.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from spacetimedb_lib.sats.json_tokens import JsonError, Tokens

MAX_DEPTH: Final = 127
"""Arrays and objects may be nested this deep."""


class Scanner(Tokens):
    """Tokens, and arrays and objects around them."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.depth = 0

    def open(self) -> None:
        """Consume `[` or `{`, which was peeked."""
        if self.depth == MAX_DEPTH:
            self.fail_here("recursion limit exceeded")
        self.depth += 1
        self.at += 1

    def next_element(self, first: bool) -> bool:
        """Is there another element? Then it begins at the next byte."""
        byte = self.peek()
        if byte == b"]":
            return False
        if not byte:
            self.fail_here("EOF while parsing a list")
        if first:
            return True
        if byte != b",":
            self.fail_here("expected `,` or `]`")
        self.at += 1
        byte = self.peek()
        if byte == b"]":
            self.fail_here("trailing comma")
        if not byte:
            self.fail_here("EOF while parsing a value")
        return True

    def next_key(self, first: bool) -> str | None:
        """The next key of an object, or None at its end; errors in it have the path `?`."""
        try:
            return self._next_key(first)
        except JsonError as error:
            error.path.append("?")
            raise

    def _next_key(self, first: bool) -> str | None:
        byte = self.peek()
        if byte == b"}":
            return None
        if not byte:
            self.fail_here("EOF while parsing an object")
        if not first:
            if byte != b",":
                self.fail_here("expected `,` or `}`")
            self.at += 1
            byte = self.peek()
            if byte == b"}":
                self.fail_here("trailing comma")
            if not byte:
                self.fail_here("EOF while parsing a value")
        if byte != b'"':
            self.fail_here("key must be a string")
        return self.string()

    def colon(self) -> None:
        byte = self.peek()
        if byte != b":":
            self.fail_here("expected `:`" if byte else "EOF while parsing an object")
        self.at += 1

    def close(self, bracket: bytes) -> None:
        """Consume the end of an array or object, after as many elements as were wanted."""
        self.depth -= 1
        byte = self.peek()
        if byte == bracket:
            self.at += 1
        elif not byte:
            self.fail_here(f"EOF while parsing {'a list' if bracket == b']' else 'an object'}")
        elif byte != b",":
            self.fail_here("trailing characters")
        elif bracket == b"}":
            self.fail_here("trailing comma")
        else:
            self.at += 1
            self.fail_here("trailing comma" if self.peek() == b"]" else "trailing characters")

    def abandon(self, bracket: bytes, error: JsonError) -> None:
        """Leave a container because of an error; without a place yet, it gets where the end was sought."""
        # The first error counts; a second one only tells how far the attempt went.
        with suppress(JsonError):
            self.close(bracket)
        if error.position is None:
            error.position = self.at

    def end(self) -> None:
        """Nothing but blanks may follow."""
        if self.peek():
            self.fail_here("trailing characters")
