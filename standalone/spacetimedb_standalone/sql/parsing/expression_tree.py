"""The tree of an expression as written. `str()` prints it the way error messages quote it.

Constructs that no language of ours accepts are kept as their printed text only (`Opaque`): all that is ever done
with them is to name them in a refusal.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeAlias

from .tokens import Token


@dataclass(frozen=True, slots=True)
class Ident:
    value: str
    text: str
    """As written, with its quotes."""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Name:
    """A dotted name; all segments together name one thing."""

    parts: tuple[Ident, ...]

    @property
    def value(self) -> str:
        return ".".join(part.value for part in self.parts)

    def __str__(self) -> str:
        return ".".join(part.text for part in self.parts)


class LiteralKind(Enum):
    NUMBER = auto()
    STRING = auto()
    HEX = auto()
    BOOL = auto()
    PLACEHOLDER = auto()
    OTHER = auto()


@dataclass(frozen=True, slots=True)
class Literal:
    kind: LiteralKind
    value: str
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Unary:
    op: str
    operand: Expr

    def __str__(self) -> str:
        return f"{self.op}{' ' if self.op == 'NOT' else ''}{self.operand}"


@dataclass(frozen=True, slots=True)
class Binary:
    left: Expr
    op: str
    right: Expr

    def __str__(self) -> str:
        # Chains of thousands of ORs lean to the left: walk down, don't recurse.
        node: Expr = self
        pieces: list[str] = []
        while isinstance(node, Binary):
            pieces.append(f" {node.op} {node.right}")
            node = node.left
        pieces.append(str(node))
        return "".join(reversed(pieces))


@dataclass(frozen=True, slots=True)
class Nested:
    inner: Expr

    def __str__(self) -> str:
        return f"({self.inner})"


@dataclass(frozen=True, slots=True)
class Call:
    """A function call; `arguments` are printed texts."""

    name: str
    arguments: str
    parenthesised: bool = True

    def __str__(self) -> str:
        return f"{self.name}({self.arguments})" if self.parenthesised else self.name


@dataclass(frozen=True, slots=True)
class Opaque:
    text: str

    def __str__(self) -> str:
        return self.text


Expr: TypeAlias = Name | Literal | Unary | Binary | Nested | Call | Opaque


def ident_of(token: Token) -> Ident:
    return Ident(token.value, token.text)
