"""Writing values as JSON text, in the styles of the public system.

=========  ==================  ==================  ==============  =====================  ==============
style      named product       unnamed product     unit            named variant          unnamed variant
=========  ==================  ==================  ==============  =====================  ==============
UNTYPED    ``[v, …]``          ``[v, …]``          ``[]``          ``[tag, payload]``     same
TYPED      ``{"name": v, …}``  an error            ``{}``          ``{"name": payload}``  ``[tag, payload]``
DERIVED    ``{"name": v, …}``  ``[v, …]``          ``[]``          ``{"name": payload}``  ``[tag, payload]``
ROW        ``{"name": v, …}``  ``[v, …]``          ``{}``          ``[tag, payload]``     same
=========  ==================  ==================  ==============  =====================  ==============

UNTYPED is what SQL over HTTP and results of procedures use, DERIVED what describes databases and modules,
TYPED what the command line shows, ROW what the text protocol sends of stored rows; there the elements of
arrays are UNTYPED.

Integers of up to 128 bits are bare digits, 256-bit ones strings `"0x…"`, Array(U8) a string of hex digits,
floats the shortest that read back, or null when not finite. A writer is compiled once per type, like a BSATN
codec.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import Enum
from json.encoder import encode_basestring
from typing import Any, Final, TypeAlias

from spacetimedb_lib.sats.bsatn_encoder import FAILURES, wrong_value
from spacetimedb_lib.sats.bsatn_shape import Shapes
from spacetimedb_lib.sats.bsatn_source import Source
from spacetimedb_lib.sats.compile_cache import compiled_once
from spacetimedb_lib.sats.display import float_json
from spacetimedb_lib.sats.errors import EncodeError
from spacetimedb_lib.sats.types import (
    BYTES,
    AlgebraicType,
    Array,
    Element,
    Kind,
    Primitive,
    Product,
    Ref,
    Sum,
    Typespace,
    Variant,
)

JsonWriter: TypeAlias = Callable[[Any], str]


class Style(Enum):
    UNTYPED = "untyped"
    TYPED = "typed"
    DERIVED = "derived"
    ROW = "row"


@compiled_once
def json_writer(type_: AlgebraicType, typespace: Typespace = (), style: Style = Style.UNTYPED) -> JsonWriter:
    """The function value -> JSON text of a type, without blanks.

    It raises `EncodeError` for a value of another type, or one that has no form in the style.
    Keep it: even finding it again walks the whole type.
    """
    functions = _Functions(Shapes(typespace))
    name = functions.for_type(type_, style)
    lines = [
        "try:",
        f"    return {name}(v)",
        "except FAILURES as error:",
        "    raise wrong_value(error) from error",
    ]
    functions.source.add("def write(v)", lines)
    writer: JsonWriter = functions.source.build()["write"]
    return writer


def untyped(type_: AlgebraicType, value: Any, typespace: Typespace = ()) -> Any:
    """The UNTYPED form as plain Python lists, numbers and strings."""
    return json.loads(json_writer(type_, typespace, Style.UNTYPED)(value))


def typed(type_: AlgebraicType, value: Any, typespace: Typespace = ()) -> Any:
    """The TYPED form as plain Python values."""
    return json.loads(json_writer(type_, typespace, Style.TYPED)(value))


def derived(type_: AlgebraicType, value: Any, typespace: Typespace = ()) -> Any:
    """The DERIVED form as plain Python values."""
    return json.loads(json_writer(type_, typespace, Style.DERIVED)(value))


# --- what generated code calls ---


def _f32_text(value: float) -> str:
    return float_json(value, f32=True)


def _f64_text(value: float) -> str:
    text = repr(value)
    return text if "." in text and "e" not in text else float_json(value)


def _no_element_names() -> str:
    raise EncodeError("tuple element has no name")


def _no_such_variant(tag: int) -> str:
    raise EncodeError(f"tag {tag} belongs to no variant of its sum type")


_NAMES: Final[dict[str, Any]] = {
    "FAILURES": FAILURES,
    "wrong_value": wrong_value,
    "string_text": encode_basestring,
    "f32_text": _f32_text,
    "f64_text": _f64_text,
    "no_element_names": _no_element_names,
    "no_such_variant": _no_such_variant,
}

_SCALARS: Final = {
    Kind.BOOL: "{'true' if %s else 'false'}",
    Kind.STRING: "{string_text(%s)}",
    Kind.F32: "{f32_text(%s)}",
    Kind.F64: "{f64_text(%s)}",
}
"""Pieces of an f-string; the other integers are plain."""


class _Functions:
    """The functions of one writer, each made once per type and style."""

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        self.source = Source(_NAMES)
        self._names: dict[tuple[AlgebraicType, Style], str] = {}

    def for_type(self, type_: AlgebraicType, style: Style) -> str:
        """The name of a function value -> text."""
        type_ = self.shapes.without_refs(type_)
        key = type_, style
        if key not in self._names:
            name = self._names[key] = self.source.fresh("j")
            content = self.shapes.target(type_) if isinstance(type_, Ref) else type_
            if isinstance(content, Sum):
                self.source.add(f"def {name}(v)", self._sum_lines(content, style))
            else:
                self.source.add(f"def {name}(v)", self._lines(content, style))
        return self._names[key]

    def _lines(
        self, type_: AlgebraicType, style: Style, value: str = "v", before: str = "", after: str = ""
    ) -> list[str]:
        body = _Body(self, style)
        body.text(before)
        body.put(type_, value)
        body.text(after)
        return body.finish()

    def _sum_lines(self, sum_: Sum, style: Style) -> list[str]:
        table = []
        for tag, variant in enumerate(sum_.variants):
            name = self.source.fresh("j")
            before, after = _frame(tag, variant, style)
            self.source.add(f"def {name}(p)", self._lines(variant.type, style, "p", before, after))
            table.append(f"{tag}: {name}")
        names = self.source.fresh("T")
        self.source.add_statement(f"{names} = {{{', '.join(table)}}}")
        return ["t, p = v", f"f = {names}.get(t)", "return no_such_variant(t) if f is None else f(p)"]


def _frame(tag: int, variant: Variant, style: Style) -> tuple[str, str]:
    """What stands around a variant's payload."""
    if variant.name is None or style in (Style.UNTYPED, Style.ROW):
        return f"[{tag},", "]"
    return f"{{{encode_basestring(variant.name)}:", "}"


