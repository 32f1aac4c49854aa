"""Checks of a WebAssembly program before it runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import wasmtime

from spacetimedb_standalone.host.interface import ModuleError
from spacetimedb_standalone.host.wasm.limits import WasmLimits
from spacetimedb_standalone.host.wasm.program import WasmModule
from spacetimedb_standalone.host.wasm.runtime import WasmRuntime

IMPORT = '(import "spacetime_10.0" "identity" (func (param i32)))'
MEMORY = '(memory (export "memory") 1)'
REDUCER = '(func (export "__call_reducer__") (param i32 i64 i64 i64 i64 i64 i64 i64 i32 i32) (result i32) i32.const 0)'
DESCRIBE = '(func (export "__describe_module__") (param i32))'


def wasm(*parts: str) -> bytes:
    return bytes(wasmtime.wat2wasm(f"(module {' '.join(parts)})"))


@pytest.fixture(scope="module")
def runtime() -> Iterator[WasmRuntime]:
    runtime = WasmRuntime(WasmLimits(memory_bytes=1 << 26))
    yield runtime
    runtime.close()


def test_a_program_that_exports_what_it_should(runtime: WasmRuntime) -> None:
    extra = (
        '(func (export "__preinit__20_b")) (func (export "__preinit__20_B")) (func (export "__preinit__00"))'
    )
    module = WasmModule.compile(wasm(IMPORT, MEMORY, REDUCER, DESCRIBE, extra), None, runtime)
    assert module.preinits() == ["__preinit__00", "__preinit__20_B", "__preinit__20_b"]
    assert module.imports == (("spacetime_10.0", "identity"),)


@pytest.mark.parametrize(
    ("program", "text"),
    [
        (b"", "failed to parse WebAssembly module: unexpected end-of-file (at offset 0x0)"),
        (b"(module)", "failed to parse WebAssembly module: magic header not detected: bad magic number"),
        (b"\0asm\1\0\0\0", "unable to determine ABI of module (may be on an spacetime version < 0.8)"),
        (
            wasm('(import "spacetime_12.0" "x" (func))'),
            "abi version 12.0 is not supported (host implements 10.6)",
        ),
        (wasm(IMPORT), 'there should be a memory export called "memory" but it does not exist'),
        (
            wasm(IMPORT, '(func (export "memory"))'),
            'there should be a memory export called "memory" but it does not exist',
        ),
        (
            wasm(IMPORT, MEMORY, DESCRIBE),
            'there should be a function called "__call_reducer__" but it does not exist',
        ),
        (
            wasm(IMPORT, MEMORY, REDUCER),
            'there should be a function called "__describe_module__" but it does not exist',
        ),
        (
            wasm(IMPORT, MEMORY, DESCRIBE, '(func (export "__call_reducer__") (param i32))'),
            'bad call_reducer signature for "__call_reducer__"; expected (func (param i32 i64 i64 i64 i64 i64 i64 '
            "i64 i32 i32) (result i32)) got (func (param i32))",
        ),
        (
            wasm(IMPORT, MEMORY, REDUCER, '(func (export "__describe_module__"))'),
            'bad describe_module signature for "__describe_module__"; expected (func (param i32)) got (func)',
        ),
        (
            wasm(IMPORT, MEMORY, REDUCER, DESCRIBE, '(func (export "__setup__"))'),
            'bad setup signature for "__setup__"; expected (func (param i32) (result i32)) got (func)',
        ),
        (
            wasm(
                IMPORT, MEMORY, REDUCER, DESCRIBE, '(func (export "__preinit__00") (result i32) i32.const 0)'
            ),
            'bad preinit signature for "__preinit__00"; expected (func) got (func (result i32))',
        ),
        (
            wasm(IMPORT, MEMORY, REDUCER, DESCRIBE, '(func (export "__call_http_handler__"))'),
            'bad call_http_handler signature for "__call_http_handler__"; expected (func (param i32 i64 i64 i64 i64 '
            "i32 i64 i32 i32 i32 i32) (result i32)) got (func)",
        ),
    ],
)
def test_programs_that_are_refused(runtime: WasmRuntime, program: bytes, text: str) -> None:
    with pytest.raises(ModuleError) as refused:
        WasmModule.compile(program, None, runtime)
    assert str(refused.value).startswith(text)


def test_memory_that_threads_share_is_refused(runtime: WasmRuntime) -> None:
    program = wasm(IMPORT, '(memory (export "memory") 1 1 shared)', REDUCER, DESCRIBE)
    with pytest.raises(ModuleError, match="threads"):
        WasmModule.compile(program, None, runtime)


@pytest.mark.parametrize(
    "form", ["(param i32 i64 i32 i32 i32 i32)", "(param i32 i64 i64 i64 i64 i32 i64 i32 i32 i32 i32)"]
)
def test_both_forms_of_the_http_handler_are_taken(runtime: WasmRuntime, form: str) -> None:
    handler = f'(func (export "__call_http_handler__") {form} (result i32) i32.const 0)'
    WasmModule.compile(wasm(IMPORT, MEMORY, REDUCER, DESCRIBE, handler), None, runtime)


def test_compiled_code_comes_from_the_cache(runtime: WasmRuntime, tmp_path: Path) -> None:
    program = wasm(IMPORT, MEMORY, REDUCER, DESCRIBE)
    WasmModule.compile(program, tmp_path, runtime)
    [entry] = tmp_path.iterdir()
    made = entry.stat().st_mtime_ns
    WasmModule.compile(program, tmp_path, runtime)
    assert entry.stat().st_mtime_ns == made


def test_a_cache_entry_that_is_whole_but_not_ours_is_made_anew(runtime: WasmRuntime, tmp_path: Path) -> None:
    from spacetimedb_standalone.host.wasm.cache import CompiledCache

    program = wasm(IMPORT, MEMORY, REDUCER, DESCRIBE)
    cache = CompiledCache(tmp_path, runtime.fingerprint)
    cache.save(program, b"not compiled code")
    WasmModule.compile(program, tmp_path, runtime)
    assert cache.load(program) != b"not compiled code"
