"""Hashes of the system and the forms in which they are written.

Keccak-256 (the original padding, not SHA-3) names programs and migration tokens; BLAKE3 derives identities
and names queries and view arguments. A hash is 32 bytes everywhere in this code base.

As text a hash is its bytes in order, in hex. As a value it is a U256 whose little-endian bytes are the hash,
so its JSON form is the *reversed* bytes as a number: `"0x…"` without leading zeros.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blake3 import blake3 as _blake3
from Crypto.Hash import keccak as _keccak

from spacetimedb_lib.hex import fixed_hex

if TYPE_CHECKING:
    from spacetimedb_lib.identity import Identity

HASH_LENGTH = 32


def keccak256(data: bytes) -> bytes:
    """Keccak-256 of `data`, 32 bytes."""
    return _keccak.new(digest_bits=256, data=data).digest()


def blake3(data: bytes) -> bytes:
    """BLAKE3 of `data`, 32 bytes."""
    return _blake3(data).digest()


def hash_to_hex(digest: bytes) -> str:
    """Text form: 64 lower-case digits, the bytes in order."""
    return digest.hex()


def hash_from_hex(text: str) -> bytes:
    """Read the text form (digits of either case, no prefix). Raises `HexError`."""
    return fixed_hex(text, HASH_LENGTH)


def hash_to_json(digest: bytes) -> str:
    """JSON form: `"0x"` and the number whose little-endian bytes are the hash."""
    return hex(int.from_bytes(digest, "little"))


def hash_from_json(text: str) -> bytes:
    """Read the JSON form. Raises `ValueError` when it is no number of at most 256 bits after `0x`."""
    if not text.startswith("0x"):
        raise ValueError(f"a hash in JSON starts with 0x, but this one is {text!r}")
    try:
        return int(text[2:], 16).to_bytes(HASH_LENGTH, "little")
    except (OverflowError, ValueError) as error:
        raise ValueError(f"{text!r} is no hash: expected up to 64 hex digits after 0x") from error


def migration_token(database: Identity, old_program: bytes, new_program: bytes) -> bytes:
    """The token that allows a breaking update of `database` from one program hash to another."""
    return keccak256((database.hex() + old_program.hex() + new_program.hex()).encode())
