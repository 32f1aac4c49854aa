"""Conditions: the part of SQL expressions that is spoken, with names not yet looked up.

A chain of ANDs and ORs is a tree that leans far to the left; it is walked down in a loop, and chains of the
same operator become one n-ary node.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from .errors import SqlUnsupported
from .parsing.expression_tree import Binary, Expr, Literal, LiteralKind, Name, Nested, Unary

MAX_DEPTH = 1_600
"""Levels of operators and brackets above an operand."""

_MAX_NESTED_COMPARISONS = 60
"""``a = b = true = ..``: each level needs a stack frame in the stages behind."""

_COMPARISONS = frozenset(("=", "<>", "<", "<=", ">", ">="))


@dataclass(frozen=True, slots=True)
class FieldName:
    """A column as written; `table` is None where it was not qualified and could not be."""

    table: str | None
    column: str


@dataclass(frozen=True, slots=True)
class Sender:
    """The identity of whoever asks."""


@dataclass(frozen=True, slots=True)
class Comparison:
    left: Condition
    op: str
    right: Condition


@dataclass(frozen=True, slots=True)
class Logic:
    """`op` is AND or OR, of two operands or more."""

    op: str
    operands: tuple[Condition, ...]


Condition: TypeAlias = Literal | Sender | FieldName | Comparison | Logic


def as_literal(value: object, role: str) -> Literal:
    """A literal with its sign folded in, or a refusal that names the `role` it had."""
    if isinstance(value, Literal):
        return _supported(value)
    signed = _signed_number(value)
    if signed is None:
        raise SqlUnsupported(f"Unsupported {role}: {value}")
    return signed


def _supported(literal: Literal) -> Literal:
    if literal.kind in (LiteralKind.PLACEHOLDER, LiteralKind.OTHER):
        raise SqlUnsupported(f"Unsupported literal expression: {literal}")
    return literal


def _signed_number(value: object) -> Literal | None:
    if not isinstance(value, Unary) or value.op not in ("+", "-"):
        return None
    number = value.operand
    if not isinstance(number, Literal) or number.kind is not LiteralKind.NUMBER:
        return None
    text = value.op + number.value
    return Literal(LiteralKind.NUMBER, text, text)


class Translator:
    """Turns expressions of one statement into conditions.

    `alone` is the alias of its only table, which bare names belong to, or None if there are several: then
    `met_bare_name` tells afterwards whether any was used.
    """

    def __init__(self, alone: str | None) -> None:
        self._alone = alone
        self.met_bare_name = False

    def field(self, name: Name) -> FieldName:
        *qualifier, column = (part.value for part in name.parts)
        if qualifier:
            return FieldName(".".join(qualifier), column)
        self.met_bare_name = True
        return FieldName(self._alone, column)

    def equated(self, expr: Expr) -> tuple[FieldName, FieldName] | None:
        """The two columns of ``a = b``, or None if the expression is anything else."""
        if isinstance(expr, Binary) and expr.op == "=":
            left, right = expr.left, expr.right
            if isinstance(left, Name) and isinstance(right, Name):
                return self.field(left), self.field(right)
        return None

    def condition(self, expr: Expr, depth: int = 0) -> Condition:
        """Raises SqlUnsupported for what conditions can't say, and for depth beyond `MAX_DEPTH`."""
        spine: list[Binary] = []
        while isinstance(expr, Binary):
            spine.append(expr)
            expr = expr.left
        deepest = depth + len(spine)
        if deepest > MAX_DEPTH:
            raise SqlUnsupported("Recursion limit exceeded, `sql-parser::parse_expr`")
        result = self._operand(expr, deepest)
        chain = _Chain(result)
        for above, binary in enumerate(reversed(spine)):
            right = self.condition(binary.right, deepest - above)
            chain.add(binary.op, right)
        return chain.finish()

    def _operand(self, expr: Expr, depth: int) -> Condition:
        match expr:
            case Nested(inner):
                return self.condition(inner, depth + 1)
            case Literal(LiteralKind.PLACEHOLDER, ":sender"):
                return Sender()
            case Literal():
                return _supported(expr)
            case Name():
                return self.field(expr)
            case _:
                signed = _signed_number(expr)
                if signed is None:
                    raise SqlUnsupported(f"Unsupported expression: {expr}")
                return signed


class _Chain:
    """A left-leaning run of operators being folded up from its lower end."""

    def __init__(self, first: Condition) -> None:
        self._left = first
        self._op = ""
        self._operands: list[Condition] = []
        self._comparisons = 0

    def add(self, op: str, right: Condition) -> None:
        if op in ("AND", "OR"):
            if op != self._op:
                self._close()
                self._op, self._operands = op, _spread(op, self._left)
            self._operands += _spread(op, right)
        elif op in _COMPARISONS:
            self._close()
            self._comparisons += 1
            if self._comparisons > _MAX_NESTED_COMPARISONS:
                raise SqlUnsupported("Recursion limit exceeded, `expr::type_expr`")
            self._left = Comparison(self._left, op, right)
        else:
            raise SqlUnsupported(f"Unsupported binary operator: {op}")

    def finish(self) -> Condition:
        self._close()
        return self._left

    def _close(self) -> None:
        if self._op:
            self._left = Logic(self._op, tuple(self._operands))
            self._op = ""


def _spread(op: str, condition: Condition) -> list[Condition]:
    if isinstance(condition, Logic) and condition.op == op:
        return list(condition.operands)
    return [condition]
