"""Errors of the value codecs.

The texts of `DecodeError` are part of the public protocol: a client gets them verbatim when the
arguments of its call do not decode.
"""

from __future__ import annotations

from typing import NoReturn


class SatsError(Exception):
    """Anything wrong with a type or a value; the text is one sentence, fit to be shown."""


class TypeRefError(SatsError):
    """A type refers to a slot that does not exist, or to itself where that is not allowed."""


class TypeDepthError(SatsError):
    """A type is nested deeper than codecs are made for."""

    def __init__(self) -> None:
        super().__init__("the type is nested too deeply: put its inner types into slots of the typespace")


class EncodeError(SatsError):
    """A Python value does not belong to the type it was to be written as."""


class DecodeError(SatsError):
    """Bytes are not a value of the expected type.

    `kind` names the cause: BufferLength, InvalidTag, InvalidUtf8, InvalidBool, InvalidLen or Other.
    """

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


def too_short(what: str, expected: int, given: int) -> DecodeError:
    """Fewer than `expected` bytes were left for a `what` (`u8`, `i256`, `[u8]` ...)."""
    return DecodeError("BufferLength", f"data too short for {what}: Expected {expected}, given {given}")


def wrong_length(expected: int, given: int) -> DecodeError:
    """A value of a known length came with another one."""
    return DecodeError("InvalidLen", f"unexpected data length: Expected {expected}, given {given}")


def bad_tag(tag: int, sum_name: str = "<unknown>") -> DecodeError:
    """No variant has this tag."""
    return DecodeError("InvalidTag", f"unknown tag {tag:#x} for sum type {sum_name}")


def bad_utf8() -> DecodeError:
    return DecodeError("InvalidUtf8", "invalid utf8")


def bad_bool(byte: int) -> DecodeError:
    return DecodeError("InvalidBool", f"byte {byte} not valid as `bool` (must be 0 or 1)")


def too_many(count: int) -> DecodeError:
    """An array announces more elements than memory can hold."""
    return DecodeError("Other", f"allocation of {count} elements failed")


def nested_too_deeply() -> DecodeError:
    """A value of a recursive type is deeper than the decoder follows."""
    return DecodeError("Other", "value is nested too deeply")


def raise_run_error(data: bytes, offset: int, run: tuple[tuple[int, str, int], ...]) -> NoReturn:
    """Find out which field of a run of fixed-size fields is at fault, and raise its error.

    `run` lists the fields as (size in bytes, name in texts, limit); where limit is not zero the field
    is one byte that must be lower, a Bool if the name is `bool`, else the tag of a simple enum.
    An enum without variants has limit -1. Called only when some field of the run is known to be bad.
    """
    for size, name, limit in run:
        given = len(data) - offset
        if given < size:
            raise too_short("u8" if limit else name, size, max(given, 0))
        if limit and data[offset] >= limit:
            raise bad_bool(data[offset]) if name == "bool" else bad_tag(data[offset])
        offset += size
    raise AssertionError("every field of the run is sound")
