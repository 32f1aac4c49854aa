"""What may follow an operand: operators with their precedence, and tests such as IN and LIKE."""

from __future__ import annotations

from abc import ABC, abstractmethod

from .expression_tree import Binary, Expr, Opaque
from .tokens import TokenKind
from .type_names import TypeNames

_SYMBOL_PRECEDENCE = {
    **dict.fromkeys(("=", "==", "<>", "!=", "<", "<=", ">", ">=", "<=>", "~", "~*", "!~", "!~*"), 20),
    "|": 21,
    "^": 22,
    "#": 22,
    "<<": 22,
    ">>": 22,
    "&": 23,
    "+": 30,
    "-": 30,
    "*": 40,
    "/": 40,
    "%": 40,
    "||": 40,
    **dict.fromkeys(("::", "[", "!", "->", "->>", "#>", "#>>", "#-", "@>", "<@", "@?", "@@"), 50),
}
_WORD_PRECEDENCE = {
    "OR": 5,
    "AND": 10,
    "IS": 17,
    **dict.fromkeys(("IN", "BETWEEN", "LIKE", "ILIKE", "SIMILAR", "AT"), 20),
    "XOR": 24,
    "DIV": 40,
}
_NEGATABLE = ("IN", "BETWEEN", "LIKE", "ILIKE", "SIMILAR")
COMPARED_PRECEDENCE = 20
_PRINTED = {"==": "=", "!=": "<>"}
_IS_TESTS = ("NULL", "TRUE", "FALSE", "UNKNOWN")


class OperatorParser(TypeNames, ABC):
    """Reads operators between operands; what an operand is, is read elsewhere."""

    @abstractmethod
    def expression(self) -> Expr: ...

    @abstractmethod
    def _prefix(self) -> Expr:
        """An operand."""

    @abstractmethod
    def _subquery(self) -> str:
        """A query in brackets, printed."""

    def _operators(self, floor: int) -> Expr:
        left = self._prefix()
        while (precedence := self._next_precedence()) > floor:
            left = self._infix(left, precedence)
        return left

    def _next_precedence(self) -> int:
        token = self.token
        if token.kind is TokenKind.SYMBOL:
            return _SYMBOL_PRECEDENCE.get(token.value, 0)
        word = token.keyword
        if word == "NOT":
            return COMPARED_PRECEDENCE if self.ahead().keyword in _NEGATABLE else 0
        return _WORD_PRECEDENCE.get(word, 0)

    def _infix(self, left: Expr, precedence: int) -> Expr:
        token = self.advance()
        if token.kind is TokenKind.WORD:
            if token.keyword in ("AND", "OR", "XOR", "DIV"):
                return Binary(left, token.keyword, self._operators(precedence))
            return Opaque(self._word_infix(left, token.keyword))
        symbol = token.value
        if symbol == "!":
            return Opaque(f"{left}!")
        if symbol == "::":
            return Opaque(f"CAST({left} AS {self.type_name()})")
        if symbol == "[":
            index = self.expression()
            self.expect_symbol("]")
            return Opaque(f"{left}[{index}]")
        printed = _PRINTED.get(symbol, symbol)
        if self.at_keyword("ANY", "ALL") and self.ahead().value == "(":
            return Opaque(f"{left} {printed} {self.advance().keyword}{self._quantified()}")
        return Binary(left, printed, self._operators(precedence))

    def _quantified(self) -> str:
        if self.ahead().keyword in ("SELECT", "WITH", "VALUES"):
            return self._subquery()
        self.expect_symbol("(")
        inner = self.expression()
        self.expect_symbol(")")
        return f"({inner})"

    def _word_infix(self, left: Expr, word: str) -> str:
        if word == "IS":
            return f"{left} IS {self._is_test()}"
        if word == "AT":
            if not self.take_keywords("TIME", "ZONE"):
                self.fail("TIME ZONE")
            return f"{left} AT TIME ZONE {self._operators(COMPARED_PRECEDENCE)}"
        negation = ""
        if word == "NOT":
            negation, word = "NOT ", self.advance().keyword
        if word == "IN":
            return f"{left} {negation}IN {self._in_list()}"
        if word == "BETWEEN":
            low = self._operators(COMPARED_PRECEDENCE)
            self.expect_keyword("AND")
            return f"{left} {negation}BETWEEN {low} AND {self._operators(COMPARED_PRECEDENCE)}"
        if word == "SIMILAR":
            self.expect_keyword("TO")
            word = "SIMILAR TO"
        return f"{left} {negation}{word} {self._operators(COMPARED_PRECEDENCE)}"

    def _is_test(self) -> str:
        negation = "NOT " if self.take_keyword("NOT") else ""
        if test := self.take_keyword(*_IS_TESTS):
            return negation + test
        if self.take_keywords("DISTINCT", "FROM"):
            return f"{negation}DISTINCT FROM {self._operators(COMPARED_PRECEDENCE)}"
        self.fail("[NOT] NULL or TRUE|FALSE or [NOT] DISTINCT FROM after IS")

    def _in_list(self) -> str:
        if self.at_symbol("(") and self.ahead().keyword in ("SELECT", "WITH", "VALUES"):
            return self._subquery()
        self.expect_symbol("(")
        items = [] if self.at_symbol(")") else self.listed(self.expression)
        self.expect_symbol(")")
        return f"({', '.join(map(str, items))})"
