"""Generates the functions that read values from BSATN.

The counterpart of `bsatn_encoder`: fields of fixed size that stand side by side are unpacked by one call.
What may be wrong inside a run (a Bool that is neither 0 nor 1, the tag of an enum) is tested by one condition
after it; only when that fails, or bytes are missing, the run is walked field by field to find the error that
a reader going in order would have met first.

Generated functions take the data and an offset, and return the value and the offset after it:

    r(data, o)         any type
    s(t, data, o)      a sum, its tag already read
    a(n, data, o)      an array, its length already read
"""

from __future__ import annotations

from struct import Struct, error, unpack_from
from typing import Any, Final

from spacetimedb_lib.sats.bsatn_shape import SCALARS, Shapes
from spacetimedb_lib.sats.bsatn_source import Source
from spacetimedb_lib.sats.errors import (
    bad_bool,
    bad_tag,
    bad_utf8,
    nested_too_deeply,
    raise_run_error,
    too_many,
    too_short,
)
from spacetimedb_lib.sats.floats import f32_from_bits
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

_CHAIN_LIMIT: Final = 6
_NESTING_LIMIT: Final = 30
"""Deeper products are built step by step: the compiler limits the nesting of parentheses."""

_ZERO_SIZE_LIMIT: Final = 1 << 20
"""Most elements of an array whose elements take no bytes; such a length is not bounded by the data."""

_WIDE: Final = {
    Kind.U128: "from_bytes({}, 'little')",
    Kind.I128: "from_bytes({}, 'little', signed=True)",
    Kind.U256: "from_bytes({}, 'little')",
    Kind.I256: "from_bytes({}, 'little', signed=True)",
}


def unpack_f32(data: bytes, offset: int) -> float:
    """One F32, NaN payload kept."""
    return f32_from_bits(unpack_from("<I", data, offset)[0])


def unpack_f32s(count: int, data: bytes, offset: int) -> list[float]:
    """Array elements; the bytes are known to be there."""
    values = unpack_from(f"<{count}f", data, offset)
    total = sum(values)
    if total == total:
        return list(values)
    return [f32_from_bits(bits) for bits in unpack_from(f"<{count}I", data, offset)]


def unpack_bools(count: int, data: bytes, offset: int) -> list[bool]:
    """Array elements; the bytes are known to be there."""
    raw = bytes(data[offset : offset + count])
    bad = raw.translate(None, b"\x00\x01")
    if bad:
        raise bad_bool(bad[0])
    return [byte == 1 for byte in raw]


def raise_bad_tag(tag: int) -> None:
    raise bad_tag(tag)


def raise_too_short(expected: int, given: int) -> None:
    raise too_short("[u8]", expected, given)


def raise_too_many(count: int) -> None:
    raise too_many(count)


_NAMES: Final[dict[str, Any]] = {
    "StructError": error,
    "SumValue": SumValue,
    "bad_utf8": bad_utf8,
    "from_bytes": int.from_bytes,
    "nested_too_deeply": nested_too_deeply,
    "new": tuple.__new__,
    "raise_bad_tag": raise_bad_tag,
    "raise_run_error": raise_run_error,
    "raise_too_many": raise_too_many,
    "raise_too_short": raise_too_short,
    "unpack_bools": unpack_bools,
    "unpack_f32": unpack_f32,
    "unpack_f32s": unpack_f32s,
    "unpack_from": unpack_from,
}


def decoder_source(type_: AlgebraicType, shapes: Shapes) -> Source:
    """Code with `decode(data, o=0) -> (value, end)` and `decode_all(data) -> [value]`."""
    functions = _Functions(shapes)
    body = _Body(functions)
    value = body.take(type_)
    functions.source.add("def decode(data, o=0)", _guarded([*body.finish(), f"return {value}, o"]))
    functions.source.add("def decode_all(data)", _guarded(functions.rows_lines(type_)))
    return functions.source


def _guarded(lines: list[str]) -> list[str]:
    return [
        "try:",
        *(f"    {line}" for line in lines),
        "except UnicodeDecodeError:",
        "    raise bad_utf8() from None",
        "except RecursionError:",
        "    raise nested_too_deeply() from None",
    ]


