"""Raw module definitions: what a module returns when asked to describe itself, as bytes and as JSON.

A definition is a sum of the versions that modules speak: 8 (before 1.0), 9 (1.x) and 10 (2.x). Nothing is
checked here beyond its being well-formed; `spacetimedb_lib.moduledef.validate` judges what it says.
"""

from __future__ import annotations

from typing import Annotated

from spacetimedb_lib.moduledef.errors import ModuleDefDecodeError
from spacetimedb_lib.moduledef.raw_v8 import RawModuleDefV8
from spacetimedb_lib.moduledef.raw_v9 import RawModuleDefV9
from spacetimedb_lib.moduledef.raw_v10 import RawModuleDefV10
from spacetimedb_lib.moduledef.records import Choice, Tagged, shape_of
from spacetimedb_lib.moduledef.type_shapes import ALGEBRAIC_TYPE
from spacetimedb_lib.sats.bsatn import codec
from spacetimedb_lib.sats.errors import DecodeError

RawModuleDef = Annotated[
    Tagged, Choice({"V8BackCompat": RawModuleDefV8, "V9": RawModuleDefV9, "V10": RawModuleDefV10})
]
"""`Tagged("V10", RawModuleDefV10(...))` and so on."""

_RAW = shape_of(RawModuleDef)
RECORD_TYPES = (ALGEBRAIC_TYPE, shape_of(RawModuleDefV10).type)
"""The typespace of the records: the type of types, and the one record that contains itself."""


def decode_raw(data: bytes) -> Tagged:
    """Read the BSATN of a raw definition. Raises `ModuleDefDecodeError`; bytes after it are not looked at."""
    try:
        value, _ = codec(_RAW.type, RECORD_TYPES).decode(data)
    except DecodeError as error:
        raise ModuleDefDecodeError(
            f"the module's description of itself cannot be decoded: {error}"
        ) from error
    raw: Tagged = _RAW.read(value)
    return raw


def encode_raw(raw: Tagged) -> bytes:
    """The BSATN of a raw definition."""
    return codec(_RAW.type, RECORD_TYPES).encode(_RAW.write(raw))
