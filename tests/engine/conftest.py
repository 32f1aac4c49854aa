"""Guests for the engine's tests: WebAssembly text linked to the engine by way of the runtime's C interface."""

import ctypes
from collections.abc import Callable, Iterator
from ctypes import POINTER, c_size_t, c_void_p

import pytest
import wasmtime
from wasmtime import _ffi as ffi

from spacetimedb_engine import SIGNATURES, Guest, Imports, Store, Ticker, is_compiled

FUNCTIONS = (
    "wasmtime_func_call_unchecked",
    "wasmtime_trap_new",
    "wasmtime_memory_data",
    "wasmtime_memory_data_size",
    "wasmtime_context_set_epoch_deadline",
)
KINDS = {"i32": wasmtime.ValType.i32, "i64": wasmtime.ValType.i64}
TRAPPED, EXHAUSTED = -1, -2
IDENTITY = bytes(range(100, 132))


def address(name: str) -> int:
    found = ctypes.cast(getattr(ffi.dll, name), c_void_p).value
    assert found is not None
    return found


def explain(error: int, trap: int) -> tuple[int, bytes]:
    """Reads and frees what the runtime returned."""
    if trap:
        owned = wasmtime.Trap._from_ptr(ctypes.cast(trap, POINTER(ffi.wasm_trap_t)))
        exhausted = owned.trap_code == wasmtime.TrapCode.INTERRUPT
        return EXHAUSTED if exhausted else TRAPPED, owned.message.encode()
    return TRAPPED, str(
        wasmtime.WasmtimeError._from_ptr(ctypes.cast(error, POINTER(ffi.wasmtime_error_t)))
    ).encode()


class LoadedGuest:
    """A guest, and what keeps its instance alive."""

    def __init__(
        self, store: Store, wat: str, rare: Callable[..., object], row_limit: int, may_wait: bool
    ) -> None:
        config = wasmtime.Config()
        config.epoch_interruption = True
        ffi.wasmtime_config_memory_may_move_set(config.ptr(), False)
        self.engine = wasmtime.Engine(config)
        self.wasm = wasmtime.Store(self.engine)
        self.guest = Guest(store, IDENTITY, rare, row_limit, may_wait)
        self.guest.link({name: address(name) for name in FUNCTIONS}, explain, 1 << 40)
        self.imports = Imports(self.guest)
        self.module = wasmtime.Module(self.engine, wat)
        self.steps: list[object] = []
        self.linker = wasmtime.Linker(self.engine)

    def define(self, module: str, name: str) -> None:
        callback, env = self.imports.addresses(module, name)
        params, results = ([KINDS[kind]() for kind in kinds] for kinds in SIGNATURES[module, name])
        self.define_at(module, name, wasmtime.FuncType(params, results), callback, env)

    def define_at(self, module: str, name: str, kind: wasmtime.FuncType, callback: int, env: int) -> None:
        error = ffi.wasmtime_linker_define_func_unchecked(
            self.linker.ptr(),
            ctypes.create_string_buffer(module.encode()),
            len(module),
            ctypes.create_string_buffer(name.encode()),
            len(name),
            kind.ptr(),
            ctypes.cast(callback, ffi.wasmtime_func_unchecked_callback_t),
            ctypes.cast(env, c_void_p),
            ctypes.cast(0, ctypes.CFUNCTYPE(None, c_void_p)),
        )
        assert not error

    def start(self) -> "LoadedGuest":
        for entry in self.module.imports:
            if (entry.module, entry.name) in SIGNATURES:
                self.define(entry.module, entry.name or "")
        context = ctypes.cast(self.wasm._context(), c_void_p).value
        assert context is not None
        self.guest.attach(context)
        self.instance = self.linker.instantiate(self.wasm, self.module)
        self.exports = self.instance.exports(self.wasm)
        memory = self.exports["memory"]
        assert isinstance(memory, wasmtime.Memory)
        self.memory = memory
        self.guest.bind(ctypes.addressof(memory._memory), self.address("__call_reducer__"))
        return self

    def start_ticker(self, interval: int, ticks: int) -> Ticker:
        """From now on a call may take so many ticks of so many microseconds."""
        self.guest.link({name: address(name) for name in FUNCTIONS}, explain, ticks)
        engine = ctypes.cast(self.engine.ptr(), c_void_p).value
        assert engine is not None
        ticker = Ticker(address("wasmtime_engine_increment_epoch"), engine, interval)
        ticker.start()
        return ticker

    def address(self, export: str) -> int:
        function = self.exports[export]
        assert isinstance(function, wasmtime.Func)
        return ctypes.addressof(function._func)

    def call(self, export: str, *words: int) -> int:
        """A host function that the guest exports again, called from within a call of the guest. -1: it trapped."""
        make = ctypes.PYFUNCTYPE if is_compiled() else ctypes.CFUNCTYPE
        run = make(c_void_p, c_void_p, c_void_p, c_void_p, c_size_t, c_void_p)(address(FUNCTIONS[0]))
        raw, trap = (ctypes.c_uint64 * 32)(), c_void_p()
        for k, word in enumerate(words):
            raw[2 * k] = word & 0xFFFFFFFFFFFFFFFF
        context = ctypes.cast(self.wasm._context(), c_void_p).value
        size = max(len(words), 1)
        error = run(context, self.address(export), ctypes.addressof(raw), size, ctypes.addressof(trap))
        if error or trap.value:
            raise HostTrap(explain(error or 0, trap.value or 0)[1].decode())
        return int(raw[0]) & 0xFFFFFFFF


class HostTrap(Exception):
    """A host function trapped; the text is the trap's."""


@pytest.fixture
def load_guest() -> Iterator[Callable[..., LoadedGuest]]:
    """`load_guest(store, wat, rare=..., row_limit=..., may_wait=...)`, not started yet."""
    kept: list[LoadedGuest] = []

    def load(
        store: Store,
        wat: str,
        rare: Callable[..., object] = lambda op, a, b, parts: 0,
        row_limit: int = 1 << 30,
        may_wait: bool = False,
    ) -> LoadedGuest:
        kept.append(LoadedGuest(store, wat, rare, row_limit, may_wait))
        return kept[-1]

    yield load
