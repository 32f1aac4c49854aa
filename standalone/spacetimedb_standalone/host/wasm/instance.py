"""A running WebAssembly module.

How one comes to life: link, instantiate (the start section runs), `_initialize`, every `__preinit__*` in the order of
their names' bytes, `__setup__`, `__describe_module__`. Description is part of it for every instance and not only
the first, because modules fill their dispatch tables in it. Until then no transaction is open, and whatever the
module asks of the datastore is refused.

An instance that trapped is dead. Its replacement starts from the same `WasmModule` and costs no compilation.
"""

from collections.abc import Iterable, Sequence
from functools import cache

import wasmtime

from spacetimedb_engine import SIGNATURES, Guest, Imports, Store
from spacetimedb_standalone.host.interface import (
    Frame,
    HandlerOutcome,
    HostServices,
    ModuleError,
    Outcome,
    Read,
    Status,
    ViewOutcome,
)
from spacetimedb_standalone.host.wasm import capi, signatures, views
from spacetimedb_standalone.host.wasm.program import WasmModule
from spacetimedb_standalone.host.wasm.rare import RareCalls

RUNTIME_FUNCTIONS = (
    "wasmtime_func_call_unchecked",
    "wasmtime_trap_new",
    "wasmtime_memory_data",
    "wasmtime_memory_data_size",
    "wasmtime_context_set_epoch_deadline",
)
MASK64 = (1 << 64) - 1


