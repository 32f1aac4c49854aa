"""A program that runs: compiled once, instantiated as often as it traps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from spacetimedb_engine import Store
from spacetimedb_lib.hashing import keccak256
from spacetimedb_lib.identity import Identity
from spacetimedb_lib.moduledef import ModuleDef, decode
from spacetimedb_standalone.datastore.program import Program, ProgramKind
from spacetimedb_standalone.host.interface import HostServices, ModuleError
from spacetimedb_standalone.host.wasm.instance import WasmInstance
from spacetimedb_standalone.host.wasm.program import WasmModule
from spacetimedb_standalone.host.wasm.runtime import WasmRuntime


@dataclass(frozen=True)
class LoadedProgram:
    """A program that compiled, ran its initializers and described itself well."""

    program: Program
    definition: ModuleDef
    compiled: WasmModule


class ProgramLoader:
    """Makes running modules out of program bytes. Errors are the publisher's: `ModuleError`, `ValidationErrors`."""

    def __init__(self, identity: Identity, cache_dir: Path | None, runtime: WasmRuntime) -> None:
        self._identity, self._cache_dir, self._runtime = bytes(identity), cache_dir, runtime

    def load(
        self, kind: ProgramKind, data: bytes, store: Store, services: HostServices
    ) -> tuple[LoadedProgram, WasmInstance]:
        """Compile, instantiate and describe; the instance is ready for calls."""
        if kind is not ProgramKind.WASM:
            raise ModuleError(
                "this server runs WebAssembly modules only; publish the module's .wasm file with --bin-path"
            )
        compiled = WasmModule.compile(data, self._cache_dir, self._runtime)
        instance = WasmInstance(compiled, store, services, self._identity)
        try:
            definition = decode(instance.description)
        except BaseException:
            instance.close()
            raise
        program = Program(kind, keccak256(data), data)
        return LoadedProgram(program, definition, compiled), instance

    def instantiate(
        self, loaded: LoadedProgram, store: Store, services: HostServices, *, may_wait: bool = False
    ) -> WasmInstance:
        """Another instance of the same program, with a fresh memory. `may_wait`: one for procedures."""
        return WasmInstance(loaded.compiled, store, services, self._identity, may_wait=may_wait)

    def interrupt(self) -> None:
        """Whatever guest code runs now, on any thread, has used up its time."""
        self._runtime.interrupt()

    def close(self) -> None:
        self._runtime.close()
