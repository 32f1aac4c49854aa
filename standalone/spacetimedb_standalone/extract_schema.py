"""`spacetimedb-standalone extract-schema`: what a compiled module says it is, as JSON.

The module is instantiated, its initializers run and describe it, and nothing else of it is ever called; it gets a store
without tables and services that refuse.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from spacetimedb_engine import Store
from spacetimedb_lib.identity import Identity
from spacetimedb_lib.moduledef import decode
from spacetimedb_lib.moduledef.serve import serve_v10
from spacetimedb_standalone.config.options import ExtractSchemaOptions
from spacetimedb_standalone.config.readers import ConfigError
from spacetimedb_standalone.host.interface import LogRecord, ModuleError
from spacetimedb_standalone.host.wasm.instance import WasmInstance
from spacetimedb_standalone.host.wasm.limits import WasmLimits
from spacetimedb_standalone.host.wasm.program import WasmModule
from spacetimedb_standalone.host.wasm.runtime import WasmRuntime

_KINDS: Final = {".wasm": "wasm", ".js": "js"}


def extract_schema(options: ExtractSchemaOptions) -> str:
    """The definition of the module in JSON, version 10.

    Raises `ConfigError` for wrong usage, `OSError` if the file cannot be read, `ModuleError` or an error of the
    definition's rules if it is no good module.
    """
    kind = options.host_type or _KINDS.get(options.module.suffix)
    if kind is None:
        raise ConfigError("--host-type not provided but cannot deduce from file extension")
    if kind == "js":
        raise ModuleError("this server runs WebAssembly modules only: give it a .wasm file")
    return serve_v10(decode(_description(options.module)))


def _description(path: Path) -> bytes:
    runtime = WasmRuntime(WasmLimits.of_this_machine())
    try:
        compiled = WasmModule.compile(path.read_bytes(), None, runtime)
        instance = WasmInstance(compiled, Store(), _NoServices(), bytes(Identity.ZERO))
        try:
            return instance.description
        finally:
            instance.close()
    finally:
        runtime.close()


class _NoServices:
    """What a module may ask while it describes itself: nothing. What it logs goes to standard error."""

    def table_id(self, name: str) -> int | None:
        return None

    def index_id(self, name: str) -> int | None:
        return None

    def log(self, record: LogRecord) -> None:
        print(record.message, file=sys.stderr)

    def monotonic(self) -> float:
        return 0.0

    def jwt(self, connection_id: bytes) -> str | None:
        return None

    def env(self, key: str) -> str | None:
        return None

    def row_written(self, table_id: int, row: bytes, inserted: bool) -> int:
        raise _refusal()

    def schedule_now(self, function: str, args: bytes) -> None:
        raise _refusal()

    def start_tx(self) -> int:
        raise _refusal()

    def commit_tx(self) -> None:
        raise _refusal()

    def abort_tx(self) -> None:
        raise _refusal()

    def sleep_until(self, wake: int) -> int:
        raise _refusal()

    def http(self, request: bytes, body: bytes, in_transaction: bool) -> list[bytes] | int:
        raise _refusal()


def _refusal() -> ModuleError:
    return ModuleError("the module uses a database while it describes itself, which it may not")