class WasmInstance:
    """Implements `ModuleHost`. `guest` goes to the engine's `Turn` for the hot path.

    `may_wait`: an instance for procedures, which may sleep and make requests. `identity`: the database's.
    Raises `ModuleError` when the module does not come to life.
    """

    def __init__(
        self,
        module: WasmModule,
        store: Store,
        services: HostServices,
        identity: bytes,
        *,
        may_wait: bool = False,
    ) -> None:
        runtime = module.runtime
        runtime.start()
        self._module = module
        self._probe: wasmtime.Func | None = None
        self._rare = RareCalls(services, self._function, self.backtrace)
        self.guest = Guest(store, identity, self._rare, runtime.limits.memory_bytes, may_wait)
        self.guest.link(
            {name: capi.address(name) for name in RUNTIME_FUNCTIONS}, self._explain, runtime.deadline_ticks
        )
        self._wasm = wasmtime.Store(runtime.engine)
        self._wasm.set_limits(memory_size=runtime.limits.memory_bytes)
        self._imports = Imports(self.guest)
        self.guest.attach(capi.context(self._wasm))
        self._exports = self._instantiate()
        memory = self._exports[signatures.MEMORY]
        assert isinstance(memory, wasmtime.Memory)
        self.guest.bind(capi.export_address(memory), self._address("__call_reducer__"))
        self._initialize()
        self.description = self._describe()

    # ---- coming to life

    def _instantiate(self) -> dict[str, object]:
        linker = wasmtime.Linker(self._wasm.engine)
        for module, name in self._module.imports:
            signature = SIGNATURES.get((module, name))
            if signature is None:
                raise ModuleError(
                    f"the module imports `{name}` from `{module}`, which this server does not have: "
                    "build it with a library for SpacetimeDB, without other imports"
                )
            capi.define(linker, module, name, signature, *self._imports.addresses(module, name))
        instance = capi.instantiate(linker, self._wasm, self._module.code)
        if isinstance(instance, capi.Failure):
            raise ModuleError(f"the module could not be instantiated: {capi.sentence(instance.text)}")
        return dict(instance.exports(self._wasm))

    def _address(self, name: str) -> int:
        export = self._exports[name]
        assert isinstance(export, wasmtime.Func)
        return capi.export_address(export)

    def _initialize(self) -> None:
        functions = self._module.functions
        first = ["_initialize"] if functions.get("_initialize") == ((), ()) else []
        for name in first + self._module.preinits():
            self._run_initializer(name, [], [])
        if "__setup__" not in functions:
            return
        code, texts = self._run_initializer("__setup__", [0], [0])
        if code == 1:
            raise ModuleError(f"setup function returned an error: {texts[0].decode(errors='replace')}")
        if code != 0:
            raise ModuleError(f"setup function returned the unknown code {code}")

    def _describe(self) -> bytes:
        return self._run_initializer("__describe_module__", [0], [0])[1][0]

    def _run_initializer(self, name: str, words: list[int], sinks: list[int]) -> tuple[int, list[bytes]]:
        status, code, texts, _ = self.guest.invoke(self._address(name), words, [], sinks, None, False, False)
        if status != Status.OK:
            text = self.guest.text.decode(errors="replace")
            raise ModuleError(f'wasm trap while calling "{name}": {capi.sentence(text)}')
        return code, texts

    # ---- calls

    @property
    def dead(self) -> bool:
        return self.guest.dead

    def notify(self, table_ids: Iterable[int]) -> None:
        self.guest.notify(list(table_ids))

    def call_reducer(
        self, reducer_id: int, name: str, sender: bytes, connection_id: bytes, timestamp: int, args: bytes
    ) -> Outcome:
        status = Status(
            self.guest.call_reducer(reducer_id, name.encode(), sender, connection_id, timestamp, args)
        )
        return Outcome(status, self._text() if status != Status.OK else "")

    def call_view(self, view_id: int, name: str, sender: bytes | None, args: bytes) -> ViewOutcome:
        export = "__call_view_anon__" if sender is None else "__call_view__"
        words = [view_id, *_words(sender or b""), 0, 0]
        n = len(words)
        status, code, texts, reads = self._call(
            export, words, [(n - 2, args or None)], [n - 1], name, transaction=True, viewing=True
        )
        noted = tuple(Read(whole, id, key) for whole, id, key in reads)
        if status != Status.OK:
            return ViewOutcome(status, self._text(), reads=noted)
        return views.outcome(code, texts[0], noted)

    def call_procedure(
        self, procedure_id: int, name: str, sender: bytes, connection_id: bytes, timestamp: int, args: bytes
    ) -> Outcome:
        words = [procedure_id, *_words(sender + connection_id), timestamp & MASK64, 0, 0]
        export = "__call_procedure__"
        status, code, texts, _ = self._call(export, words, [(8, args or None)], [9], name)
        if status != Status.OK:
            return Outcome(status, self._text())
        if code != 0:
            return Outcome(Status.BAD_CODE, _unexpected(export, code, "Procedures"))
        return Outcome(Status.OK, value=texts[0])

    def call_handler(
        self,
        handler_id: int,
        name: str,
        sender: bytes,
        claims: bytes,
        timestamp: int,
        request: bytes,
        body: bytes,
    ) -> HandlerOutcome:
        export = "__call_http_handler__"
        words, sources = [handler_id, timestamp & MASK64], [request or None, body or None]
        if len(self._module.functions.get(export, ((), ()))[0]) == 11:
            words = [handler_id, *_words(sender), 0, timestamp & MASK64]
        n = len(words)
        placed = [(n, sources[0]), (n + 1, sources[1])]
        if n == 7:
            placed.insert(0, (5, claims or None))
        status, code, texts, _ = self._call(export, [*words, 0, 0, 0, 0], placed, [n + 2, n + 3], name)
        if status != Status.OK:
            return HandlerOutcome(status, self._text())
        if code != 0:
            return HandlerOutcome(Status.BAD_CODE, _unexpected(export, code, "HTTP handlers"))
        return HandlerOutcome(Status.OK, response=texts[0], body=texts[1])

    def _call(
        self,
        export: str,
        words: list[int],
        sources: Sequence[tuple[int, bytes | None]],
        sinks: list[int],
        name: str,
        *,
        transaction: bool = False,
        viewing: bool = False,
    ) -> tuple[Status, int, list[bytes], list[tuple[bool, int, bytes]]]:
        if export not in self._module.functions:
            raise ModuleError(f'there should be a function called "{export}" but it does not exist')
        status, code, texts, reads = self.guest.invoke(
            self._address(export), words, list(sources), sinks, name.encode(), transaction, viewing
        )
        return Status(status), code, texts, reads

    def close(self) -> None:
        """Gives the instance's memory back; it is not to be called any more."""
        self.guest.detach()
        self._exports = {}
        self._probe = None
        self._wasm.close()

    # ---- what went wrong

    def _explain(self, error: int, trap: int) -> tuple[int, bytes]:
        failure = capi.explain(error, trap)
        return failure.status, failure.text.encode()

    def _text(self) -> str:
        return self.guest.text.decode(errors="replace")

    def _function(self) -> str | None:
        function = self.guest.function
        return None if function is None else function.decode(errors="replace")

    def backtrace(self) -> tuple[Frame, ...]:
        """The functions on the guest's stack, innermost first: taken from a trap set off on top of it."""
        if self._probe is None:
            probe = wasmtime.Instance(self._wasm, _probe(self._wasm.engine), []).exports(self._wasm)["probe"]
            assert isinstance(probe, wasmtime.Func)
            self._probe = probe
        return capi.frames_of_trap(capi.context(self._wasm), capi.export_address(self._probe))[1:]


@cache
def _probe(engine: wasmtime.Engine) -> wasmtime.Module:
    return wasmtime.Module(engine, '(module (func (export "probe") unreachable))')


def _words(data: bytes) -> list[int]:
    """Little-endian numbers of 64 bits."""
    return [int.from_bytes(data[at : at + 8], "little") for at in range(0, len(data), 8)]


def _unexpected(export: str, code: int, plural: str) -> str:
    signed = code - (1 << 32) if code >> 31 else code
    return f"{export} returned unexpected code {signed}. {plural} should return code 0 or trap."
