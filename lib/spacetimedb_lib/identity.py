"""Identity (who) and ConnectionId (over which connection).

Both are numbers; as BSATN they are little-endian bytes, as text big-endian hex digits. What the classes wrap
are the BSATN bytes, so that they can be compared with and copied into rows without conversion.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import ClassVar, Final, Self

from spacetimedb_lib.hex import HexError, hex_or_bytes_from_json, prefixed_hex

_CLAIMS_PREFIX: Final = b"\xc2\x00"
"""Version bytes of an identity that was derived from an issuer and a subject."""


@dataclass(frozen=True, slots=True, order=False)
class _Number:
    """`LENGTH` bytes, little-endian."""

    bsatn: bytes

    LENGTH: ClassVar[int]

    def __post_init__(self) -> None:
        if len(self.bsatn) != self.LENGTH:
            raise ValueError(f"{type(self).__name__} takes {self.LENGTH} bytes, not {len(self.bsatn)}")

    @classmethod
    def from_int(cls, number: int) -> Self:
        return cls(number.to_bytes(cls.LENGTH, "little"))

    @classmethod
    def from_be_bytes(cls, data: bytes) -> Self:
        """From the bytes in the order of the text form."""
        return cls(data[::-1])

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Read the form of HTTP bodies and tokens: hex text without prefix, or a list of bytes (big-endian).

        `value` is the parsed JSON. Raises `HexError`.
        """
        data = hex_or_bytes_from_json(value)
        if len(data) != cls.LENGTH:
            raise HexError(f"too {'many' if len(data) > cls.LENGTH else 'few'} elements for array")
        return cls.from_be_bytes(data)

    def to_int(self) -> int:
        return int.from_bytes(self.bsatn, "little")

    def hex(self) -> str:
        """Text form: all digits, lower case, most significant first, no prefix."""
        return self.bsatn[::-1].hex()

    def abbreviated(self) -> str:
        """The first eight bytes of the text form, for logs."""
        return self.hex()[:16]

    def __bytes__(self) -> bytes:
        return self.bsatn

    def __str__(self) -> str:
        return self.hex()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.hex()})"


class Identity(_Number):
    """A user or a database: 256 bits that stay the same for ever."""

    __slots__ = ()
    LENGTH = 32
    ZERO: ClassVar[Identity]

    @classmethod
    def from_hex(cls, text: str) -> Identity:
        """Read 64 hex digits, as they come in URLs; `0x` before them is dropped. Raises `HexError`."""
        return cls.from_be_bytes(prefixed_hex(text, cls.LENGTH))

    @classmethod
    def from_claims(cls, issuer: str, subject: str) -> Identity:
        """The identity of the user that `issuer` calls `subject`."""
        # Imported here: modules that run inside the sandbox use identities, but have no compiled BLAKE3.
        from spacetimedb_lib.hashing import blake3

        id_hash = blake3(f"{issuer}|{subject}".encode())[:26]
        checksum = blake3(_CLAIMS_PREFIX + id_hash)[:4]
        return cls.from_be_bytes(_CLAIMS_PREFIX + checksum + id_hash)

    def sats_json(self) -> dict[str, str]:
        return {"__identity__": hex(self.to_int())}


class ConnectionId(_Number):
    """One connection of a client; all zero means "none"."""

    __slots__ = ()
    LENGTH = 16
    ZERO: ClassVar[ConnectionId]

    @classmethod
    def from_hex(cls, text: str) -> ConnectionId:
        """Read 32 hex digits, as they come in URLs; `0x` before them is dropped. Raises `HexError`."""
        try:
            return cls.from_be_bytes(prefixed_hex(text, cls.LENGTH))
        except HexError as error:
            context = "ConnectionIds must be 32 hex characters (16 bytes) in length."
            raise HexError(f"{context}: {error}") from error

    def none_if_zero(self) -> ConnectionId | None:
        return self if any(self.bsatn) else None

    def to_ipv6(self) -> ipaddress.IPv6Address:
        """The same 128 bits as an address."""
        return ipaddress.IPv6Address(self.bsatn[::-1])

    def sats_json(self) -> dict[str, int]:
        return {"__connection_id__": self.to_int()}


Identity.ZERO = Identity(bytes(Identity.LENGTH))
ConnectionId.ZERO = ConnectionId(bytes(ConnectionId.LENGTH))
