"""Expressions: operator precedence over a generous grammar.

More is read than is ever accepted, so that a refusal can quote the offending part; what only serves that
is kept as text.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from .cursor import Cursor
from .tokens import TokenKind
from .tree import (
    Binary,
    Call,
    Expr,
    Ident,
    Literal,
    LiteralKind,
    Name,
    Nested,
    Opaque,
    Query,
    Unary,
    ident_of,
)
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
_NOT_PRECEDENCE = 15
_COMPARED_PRECEDENCE = 20
_SIGN_PRECEDENCE = 40
_PREFIX_SYMBOLS = ("-", "+", "~", "@", "|/", "||/", "!!")
_PRINTED = {"==": "=", "!=": "<>"}
_IS_TESTS = ("NULL", "TRUE", "FALSE", "UNKNOWN")
_BARE_FUNCTIONS = (
    *("CURRENT_CATALOG", "CURRENT_USER", "SESSION_USER", "USER"),
    *("CURRENT_TIMESTAMP", "CURRENT_TIME", "CURRENT_DATE", "LOCALTIME", "LOCALTIMESTAMP"),
)


class ExpressionParser(TypeNames, Cursor, ABC):
    @abstractmethod
    def query(self) -> Query:
        """A query in brackets somewhere in an expression."""

    def expression(self) -> Expr:
        with self.nested():
            return self._operators(0)

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
            return _COMPARED_PRECEDENCE if self.ahead().keyword in _NEGATABLE else 0
        return _WORD_PRECEDENCE.get(word, 0)

    # -- what an expression may begin with

    def _prefix(self) -> Expr:
        typed = self.attempt(self._typed_string)
        if typed is not None:
            return typed
        token = self.token
        if token.kind is TokenKind.WORD:
            return self._keyword_expression() or self._word()
        if token.kind is TokenKind.SYMBOL:
            return self._symbol_prefix()
        kind = _LITERALS.get(token.kind)
        if kind is None:
            self.fail("an expression:")
        self.advance()
        return Literal(kind, token.value, token.text)

    def _symbol_prefix(self) -> Expr:
        symbol = self.token.value
        if symbol in _PREFIX_SYMBOLS:
            return self._prefix_operator()
        if symbol == "(":
            return self._bracketed()
        if symbol == ":" and self.ahead().kind is TokenKind.WORD:
            self.advance()
            text = f":{self.advance().text}"
            return Literal(LiteralKind.PLACEHOLDER, text, text)
        if symbol == "[":
            return Opaque(self._array(""))
        self.fail("an expression:")

    def _prefix_operator(self) -> Expr:
        symbol = self.advance().value
        with self.nested():
            return Unary(symbol, self._operators(_SIGN_PRECEDENCE if symbol in "+-" else 50))

    def _typed_string(self) -> Opaque | None:
        """``TIMESTAMP '..'`` and its like."""
        name = self.known_type()
        if name is None or self.token.kind is not TokenKind.STRING:
            return None
        return Opaque(f"{name} {self.advance().text}")

    def _keyword_expression(self) -> Expr | None:
        """An expression that begins with a keyword, or None if the word is a name here."""
        word, following = self.token.keyword, self.ahead()
        bracket = following.kind is TokenKind.SYMBOL and following.value == "("
        if word in ("TRUE", "FALSE", "NULL"):
            self.advance()
            kind = LiteralKind.OTHER if word == "NULL" else LiteralKind.BOOL
            return Literal(kind, word.lower(), word if word == "NULL" else word.lower())
        if word in _BARE_FUNCTIONS and not bracket:
            return Call(self.advance().text, "", parenthesised=False)
        if word == "NOT":
            return self._not()
        if word == "CASE":
            return self._case()
        if word in ("CAST", "TRY_CAST") and bracket:
            return self._cast()
        if word == "EXISTS" and bracket:
            self.advance()
            return Opaque(f"EXISTS {self._subquery()}")
        if word == "ARRAY" and following.value == "[":
            self.advance()
            return Opaque(self._array("ARRAY"))
        if word == "INTERVAL" and following.kind in (TokenKind.STRING, TokenKind.NUMBER):
            self.advance()
            return Opaque(f"INTERVAL {self.advance().text}")
        return None

    def _not(self) -> Expr:
        self.advance()
        with self.nested():
            return Unary("NOT", self._operators(_NOT_PRECEDENCE))

    def _case(self) -> Expr:
        self.advance()
        parts = ["CASE"]
        if not self.at_keyword("WHEN"):
            parts.append(str(self.expression()))
        while self.take_keyword("WHEN"):
            condition = self.expression()
            self.expect_keyword("THEN")
            parts.append(f"WHEN {condition} THEN {self.expression()}")
        if self.take_keyword("ELSE"):
            parts.append(f"ELSE {self.expression()}")
        self.expect_keyword("END")
        return Opaque(" ".join([*parts, "END"]))

    def _cast(self) -> Expr:
        word = self.advance().keyword
        self.expect_symbol("(")
        operand = self.expression()
        self.expect_keyword("AS")
        target = self.type_name()
        self.expect_symbol(")")
        return Opaque(f"{word}({operand} AS {target})")

    def _word(self) -> Expr:
        parts: list[Ident] = [ident_of(self.advance())]
        while self.at_symbol(".") and self.ahead().kind in (TokenKind.WORD, TokenKind.STRING):
            self.advance()
            parts.append(ident_of(self.advance()))
        name = Name(tuple(parts))
        return self._call(name) if self.at_symbol("(") else name

    def _call(self, name: Name) -> Expr:
        self.expect_symbol("(")
        if self.take_symbol(")"):
            return Call(str(name), "")
        distinct = "DISTINCT " if self.take_keyword("DISTINCT") else ""
        arguments = ", ".join(self.listed(self._argument))
        self.expect_symbol(")")
        call = Call(str(name), distinct + arguments)
        if self.take_keyword("OVER"):
            return Opaque(f"{call} OVER {self._window()}")
        return call

    def _argument(self) -> str:
        if self.take_symbol("*"):
            return "*"
        return str(self.expression())

    def _window(self) -> str:
        if not self.take_symbol("("):
            return str(self.ident())
        words = []
        while not self.take_symbol(")"):
            if self.token.kind is TokenKind.END:
                self.fail(")")
            words.append(self.token.keyword or self.token.text)
            self.advance()
        return f"({' '.join(words)})"

    def _bracketed(self) -> Expr:
        if self.ahead().keyword in ("SELECT", "WITH", "VALUES"):
            return Opaque(self._subquery())
        self.advance()
        inner = self.listed(self.expression)
        self.expect_symbol(")")
        return Nested(inner[0]) if len(inner) == 1 else Opaque(f"({', '.join(map(str, inner))})")

    def _subquery(self) -> str:
        self.expect_symbol("(")
        text = f"({self.query()})"
        self.expect_symbol(")")
        return text

    def _array(self, prefix: str) -> str:
        self.expect_symbol("[")
        elements = [] if self.at_symbol("]") else self.listed(self.expression)
        self.expect_symbol("]")
        return f"{prefix}[{', '.join(map(str, elements))}]"

    # -- what may follow an operand

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
            return f"{left} AT TIME ZONE {self._operators(_COMPARED_PRECEDENCE)}"
        negation = ""
        if word == "NOT":
            negation, word = "NOT ", self.advance().keyword
        if word == "IN":
            return f"{left} {negation}IN {self._in_list()}"
        if word == "BETWEEN":
            low = self._operators(_COMPARED_PRECEDENCE)
            self.expect_keyword("AND")
            return f"{left} {negation}BETWEEN {low} AND {self._operators(_COMPARED_PRECEDENCE)}"
        if word == "SIMILAR":
            self.expect_keyword("TO")
            word = "SIMILAR TO"
        return f"{left} {negation}{word} {self._operators(_COMPARED_PRECEDENCE)}"

    def _is_test(self) -> str:
        negation = "NOT " if self.take_keyword("NOT") else ""
        if test := self.take_keyword(*_IS_TESTS):
            return negation + test
        if self.take_keywords("DISTINCT", "FROM"):
            return f"{negation}DISTINCT FROM {self._operators(_COMPARED_PRECEDENCE)}"
        self.fail("[NOT] NULL or TRUE|FALSE or [NOT] DISTINCT FROM after IS")

    def _in_list(self) -> str:
        if self.at_symbol("(") and self.ahead().keyword in ("SELECT", "WITH", "VALUES"):
            return self._subquery()
        self.expect_symbol("(")
        items = [] if self.at_symbol(")") else self.listed(self.expression)
        self.expect_symbol(")")
        return f"({', '.join(map(str, items))})"


_LITERALS = {
    TokenKind.NUMBER: LiteralKind.NUMBER,
    TokenKind.STRING: LiteralKind.STRING,
    TokenKind.OTHER_STRING: LiteralKind.OTHER,
    TokenKind.HEX: LiteralKind.HEX,
    TokenKind.PLACEHOLDER: LiteralKind.PLACEHOLDER,
}
