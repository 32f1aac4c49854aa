"""The compiled transaction path: tables, transactions, the commit record, module calls, the wire.

One source, two forms: `*_cy.py` compiled by Cython, or the same files as they are. The environment variable STDB_PURE=1
loads the files although the compiled ones lie beside them. `is_compiled()` says which form runs.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType


class _SourceFinder:
    """Finds the modules of this package as source."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        package, _, module = name.rpartition(".")
        if package != __name__ or not module.endswith("_cy"):
            return None
        return importlib.util.spec_from_file_location(name, Path(__file__).parent / f"{module}.py")


if os.environ.get("STDB_PURE") == "1":
    sys.meta_path.insert(0, _SourceFinder())

if importlib.util.find_spec("cython") is None:
    sys.modules["cython"] = importlib.import_module("spacetimedb_engine.no_cython")

from spacetimedb_engine.commit_walk_cy import pass_commits, whole_commits  # noqa: E402
from spacetimedb_engine.connection_cy import Connection  # noqa: E402
from spacetimedb_engine.errors import (  # noqa: E402
    EngineError,
    IndexNotUnique,
    InternalError,
    NoSuchIndex,
    NoSuchRow,
    NoSuchTable,
    NotInTransaction,
    ReplayError,
    RowDecodeError,
    SchemaError,
    UniqueViolation,
    WrongIndexAlgorithm,
)
from spacetimedb_engine.guest_cy import Guest  # noqa: E402
from spacetimedb_engine.imports_cy import SIGNATURES, Imports  # noqa: E402
from spacetimedb_engine.layout_cy import Program  # noqa: E402
from spacetimedb_engine.row_list import row_list  # noqa: E402
from spacetimedb_engine.status import GuestTrap, Rare, Status  # noqa: E402
from spacetimedb_engine.store_cy import Store, is_compiled, prepare_memory  # noqa: E402
from spacetimedb_engine.ticker_cy import Ticker  # noqa: E402
from spacetimedb_engine.turn_cy import Turn  # noqa: E402
from spacetimedb_engine.turn_host import CallResult, TurnHost  # noqa: E402
from spacetimedb_engine.wire_cy import call_inputs  # noqa: E402

__all__ = [
    "SIGNATURES",
    "CallResult",
    "Connection",
    "EngineError",
    "Guest",
    "GuestTrap",
    "Imports",
    "IndexNotUnique",
    "InternalError",
    "NoSuchIndex",
    "NoSuchRow",
    "NoSuchTable",
    "NotInTransaction",
    "Program",
    "Rare",
    "ReplayError",
    "RowDecodeError",
    "SchemaError",
    "Status",
    "Store",
    "Ticker",
    "Turn",
    "TurnHost",
    "UniqueViolation",
    "WrongIndexAlgorithm",
    "call_inputs",
    "is_compiled",
    "pass_commits",
    "prepare_memory",
    "row_list",
    "whole_commits",
]
