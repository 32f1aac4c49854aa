"""A program that runs: compiled once, instantiated as often as it traps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from spacetimedb_engine import Store
from spacetimedb_lib.hashing import keccak256
from spacetimedb_lib.moduledef import ModuleDef, decode
from spacetimedb_standalone.datastore.program import Program, ProgramKind
from spacetimedb_standalone.host.interface import HostServices, ModuleHost
from spacetimedb_standalone.host.wasm import ModuleError, WasmInstance, WasmLimits, WasmModule


@dataclass(frozen=True)
class LoadedProgram:
    """A program that compiled, ran its initializers and described itself well."""

    program: Program
    definition: ModuleDef
    compiled: WasmModule


class ProgramLoader:
    """Makes running modules out of program bytes. Errors are the publisher's: `ModuleError`, `ValidationErrors`."""

    def __init__(self, cache_dir: Path | None, limits: WasmLimits) -> None:
        self._cache_dir, self._limits = cache_dir, limits

    def load(
        self, kind: ProgramKind, data: bytes, store: Store, services: HostServices
    ) -> tuple[LoadedProgram, ModuleHost]:
        """Compile, instantiate and describe; the instance is ready for calls."""
        if kind is not ProgramKind.WASM:
            raise ModuleError(
                "this server runs WebAssembly modules only; publish the module's .wasm file with --bin-path"
            )
        compiled = WasmModule.compile(data, self._cache_dir, self._limits)
        instance = WasmInstance(compiled, store, services)
        definition = decode(instance.description)
        program = Program(kind, keccak256(data), data)
        return LoadedProgram(program, definition, compiled), instance

    def instantiate(self, loaded: LoadedProgram, store: Store, services: HostServices) -> ModuleHost:
        """Another instance of the same program, with a fresh memory."""
        return WasmInstance(loaded.compiled, store, services)
