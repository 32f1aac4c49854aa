"""BSATN: the binary form of values. Little-endian, no names, no padding, not self-describing.

`codec(type, typespace)` compiles functions for a type; nothing interprets the type per value. Compiling takes
about a millisecond, and even the look-up of a compiled codec walks the whole type: keep the `Codec` that you
use often.

    >>> from spacetimedb_lib.sats.types import U8, STRING, product
    >>> user = codec(product(id=U8, name=STRING))
    >>> user.encode((7, "a")).hex()
    '070100000061'
    >>> user.decode(bytes.fromhex("070100000061"))
    ((7, 'a'), 6)

Values are as described in `spacetimedb_lib.sats.types`. Bytes after a value are not an error; `decode` tells
where it ended.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from spacetimedb_lib.sats.bsatn_decoder import decoder_source
from spacetimedb_lib.sats.bsatn_encoder import encoder_source
from spacetimedb_lib.sats.bsatn_shape import Shapes
from spacetimedb_lib.sats.compile_cache import compiled_once
from spacetimedb_lib.sats.errors import DecodeError, EncodeError, TypeRefError, wrong_length
from spacetimedb_lib.sats.types import AlgebraicType, Typespace

Buffer: TypeAlias = bytes | bytearray | memoryview


class Decode(Protocol):
    def __call__(self, data: Buffer, offset: int = 0, /) -> tuple[Any, int]: ...


@dataclass(frozen=True, slots=True)
class Codec:
    """The compiled functions of one type.

    encode(value) -> bytes                   raises `EncodeError` when the value does not belong to the type
    decode(data, offset=0) -> (value, end)   raises `DecodeError`
    decode_all(data) -> [value, ...]         values one after another, up to the end of the data
    fixed_size                               bytes of every value, or None when they differ
    """

    type: AlgebraicType
    typespace: Typespace
    fixed_size: int | None
    encode: Callable[[Any], bytes]
    decode: Decode
    decode_all: Callable[[Buffer], list[Any]]

    def decode_exact(self, data: Buffer) -> Any:
        """The value that `data` is; a `DecodeError` if anything comes after it."""
        value, end = self.decode(data)
        if end != len(data):
            raise wrong_length(end, len(data))
        return value


@compiled_once
def codec(type_: AlgebraicType, typespace: Typespace = ()) -> Codec:
    """The codec of a type, references pointing into `typespace`; `TypeRefError` if one points outside."""
    shapes = Shapes(typespace)
    encoder = encoder_source(type_, shapes)
    decoder = decoder_source(type_, shapes)
    decoding = decoder.build()
    return Codec(
        type=type_,
        typespace=typespace,
        fixed_size=shapes.fixed_size(type_),
        encode=encoder.build()["encode"],
        decode=decoding["decode"],
        decode_all=decoding["decode_all"],
    )


def generated_source(type_: AlgebraicType, typespace: Typespace = ()) -> str:
    """The code behind a codec, for the curious and for debugging."""
    shapes = Shapes(typespace)
    return f"{encoder_source(type_, shapes).text}\n\n{decoder_source(type_, shapes).text}"


__all__ = [
    "Buffer",
    "Codec",
    "DecodeError",
    "EncodeError",
    "TypeRefError",
    "codec",
    "generated_source",
]
