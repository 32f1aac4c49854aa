"""The one place that touches wasmtime's C library: addresses for the engine, and the calls that the
wasmtime package does not offer in the form we need.

Two rules come from how the engine's callbacks work. Whatever may run guest code is called *with* the
interpreter lock held (`PYFUNCTYPE`), because compiled callbacks rely on it; only where the engine runs
uncompiled is the lock released, so that the thread that counts time can get in between. And every error
or trap that the library hands out is owned by us: `explain` frees it.
"""

import ctypes
from collections.abc import Sequence
from ctypes import POINTER, byref, c_size_t, c_void_p
from dataclasses import dataclass
from typing import Any

import wasmtime
from wasmtime import _ffi as ffi

from spacetimedb_engine import is_compiled
from spacetimedb_standalone.host.interface import Frame, ModuleError, Status

_OUT_OF_TIME = (wasmtime.TrapCode.INTERRUPT, wasmtime.TrapCode.OUT_OF_FUEL)
_KINDS = {"i32": wasmtime.ValType.i32, "i64": wasmtime.ValType.i64}


def address(name: str) -> int:
    """Where a function of the library is."""
    found = ctypes.cast(getattr(ffi.dll, name), c_void_p).value
    assert found is not None
    return found


def _function(name: str, result: Any, *params: Any) -> Any:
    make = ctypes.PYFUNCTYPE if is_compiled() else ctypes.CFUNCTYPE
    return make(result, *params)(address(name))


@dataclass(frozen=True, slots=True)
class Failure:
    """An error or trap of the library, as values."""

    status: Status
    text: str
    frames: tuple[Frame, ...]


def explain(error: int, trap: int) -> Failure:
    """Reads and frees what a call returned; exactly one of the two addresses is not 0."""
    if trap:
        owned = wasmtime.Trap._from_ptr(ctypes.cast(trap, POINTER(ffi.wasm_trap_t)))
        status = Status.EXHAUSTED if owned.trap_code in _OUT_OF_TIME else Status.TRAPPED
        frames = tuple(Frame(frame.module_name, frame.func_name) for frame in owned.frames)
        return Failure(status, owned.message.strip(), frames)
    failed = wasmtime.WasmtimeError._from_ptr(ctypes.cast(error, POINTER(ffi.wasmtime_error_t)))
    return Failure(Status.TRAPPED, str(failed).strip(), ())


def sentence(text: str) -> str:
    """wasmtime's error chain on one line, causes joined by colons; a backtrace gives way to its cause."""
    head, _, causes = text.partition("\n\nCaused by:\n")
    if causes and head.startswith("error while executing at wasm backtrace"):
        head = ""
    lines = [line.strip() for line in causes.splitlines()]
    parts = [line.partition(": ")[2] if line[:1].isdigit() and ": " in line else line for line in lines]
    return ": ".join(filter(None, [head.strip(), *parts]))


def compile_module(engine: wasmtime.Engine, program: bytes) -> wasmtime.Module:
    """Raises `ModuleError` for bytes that are no WebAssembly module."""
    out = POINTER(ffi.wasmtime_module_t)()
    data = (ctypes.c_uint8 * len(program)).from_buffer_copy(program)
    error = ffi.wasmtime_module_new(engine.ptr(), data, len(program), byref(out))
    if error:
        raise ModuleError(sentence(str(wasmtime.WasmtimeError._from_ptr(error))))
    return wasmtime.Module._from_ptr(out)


def define(
    linker: wasmtime.Linker,
    module: str,
    name: str,
    signature: tuple[Sequence[str], Sequence[str]],
    callback: int,
    env: int,
) -> None:
    """Makes a callback of the engine the import `module`.`name`. The engine must outlive the linker's instances."""
    params, results = ([_KINDS[kind]() for kind in kinds] for kinds in signature)
    kind = wasmtime.FuncType(params, results)
    error = ffi.wasmtime_linker_define_func_unchecked(
        linker.ptr(),
        ctypes.create_string_buffer(module.encode()),
        len(module),
        ctypes.create_string_buffer(name.encode()),
        len(name),
        kind.ptr(),
        ctypes.cast(callback, ffi.wasmtime_func_unchecked_callback_t),
        ctypes.cast(env, c_void_p),
        ctypes.cast(0, ctypes.CFUNCTYPE(None, c_void_p)),
    )
    if error:
        raise ModuleError(sentence(str(wasmtime.WasmtimeError._from_ptr(error))))


def instantiate(
    linker: wasmtime.Linker, store: wasmtime.Store, module: wasmtime.Module
) -> wasmtime.Instance | Failure:
    """Runs the start section too, which may call imports."""
    call = _function("wasmtime_linker_instantiate", c_void_p, *[c_void_p] * 5)
    instance = ffi.wasmtime_instance_t()
    trap = c_void_p()
    error = call(
        ctypes.cast(linker.ptr(), c_void_p),
        ctypes.cast(store._context(), c_void_p),
        ctypes.cast(module.ptr(), c_void_p),
        ctypes.addressof(instance),
        ctypes.addressof(trap),
    )
    if error or trap.value:
        return explain(error or 0, trap.value or 0)
    return wasmtime.Instance._from_raw(instance)


def frames_of_trap(context: int, func: int) -> tuple[Frame, ...]:
    """Runs a function without arguments that is known to trap: what the stack was, innermost first."""
    call = _function("wasmtime_func_call_unchecked", c_void_p, *[c_void_p] * 3, c_size_t, c_void_p)
    trap, raw = c_void_p(), (ctypes.c_uint64 * 2)()
    error = call(context, func, ctypes.addressof(raw), 0, ctypes.addressof(trap))
    return explain(error or 0, trap.value or 0).frames


def context(store: wasmtime.Store) -> int:
    """Address of the store's context, valid as long as the store."""
    found = ctypes.cast(store._context(), c_void_p).value
    assert found is not None
    return found


def engine_address(engine: wasmtime.Engine) -> int:
    found = ctypes.cast(engine.ptr(), c_void_p).value
    assert found is not None
    return found


def export_address(export: wasmtime.Func | wasmtime.Memory) -> int:
    """Address of an export's handle; it lives as long as the Python object does."""
    handle = export._func if isinstance(export, wasmtime.Func) else export._memory
    return ctypes.addressof(handle)


def configure(config: wasmtime.Config) -> None:
    """Memory that stays where it is while it grows: the engine keeps its address."""
    ffi.wasmtime_config_memory_may_move_set(config.ptr(), False)
