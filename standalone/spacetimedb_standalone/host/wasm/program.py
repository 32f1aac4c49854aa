"""A WebAssembly program that has passed every check that needs no instance, and its compiled code."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import wasmtime

from spacetimedb_standalone.host.interface import ModuleError
from spacetimedb_standalone.host.wasm import abi_version, capi, signatures
from spacetimedb_standalone.host.wasm.cache import CompiledCache
from spacetimedb_standalone.host.wasm.runtime import WasmRuntime
from spacetimedb_standalone.host.wasm.signatures import Signature


@dataclass(frozen=True, slots=True)
class WasmModule:
    """What `WasmInstance` needs to start; one may be started many times."""

    runtime: WasmRuntime
    code: wasmtime.Module
    imports: tuple[tuple[str, str], ...]
    """(import module, name) of every import, each once."""
    functions: Mapping[str, Signature]
    """Every exported function."""

    @classmethod
    def compile(cls, program: bytes, cache_dir: Path | None, runtime: WasmRuntime) -> "WasmModule":
        """Checks and compiles, or takes the compiled code from `cache_dir`.

        Raises `ModuleError`: not WebAssembly, another ABI, exports missing or of the wrong type.
        """
        code = _compiled(program, cache_dir, runtime)
        abi_version.check(entry.module for entry in code.imports if isinstance(entry.type, wasmtime.FuncType))
        functions: dict[str, Signature] = {}
        has_memory = False
        for export in code.exports:
            kind = export.type
            if isinstance(kind, wasmtime.FuncType):
                functions[export.name] = (tuple(map(str, kind.params)), tuple(map(str, kind.results)))
            elif export.name == signatures.MEMORY:
                has_memory = isinstance(kind, wasmtime.MemoryType)
        signatures.check(functions, has_memory)
        imports = dict.fromkeys((entry.module, entry.name or "") for entry in code.imports)
        return cls(runtime, code, tuple(imports), functions)

    def preinits(self) -> list[str]:
        """Initializers in the order of their names' bytes."""
        names = (name for name in self.functions if name.startswith(signatures.PREINIT_PREFIX))
        return sorted(names, key=str.encode)


def _compiled(program: bytes, cache_dir: Path | None, runtime: WasmRuntime) -> wasmtime.Module:
    if cache_dir is None:
        return capi.compile_module(runtime.engine, program)
    cache = CompiledCache(cache_dir, runtime.fingerprint)
    code = cache.load(program)
    if code is not None:
        try:
            return wasmtime.Module.deserialize(runtime.engine, code)
        except wasmtime.WasmtimeError:  # made by another build of the same version
            cache.drop(program)
    module = capi.compile_module(runtime.engine, program)
    cache.save(program, module.serialize())
    return module


__all__ = ["ModuleError", "WasmModule"]
