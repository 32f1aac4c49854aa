"""Raw module definitions: what a module returns when asked to describe itself, as bytes and as JSON.

A definition is a sum of the versions that modules speak: 8 (before 1.0), 9 (1.x) and 10 (2.x). Nothing is
checked here beyond its being well-formed; `spacetimedb_lib.moduledef.validate` judges what it says.

JSON is the derived form: records are objects, sums are objects with one key, options `{"some": x}` or
`{"none": []}`, bytes hex strings.
"""

from __future__ import annotations

from typing import Annotated, TypeVar

from spacetimedb_lib.moduledef.errors import ModuleDefDecodeError
from spacetimedb_lib.moduledef.raw_v8 import RawModuleDefV8
from spacetimedb_lib.moduledef.raw_v9 import RawModuleDefV9
from spacetimedb_lib.moduledef.raw_v10 import RawModuleDefV10
from spacetimedb_lib.moduledef.records import Choice, Tagged, shape_of
from spacetimedb_lib.moduledef.type_shapes import ALGEBRAIC_TYPE
from spacetimedb_lib.sats.bsatn import codec
from spacetimedb_lib.sats.errors import DecodeError
from spacetimedb_lib.sats.json_read import JsonValueError, json_reader
from spacetimedb_lib.sats.json_write import Style, json_writer

RawModuleDef = Annotated[
    Tagged, Choice({"V8BackCompat": RawModuleDefV8, "V9": RawModuleDefV9, "V10": RawModuleDefV10})
]
"""`Tagged("V10", RawModuleDefV10(...))` and so on."""

_RAW = shape_of(RawModuleDef)
RECORD_TYPES = (ALGEBRAIC_TYPE, shape_of(RawModuleDefV10).type)
"""The typespace of the records: the type of types, and the one record that contains itself."""

Served = TypeVar("Served", RawModuleDefV9, RawModuleDefV10)


def decode_raw(data: bytes) -> Tagged:
    """Read the BSATN of a raw definition. Raises `ModuleDefDecodeError`; bytes after it are not looked at."""
    try:
        value, _ = codec(_RAW.type, RECORD_TYPES).decode(data)
        raw: Tagged = _RAW.read(value)
    except (DecodeError, RecursionError) as error:
        raise _undecodable(error) from error
    return raw


def encode_raw(raw: Tagged) -> bytes:
    """The BSATN of a raw definition."""
    return codec(_RAW.type, RECORD_TYPES).encode(_RAW.write(raw))


def raw_to_json(raw: Tagged) -> str:
    """The JSON text of a raw definition: `{"V10":{"sections":[...]}}`."""
    return json_writer(_RAW.type, RECORD_TYPES, Style.DERIVED)(_RAW.write(raw))


def raw_from_json(text: str | bytes) -> Tagged:
    """Read what `raw_to_json` writes. Raises `ModuleDefDecodeError`."""
    try:
        raw: Tagged = _RAW.read(json_reader(_RAW.type, RECORD_TYPES).read(text))
    except JsonValueError as error:
        raise _undecodable(error) from error
    return raw


def served_to_json(record: RawModuleDefV9 | RawModuleDefV10) -> str:
    """The JSON text of one version's record, without the sum around it."""
    shape = shape_of(type(record))
    return json_writer(shape.type, RECORD_TYPES, Style.DERIVED)(shape.write(record))


def served_from_json(version: type[Served], text: str | bytes) -> Served:
    """Read what a schema endpoint serves. Raises `ModuleDefDecodeError`."""
    shape = shape_of(version)
    try:
        record: Served = shape.read(json_reader(shape.type, RECORD_TYPES).read(text))
    except JsonValueError as error:
        raise _undecodable(error) from error
    return record


def _undecodable(error: Exception) -> ModuleDefDecodeError:
    reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
    return ModuleDefDecodeError(f"the module's description of itself cannot be decoded: {reason}")
