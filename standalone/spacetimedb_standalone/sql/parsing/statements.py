"""Statements: from text to one `Statement`, or the parser's complaint."""

from __future__ import annotations

from ..errors import SqlUnsupported
from .expression_tree import Ident, Name, Opaque, ident_of
from .keywords import FOREIGN_SHOWS, FOREIGN_STATEMENTS, PRINTED_UPPER
from .queries import QueryParser
from .tokens import TokenKind, tokenize
from .tree import Assignment, Delete, Insert, SetVariable, ShowVariable, Statement, Update

MAX_LENGTH = 50_000
"""Bytes of UTF-8 a statement may have."""

_SHOWN = 120

_PRINTED_IN_FULL = {"BEGIN": "BEGIN TRANSACTION", "START TRANSACTION": "START TRANSACTION"}


def parse(text: str) -> Statement:
    """The one statement of `text`.

    Raises SqlSyntaxError, or SqlUnsupported if there is none, more than one, or the text is too long.
    """
    if len(text) > MAX_LENGTH or len(text.encode()) > MAX_LENGTH:
        raise SqlUnsupported(f'SQL query exceeds maximum allowed length: "{text[:_SHOWN]}..."')
    statements = _StatementParser(tokenize(text)).statements()
    if not statements:
        raise SqlUnsupported("Empty SQL query")
    if len(statements) > 1:
        raise SqlUnsupported("Multiple SQL statements are not supported")
    return statements[0]


class _StatementParser(QueryParser):
    def statements(self) -> list[Statement]:
        found: list[Statement] = []
        delimited = True
        while True:
            while self.take_symbol(";"):
                delimited = True
            if self.token.kind is TokenKind.END:
                return found
            if not delimited:
                self.fail("end of statement")
            with self.nested():
                found.append(self._statement())
            delimited = False

    def _statement(self) -> Statement:
        word = self.token.keyword
        if word in ("SELECT", "WITH", "VALUES") or self.at_symbol("("):
            return self.query()
        if word == "INSERT":
            return self._insert()
        if word == "DELETE":
            return self._delete()
        if word == "UPDATE":
            return self._update()
        if word == "SET":
            return self._set()
        if word == "SHOW":
            return self._show()
        if word in FOREIGN_STATEMENTS:
            return self._foreign()
        self.fail("an SQL statement")

    def _insert(self) -> Statement:
        self.advance()
        self.take_keyword("INTO")
        self.take_keyword("TABLE")
        table = self.name()
        columns: tuple[Ident, ...] = ()
        if self.take_symbol("("):
            columns = tuple(self.listed(self.ident))
            self.expect_symbol(")")
        source = self.query()
        rest = ""
        if self.take_keyword("ON"):
            self.expect_keyword("CONFLICT")
            rest = f"  ON CONFLICT{self._conflict_target()} {self._conflict_action()}"
        return Insert(table, columns, source, rest + self._returning())

    def _conflict_target(self) -> str:
        if self.take_keywords("ON", "CONSTRAINT"):
            return f" ON CONSTRAINT {self.name()}"
        return f"({self._names_in_brackets()})" if self.at_symbol("(") else ""

    def _conflict_action(self) -> str:
        self.expect_keyword("DO")
        if self.take_keyword("NOTHING"):
            return "DO NOTHING"
        self.expect_keyword("UPDATE")
        self.expect_keyword("SET")
        changes = ", ".join(map(str, self.listed(self._assignment)))
        where = f" WHERE {self.expression()}" if self.take_keyword("WHERE") else ""
        return f"DO UPDATE SET {changes}{where}"

    def _returning(self) -> str:
        if not self.take_keyword("RETURNING"):
            return ""
        return f" RETURNING {', '.join(map(str, self.listed(self._item)))}"

    def _delete(self) -> Statement:
        self.advance()
        tables = () if self.at_keyword("FROM") else tuple(self.listed(self.name))
        self.expect_keyword("FROM")
        sources = tuple(self.listed(self.from_item))
        using = ""
        if self.take_keyword("USING"):
            using = f" USING {', '.join(map(str, self.listed(self.from_item)))}"
        where = self.expression() if self.take_keyword("WHERE") else None
        return Delete(tables, sources, where, using, self._returning())

    def _update(self) -> Statement:
        self.advance()
        table = self.from_item()
        self.expect_keyword("SET")
        assignments = tuple(self.listed(self._assignment))
        source = f" FROM {self.from_item()}" if self.take_keyword("FROM") else ""
        where = self.expression() if self.take_keyword("WHERE") else None
        return Update(table, assignments, where, source, self._returning())

    def _assignment(self) -> Assignment:
        """Everything before the `=` is read for its words alone, so ``(a, b) = ..`` assigns to `a.b`."""
        parts = []
        while not self.at_symbol("=") and self.token.kind is not TokenKind.END:
            token = self.advance()
            if token.kind is TokenKind.WORD:
                parts.append(ident_of(token))
        self.expect_symbol("=")
        return Assignment(Name(tuple(parts)), self.expression())

    def _set(self) -> Statement:
        start = self._at
        self.advance()
        if self.at_keyword("ROLE", "TRANSACTION", "NAMES") or self.take_keywords("TIME", "ZONE"):
            self._at = start
            return self._foreign()
        scope = self.take_keyword("LOCAL", "SESSION")
        variable = self.name()
        if not (self.take_symbol("=") or self.take_keyword("TO")):
            self.fail("equals sign or TO")
        values = tuple(self.listed(self.expression))
        return SetVariable(f"{scope} " if scope else "", variable, values)

    def _show(self) -> Statement:
        start = self._at
        self.advance()
        if self.token.keyword in FOREIGN_SHOWS:
            self._at = start
            return self._foreign()
        words = []
        while self.token.kind is TokenKind.WORD:
            words.append(self.ident())
        if not words:
            self.fail("identifier")
        return ShowVariable(tuple(words))

    def _foreign(self) -> Statement:
        """A statement of another language: read to its end and kept as text."""
        pieces: list[str] = []
        tight = True
        while self.token.kind is not TokenKind.END and not self.at_symbol(";"):
            token = self.advance()
            text = token.value.upper() if token.keyword in PRINTED_UPPER else token.text
            closes = token.kind is TokenKind.SYMBOL and token.value in (")", ",", ".", "]")
            pieces.append(text if tight or closes or self._hugs(pieces, token.value) else f" {text}")
            tight = token.kind is TokenKind.SYMBOL and token.value in ("(", ".", "[")
        text = "".join(pieces)
        return Opaque(_PRINTED_IN_FULL.get(text, text))

    @staticmethod
    def _hugs(pieces: list[str], symbol: str) -> bool:
        """Whether a bracket stands close to the name before it: the table of an index does."""
        return symbol == "(" and pieces[0] == "CREATE" and " INDEX" in pieces and " ON" in pieces
