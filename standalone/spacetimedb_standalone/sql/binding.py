"""Values that depend on who asks, and constants in the forms that generated code wants them."""

from __future__ import annotations

from typing import Any

from spacetimedb_lib.hashing import blake3

from .predicates import FirstByte, Ordered, ordered_value
from .relation import Constant, Parameter

_VIEW_ARGUMENTS = b"spacetimedb::view::args::v1\0"


def view_hash(sender: bytes | None) -> bytes:
    """The `arg_hash`, as BSATN, of an instance of a view: the sender's, or the one for everybody."""
    return blake3(_VIEW_ARGUMENTS + (sender or b""))


class Binding:
    """The constants of a query, asked by one identity (32 bytes in BSATN order)."""

    def __init__(self, identity: bytes) -> None:
        self._identity = identity

    def bsatn(self, constant: Constant) -> bytes:
        match constant.value:
            case Parameter.SENDER_IDENTITY:
                return self._identity
            case Parameter.SENDER_BYTES:
                return len(self._identity).to_bytes(4, "little") + self._identity[::-1]
            case Parameter.SENDER_VIEW:
                return view_hash(self._identity)
            case bytes(value):
                return value
        raise AssertionError(constant)

    def resolve(self, value: Any) -> Any:
        """What takes the place of a constant of a `Source`."""
        match value:
            case Constant():
                return self.bsatn(value)
            case Ordered(constant=constant):
                return ordered_value(constant.type, self.bsatn(constant))
            case FirstByte(constant=constant):
                return self.bsatn(constant)[0]
            case _:
                return value
