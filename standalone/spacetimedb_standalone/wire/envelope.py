"""The envelope of messages to clients of the binary protocols: one byte that names the compression, the body.

Bodies are compressed only where the client asked for it and it is likely to pay.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from enum import IntEnum
from importlib import import_module
from importlib.util import find_spec
from typing import Final

THRESHOLD = 1024
"""Bodies of up to this many bytes are sent as they are."""

_GZIP_LEVEL = 1
_BROTLI_QUALITY = 1

_deflate: Final[Callable[..., bytes] | None] = (
    import_module("brotli").compress if find_spec("brotli") else None
)
"""Brotli is not in Python's library; where it is not installed, who asked for it gets plain messages."""


class Compression(IntEnum):
    """The first byte of a message, and by its name (`Compression["GZIP"]`) what a client may ask for."""

    NONE = 0
    BROTLI = 1
    GZIP = 2


def seal(body: bytes, compression: Compression) -> bytes:
    """The whole message, as it goes into a WebSocket frame."""
    if compression is Compression.NONE or len(body) <= THRESHOLD:
        return b"\x00" + body
    if compression is Compression.GZIP:
        return b"\x02" + gzip.compress(body, _GZIP_LEVEL, mtime=0)
    return b"\x00" + body if _deflate is None else b"\x01" + _deflate(body, quality=_BROTLI_QUALITY)
