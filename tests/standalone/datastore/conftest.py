"""Module definitions for tests, written as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from spacetimedb_lib.moduledef import ModuleDef, decode
from spacetimedb_lib.moduledef.raw import RECORD_TYPES, RawModuleDef
from spacetimedb_lib.moduledef.records import shape_of
from spacetimedb_lib.sats.json_read import arguments_codec
from spacetimedb_lib.sats.types import product

DefineModule = Callable[[dict[str, Any]], ModuleDef]


@pytest.fixture(scope="session")
def define_module() -> DefineModule:
    """`{"V10": {"sections": [...]}}` as a checked definition."""
    reader = arguments_codec("module", product(module=shape_of(RawModuleDef).type), RECORD_TYPES)
    return lambda raw: decode(reader.read(json.dumps({"module": raw})))
