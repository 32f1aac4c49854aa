"""Queries: SELECT with its clauses, VALUES, set operations."""

from __future__ import annotations

from abc import ABC

from .expression_tree import Expr, Name, Opaque
from .keywords import NOT_A_COLUMN_ALIAS
from .sources import SourceParser
from .tokens import TokenKind
from .tree import Item, Query, Select, Values, Wildcard

_SET_OPERATIONS = ("UNION", "EXCEPT", "INTERSECT")


class QueryParser(SourceParser, ABC):
    def query(self) -> Query:
        with self.nested():
            before = self._with()
            body = self._set_operations(0)
            after = self._order_by()
            limit, rest = self._limits()
            return Query(body, limit, before, after, rest)

    def _with(self) -> str:
        if not self.take_keyword("WITH"):
            return ""
        recursive = "RECURSIVE " if self.take_keyword("RECURSIVE") else ""
        return f"WITH {recursive}{', '.join(self.listed(self._common_table))} "

    def _common_table(self) -> str:
        name = str(self.ident())
        if self.at_symbol("("):
            name += f" ({self._names_in_brackets()})"
        self.expect_keyword("AS")
        self.expect_symbol("(")
        text = f"{name} AS ({self.query()})"
        self.expect_symbol(")")
        return text

    def _set_operations(self, floor: int) -> Select | Values | Opaque:
        left = self._body()
        while True:
            precedence = (
                20 if self.at_keyword("INTERSECT") else 10 if self.at_keyword(*_SET_OPERATIONS) else 0
            )
            if precedence <= floor:
                return left
            operation = self.advance().keyword
            quantifier = self.take_keyword("ALL", "DISTINCT")
            words = f"{operation} {quantifier}" if quantifier else operation
            left = Opaque(f"{left} {words} {self._set_operations(precedence)}")

    def _body(self) -> Select | Values | Opaque:
        if self.take_keyword("SELECT"):
            return self._select()
        if self.take_keyword("VALUES"):
            return Values(tuple(self.listed(self._row)))
        if self.take_keyword("TABLE"):
            return Opaque(f"TABLE {self.name()}")
        if self.take_symbol("("):
            text = f"({self.query()})"
            self.expect_symbol(")")
            return Opaque(text)
        self.fail("SELECT, VALUES, or a subquery in the query body")

    def _row(self) -> tuple[Expr, ...]:
        self.expect_symbol("(")
        values = tuple(self.listed(self.expression))
        self.expect_symbol(")")
        return values

    # -- SELECT

    def _select(self) -> Select:
        head = self._distinct() + self._top()
        projection = tuple(self.listed(self._item))
        into = f" INTO {self.name()}" if self.take_keyword("INTO") else ""
        sources = tuple(self.listed(self.from_item)) if self.take_keyword("FROM") else ()
        where = self.expression() if self.take_keyword("WHERE") else None
        return Select(head, projection, into, sources, where, self._groups())

    def _distinct(self) -> str:
        if self.take_keyword("ALL") or not self.take_keyword("DISTINCT"):
            return ""
        if not self.take_keyword("ON"):
            return " DISTINCT"
        return f" DISTINCT ON ({', '.join(map(str, self._row()))})"

    def _top(self) -> str:
        if not (
            self.at_keyword("TOP") and (self.ahead().kind is TokenKind.NUMBER or self.ahead().value == "(")
        ):
            return ""
        self.advance()
        bracket = self.take_symbol("(")
        count = self.advance().text
        if bracket:
            self.expect_symbol(")")
        return f" TOP ({count})" + (" PERCENT" if self.take_keyword("PERCENT") else "")

    def _item(self) -> Wildcard | Item:
        if self.take_symbol("*"):
            return Wildcard()
        qualified = self.attempt(self._qualified_wildcard)
        if qualified is not None:
            return qualified
        expr = self.expression()
        return Item(expr, self._alias(NOT_A_COLUMN_ALIAS))

    def _qualified_wildcard(self) -> Wildcard | None:
        parts = [self.ident()]
        while self.take_symbol("."):
            if self.take_symbol("*"):
                return Wildcard(Name(tuple(parts)))
            parts.append(self.ident())
        return None

    def _groups(self) -> str:
        """The clauses after WHERE that belong to the SELECT block, printed."""
        text = ""
        if self.take_keywords("GROUP", "BY"):
            text += f" GROUP BY {self._expressions()}"
        if self.take_keyword("HAVING"):
            text += f" HAVING {self.expression()}"
        if self.take_keyword("WINDOW"):
            name = self.ident()
            self.expect_keyword("AS")
            text += f" WINDOW {name} AS {self._window()}"
        return text

    # -- what follows the body

    def _order_by(self) -> str:
        if not self.take_keywords("ORDER", "BY"):
            return ""
        return f" ORDER BY {', '.join(self.listed(self._ordering))}"

    def _ordering(self) -> str:
        text = str(self.expression())
        if direction := self.take_keyword("ASC", "DESC"):
            text += f" {direction}"
        if self.take_keyword("NULLS"):
            text += f" NULLS {self.take_keyword('FIRST', 'LAST') or self.fail('FIRST or LAST')}"
        return text

    def _limits(self) -> tuple[Expr | None, str]:
        limit: Expr | None = None
        rest = ""
        for _ in range(2):
            if limit is None and self.take_keyword("LIMIT"):
                limit = None if self.take_keyword("ALL") else self.expression()
            if not rest and self.take_keyword("OFFSET"):
                rest = f" OFFSET {self.expression()}"
                if unit := self.take_keyword("ROW", "ROWS"):
                    rest += f" {unit}"
        if self.take_keyword("FETCH"):
            rest += self._fetch()
        while self.take_keyword("FOR"):
            strength = self.take_keyword("UPDATE", "SHARE") or self.fail("one of UPDATE or SHARE")
            rest += f" FOR {strength}"
        return limit, rest

    def _fetch(self) -> str:
        if not self.take_keyword("FIRST", "NEXT"):
            self.fail("one of FIRST or NEXT")
        count = "" if self.at_keyword("ROW", "ROWS") else f" {self.expression()}"
        if not self.take_keyword("ROW", "ROWS"):
            self.fail("one of ROW or ROWS")
        if self.take_keywords("WITH", "TIES"):
            return f" FETCH FIRST{count} ROWS WITH TIES"
        self.expect_keyword("ONLY")
        return f" FETCH FIRST{count} ROWS ONLY"
