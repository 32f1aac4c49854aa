"""A WebAssembly instance as the runtime's C interface shows it: memory, the clock of its calls, and the way in.

The runtime's functions are called by address, and everything it hands out (errors, traps) goes to `explain`, which
reads and frees it.

Invariants:
- Guest memory never moves (the runtime is told so), so its address is taken once; it may grow, so its size is asked
  for again whenever a guest points beyond the size that is known.
- `raw` belongs to the call that is being made; a call within a call uses it again, because the runtime has read the
  arguments before any host function runs and writes the results after the last one.
- After a trap it is dead: its memory may be in any state.
"""

from __future__ import annotations

from collections.abc import Callable

import cython

if not cython.compiled:
    from spacetimedb_engine.foreign import (
        as_call,
        as_data,
        as_deadline,
        as_pointer,
        as_size,
        as_trap,
        new_raw,
        pointer,
        run,
    )
    from spacetimedb_engine.memory import foreign, null, u8p


class Linked:
    """`link`, `attach` to a store's context, then `bind` to the instance's memory. `may_wait`: see `enter`."""

    def __init__(self, may_wait: bool = False) -> None:
        self.may_wait = may_wait
        self.text: bytes = b""
        self.cause: BaseException | None = None
        self.dead = True
        if not cython.compiled:
            self.raw = new_raw()
            self.mem: u8p = null()

    def link(
        self,
        functions: dict[str, int],
        explain: Callable[[int, int], tuple[int, bytes]],
        ticks: cython.ulonglong,
    ) -> None:
        """The runtime: addresses of its functions by name; `explain(error, trap)` -> (status, text) frees both;
        `ticks`: what a call may take, in ticks of the runtime's clock."""
        self.explain = explain
        self.ticks = ticks
        self.f_call = as_call(functions["wasmtime_func_call_unchecked"])
        self.f_trap = as_trap(functions["wasmtime_trap_new"])
        self.f_size = as_size(functions["wasmtime_memory_data_size"])
        self.f_data = as_data(functions["wasmtime_memory_data"])
        self.f_deadline = as_deadline(functions["wasmtime_context_set_epoch_deadline"])

    def attach(self, context: cython.size_t) -> None:
        """The store's context, before the instance exists: its start function may call imports."""
        self.context = as_pointer(context)
        self.memory = as_pointer(0)
        self.mem_len = 0
        self.rearm()

    def bind(self, memory: cython.size_t, reducer: cython.size_t) -> None:
        """The instance's memory and its `__call_reducer__`."""
        self.memory = as_pointer(memory)
        self.reducer_func = as_pointer(reducer)
        self.dead = False
        if cython.compiled:
            self.mem = self.f_data(self.context, self.memory)
        self.refresh()

    def detach(self) -> None:
        """The instance is about to go: from now on it is dead."""
        self.dead = True
        self.memory = as_pointer(0)
        self.mem_len = 0

    # ---- memory

    def refresh(self) -> None:
        self.mem_len = self.f_size(self.context, self.memory)
        if not cython.compiled:
            self.mem = foreign(self.f_data(self.context, self.memory), self.mem_len)

    def bad(self, p: cython.size_t, n: cython.size_t) -> cython.int:
        """Is p..p+n not the guest's? 0 it is, -1 a null pointer, -2 out of bounds."""
        if p == 0:
            return -1
        if p + n > self.mem_len:
            if self.memory == as_pointer(0):
                return -2
            self.refresh()
            if p + n > self.mem_len:
                return -2
        return 0

    @property
    def memory_size(self) -> int:
        """Bytes of the guest's memory."""
        if self.memory == as_pointer(0):
            return 0
        self.refresh()
        return self.mem_len

    # ---- calls

    def rearm(self) -> None:
        """The time of the call begins anew."""
        self.f_deadline(self.context, self.ticks)

    def enter(self, func: pointer, n: cython.size_t) -> cython.int:
        """Runs an export with n arguments in `raw`. 0, or a negative status and `text`.

        What may wait runs without the interpreter lock, and its host functions take it (`imports_cy`).
        """
        ended: cython.int
        self.rearm()
        if self.may_wait:
            with cython.nogil:
                ended = run(self.f_call, self.context, func, self.raw, n)
        else:
            ended = run(self.f_call, self.context, func, self.raw, n)
        return 0 if ended == 0 else self.failed()

    def failed(self) -> cython.int:
        self.dead = True
        try:
            status, self.text = self.explain(self.raw[31], self.raw[30])
        except BaseException as error:
            self.cause = error
            self.text = b"the runtime's error could not be read"
            return -1
        return status
