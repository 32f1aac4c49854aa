"""Definitions as the schema endpoint serves them, and reading them back."""

from __future__ import annotations

from spacetimedb_lib.moduledef.decode import validate
from spacetimedb_lib.moduledef.definition import ModuleDef
from spacetimedb_lib.moduledef.raw import served_from_json, served_to_json
from spacetimedb_lib.moduledef.raw_v9 import RawModuleDefV9
from spacetimedb_lib.moduledef.raw_v10 import RawModuleDefV10
from spacetimedb_lib.moduledef.records import Tagged
from spacetimedb_lib.moduledef.serve_v9 import as_v9
from spacetimedb_lib.moduledef.serve_v10 import as_v10


def serve_v9(definition: ModuleDef) -> str:
    """The JSON text of the definition in version 9."""
    return served_to_json(as_v9(definition))


def serve_v10(definition: ModuleDef) -> str:
    """The JSON text of the definition in version 10."""
    return served_to_json(as_v10(definition))


def read_served_v9(text: str | bytes) -> ModuleDef:
    """The definition that a server describes in version 9.

    Raises `ModuleDefDecodeError` or `ValidationErrors`.
    """
    return validate(Tagged("V9", served_from_json(RawModuleDefV9, text)))


def read_served_v10(text: str | bytes) -> ModuleDef:
    """The definition that a server describes in version 10.

    Raises `ModuleDefDecodeError` or `ValidationErrors`.
    """
    return validate(Tagged("V10", served_from_json(RawModuleDefV10, text)))
