"""One generated function that reads a value: its statements, and the expression that is the value.

Fields of fixed size that stand side by side are unpacked by one call (a *run*). What may be wrong inside a
run (a Bool that is neither 0 nor 1, the tag of an enum) is tested by one condition after it; only when that
fails, or bytes are missing, the run is walked field by field to find the error that a reader going in order
would have met first.
"""

from __future__ import annotations

from struct import Struct
from typing import Final, Protocol

from spacetimedb_lib.sats.bsatn_shape import SCALARS, Shapes
from spacetimedb_lib.sats.bsatn_source import Source
from spacetimedb_lib.sats.types import (
    BYTES,
    AlgebraicType,
    Array,
    Kind,
    Primitive,
    Product,
    Ref,
    Sum,
    SumValue,
)

_NESTING_LIMIT: Final = 30
"""Deeper products are built step by step: the compiler limits the nesting of parentheses."""

WIDE: Final = {
    Kind.U128: "from_bytes({}, 'little')",
    Kind.I128: "from_bytes({}, 'little', signed=True)",
    Kind.U256: "from_bytes({}, 'little')",
    Kind.I256: "from_bytes({}, 'little', signed=True)",
}
"""Integers that `struct` reads as bytes only."""


class Readers(Protocol):
    """Names of generated functions, made on demand."""

    shapes: Shapes
    source: Source

    def reader(self, type_: AlgebraicType) -> str:
        """(data, o) -> (value, end)"""
        ...

    def sum_reader(self, sum_: Sum) -> str:
        """(tag, data, o) -> (value, end)"""
        ...

    def array_reader(self, element: AlgebraicType) -> str:
        """(length, data, o) -> (list, end)"""
        ...


class DecoderBody:
    """The statements of one function; `take` plans the reading of a type and says what its value will be."""

    def __init__(self, functions: Readers) -> None:
        self._functions = functions
        self._shapes = functions.shapes
        self._source = functions.source
        self._lines: list[str] = []
        self._clear_run()

    def _clear_run(self) -> None:
        self._format = ""
        self._vars: list[str] = []
        self._run: list[tuple[int, str, int]] = []
        self._conditions: list[str] = []
        self._floats: list[tuple[str, int]] = []
        self._size = 0

    def finish(self) -> list[str]:
        self._flush()
        return self._lines

    def as_comprehension(self, value: str, data: str) -> str | None:
        """A list of all values in `data`, if what was taken is a single run in which nothing can be wrong."""
        if self._lines or self._conditions or self._floats or not self._vars:
            return None
        unpack = self._source.constant("I", Struct(f"<{self._format}").iter_unpack, self._format)
        return f"[{value} for {', '.join(self._vars)}, in {unpack}({data})]"

    def take(self, type_: AlgebraicType, depth: int = 0) -> str:
        """Read a value of the type; the result is an expression that is valid once all is read."""
        type_ = self._shapes.without_refs(type_)
        match type_:
            case Primitive(Kind.STRING):
                return self._let(f"str({self._bytes()}, 'utf-8')")
            case Primitive(kind):
                return self._scalar(kind)
            case Product(()):
                return "()"
            case Product(elements):
                values = [self.take(element.type, depth + 1) for element in elements]
                value = f"({', '.join(values)},)"
                return self._let(value) if depth and depth % _NESTING_LIMIT == 0 else value
            case Array():
                if Array(self._shapes.without_refs(type_.element)) == BYTES:
                    return self._let(f"bytes({self._bytes()})")
                length = self._field("I", "u32", 4)
                return self._call(f"{self._functions.array_reader(type_.element)}({length}, data, o)")
            case Sum() if self._shapes.is_enum(type_):
                return self._enum(len(type_.variants))
            case Sum():
                tag = self._field("B", "u8", 1)
                return self._call(f"{self._functions.sum_reader(type_)}({tag}, data, o)")
            case Ref():
                return self._call(f"{self._functions.reader(type_)}(data, o)")

    def _scalar(self, kind: Kind) -> str:
        scalar = SCALARS[kind]
        offset = self._size
        var = self._field(scalar.format, scalar.name, scalar.size, 2 if kind is Kind.BOOL else 0)
        if kind is Kind.BOOL:
            return f"{var} == 1"
        if kind is Kind.F32:
            self._floats.append((var, offset))
        return WIDE.get(kind, "{}").format(var)

    def _enum(self, count: int) -> str:
        tag = self._field("B", "u8", 1, count or -1)
        values = tuple(SumValue(i, ()) for i in range(count))
        return f"{self._source.constant('V', values, count)}[{tag}]"

    def _field(self, format_: str, name: str, size: int, limit: int = 0) -> str:
        """A fixed-size field joins the run; returns the variable that will hold it."""
        var = self._source.fresh("v")
        self._format += format_
        self._vars.append(var)
        self._run.append((size, name, limit))
        if limit and limit < 256:
            self._conditions.append(f"{var} >= {limit}")
        self._size += size
        return var

    def _bytes(self) -> str:
        """Read a length and that many bytes; returns the variable that holds them."""
        length = self._field("I", "u32", 4)
        self._flush()
        raw = self._source.fresh("v")
        self._lines += [
            f"{raw} = data[o:o + {length}]",
            f"if len({raw}) != {length}: raise_too_short({length}, len({raw}))",
            f"o += {length}",
        ]
        return raw

    def _call(self, call: str) -> str:
        self._flush()
        value = self._source.fresh("v")
        self._lines.append(f"{value}, o = {call}")
        return value

    def _let(self, expr: str) -> str:
        self._flush()
        value = self._source.fresh("v")
        self._lines.append(f"{value} = {expr}")
        return value

    def _flush(self) -> None:
        """Close the run: one call that unpacks it, and the tests of what it brought."""
        if not self._vars:
            return
        run = self._source.constant("R", tuple(self._run))
        failure = f"raise_run_error(data, o, {run})"
        if self._format == "B":
            read, missing = f"{self._vars[0]} = data[o]", "IndexError"
        else:
            unpack = self._source.constant("U", Struct(f"<{self._format}").unpack_from, self._format)
            read, missing = f"{', '.join(self._vars)}, = {unpack}(data, o)", "StructError"
        self._lines += ["try:", f"    {read}", f"except {missing}:", f"    {failure}"]
        if self._conditions:
            self._lines.append(f"if {' or '.join(self._conditions)}: {failure}")
        self._lines += [f"if {v} != {v}: {v} = unpack_f32(data, o + {at})" for v, at in self._floats]
        self._lines.append(f"o += {self._size}")
        self._clear_run()
