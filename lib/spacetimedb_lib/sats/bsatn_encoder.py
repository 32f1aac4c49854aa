"""Generates the functions that write values as BSATN.

Fields of fixed size that stand side by side, however deeply nested, are packed by one `Struct.pack` (a
*run*); lengths of strings and arrays and tags of variants belong to the runs too. So a row of numbers is one
call, and a row with two strings is a few pieces concatenated. A sum with payloads, a recursive reference, and
the elements of an array are functions of their own.
"""

from __future__ import annotations

from struct import Struct, pack
from struct import error as StructError
from typing import Any, Final

from spacetimedb_lib.sats.bsatn_shape import SCALARS, Shapes
from spacetimedb_lib.sats.bsatn_source import Source
from spacetimedb_lib.sats.errors import EncodeError
from spacetimedb_lib.sats.floats import f32_bits
from spacetimedb_lib.sats.types import BYTES, AlgebraicType, Array, Kind, Primitive, Product, Ref, Sum

_CHAIN_LIMIT: Final = 6
"""Sums of more variants than this look their variant up instead of comparing tags one by one."""

_WIDE: Final = {
    Kind.U128: "{}.to_bytes(16, 'little')",
    Kind.I128: "{}.to_bytes(16, 'little', signed=True)",
    Kind.U256: "{}.to_bytes(32, 'little')",
    Kind.I256: "{}.to_bytes(32, 'little', signed=True)",
}


def no_such_variant(tag: int) -> Any:
    raise EncodeError(f"tag {tag} belongs to no variant of its sum type")


def pack_f32s(values: list[float]) -> bytes:
    """Array elements, without their count."""
    total = sum(values)
    if total == total:
        return pack(f"<{len(values)}f", *values)
    # A NaN is among them (or both infinities are): go by bit patterns, which keep its payload.
    return pack(f"<{len(values)}I", *map(f32_bits, values))


def wrong_value(error: Exception) -> EncodeError:
    return EncodeError(f"the value does not belong to the type it is written as: {error}")


FAILURES: Final = (
    AttributeError,
    IndexError,
    OverflowError,
    RecursionError,
    StructError,
    TypeError,
    ValueError,
)
"""What generated code raises when it meets a value of another shape than it was made for."""

_NAMES: Final[dict[str, Any]] = {
    "FAILURES": FAILURES,
    "wrong_value": wrong_value,
    "pack": pack,
    "pack_f32s": pack_f32s,
    "f32_bits": f32_bits,
    "no_such_variant": no_such_variant,
}


def encoder_source(type_: AlgebraicType, shapes: Shapes) -> Source:
    """Code with a function `encode(value) -> bytes` that raises `EncodeError` for values of another type."""
    writer = _Functions(shapes)
    body = _Body(writer)
    body.put(type_, "v")
    writer.source.add("def encode(v)", _guarded(body.finish()))
    return writer.source


def _guarded(lines: list[str]) -> list[str]:
    return [
        "try:",
        *(f"    {line}" for line in lines),
        "except FAILURES as error:",
        "    raise wrong_value(error) from error",
    ]


class _Functions:
    """The functions of one encoder, each made once per type."""

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        self.source = Source(_NAMES)
        self._names: dict[AlgebraicType, str] = {}

    def for_type(self, type_: AlgebraicType) -> str:
        """The name of a function value -> bytes."""
        type_ = self.shapes.without_refs(type_)
        if type_ not in self._names:
            name = self._names[type_] = self.source.fresh("e")
            content = self.shapes.target(type_) if isinstance(type_, Ref) else type_
            is_plain_sum = isinstance(content, Sum) and not self.shapes.is_enum(content)
            lines = (
                self._sum_lines(content)
                if isinstance(content, Sum) and is_plain_sum
                else self._lines(content)
            )
            self.source.add(f"def {name}(v)", lines)
        return self._names[type_]

    def _lines(self, type_: AlgebraicType) -> list[str]:
        body = _Body(self)
        body.put(type_, "v")
        return body.finish()

    def _sum_lines(self, sum_: Sum) -> list[str]:
        lines = ["t, p = v"]
        if len(sum_.variants) > _CHAIN_LIMIT:
            table = {tag: self._variant_function(tag, v.type) for tag, v in enumerate(sum_.variants)}
            name = self.source.fresh("T")
            pairs = ", ".join(f"{tag}: {function}" for tag, function in table.items())
            self.source.add_statement(f"{name} = {{{pairs}}}")
            return [*lines, f"f = {name}.get(t)", "if f is None: no_such_variant(t)", "return f(p)"]
        for tag, variant in enumerate(sum_.variants):
            lines.append(f"if t == {tag}:")
            lines += [f"    {line}" for line in self._variant_lines(tag, variant.type)]
        return [*lines, "no_such_variant(t)"]

    def _variant_function(self, tag: int, payload: AlgebraicType) -> str:
        name = self.source.fresh("e")
        self.source.add(f"def {name}(p)", self._variant_lines(tag, payload))
        return name

    def _variant_lines(self, tag: int, payload: AlgebraicType) -> list[str]:
        body = _Body(self)
        body.field("B", str(tag))
        body.put(payload, "p")
        return body.finish()


