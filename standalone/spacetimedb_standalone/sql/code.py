"""Python source that reads columns out of rows of bytes, and functions made of it.

Every query shape becomes a function of its own: constants are its parameters, so that queries that differ
only in their constants share the compiled code. Generated source contains no text of a query, only numbers
and names from here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from struct import Struct
from typing import Any, Final

from spacetimedb_lib.sats.types import Kind

from .layout import Layout, Place, counted_element_size, skipper

_FORMATS: Final = {
    Kind.I8: "b",
    Kind.I16: "h",
    Kind.U16: "H",
    Kind.I32: "i",
    Kind.U32: "I",
    Kind.I64: "q",
    Kind.U64: "Q",
    Kind.F32: "f",
    Kind.F64: "d",
}
UNPACK: Final = {kind: Struct("<" + format_).unpack_from for kind, format_ in _FORMATS.items()}
"""Functions that read a number at a place: ``UNPACK[kind](row, place)[0]``."""


def total_order(number: float) -> tuple[bool, float]:
    """A key that orders floats in total: NaN equals itself and is greater than all others."""
    return (True, 0.0) if number != number else (False, number)


def canonical_float(value: bytes) -> bytes:
    """One form for floats that are equal: zero without its sign, any NaN as one."""
    number = UNPACK[Kind.F32 if len(value) == 4 else Kind.F64](value, 0)[0]
    if number == 0:
        return bytes(len(value))
    return b"NaN" if number != number else value


_GLOBALS: Final[dict[str, Any]] = {
    **{kind.name.lower(): unpack for kind, unpack in UNPACK.items()},
    "integer": int.from_bytes,
    "total_order": total_order,
    "canonical_float": canonical_float,
}
"""What generated code may call."""


@lru_cache(maxsize=4096)
def _compiled(source: str) -> Any:
    return compile(source, "<query>", "exec")


class Source:
    """A function being written: the values it closes over, and the lines of its body."""

    def __init__(self) -> None:
        self.constants: list[Any] = []
        self._names: dict[int, str] = {}

    def constant(self, value: Any) -> str:
        """A name for a value that the generated code uses."""
        name = self._names.get(id(value))
        if name is None:
            name = f"k{len(self.constants)}"
            self._names[id(value)] = name
            self.constants.append(value)
        return name

    def build(self, body: list[str], resolve: Callable[[Any], Any] = lambda value: value) -> Any:
        """The function `made` that `body` defines; each constant is passed through `resolve` first."""
        parameters = ", ".join(f"k{i}" for i in range(len(self.constants)))
        lines = [f"def make({parameters}):", *(f"    {line}" for line in body), "    return made"]
        namespace = dict(_GLOBALS)
        exec(_compiled("\n".join(lines)), namespace)
        return namespace["make"](*map(resolve, self.constants))


class RowReader:
    """Expressions for the columns of one row variable, and the lines that find their places first."""

    def __init__(self, source: Source, row: str, layout: Layout) -> None:
        self._source = source
        self._layout = layout
        self.row = row
        self.lines: list[str] = []
        """To be run before the expressions handed out are used."""
        self._walked: dict[int, str] = {}

    def start(self, position: int) -> str:
        return self._place(self._layout.places[position])

    def end(self, position: int) -> str:
        return self._place(self._layout.places[position + 1])

    def bytes_of(self, position: int) -> str:
        return f"{self.row}[{self.start(position)}:{self.end(position)}]"

    def size_of(self, position: int) -> int | None:
        return self._layout.sizes[position]

    def _place(self, place: Place) -> str:
        if place.after is None:
            return str(place.offset)
        variable = self._walk_past(place.after)
        return f"{variable} + {place.offset}" if place.offset else variable

    def _walk_past(self, position: int) -> str:
        """The variable that holds where a column of variable length ends."""
        if position in self._walked:
            return self._walked[position]
        start = self.start(position)
        type_ = self._layout.types[position]
        variable = f"{self.row}_{position}"
        each = counted_element_size(type_)
        if each is None:
            skip = self._source.constant(skipper(type_))
            self.lines.append(f"{variable} = {skip}({self.row}, {start})")
        else:
            count = f"u32({self.row}, {start})[0]" + ("" if each == 1 else f" * {each}")
            self.lines.append(f"{variable} = {start} + 4 + {count}")
        self._walked[position] = variable
        return variable
