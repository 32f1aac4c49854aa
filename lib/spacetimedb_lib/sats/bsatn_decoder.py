"""Generates the functions that read values from BSATN, the counterpart of `bsatn_encoder`.

Generated functions take the data and an offset, and return the value and the offset after it:

    r(data, o)         any type
    s(t, data, o)      a sum, its tag already read
    a(n, data, o)      an array, its length already read
"""

from __future__ import annotations

from typing import Final

from spacetimedb_lib.sats.bsatn_decoder_body import WIDE, DecoderBody
from spacetimedb_lib.sats.bsatn_shape import SCALARS, Shapes
from spacetimedb_lib.sats.bsatn_source import Source
from spacetimedb_lib.sats.bsatn_unpack import DECODER_NAMES
from spacetimedb_lib.sats.types import AlgebraicType, Kind, Primitive, Product, Ref, Sum, SumValue

_CHAIN_LIMIT: Final = 6
"""Sums of more variants than this look their variant up instead of comparing tags one by one."""

_ZERO_SIZE_LIMIT: Final = 1 << 20
"""Most elements of an array whose elements take no bytes; such a length is not bounded by the data."""


def decoder_source(type_: AlgebraicType, shapes: Shapes) -> Source:
    """Code with `decode(data, o=0) -> (value, end)` and `decode_all(data) -> [value]`."""
    functions = _Functions(shapes)
    body = DecoderBody(functions)
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
        self.source = Source(DECODER_NAMES)
        self._names: dict[tuple[str, AlgebraicType], str] = {}

    def reader(self, type_: AlgebraicType) -> str:
        """The name of a function (data, o) -> (value, end)."""
        type_ = self.shapes.without_refs(type_)
        if ("r", type_) not in self._names:
            name = self._names["r", type_] = self.source.fresh("r")
            body = DecoderBody(self)
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
        body = DecoderBody(self)
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
            case Primitive(kind) if kind not in WIDE:
                return f"list(unpack_from(f'<{{n}}{SCALARS[kind].format}', data, o))"
        body = DecoderBody(self)
        return body.as_comprehension(body.take(element), "data[o:e]")

    def rows_lines(self, type_: AlgebraicType) -> list[str]:
        """The body of `decode_all`: values one after another until the data ends."""
        size = self.shapes.fixed_size(type_)
        if size == 0:
            return ["if data: raise_left_over(len(data))", "return []"]
        body = DecoderBody(self)
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