class _Body:
    """The lines of one function: statements that take a value apart, and the pieces of its bytes."""

    def __init__(self, functions: _Functions) -> None:
        self._functions = functions
        self._shapes = functions.shapes
        self._source = functions.source
        self._lines: list[str] = []
        self._pieces: list[str] = []
        self._format = ""
        self._args: list[str] = []
        self._floats: list[int] = []

    def finish(self) -> list[str]:
        self._flush()
        if len(self._pieces) > 3:
            return [*self._lines, f"return b''.join(({', '.join(self._pieces)}))"]
        return [*self._lines, f"return {' + '.join(self._pieces) or repr(b'')}"]

    def field(self, format_: str, arg: str) -> None:
        """A fixed-size field joins the run."""
        self._format += format_
        self._args.append(arg)

    def put(self, type_: AlgebraicType, expr: str) -> None:
        """Write the value that `expr` (a name) yields."""
        type_ = self._shapes.without_refs(type_)
        match type_:
            case Primitive(Kind.STRING):
                text = self._let(f"{expr}.encode()")
                self._counted(text, text)
            case Primitive(kind):
                self._scalar(kind, expr)
            case Product(elements):
                names = [self._source.fresh("v") for _ in elements]
                if names:
                    self._lines.append(f"{', '.join(names)}, = {expr}")
                for name, element in zip(names, elements, strict=True):
                    self.put(element.type, name)
            case Array():
                self._array(type_, expr)
            case Sum() if self._shapes.is_enum(type_):
                tag = self._let(f"{expr}[0]")
                self._lines.append(f"if {tag} >= {len(type_.variants)}: no_such_variant({tag})")
                self.field("B", tag)
            case Sum() | Ref():
                self._piece(f"{self._functions.for_type(type_)}({expr})")

    def _scalar(self, kind: Kind, expr: str) -> None:
        if kind is Kind.F32:
            self._floats.append(len(self._args))
        if kind is Kind.BOOL:
            self.field("?", expr)
        else:
            self.field(SCALARS[kind].format, _WIDE.get(kind, "{}").format(expr))

    def _array(self, type_: Array, expr: str) -> None:
        element = self._shapes.without_refs(type_.element)
        if Array(element) == BYTES:
            self._counted(expr, expr)
            return
        if self._shapes.fixed_size(element) == 0:
            self.field("I", f"len({expr})")
            return
        kind = element.kind if isinstance(element, Primitive) else None
        if kind is Kind.F32:
            self._counted(expr, f"pack_f32s({expr})")
        elif kind in SCALARS and kind not in _WIDE:
            letter = "?" if kind is Kind.BOOL else SCALARS[kind].format
            self._counted(expr, f"pack(f'<{{len({expr})}}{letter}', *{expr})")
        else:
            self._counted(expr, f"b''.join(map({self._functions.for_type(element)}, {expr}))")

    def _counted(self, counted: str, piece: str) -> None:
        self.field("I", f"len({counted})")
        self._piece(piece)

    def _piece(self, expr: str) -> None:
        self._flush()
        self._pieces.append(expr)

    def _let(self, expr: str) -> str:
        name = self._source.fresh("v")
        self._lines.append(f"{name} = {expr}")
        return name

    def _flush(self) -> None:
        """Close the run: one call that packs it."""
        if not self._format:
            return
        expr = self._packed(self._format, self._args)
        if self._floats:
            # A run with a NaN among its F32 fields packs bit patterns instead: packing floats would quiet it.
            names = [self._args[i] for i in self._floats]
            args = [f"f32_bits({arg})" if i in self._floats else arg for i, arg in enumerate(self._args)]
            exact = self._packed(self._format.replace("f", "I"), args)
            expr = f"({expr} if {' and '.join(f'{name} == {name}' for name in names)} else {exact})"
        self._pieces.append(expr)
        self._format, self._args, self._floats = "", [], []

    def _packed(self, format_: str, args: list[str]) -> str:
        if all(arg.isdigit() for arg in args):
            return repr(pack(f"<{format_}", *map(int, args)))
        packer = self._source.constant("P", Struct(f"<{format_}").pack, format_)
        return f"{packer}({', '.join(args)})"
