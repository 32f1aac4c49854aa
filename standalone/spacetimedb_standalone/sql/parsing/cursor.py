"""Walking over the tokens of a statement: what every part of the parser needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn, TypeVar

from ..errors import SqlSyntaxError
from .expression_tree import Ident, Name, ident_of
from .tokens import Token, TokenKind

Parsed = TypeVar("Parsed")

MAX_DEPTH = 50
"""How deep statements, queries and bracketed expressions may be nested in each other."""


class Cursor:
    def __init__(self, tokens: list[Token]) -> None:
        """`tokens` end with one of kind END."""
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    @property
    def token(self) -> Token:
        return self._tokens[self._at]

    def ahead(self, count: int = 1) -> Token:
        return self._tokens[min(self._at + count, len(self._tokens) - 1)]

    def advance(self) -> Token:
        token = self._tokens[self._at]
        if token.kind is not TokenKind.END:
            self._at += 1
        return token

    def at_symbol(self, symbol: str) -> bool:
        return self.token.kind is TokenKind.SYMBOL and self.token.value == symbol

    def at_keyword(self, *words: str) -> bool:
        return self.token.keyword in words

    def take_symbol(self, symbol: str) -> bool:
        if self.at_symbol(symbol):
            self._at += 1
            return True
        return False

    def take_keyword(self, *words: str) -> str:
        """The keyword that was taken, or an empty string."""
        if self.at_keyword(*words):
            return self.advance().keyword
        return ""

    def take_keywords(self, *words: str) -> bool:
        """All of these one after another, or none."""
        if all(self.ahead(offset).keyword == word for offset, word in enumerate(words)):
            self._at += len(words)
            return True
        return False

    def expect_symbol(self, symbol: str) -> None:
        if not self.take_symbol(symbol):
            self.fail(symbol)

    def expect_keyword(self, word: str) -> None:
        if not self.take_keyword(word):
            self.fail(word)

    def fail(self, expected: str) -> NoReturn:
        raise SqlSyntaxError(f"Expected {expected}, found: {self.token}")

    def ident(self) -> Ident:
        """A word of any kind, keywords included, or a single-quoted name."""
        if self.token.kind in (TokenKind.WORD, TokenKind.STRING):
            return ident_of(self.advance())
        self.fail("identifier")

    def name(self) -> Name:
        parts = [self.ident()]
        while self.take_symbol("."):
            parts.append(self.ident())
        return Name(tuple(parts))

    def listed(self, one: Callable[[], Parsed]) -> list[Parsed]:
        """One or more, separated by commas."""
        found = [one()]
        while self.take_symbol(","):
            found.append(one())
        return found

    def attempt(self, one: Callable[[], Parsed | None]) -> Parsed | None:
        """What `one` reads, or None and the cursor back where it was if it reads nothing."""
        start = self._at
        try:
            found = one()
        except SqlSyntaxError:
            found = None
        if found is None:
            self._at = start
        return found

    @contextmanager
    def nested(self) -> Iterator[None]:
        if self._depth >= MAX_DEPTH:
            raise SqlSyntaxError("recursion limit exceeded")
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
