"""UUIDs as modules and tables hold them: a 128-bit number whose big-endian bytes are the text.

Randomness and time are arguments, since in a module they belong to the call.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

_URN: Final = "urn:uuid:"
_GROUPS: Final = (8, 4, 4, 4, 12)
_HEX_DIGITS: Final = frozenset("0123456789abcdefABCDEF")
_COUNTER_MASK: Final = 0x7FFF_FFFF


class UuidError(ValueError):
    """Text that is no UUID, or a UUID that cannot be made."""


@dataclass(frozen=True, slots=True, order=True)
class Uuid:
    """A UUID; `number` is the value of its one field in BSATN and JSON."""

    number: int

    NIL: ClassVar[Uuid]
    MAX: ClassVar[Uuid]

    def __post_init__(self) -> None:
        if not 0 <= self.number < 1 << 128:
            raise UuidError(f"a UUID has 128 bits, {self.number} does not fit")

    @classmethod
    def parse(cls, text: str) -> Uuid:
        """Read 32 hex digits, or the form with hyphens, bare, in braces or after `urn:uuid:`.

        Raises `UuidError`.
        """
        plain = text
        if len(text) == 38 and text[0] == "{" and text[-1] == "}":
            plain = text[1:-1]
        elif len(text) == 45 and text.startswith(_URN):
            plain = text[len(_URN) :]
        groups = [text] if len(text) == 32 else plain.split("-")
        sizes = (32,) if len(text) == 32 else _GROUPS
        if tuple(map(len, groups)) != sizes or not all(_HEX_DIGITS.issuperset(group) for group in groups):
            raise UuidError(_flaw(text))
        return cls(int("".join(groups), 16))

    @classmethod
    def v4(cls, random: bytes) -> Uuid:
        """A random UUID from 16 random bytes."""
        if len(random) != 16:
            raise UuidError(f"a random UUID takes 16 bytes, not {len(random)}")
        data = bytearray(random)
        data[6] = data[6] & 0x0F | 0x40
        data[8] = data[8] & 0x3F | 0x80
        return cls(int.from_bytes(data))

    @classmethod
    def v7(cls, counter: int, micros: int, random: bytes) -> tuple[Uuid, int]:
        """A UUID that sorts by time and counter, and the counter for the next one.

        `counter` is an u32 that belongs to the call, `micros` the time since the Unix epoch, `random` four
        bytes. Raises `UuidError` for times before the epoch.
        """
        if micros < 0:
            raise UuidError("a UUID of version 7 takes a time after the Unix epoch")
        millis = micros // 1000 & 0xFFFF_FFFF_FFFF
        data = bytearray(millis.to_bytes(6))
        data += bytes((0x70, counter >> 23 & 0xFF, 0x80, counter >> 15 & 0xFF, counter >> 7 & 0xFF))
        data += bytes(((counter & 0x7F) << 1, random[0] & 0x7F, *random[1:4]))
        return cls(int.from_bytes(data)), counter + 1 & _COUNTER_MASK

    def version(self) -> str | None:
        """`nil`, `v4`, `v7`, `max`, or None for any other kind."""
        if self == Uuid.NIL:
            return "nil"
        if self == Uuid.MAX:
            return "max"
        return {4: "v4", 7: "v7"}.get(self.number >> 76 & 0xF)

    def bsatn(self) -> bytes:
        return self.number.to_bytes(16, "little")

    def __str__(self) -> str:
        digits = f"{self.number:032x}"
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


Uuid.NIL = Uuid(0)
Uuid.MAX = Uuid((1 << 128) - 1)


def _flaw(text: str) -> str:
    """What is wrong with text that was found to be no UUID."""
    body, offset = text, 0
    if text.startswith("{") and text.endswith("}"):
        body, offset = text[1:-1], 1
    elif text.startswith(_URN):
        body, offset = text[len(_URN) :], len(_URN)
    for index, char in enumerate(body):
        if char != "-" and char not in _HEX_DIGITS:
            place = len(body[:index].encode()) + offset + 1
            expected = "an optional prefix of `urn:uuid:` followed by [0-9a-fA-F-]"
            return f"invalid character: expected {expected}, found `{char}` at {place}"
    groups = body.split("-")
    if len(groups) == 1 and offset == 0:
        return f"invalid length: expected length 32 for simple format, found {len(text)}"
    if len(groups) != len(_GROUPS):
        return f"invalid group count: expected {len(_GROUPS)}, found {len(groups)}"
    for number, (group, size) in enumerate(zip(groups, _GROUPS, strict=True)):
        if len(group) != size:
            return f"invalid group length in group {number}: expected {size}, found {len(group)}"
    return "invalid length: the prefix and suffix of a UUID must belong together"
