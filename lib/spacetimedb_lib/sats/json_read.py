"""Reading values from JSON, with every leniency and every error text of the public system.

A type is compiled once into a reader, a function `Scanner -> value`. What each kind accepts:

=================  ====================================================================================
Product            an array of exactly its fields, or an object with exactly its field names, any order
Sum                ``{"name": payload}``, ``{"tag": payload}``, ``[tag or name, payload]``
option             as Sum, and ``null`` for none
Bool, String       ``true``/``false``; a string
8 to 64 bit        an integer in range (``1.0`` and ``-0`` are floats)
128 bit            an integer of any number of digits
256 bit            a string ``"0x…"``, with a sign if signed
F32, F64           any number; beyond F32's range it is infinite
Array(U8)          a string of hex digits without prefix, or an array of numbers
other Array        an array
=================  ====================================================================================
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from spacetimedb_lib.sats.bsatn import codec
from spacetimedb_lib.sats.compile_cache import compiled_once
from spacetimedb_lib.sats.errors import SatsError
from spacetimedb_lib.sats.json_compounds import (
    ProductReader,
    SumReader,
    argument_texts,
    plain_product_texts,
)
from spacetimedb_lib.sats.json_scalars import (
    Reader,
    integer128_reader,
    integer256_reader,
    integer_reader,
    read_bool,
    read_bytes,
    read_elements,
    read_f32,
    read_f64,
    read_string,
    wrong_type,
)
from spacetimedb_lib.sats.json_scanner import Scanner
from spacetimedb_lib.sats.json_tokens import JsonError
from spacetimedb_lib.sats.resolve import is_option, skip_refs, target
from spacetimedb_lib.sats.types import (
    U8,
    AlgebraicType,
    Array,
    Kind,
    Primitive,
    Product,
    Ref,
    Sum,
    Typespace,
)


class JsonValueError(SatsError):
    """JSON text that is not a value of the type; `path` is None when the fault is what follows it."""

    def __init__(self, path: str | None, text: str) -> None:
        super().__init__(text)
        self.path = path


class ArgumentsError(SatsError):
    """JSON text, or BSATN, that is not the arguments of a function.

    `str(error)` is the innermost text; `chain(kind)` is what an HTTP response and the database's log say.
    """

    def __init__(self, function: str, path: str | None, text: str) -> None:
        super().__init__(text)
        self.function = function
        self.path = path

    def chain(self, kind: str) -> str:
        """All causes in a row, the function being a `reducer`, `procedure` or `view`."""
        outer, inner = str(self), str(self)
        if self.path is not None:
            outer, inner = self.path, f"{self.path}: {self}"
        name = self.function
        called = f"invalid arguments for {kind} {name}: {outer}"
        return f"{called}: invalid arguments for function {name}: {outer}: {inner}"


_SCALARS: Final[dict[Kind, Reader]] = {
    Kind.BOOL: read_bool,
    Kind.STRING: read_string,
    Kind.F32: read_f32,
    Kind.F64: read_f64,
    Kind.I128: integer128_reader(Kind.I128),
    Kind.U128: integer128_reader(Kind.U128),
    Kind.I256: integer256_reader(Kind.I256),
    Kind.U256: integer256_reader(Kind.U256),
} | {kind: integer_reader(kind) for kind in Kind if Kind.I8 <= kind <= Kind.U64}


class JsonReader:
    """Reads values of one type from JSON text."""

    def __init__(self, read: Reader) -> None:
        self._read = read

    def read(self, text: str | bytes) -> Any:
        """The value that the text is, and nothing after it. Raises `JsonValueError`."""
        scanner = Scanner(text.encode() if isinstance(text, str) else text)
        try:
            value = self._read(scanner)
        except JsonError as error:
            raise JsonValueError(error.path_text(), scanner.located(error)) from None
        except UnicodeDecodeError:
            not_utf8 = JsonError("invalid unicode code point", scanner.at)
            raise JsonValueError(".", scanner.located(not_utf8)) from None
        except RecursionError:
            too_deep = JsonError("recursion limit exceeded", scanner.at)
            raise JsonValueError(".", scanner.located(too_deep)) from None
        try:
            scanner.end()
        except JsonError as error:
            raise JsonValueError(None, scanner.located(error)) from None
        return value


class ArgumentsCodec:
    """Turns the JSON arguments of one function into BSATN."""

    def __init__(self, function: str, params: Product, typespace: Typespace) -> None:
        self.function = function
        self._codec = codec(params, typespace)
        compiler = _Compiler(typespace)
        readers = [compiler.reader(element.type) for element in params.elements]
        self._reader = JsonReader(ProductReader(params, readers, argument_texts(function)))

    def read(self, text: str | bytes) -> bytes:
        """BSATN of the arguments in a request body. Raises `ArgumentsError`."""
        return self._codec.encode(self.read_values(text))

    def read_values(self, text: str | bytes) -> tuple[Any, ...]:
        """The arguments themselves. Raises `ArgumentsError`."""
        try:
            values: tuple[Any, ...] = self._reader.read(text)
        except JsonValueError as error:
            raise ArgumentsError(self.function, error.path, str(error)) from None
        return values


@compiled_once
def arguments_codec(function: str, params: Product, typespace: Typespace = ()) -> ArgumentsCodec:
    """The codec for calls of `function`, whose name appears in errors."""
    return ArgumentsCodec(function, params, typespace)


@compiled_once
def json_reader(type_: AlgebraicType, typespace: Typespace = ()) -> JsonReader:
    """The reader of a type. Raises `TypeRefError` for a reference out of bounds."""
    return JsonReader(_Compiler(typespace).reader(type_))


class _Compiler:
    """Makes readers, one for each slot of the typespace that is referred to."""

    def __init__(self, typespace: Typespace) -> None:
        self._typespace = typespace
        self._slots: dict[int, Reader | None] = {}

    def reader(self, type_: AlgebraicType) -> Reader:
        match type_:
            case Primitive(kind):
                return _SCALARS[kind]
            case Product(elements):
                readers = [self.reader(element.type) for element in elements]
                return ProductReader(type_, readers, plain_product_texts(type_))
            case Sum(variants):
                return SumReader(type_, [self.reader(v.type) for v in variants], is_option(type_))
            case Array():
                if skip_refs(type_.element, self._typespace) == U8:
                    return read_bytes
                return partial(_read_array, self.reader(type_.element))
            case Ref():
                return self._slot(type_)

    def _slot(self, ref: Ref) -> Reader:
        """The reader of a slot; a reference to one still being made is looked up when it is used."""
        index = ref.index
        if index not in self._slots:
            self._slots[index] = None
            self._slots[index] = self.reader(target(ref, self._typespace))
        reader = self._slots[index]
        return partial(self._read_slot, index) if reader is None else reader

    def _read_slot(self, index: int, scanner: Scanner) -> Any:
        reader = self._slots[index]
        assert reader is not None
        return reader(scanner)


def _read_array(read: Reader, scanner: Scanner) -> list[Any]:
    if scanner.peek_value() != b"[":
        wrong_type(scanner, "a vec")
    return read_elements(scanner, read)
