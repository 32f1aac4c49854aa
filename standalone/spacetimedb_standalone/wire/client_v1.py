"""Messages from clients of protocol v1, in BSATN or as JSON text.

    tag u8
    0 CallReducer       reducer, args, request_id u32, flags u8 (0, or 1: no news of success)
    1 Subscribe         query_strings, request_id u32
    2 OneOffQuery       message_id bytes, query_string
    3 SubscribeSingle   query, request_id u32, query_id u32
    4 SubscribeMulti    query_strings, request_id u32, query_id u32
    5 Unsubscribe       request_id u32, query_id u32
    6 UnsubscribeMulti  request_id u32, query_id u32
    7 CallProcedure     procedure, args, request_id u32, flags u8 (0)

In JSON a message is `{"CallReducer":{"reducer":…}}`, a query id `{"id":7}`, and arguments are a string that holds
their JSON; all spellings of `spacetimedb_lib.sats.json_read` are understood. What follows a message is ignored
in BSATN, and an error in JSON.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from spacetimedb_lib.sats.json_compounds import ProductReader, ProductTexts, SumReader
from spacetimedb_lib.sats.json_read import JsonReader, JsonValueError
from spacetimedb_lib.sats.json_scalars import Reader, integer_reader, read_elements, wrong_type
from spacetimedb_lib.sats.json_scalars import read_bytes as read_hex
from spacetimedb_lib.sats.json_scalars import read_string as read_text
from spacetimedb_lib.sats.json_scanner import Scanner
from spacetimedb_lib.sats.json_tokens import JsonError
from spacetimedb_lib.sats.types import (
    BYTES,
    STRING,
    U8,
    U32,
    UNIT,
    AlgebraicType,
    Array,
    Element,
    Kind,
    Product,
    Sum,
    SumValue,
    Variant,
    product,
)

from .decoding import WireError, read_bytes, read_string, read_strings, read_u8, read_u32, unknown_tag


@dataclass(frozen=True, slots=True)
class CallReducer:
    """`args` are BSATN or, from a text message, JSON."""

    reducer: str
    args: bytes | str
    request_id: int
    wants_success: bool


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Replaces what was subscribed by such a message before."""

    queries: tuple[str, ...]
    request_id: int


@dataclass(frozen=True, slots=True)
class OneOffQuery:
    message_id: bytes
    query: str


@dataclass(frozen=True, slots=True)
class SubscribeSingle:
    query: str
    request_id: int
    query_id: int


@dataclass(frozen=True, slots=True)
class SubscribeMulti:
    queries: tuple[str, ...]
    request_id: int
    query_id: int


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    request_id: int
    query_id: int


@dataclass(frozen=True, slots=True)
class UnsubscribeMulti:
    request_id: int
    query_id: int


@dataclass(frozen=True, slots=True)
class CallProcedure:
    """`args` are BSATN or, from a text message, JSON."""

    procedure: str
    args: bytes | str
    request_id: int


ClientMessage: TypeAlias = (
    CallReducer
    | Subscribe
    | OneOffQuery
    | SubscribeSingle
    | SubscribeMulti
    | Unsubscribe
    | UnsubscribeMulti
    | CallProcedure
)


def decode(payload: bytes) -> ClientMessage:
    """The message in a binary frame. Raises WireError, whose text is the reason to close with."""
    tag, at = read_u8(payload, 0)
    if tag >= len(_MESSAGES):
        raise unknown_tag(tag, "ClientMessage")
    message = _MESSAGES[tag]
    values = []
    for kind in message.fields.values():
        value, at = kind.binary(payload, at)
        values.append(value)
    return message.make(*values)


def decode_text(text: str) -> ClientMessage:
    """The message in a text frame. Raises WireError, whose text is the reason to close with."""
    try:
        read: SumValue = _READER.read(text)
    except JsonValueError as error:
        raise WireError(str(error)) from error
    return _MESSAGES[read.tag].make(*read.value)


