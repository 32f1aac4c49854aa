"""Expressions: what operands may be. The grammar is generous.

More is read than is ever accepted, so that a refusal can quote the offending part; what only serves that
is kept as text.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from .expression_tree import Call, Expr, Ident, Literal, LiteralKind, Name, Nested, Opaque, Unary, ident_of
from .operators import OperatorParser
from .tokens import TokenKind
from .tree import Query

_NOT_PRECEDENCE, _SIGN_PRECEDENCE, _CLOSE_PRECEDENCE = 15, 40, 50
_PREFIX_SYMBOLS = ("-", "+", "~", "@", "|/", "||/", "!!")
_BARE_FUNCTIONS = (
    *("CURRENT_CATALOG", "CURRENT_USER", "SESSION_USER", "USER"),
    *("CURRENT_TIMESTAMP", "CURRENT_TIME", "CURRENT_DATE", "LOCALTIME", "LOCALTIMESTAMP"),
)


class ExpressionParser(OperatorParser, ABC):
    @abstractmethod
    def query(self) -> Query:
        """A query in brackets somewhere in an expression."""

    def expression(self) -> Expr:
        with self.nested():
            return self._operators(0)

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
            return Unary(symbol, self._operators(_SIGN_PRECEDENCE if symbol in "+-" else _CLOSE_PRECEDENCE))

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


_LITERALS = {
    TokenKind.NUMBER: LiteralKind.NUMBER,
    TokenKind.STRING: LiteralKind.STRING,
    TokenKind.OTHER_STRING: LiteralKind.OTHER,
    TokenKind.HEX: LiteralKind.HEX,
    TokenKind.PLACEHOLDER: LiteralKind.PLACEHOLDER,
}
