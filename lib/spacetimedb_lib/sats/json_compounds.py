"""Readers of products and sums from JSON.

Both read exactly as many elements or keys as they want, and then expect the end; that is why a surplus key is
reported as a trailing comma, unless the product is one that reads on.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import Any, Final

from spacetimedb_lib.sats.json_scalars import Reader, wrong_type, wrong_type_inside
from spacetimedb_lib.sats.json_scanner import Scanner
from spacetimedb_lib.sats.json_tokens import JsonError
from spacetimedb_lib.sats.types import Product, Sum, SumValue

_MISSING: Final = object()
_NONE: Final = SumValue(1, ())


def listed(names: list[str]) -> str:
    """Names as the public system lists them in errors: peculiar, but clients compare texts."""
    quoted = [f"`{name}`" for name in names]
    if len(quoted) < 2:
        return "".join(quoted)
    separator = "one of " if len(quoted) > 2 else ""
    return f", {quoted[0]}{separator}{', '.join(quoted[1:])}"


@dataclass(frozen=True, slots=True)
class ProductTexts:
    """What a product and its members are called in errors."""

    member: str
    tuple: str
    whole: str


def plain_product_texts(product: Product) -> ProductTexts:
    return ProductTexts("field", f"a {len(product.elements)}-element tuple", "product type <product>")


def argument_texts(function: str) -> ProductTexts:
    return ProductTexts("reducer argument", f"a {function} tuple", f"reducer args for {function}")


class ProductReader:
    """Reads a product, from an array or an object, to a tuple.

    `reads_on` is true for the structures of the protocol itself, whose objects are read to their end.
    """

    def __init__(
        self, product: Product, readers: list[Reader], texts: ProductTexts, reads_on: bool = False
    ) -> None:
        names = [element.name for element in product.elements]
        self._readers = readers
        self._texts = texts
        self._reads_on = reads_on
        self._names = names
        self._positions = {name: i for i, name in reversed(list(enumerate(names))) if name is not None}

    def __call__(self, scanner: Scanner) -> tuple[Any, ...]:
        match scanner.peek_value():
            case b"[":
                return self._from_array(scanner)
            case b"{":
                return self._from_object(scanner)
        wrong_type(scanner, self._texts.tuple)

    def _from_array(self, scanner: Scanner) -> tuple[Any, ...]:
        scanner.open()
        values: list[Any] = []
        try:
            for index, read in enumerate(self._readers):
                if not scanner.next_element(first=index == 0):
                    wanted = f"{self._texts.whole} with {len(self._readers)} elements"
                    raise JsonError(f"invalid length {index}, expected {wanted}")
                try:
                    values.append(read(scanner))
                except JsonError as error:
                    error.path.append(index)
                    raise
        except JsonError as error:
            scanner.abandon(b"]", error)
            raise
        scanner.close(b"]")
        return tuple(values)

    def _from_object(self, scanner: Scanner) -> tuple[Any, ...]:
        scanner.open()
        try:
            values = self._members(scanner)
        except JsonError as error:
            scanner.abandon(b"}", error)
            raise
        scanner.close(b"}")
        return tuple(values)

    def _members(self, scanner: Scanner) -> list[Any]:
        values = [_MISSING] * len(self._readers)
        for number in count() if self._reads_on else range(len(values)):
            key = scanner.next_key(first=number == 0)
            if key is None:
                break
            index = self._position(key)
            if values[index] is not _MISSING:
                raise JsonError(f"duplicate {self._texts.member} `{key}`")
            scanner.colon()
            try:
                values[index] = self._readers[index](scanner)
            except JsonError as error:
                error.path.append(key)
                raise
        for index, value in enumerate(values):
            if value is _MISSING:
                name = self._names[index]
                which = f"(index {index})" if name is None else f"`{name}`"
                raise JsonError(f"missing {self._texts.member} {which}")
        return values

    def _position(self, key: str) -> int:
        if key in self._positions:
            return self._positions[key]
        error = JsonError(f"unknown {self._texts.member} `{key}`, expected {listed(self._shown_names())}")
        error.path.append(key)
        raise error

    def _shown_names(self) -> list[str]:
        """Unnamed members are shown by their position among the unnamed ones."""
        unnamed = iter(range(len(self._names)))
        return [str(next(unnamed)) if name is None else name for name in self._names]


class SumReader:
    """Reads a sum, from `{"variant": payload}` or `[variant, payload]`, to a `SumValue`.

    `name` is what errors call it, if it has one.
    """

    def __init__(self, sum_: Sum, readers: list[Reader], null_is_none: bool, name: str | None = None) -> None:
        self._readers = readers
        self._null_is_none = null_is_none
        self._name = name
        self._names = [variant.name for variant in sum_.variants if variant.name is not None]
        tagged = reversed(list(enumerate(sum_.variants)))
        self._tags = {variant.name: tag for tag, variant in tagged if variant.name is not None}

    def __call__(self, scanner: Scanner) -> SumValue:
        match scanner.peek_value():
            case b"{":
                bracket, read = b"}", self._from_object
            case b"[":
                bracket, read = b"]", self._from_array
            case b"n" if self._null_is_none:
                scanner.keyword(b"n")
                return _NONE
            case _:
                wrong_type(scanner, "sum type" if self._name is None else f"sum type {self._name}")
        scanner.open()
        try:
            value = read(scanner)
        except JsonError as error:
            scanner.abandon(bracket, error)
            raise
        scanner.close(bracket)
        return value

    def _from_object(self, scanner: Scanner) -> SumValue:
        key = scanner.next_key(first=True)
        if key is None:
            raise JsonError("expected map representing sum type to have exactly one field")
        try:
            tag = self._tag_of_text(key)
        except JsonError as error:
            error.path.append(key)
            raise
        scanner.colon()
        return SumValue(tag, self._payload(scanner, tag, key))

    def _from_array(self, scanner: Scanner) -> SumValue:
        if not scanner.next_element(first=True):
            raise JsonError("expected seq representing sum type to have exactly two fields")
        try:
            tag = self._read_tag(scanner)
        except JsonError as error:
            error.path.append(0)
            raise
        if not scanner.next_element(first=False):
            raise JsonError("expected seq representing sum type to have exactly two fields")
        return SumValue(tag, self._payload(scanner, tag, 1))

    def _payload(self, scanner: Scanner, tag: int, segment: int | str) -> Any:
        try:
            return self._readers[tag](scanner)
        except JsonError as error:
            error.path.append(segment)
            raise

    def _read_tag(self, scanner: Scanner) -> int:
        expected = "variant identifier (string or int)"
        byte = scanner.peek_value()
        try:
            if byte == b'"':
                return self._tag_of_text(scanner.string())
            if not byte.isdigit():
                wrong_type_inside(scanner, expected)
            start = scanner.at
            number = scanner.number()
            if not isinstance(number, int):
                scanner.at = start
                wrong_type(scanner, expected)
            if number > 255:
                raise JsonError(f"invalid value: integer `{number}`, expected {expected}")
            return self._checked(number)
        except JsonError as error:
            if error.position is None:
                error.position = scanner.at
            raise

    def _tag_of_text(self, text: str) -> int:
        """A tag in decimal goes before a name."""
        digits = text.removeprefix("+")
        if digits.isascii() and digits.isdigit():
            number = digits.lstrip("0") or "0"
            if len(number) <= 3 and int(number) <= 255:
                return self._checked(int(number))
        if text in self._tags:
            return self._tags[text]
        known = f"expected {listed(self._names)}" if self._names else "there are no variants"
        raise JsonError(f"unknown variant `{text}`, {known}")

    def _checked(self, tag: int) -> int:
        if tag >= len(self._readers):
            raise JsonError(f"unknown tag {tag:#x} for sum type {self._name or '<unknown>'}")
        return tag
