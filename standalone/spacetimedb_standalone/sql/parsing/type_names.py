"""Names of SQL data types. No statement of ours uses them; refusals print them."""

from __future__ import annotations

from .cursor import Cursor
from .keywords import SIZED_TYPES, TYPES
from .tokens import TokenKind


class TypeNames(Cursor):
    def type_name(self) -> str:
        """Any type, known or user-defined, as it prints."""
        return self.known_type() or str(self.name())

    def known_type(self) -> str | None:
        word = self.token.keyword
        if word in TYPES:
            self.advance()
            return word + self._dimensions()
        if word == "DOUBLE":
            self.advance()
            return "DOUBLE PRECISION" if self.take_keyword("PRECISION") else "DOUBLE"
        if word not in SIZED_TYPES:
            return None
        self.advance()
        name = f"{word} VARYING" if self.take_keyword("VARYING") else word
        if self.at_symbol("(") and self.ahead().kind is TokenKind.NUMBER:
            self.advance()
            name += f"({','.join(self.listed(self._length))})"
            self.expect_symbol(")")
        for zone in ("WITH", "WITHOUT"):
            if self.take_keywords(zone, "TIME", "ZONE"):
                name += f" {zone} TIME ZONE"
        return name + self._dimensions()

    def _length(self) -> str:
        if self.token.kind is not TokenKind.NUMBER:
            self.fail("literal int")
        return self.advance().value

    def _dimensions(self) -> str:
        text = ""
        while self.at_symbol("[") and self.ahead().value == "]":
            self.advance()
            self.advance()
            text += "[]"
        return text
