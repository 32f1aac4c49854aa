"""The pieces that client messages are read from. Errors carry the texts of the public protocol."""

from __future__ import annotations

from struct import Struct

_U32 = Struct("<I")


class WireError(Exception):
    """A client sent what is no message; ``str()`` is the reason to close its connection with."""


def read_u8(data: bytes, at: int) -> tuple[int, int]:
    if at >= len(data):
        raise too_short("u8", 1, 0)
    return data[at], at + 1


def read_u32(data: bytes, at: int) -> tuple[int, int]:
    if at + 4 > len(data):
        raise too_short("u32", 4, max(len(data) - at, 0))
    number: int = _U32.unpack_from(data, at)[0]
    return number, at + 4


def read_bytes(data: bytes, at: int) -> tuple[bytes, int]:
    length, at = read_u32(data, at)
    if at + length > len(data):
        raise too_short("[u8]", length, len(data) - at)
    return data[at : at + length], at + length


def read_string(data: bytes, at: int) -> tuple[str, int]:
    raw, at = read_bytes(data, at)
    try:
        return raw.decode(), at
    except UnicodeDecodeError as error:
        raise WireError("invalid utf8") from error


def read_strings(data: bytes, at: int) -> tuple[tuple[str, ...], int]:
    count, at = read_u32(data, at)
    strings = []
    for _ in range(count):
        string, at = read_string(data, at)
        strings.append(string)
    return tuple(strings), at


def unknown_tag(tag: int, sum_type: str) -> WireError:
    return WireError(f"unknown tag 0x{tag:x} for sum type {sum_type}")


def too_short(what: str, expected: int, given: int) -> WireError:
    return WireError(f"data too short for {what}: Expected {expected}, given {given}")
