"""A clock that counts while a guest runs.

Guests run with the interpreter lock held, so a Python thread could not count for them. Compiled, the ticker is a
thread that never takes that lock: it waits on a lock of its own with a timeout, and at every timeout calls one
function of the WebAssembly runtime, an atomic increment. Uncompiled, guests run with the interpreter lock
released and an ordinary thread does.
"""

from __future__ import annotations

import threading

import cython

if not cython.compiled:
    from spacetimedb_engine.foreign import as_pointer, as_tick
    from spacetimedb_engine.memory import borrow


class Ticker:
    """Calls `tick(engine)`, both given as addresses, every `interval` microseconds between `start` and `stop`.

    Threads do not survive a fork: start it in the process that uses it.
    """

    def __init__(self, tick: cython.size_t, engine: cython.size_t, interval: cython.longlong) -> None:
        self.tick = as_tick(tick)
        self.engine = as_pointer(engine)
        self.interval = interval
        self.running = False
        if cython.compiled:
            self.halt = PyThread_allocate_lock()
            self.done = PyThread_allocate_lock()
            if self.halt == cython.NULL or self.done == cython.NULL:
                raise MemoryError("no memory for the locks of the ticker")
        else:
            self.stopping = threading.Event()

    def __dealloc__(self) -> None:
        if cython.compiled:
            self.stop()
            PyThread_free_lock(self.halt)
            PyThread_free_lock(self.done)

    def start(self) -> None:
        """Does nothing when it runs already."""
        if self.running:
            return
        if cython.compiled:
            PyThread_acquire_lock(self.halt, 1)
            PyThread_acquire_lock(self.done, 1)
            if PyThread_start_new_thread(cython.cast(cython.p_void, beat), borrow(self)) == NO_THREAD:
                PyThread_release_lock(self.halt)
                PyThread_release_lock(self.done)
                raise RuntimeError("no thread could be started to count the time of modules")
        else:
            self.stopping.clear()
            self.thread = threading.Thread(target=self.run, name="wasm-ticker", daemon=True)
            self.thread.start()
        self.running = True

    def stop(self) -> None:
        """Returns when the thread is gone."""
        if not self.running:
            return
        self.running = False
        if cython.compiled:
            PyThread_release_lock(self.halt)
            PyThread_acquire_lock(self.done, 1)
            PyThread_release_lock(self.done)
            PyThread_release_lock(self.halt)
        else:
            self.stopping.set()
            self.thread.join()

    def run(self) -> None:
        """The thread of the uncompiled form."""
        while not self.stopping.wait(self.interval / 1e6):
            self.tick(self.engine)


if cython.compiled:

    def beat(me: Ticker) -> cython.void:
        """The thread of the compiled form: it borrows the object, which waits in `stop` for its end."""
        while PyThread_acquire_lock_timed(me.halt, me.interval, 0) == 0:
            me.tick(me.engine)
        PyThread_release_lock(me.done)
