"""Compiles the BSATN of an algebraic type to the words that `layout_cy.Program` runs (its ops are listed
there)."""

from __future__ import annotations

from dataclasses import dataclass, field

from spacetimedb_engine.errors import SchemaError

UINT, INT, FLOAT, BOOL, STRING, ARRAY, PRODUCT, SUM, SKIP = range(9)
NONE = 0xFFFFFFFF
DEPTH = 100
"""Deepest nesting of a type: programs run by recursion."""

_SUM, _PRODUCT, _ARRAY, _STRING, _BOOL = 1, 2, 3, 4, 5
_PLAIN = {
    **{tag: (INT if tag % 2 == 0 else UINT, 1 << (tag - 6) // 2) for tag in range(6, 18)},
    18: (FLOAT, 4),
    19: (FLOAT, 8),
}
"""Type tag -> op and size of the integers (I8 6, U8 7, I16 8 ... U256 17) and floats."""


@dataclass(frozen=True, slots=True)
class Node:
    """One type: its place in the code, the length of its values (-1: they differ), is it plain."""

    pc: int
    fixed: int
    plain: bool
    children: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class TypeCode:
    words: tuple[int, ...]
    root: int
    """Where the type as written begins."""
    fused: int
    """Where the same type with runs of plain columns fused begins."""
    fixed: int
    plain: bool
    columns: int


@dataclass(slots=True)
class _Compiler:
    data: bytes
    at: int = 0
    words: list[int] = field(default_factory=list)

    def take(self, n: int) -> bytes:
        if len(self.data) - self.at < n:
            raise SchemaError(f"the type ends too early: {n} bytes are missing at byte {self.at}")
        self.at += n
        return self.data[self.at - n : self.at]

    def length(self) -> int:
        return int.from_bytes(self.take(4), "little")

    def emit(self, *words: int) -> int:
        self.words.extend(words)
        return len(self.words) - len(words)

    def node(self, depth: int) -> Node:
        if depth > DEPTH:
            raise SchemaError(f"the type is nested deeper than {DEPTH} levels")
        tag = self.take(1)[0]
        if tag in _PLAIN:
            op, size = _PLAIN[tag]
            return Node(self.emit(op, size), size, True)
        if tag == _STRING:
            return Node(self.emit(STRING), -1, False)
        if tag == _BOOL:
            return Node(self.emit(BOOL), 1, False)
        if tag == _ARRAY:
            element = self.node(depth + 1)
            return Node(self.emit(ARRAY, element.pc, element.fixed if element.plain else NONE), -1, False)
        if tag == _PRODUCT:
            return self.product(self.members(depth))
        if tag == _SUM:
            return self.sum(self.members(depth))
        reason = "a reference that was not resolved" if tag == 0 else f"unknown type tag {tag}"
        raise SchemaError(f"{reason} at byte {self.at - 1} of the type")

    def members(self, depth: int) -> tuple[Node, ...]:
        members = []
        for _ in range(self.length()):
            named = self.take(1)[0]
            if named > 1:
                raise SchemaError(f"bad name of a type element at byte {self.at - 1}")
            if named == 0:
                self.take(self.length())
            members.append(self.node(depth + 1))
        return tuple(members)

    def product(self, members: tuple[Node, ...]) -> Node:
        pc = self.emit(PRODUCT, len(members), *(member.pc for member in members))
        fixed = -1 if any(member.fixed < 0 for member in members) else sum(member.fixed for member in members)
        return Node(pc, fixed, all(member.plain for member in members), members)

    def sum(self, members: tuple[Node, ...]) -> Node:
        pc = self.emit(SUM, len(members), *(member.pc for member in members))
        lengths = {member.fixed for member in members}
        same = len(lengths) == 1 and -1 not in lengths
        return Node(pc, 1 + lengths.pop() if same else -1, False)

    def fuse(self, node: Node) -> int:
        """The product again, runs of plain members as one SKIP."""
        steps: list[int] = []
        run = 0
        for member in node.children:
            if member.plain:
                run += member.fixed
                continue
            if run:
                steps.append(self.emit(SKIP, run))
                run = 0
            steps.append(member.pc)
        if run:
            steps.append(self.emit(SKIP, run))
        return self.emit(PRODUCT, len(steps), *steps)


def compile_type(type_bytes: bytes) -> TypeCode:
    """Raises SchemaError when the bytes are not exactly one type, or hold references."""
    compiler = _Compiler(type_bytes)
    root = compiler.node(0)
    if compiler.at != len(type_bytes):
        raise SchemaError(f"{len(type_bytes) - compiler.at} bytes follow the type")
    is_product = type_bytes[0] == _PRODUCT
    fused = compiler.fuse(root) if is_product else root.pc
    return TypeCode(
        words=tuple(compiler.words),
        root=root.pc,
        fused=fused,
        fixed=root.fixed,
        plain=root.plain,
        columns=len(root.children) if is_product else 0,
    )
