"""Tokens of SQL text, by the rules of the PostgreSQL dialect that the public server reads.

Case is kept; nothing is folded. Places are counted from 1 in characters, for error texts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import NoReturn

from ..errors import SqlSyntaxError
from .keywords import SYMBOLS


class TokenKind(Enum):
    WORD = auto()
    NUMBER = auto()
    STRING = auto()
    OTHER_STRING = auto()
    """N'..', E'..', $$..$$: literals that are read only to be refused by their text."""
    HEX = auto()
    """0x.. or X'..'; the value is the hexits alone."""
    PLACEHOLDER = auto()
    SYMBOL = auto()
    END = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """`value` is the meaning (a word without its quotes), `text` how the token prints in messages."""

    kind: TokenKind
    value: str
    text: str
    line: int = 0
    column: int = 0
    quote: str = ""

    @property
    def keyword(self) -> str:
        """The word in upper case if it may be a keyword, else an empty string."""
        return self.value.upper() if self.kind is TokenKind.WORD and not self.quote else ""

    def __str__(self) -> str:
        if self.kind is TokenKind.END:
            return "EOF"
        return f"{self.text} at Line: {self.line}, Column {self.column}"


_BLANK = re.compile(r"(?:\s|--[^\n]*)+")
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_WORD = re.compile(r"[^\W\d][\w$]*")
_NUMBER = re.compile(r"(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_HEX = re.compile(r"0x([0-9a-fA-F]*)")
_QUOTED = {quote: re.compile(f"(?:[^{quote}]|{quote}{quote})*") for quote in ("'", '"')}
_DOLLAR = re.compile(r"\$([^\W\d]\w*)?\$")
_POSITIONAL = re.compile(r"\$[0-9A-Za-z_]+|\?")
_SYMBOL = re.compile("|".join(map(re.escape, sorted(SYMBOLS, key=len, reverse=True))))


def tokenize(text: str) -> list[Token]:
    """All tokens, the last of kind END.

    Raises SqlSyntaxError for an unterminated literal, quoted name or comment, or a stray character.
    """
    return _Lexer(text).run()


class _Lexer:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line = 1
        self._line_start = 0
        self._tokens: list[Token] = []

    def run(self) -> list[Token]:
        text, end = self._text, len(self._text)
        while True:
            self._skip_blanks()
            if self._at >= end:
                self._tokens.append(Token(TokenKind.END, "", "EOF"))
                return self._tokens
            character = text[self._at]
            if character == "'":
                start = self._at
                value = self._quoted("'", "Unterminated string literal")
                self._add(TokenKind.STRING, value, start)
            elif character == '"':
                start = self._at
                value = self._quoted('"', "Expected close delimiter '\"' before EOF.")
                self._add(TokenKind.WORD, value, start, quote='"')
            elif character in "NnEeXx" and text.startswith("'", self._at + 1):
                self._prefixed_string(character)
            elif match := _WORD.match(text, self._at):
                self._take(TokenKind.WORD, match.group(), match.end())
            elif match := _HEX.match(text, self._at):
                value = match.group(1)
                self._take(TokenKind.HEX, value, match.end(), f"X'{value}'")
            elif match := _NUMBER.match(text, self._at):
                self._take(TokenKind.NUMBER, match.group(), match.end())
            elif character == "$" and (match := _DOLLAR.match(text, self._at)):
                self._dollar_string(match.group())
            elif match := _POSITIONAL.match(text, self._at):
                self._take(TokenKind.PLACEHOLDER, match.group(), match.end())
            elif match := _SYMBOL.match(text, self._at):
                self._take(TokenKind.SYMBOL, match.group(), match.end())
            else:
                self._take(TokenKind.SYMBOL, character, self._at + 1)

    def _skip_blanks(self) -> None:
        while True:
            if match := _BLANK.match(self._text, self._at):
                self._move(match.end())
            elif self._text.startswith("/*", self._at):
                self._skip_comment()
            else:
                return

    def _skip_comment(self) -> None:
        depth, at = 1, self._at + 2
        while depth:
            match = _COMMENT_EDGE.search(self._text, at)
            if match is None:
                self._move(len(self._text))
                self._fail("Unexpected EOF while in a multi-line comment")
            depth += 1 if match.group() == "/*" else -1
            at = match.end()
        self._move(at)

    def _quoted(self, quote: str, unterminated: str) -> str:
        """The text between quotes at the current place, doubled quotes halved; moves behind them."""
        match = _QUOTED[quote].match(self._text, self._at + 1)
        assert match is not None  # the pattern matches the empty string
        if not self._text.startswith(quote, match.end()):
            self._fail(unterminated)
        self._at = match.end() + 1
        return match.group().replace(quote * 2, quote)

    def _prefixed_string(self, prefix: str) -> None:
        start = self._at
        self._at += 1
        value = self._quoted("'", "Unterminated string literal")
        kind = TokenKind.HEX if prefix in "Xx" else TokenKind.OTHER_STRING
        inside = value.replace("'", "''")
        self._add(kind, value, start, f"{prefix.upper()}'{inside}'")

    def _dollar_string(self, delimiter: str) -> None:
        start = self._at
        closing = self._text.find(delimiter, self._at + len(delimiter))
        if closing < 0:
            self._fail("Unterminated dollar-quoted string")
        self._at = closing + len(delimiter)
        self._add(TokenKind.OTHER_STRING, self._text[start + len(delimiter) : closing], start)

    def _take(self, kind: TokenKind, value: str, end: int, text: str | None = None) -> None:
        start, self._at = self._at, end
        self._add(kind, value, start, text)

    def _add(
        self, kind: TokenKind, value: str, start: int, text: str | None = None, *, quote: str = ""
    ) -> None:
        """A token from `start` to the current place; lines inside it are counted afterwards."""
        line, column = self._line, start - self._line_start + 1
        shown = self._text[start : self._at] if text is None else text
        self._tokens.append(Token(kind, value, shown, line, column, quote))
        self._count_lines(start)

    def _move(self, end: int) -> None:
        start, self._at = self._at, end
        self._count_lines(start)

    def _count_lines(self, start: int) -> None:
        breaks = self._text.count("\n", start, self._at)
        if breaks:
            self._line += breaks
            self._line_start = self._text.rindex("\n", start, self._at) + 1

    def _fail(self, what: str) -> NoReturn:
        column = self._at - self._line_start + 1
        raise SqlSyntaxError(f"{what} at Line: {self._line}, Column {column}")
