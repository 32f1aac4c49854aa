"""The two forms of protocol v1: BSATN and JSON text. Its messages are the same in both.

`server_v1` puts a message together from values that a form has encoded; what comes out of one call goes into
another as bytes, and whole pieces can be shared between messages. Where the forms differ by more than notation:

    rows              BsatnRowList, or an array of strings, each the JSON of a row
    single values     (arguments, results) bytes of BSATN, or a string of JSON
    a query's update  in BSATN behind a tag that says that it is not compressed
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring
from struct import Struct
from typing import Final, Protocol

from .row_list import NO_ROWS

_U32 = Struct("<I").pack
_U64 = Struct("<Q").pack
_I64 = Struct("<q").pack


@dataclass(frozen=True, slots=True)
class Single:
    """A value of some type of the module's. Its JSON is made when it is needed."""

    bsatn: bytes
    json: Callable[[], str]


NO_ARGUMENTS: Final = Single(b"", lambda: "[]")


class Form(Protocol):
    @property
    def no_rows(self) -> bytes:
        """The empty list of rows."""

    def u32(self, number: int) -> bytes: ...

    def u64(self, number: int) -> bytes: ...

    def i64(self, number: int) -> bytes: ...

    def u128(self, number: bytes) -> bytes:
        """From 16 bytes, little-endian."""

    def u256(self, number: bytes) -> bytes:
        """From 32 bytes, little-endian."""

    def string(self, text: str) -> bytes: ...

    def blob(self, data: bytes) -> bytes: ...

    def single(self, value: Single) -> bytes: ...

    def array(self, elements: Sequence[bytes]) -> bytes: ...

    def option(self, value: bytes | None) -> bytes: ...

    def product(self, **fields: bytes) -> bytes: ...

    def variant(self, tag: int, name: str, payload: bytes | None = None) -> bytes:
        """Of a sum; without a payload if that is the unit type."""

    def compressible(self, query_update: bytes) -> bytes:
        """A query's update where it stands in a table's."""


class Binary:
    no_rows = NO_ROWS

    def u32(self, number: int) -> bytes:
        return _U32(number)

    def u64(self, number: int) -> bytes:
        return _U64(number)

    def i64(self, number: int) -> bytes:
        return _I64(number)

    def u128(self, number: bytes) -> bytes:
        return number

    def u256(self, number: bytes) -> bytes:
        return number

    def string(self, text: str) -> bytes:
        return self.blob(text.encode())

    def blob(self, data: bytes) -> bytes:
        return _U32(len(data)) + data

    def single(self, value: Single) -> bytes:
        return self.blob(value.bsatn)

    def array(self, elements: Sequence[bytes]) -> bytes:
        return _U32(len(elements)) + b"".join(elements)

    def option(self, value: bytes | None) -> bytes:
        return b"\x01" if value is None else b"\x00" + value

    def product(self, **fields: bytes) -> bytes:
        return b"".join(fields.values())

    def variant(self, tag: int, name: str, payload: bytes | None = None) -> bytes:
        return bytes((tag,)) + (payload or b"")

    def compressible(self, query_update: bytes) -> bytes:
        return b"\x00" + query_update


class Text:
    no_rows = b"[]"

    def u32(self, number: int) -> bytes:
        return b"%d" % number

    u64 = i64 = u32

    def u128(self, number: bytes) -> bytes:
        return b"%d" % int.from_bytes(number, "little")

    def u256(self, number: bytes) -> bytes:
        return b'"%#x"' % int.from_bytes(number, "little")

    def string(self, text: str) -> bytes:
        return encode_basestring(text).encode()

    def blob(self, data: bytes) -> bytes:
        return b'"%b"' % data.hex().encode()

    def single(self, value: Single) -> bytes:
        return self.string(value.json())

    def array(self, elements: Sequence[bytes]) -> bytes:
        return b"[%b]" % b",".join(elements)

    def option(self, value: bytes | None) -> bytes:
        return b'{"none":[]}' if value is None else b'{"some":%b}' % value

    def product(self, **fields: bytes) -> bytes:
        return b"{%b}" % b",".join([b'"%b":%b' % (name.encode(), value) for name, value in fields.items()])

    def variant(self, tag: int, name: str, payload: bytes | None = None) -> bytes:
        return b'{"%b":%b}' % (name.encode(), b"[]" if payload is None else payload)

    def compressible(self, query_update: bytes) -> bytes:
        return query_update


BINARY: Final = Binary()
TEXT: Final = Text()