class _Body:
    """One function: statements that take the value apart, and the pieces of an f-string."""

    def __init__(self, functions: _Functions, style: Style) -> None:
        self._functions = functions
        self._source = functions.source
        self._style = style
        self._lines: list[str] = []
        self._pieces: list[str] = []
        self._text = ""

    def finish(self) -> list[str]:
        self._flush()
        return [*self._lines, f"return f'''{''.join(self._pieces)}'''"]

    def text(self, text: str) -> None:
        """A fixed text; it goes into a constant, so that names of fields never become code."""
        self._text += text

    def _flush(self) -> None:
        if self._text:
            self._pieces.append(f"{{{self._source.constant('K', self._text)}}}")
            self._text = ""

    def _piece(self, piece: str) -> None:
        self._flush()
        self._pieces.append(piece)

    def put(self, type_: AlgebraicType, expr: str) -> None:
        """Write the value that `expr` (a name) yields."""
        type_ = self._functions.shapes.without_refs(type_)
        match type_:
            case Primitive(Kind.I256 | Kind.U256):
                self.text('"')
                self._piece(f"{{{expr}:#x}}")
                self.text('"')
            case Primitive(kind):
                self._piece(_SCALARS.get(kind, "{%s}") % expr)
            case Product(elements):
                self._product(elements, expr)
            case Array():
                self._array(type_, expr)
            case Sum() | Ref():
                self._piece(f"{{{self._functions.for_type(type_, self._style)}({expr})}}")

    def _product(self, elements: tuple[Element, ...], expr: str) -> None:
        unnamed = any(element.name is None for element in elements)
        nothing = self._style is Style.DERIVED and not elements
        as_array = self._style is Style.UNTYPED or nothing or (unnamed and self._style is not Style.TYPED)
        if unnamed and not as_array:
            self._piece("{no_element_names()}")
            return
        names = [self._source.fresh("v") for _ in elements]
        if names:
            self._lines.append(f"{', '.join(names)}, = {expr}")
        self.text("[" if as_array else "{")
        for index, (element, name) in enumerate(zip(elements, names, strict=True)):
            self.text("," if index else "")
            self.text("" if as_array else f"{encode_basestring(element.name or '')}:")
            self.put(element.type, name)
        self.text("]" if as_array else "}")

    def _array(self, type_: Array, expr: str) -> None:
        element = self._functions.shapes.without_refs(type_.element)
        if Array(element) == BYTES:
            self.text('"')
            self._piece(f"{{{expr}.hex()}}")
            self.text('"')
            return
        plain = isinstance(element, Primitive) and Kind.I8 <= element.kind <= Kind.U128
        style = Style.UNTYPED if self._style is Style.ROW else self._style
        function = "str" if plain else self._functions.for_type(element, style)
        self.text("[")
        self._piece(f"{{','.join(map({function}, {expr}))}}")
        self.text("]")