# -- how fields are read


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a field holds, and how it is read in both forms."""

    type: AlgebraicType
    binary: Callable[[bytes, int], tuple[Any, int]]
    text: Reader


def _named(name: str, fields: dict[str, _Kind]) -> ProductReader:
    product = Product(tuple(Element(field, kind.type) for field, kind in fields.items()))
    texts = ProductTexts("field", f"a {name} tuple", f"product type {name}")
    return ProductReader(product, [kind.text for kind in fields.values()], texts, reads_on=True)


def _flags(call: str, highest: int) -> _Kind:
    number = integer_reader(Kind.U8)

    def binary(payload: bytes, at: int) -> tuple[int, int]:
        flags, at = read_u8(payload, at)
        if flags > highest:
            raise WireError(f"invalid call {call} flag {flags}")
        return flags, at

    def text(scanner: Scanner) -> int:
        flags: int = number(scanner)
        if flags > highest:
            raise JsonError(f"invalid call {call} flag {flags}")
        return flags

    return _Kind(U8, binary, text)


def _string_list(scanner: Scanner) -> tuple[str, ...]:
    if scanner.peek_value() != b"[":
        wrong_type(scanner, "a vec")
    return tuple(read_elements(scanner, read_text))


_TEXT = _Kind(STRING, read_string, read_text)
_TEXTS = _Kind(Array(STRING), read_strings, _string_list)
_BYTES = _Kind(BYTES, read_bytes, read_hex)
_ARGUMENTS = _Kind(BYTES, read_bytes, read_text)
_NUMBER = _Kind(U32, read_u32, integer_reader(Kind.U32))
_QUERY_ID_READER = _named("QuerySetId", {"id": _NUMBER})
_QUERY_ID = _Kind(product(id=U32), read_u32, lambda scanner: _QUERY_ID_READER(scanner)[0])


# -- the messages, by tag


@dataclass(frozen=True, slots=True)
class _Message:
    make: Callable[..., ClientMessage]
    """From the values of the fields, in order."""
    name: str
    fields: dict[str, _Kind]


_TEXTS_AND_IDS = {"query_strings": _TEXTS, "request_id": _NUMBER, "query_id": _QUERY_ID}
_IDS = {"request_id": _NUMBER, "query_id": _QUERY_ID}

_MESSAGES: Final = (
    _Message(
        lambda reducer, args, request_id, flags: CallReducer(reducer, args, request_id, flags == 0),
        "CallReducer",
        {"reducer": _TEXT, "args": _ARGUMENTS, "request_id": _NUMBER, "flags": _flags("reducer", 1)},
    ),
    _Message(Subscribe, "Subscribe", {"query_strings": _TEXTS, "request_id": _NUMBER}),
    _Message(OneOffQuery, "OneOffQuery", {"message_id": _BYTES, "query_string": _TEXT}),
    _Message(SubscribeSingle, "SubscribeSingle", {"query": _TEXT} | _IDS),
    _Message(SubscribeMulti, "SubscribeMulti", _TEXTS_AND_IDS),
    _Message(Unsubscribe, "Unsubscribe", _IDS),
    _Message(UnsubscribeMulti, "UnsubscribeMulti", _IDS),
    _Message(
        lambda procedure, args, request_id, flags: CallProcedure(procedure, args, request_id),
        "CallProcedure",
        {"procedure": _TEXT, "args": _ARGUMENTS, "request_id": _NUMBER, "flags": _flags("procedure", 0)},
    ),
)


def _message_reader() -> JsonReader:
    readers: list[Reader] = [_named(message.name, message.fields) for message in _MESSAGES]
    sum_ = Sum(tuple(Variant(message.name, UNIT) for message in _MESSAGES))
    return JsonReader(SumReader(sum_, readers, null_is_none=False, name="ClientMessage"))


_READER: Final = _message_reader()
