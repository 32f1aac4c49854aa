"""The FROM clause: tables, their aliases, and joins."""

from __future__ import annotations

from abc import ABC

from .expression_tree import Ident, Opaque, ident_of
from .expressions import ExpressionParser
from .keywords import NOT_A_TABLE_ALIAS
from .tokens import TokenKind
from .tree import FromItem, Join, JoinKind, TableRef


class SourceParser(ExpressionParser, ABC):
    def from_item(self) -> FromItem:
        table = self._table()
        joins = []
        while (join := self._join()) is not None:
            joins.append(join)
        return FromItem(table, tuple(joins))

    def _table(self) -> TableRef | Opaque:
        lateral = "LATERAL " if self.take_keyword("LATERAL") else ""
        if self.take_symbol("("):
            with self.nested():
                inner = self.query() if self.at_keyword("SELECT", "WITH", "VALUES") else self.from_item()
            self.expect_symbol(")")
            alias = self._alias(NOT_A_TABLE_ALIAS)
            return Opaque(f"{lateral}({inner})" + ("" if alias is None else f" AS {alias}"))
        name = self.name()
        arguments = self._arguments()
        alias = self._alias(NOT_A_TABLE_ALIAS)
        extra = f" ({self._names_in_brackets()})" if alias is not None and self.at_symbol("(") else ""
        if self.at_keyword("WITH") and self.ahead().value == "(":
            self.advance()
            self.advance()
            extra += f" WITH ({self._expressions()})"
            self.expect_symbol(")")
        if arguments is not None:
            return Opaque(f"{lateral}{name}({arguments})" + ("" if alias is None else f" AS {alias}") + extra)
        return Opaque(f"{lateral}{name}") if lateral else TableRef(name, alias, extra)

    def _arguments(self) -> str | None:
        if not self.take_symbol("("):
            return None
        text = "" if self.at_symbol(")") else ", ".join(self.listed(self._argument))
        self.expect_symbol(")")
        return text

    def _names_in_brackets(self) -> str:
        self.expect_symbol("(")
        text = ", ".join(map(str, self.listed(self.ident)))
        self.expect_symbol(")")
        return text

    def _join(self) -> Join | None:
        if self.take_keyword("CROSS"):
            self.expect_keyword("JOIN")
            table = self._table()
            return Join(JoinKind.CROSS, table, None, f"CROSS JOIN {table}")
        natural = "NATURAL " if self.take_keyword("NATURAL") else ""
        words = self._join_words()
        if words is None:
            if natural:
                self.fail("a join type after NATURAL")
            return None
        kind = JoinKind.OTHER if natural or words != "JOIN" else JoinKind.INNER
        table = self._table()
        text = f"{natural}{words} {table}"
        if self.take_keyword("ON"):
            on = self.expression()
            return Join(kind, table, on, f"{text} ON {on}")
        if self.take_keyword("USING"):
            return Join(JoinKind.OTHER, table, None, f"{text} USING({self._names_in_brackets()})")
        return Join(kind, table, None, text)

    def _join_words(self) -> str | None:
        if self.take_keyword("JOIN") or self.take_keywords("INNER", "JOIN"):
            return "JOIN"
        side = self.take_keyword("LEFT", "RIGHT", "FULL")
        if not side:
            return None
        if self.take_keyword("OUTER"):
            side += " OUTER"
        elif flavour := self.take_keyword("SEMI", "ANTI"):
            side += f" {flavour}"
        self.expect_keyword("JOIN")
        return f"{side} JOIN"

    def _alias(self, reserved: frozenset[str]) -> Ident | None:
        if self.take_keyword("AS"):
            return self.ident()
        if self.token.kind is TokenKind.STRING:
            return ident_of(self.advance())
        if self.token.kind is TokenKind.WORD and self.token.keyword not in reserved:
            return ident_of(self.advance())
        return None

    def _expressions(self) -> str:
        return ", ".join(map(str, self.listed(self.expression)))
