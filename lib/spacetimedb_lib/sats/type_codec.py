"""Types as data: the BSATN of types (the JSON and text forms are in `type_forms` and offered here too).

BSATN of a type is a sum tag (`Kind`) and, for the compound kinds, its parts; product elements and sum
variants are `option<String>` name, then type.
"""

from __future__ import annotations

from typing import Final

from spacetimedb_lib.sats.errors import bad_tag, bad_utf8, nested_too_deeply, too_short
from spacetimedb_lib.sats.type_forms import (
    KIND_NAMES,
    TypeFormError,
    product_from_json,
    product_to_json,
    type_from_json,
    type_text,
    type_to_json,
    typespace_from_json,
    typespace_to_json,
)
from spacetimedb_lib.sats.types import (
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

MAX_TYPE_DEPTH: Final = 128
"""Types may be nested this deep; codecs are made by functions that call themselves once a level or more."""

_PRIMITIVES: Final = {kind: Primitive(kind) for kind in Kind if kind >= Kind.STRING}


def encode_type(type_: AlgebraicType) -> bytes:
    """The BSATN of a type."""
    out = bytearray()
    _write(out, type_)
    return bytes(out)


def encode_product(product: Product) -> bytes:
    """The BSATN of a type where it is known to be a product (no tag before the elements)."""
    out = bytearray()
    _write_members(out, product.elements)
    return bytes(out)


def encode_typespace(types: Typespace) -> bytes:
    return len(types).to_bytes(4, "little") + b"".join(map(encode_type, types))


def decode_type(data: bytes, offset: int = 0) -> tuple[AlgebraicType, int]:
    """Read a type at `offset`; returns it and the offset after it. Raises `DecodeError`."""
    return _read(data, offset)


def decode_product(data: bytes, offset: int = 0) -> tuple[Product, int]:
    """Read what `encode_product` writes. Raises `DecodeError`."""
    members, offset = _read_members(data, offset)
    return Product(tuple(Element(*member) for member in members)), offset


def decode_typespace(data: bytes, offset: int = 0) -> tuple[Typespace, int]:
    """Read a list of types at `offset`; returns it and the offset after it. Raises `DecodeError`."""
    count, offset = _read_u32(data, offset)
    types = []
    for _ in range(count):
        type_, offset = decode_type(data, offset)
        types.append(type_)
    return tuple(types), offset


def _write(out: bytearray, type_: AlgebraicType) -> None:
    match type_:
        case Primitive(kind):
            out.append(kind)
        case Ref(index):
            out.append(Kind.REF)
            out += index.to_bytes(4, "little")
        case Array(element):
            out.append(Kind.ARRAY)
            _write(out, element)
        case Product(elements):
            out.append(Kind.PRODUCT)
            _write_members(out, elements)
        case Sum(variants):
            out.append(Kind.SUM)
            _write_members(out, variants)


def _write_members(out: bytearray, members: tuple[Element, ...] | tuple[Variant, ...]) -> None:
    out += len(members).to_bytes(4, "little")
    for member in members:
        if member.name is None:
            out.append(1)
        else:
            name = member.name.encode()
            out.append(0)
            out += len(name).to_bytes(4, "little") + name
        _write(out, member.type)


def _read(data: bytes, offset: int, depth: int = 0) -> tuple[AlgebraicType, int]:
    if depth > MAX_TYPE_DEPTH:
        raise nested_too_deeply()
    tag, offset = _read_u8(data, offset)
    match tag:
        case Kind.REF:
            index, offset = _read_u32(data, offset)
            return Ref(index), offset
        case Kind.ARRAY:
            element, offset = _read(data, offset, depth + 1)
            return Array(element), offset
        case Kind.PRODUCT:
            members, offset = _read_members(data, offset, depth)
            return Product(tuple(Element(*member) for member in members)), offset
        case Kind.SUM:
            members, offset = _read_members(data, offset, depth)
            return Sum(tuple(Variant(*member) for member in members)), offset
    if tag > Kind.F64:
        raise bad_tag(tag, "AlgebraicType")
    return _PRIMITIVES[Kind(tag)], offset


def _read_members(
    data: bytes, offset: int, depth: int = 0
) -> tuple[list[tuple[str | None, AlgebraicType]], int]:
    count, offset = _read_u32(data, offset)
    members = []
    for _ in range(count):
        name, offset = _read_name(data, offset)
        type_, offset = _read(data, offset, depth + 1)
        members.append((name, type_))
    return members, offset


def _read_name(data: bytes, offset: int) -> tuple[str | None, int]:
    tag, offset = _read_u8(data, offset)
    if tag == 1:
        return None, offset
    if tag != 0:
        raise bad_tag(tag, "option")
    length, offset = _read_u32(data, offset)
    raw = data[offset : offset + length]
    if len(raw) < length:
        raise too_short("[u8]", length, len(raw))
    try:
        return str(raw, "utf-8"), offset + length
    except UnicodeDecodeError:
        raise bad_utf8() from None


def _read_u8(data: bytes, offset: int) -> tuple[int, int]:
    if offset >= len(data):
        raise too_short("u8", 1, 0)
    return data[offset], offset + 1


def _read_u32(data: bytes, offset: int) -> tuple[int, int]:
    raw = data[offset : offset + 4]
    if len(raw) < 4:
        raise too_short("u32", 4, len(raw))
    return int.from_bytes(raw, "little"), offset + 4


__all__ = [
    "KIND_NAMES",
    "TypeFormError",
    "decode_product",
    "decode_type",
    "decode_typespace",
    "encode_product",
    "encode_type",
    "encode_typespace",
    "product_from_json",
    "product_to_json",
    "type_from_json",
    "type_text",
    "type_to_json",
    "typespace_from_json",
    "typespace_to_json",
]