class _Functions:
    """The functions of one decoder, each made once per type."""

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        self.source = Source(_NAMES)
        self._names: dict[tuple[str, AlgebraicType], str] = {}

    def reader(self, type_: AlgebraicType) -> str:
        """The name of a function (data, o) -> (value, end)."""
        type_ = self.shapes.without_refs(type_)
        if ("r", type_) not in self._names:
            name = self._names["r", type_] = self.source.fresh("r")
            body = _Body(self)
            value = body.take(self.shapes.target(type_) if isinstance(type_, Ref) else type_)
            self.source.add(f"def {name}(data, o)", [*body.finish(), f"return {value}, o"])
        return self._names["r", type_]

    def sum_reader(self, sum_: Sum) -> str:
        """The name of a function (tag, data, o) -> (value, end)."""
        if ("s", sum_) not in self._names:
            name = self._names["s", sum_] = self.source.fresh("s")
            self.source.add(f"def {name}(t, data, o)", self._sum_lines(sum_))
        return self._names["s", sum_]

    def array_reader(self, element: AlgebraicType) -> str:
        """The name of a function (length, data, o) -> (list, end)."""
        element = self.shapes.without_refs(element)
        if ("a", element) not in self._names:
            name = self._names["a", element] = self.source.fresh("a")
            self.source.add(f"def {name}(n, data, o)", self._array_lines(element))
        return self._names["a", element]

    def _sum_lines(self, sum_: Sum) -> list[str]:
        if len(sum_.variants) > _CHAIN_LIMIT:
            names = []
            for tag, variant in enumerate(sum_.variants):
                names.append(self.source.fresh("v"))
                self.source.add(f"def {names[-1]}(data, o)", self._variant_lines(tag, variant.type))
            table = self.source.fresh("T")
            self.source.add_statement(f"{table} = ({', '.join(names)})")
            return [f"if t >= {len(names)}: raise_bad_tag(t)", f"return {table}[t](data, o)"]
        lines = []
        for tag, variant in enumerate(sum_.variants):
            lines.append(f"if t == {tag}:")
            lines += [f"    {line}" for line in self._variant_lines(tag, variant.type)]
        return [*lines, "raise_bad_tag(t)"]

    def _variant_lines(self, tag: int, payload: AlgebraicType) -> list[str]:
        if self.shapes.without_refs(payload) == Product(()):
            return [f"return {self.source.constant('S', SumValue(tag, ()), tag)}, o"]
        body = _Body(self)
        value = body.take(payload)
        return [*body.finish(), f"return new(SumValue, ({tag}, {value})), o"]

    def _array_lines(self, element: AlgebraicType) -> list[str]:
        """Elements of fixed size are read all at once, but one by one to the error if bytes are missing."""
        reader = self.reader(element)
        one_by_one = [
            "values = []",
            "append = values.append",
            "for _ in range(n):",
            f"    value, o = {reader}(data, o)",
            "    append(value)",
            "return values, o",
        ]
        size = self.shapes.fixed_size(element)
        if size == 0:
            return [f"if n > {_ZERO_SIZE_LIMIT}: raise_too_many(n)", *one_by_one]
        at_once = None if size is None else self._at_once(element)
        if at_once is None:
            return one_by_one
        return [f"e = o + n * {size}", "if e <= len(data):", f"    return {at_once}, e", *one_by_one]

    def _at_once(self, element: AlgebraicType) -> str | None:
        """An expression that reads n elements from o to e, if there is a fast one."""
        match element:
            case Primitive(Kind.BOOL):
                return "unpack_bools(n, data, o)"
            case Primitive(Kind.F32):
                return "unpack_f32s(n, data, o)"
            case Primitive(kind) if kind not in _WIDE:
                return f"list(unpack_from(f'<{{n}}{SCALARS[kind].format}', data, o))"
        body = _Body(self)
        return body.as_comprehension(body.take(element), "data[o:e]")

    def rows_lines(self, type_: AlgebraicType) -> list[str]:
        """The body of `decode_all`: values one after another until the data ends."""
        size = self.shapes.fixed_size(type_)
        body = _Body(self)
        at_once = body.as_comprehension(body.take(type_), "data") if size else None
        loop = [
            "values = []",
            "append = values.append",
            "o = 0",
            "end = len(data)",
            "while o < end:",
            "    value, o = decode(data, o)",
            "    append(value)",
            "return values",
        ]
        return loop if at_once is None else [f"if len(data) % {size} == 0: return {at_once}", *loop]


class _Body:
    """The statements of one function; `take` plans the reading of a type and says what its value will be."""

    def __init__(self, functions: _Functions) -> None:
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
        return _WIDE.get(kind, "{}").format(var)

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
