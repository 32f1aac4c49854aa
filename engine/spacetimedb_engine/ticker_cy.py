"""A clock that counts while a guest runs.

Guests run with the interpreter lock held, so a Python thread could not count for them. Compiled, the ticker is a
thread that never takes that lock: it waits on a lock of its own with a timeout, and at every timeout calls one
function of the WebAssembly runtime, an atomic increment. Uncompiled, guests run with the interpreter lock released,
and the same loop runs in an ordinary thread.
"""

from __future__ import annotations

import cython

if not cython.compiled:
    from spacetimedb_engine.foreign import (
        as_pointer,
        as_tick,
        free_lock,
        give_lock,
        new_lock,
        no_lock,
        start_thread,
        take_lock,
        wait_lock,
    )

    def begin(ticker: Ticker) -> bool:
        """Starts the thread: False when the machine has none left."""
        return start_thread(beat, ticker)


class Ticker:
    """Calls `tick(engine)`, both given as addresses, every `interval` microseconds between `start` and `stop`.

    Threads do not survive a fork: start it in the process that uses it.
    """

    def __init__(self, tick: cython.size_t, engine: cython.size_t, interval: cython.longlong) -> None:
        self.tick = as_tick(tick)
        self.engine = as_pointer(engine)
        self.interval = interval
        self.running = False
        self.halt = new_lock()
        self.done = new_lock()
        if no_lock(self.halt) or no_lock(self.done):
            raise MemoryError("no memory for the locks of the ticker")

    def __dealloc__(self) -> None:
        self.stop()
        free_lock(self.halt)
        free_lock(self.done)

    def start(self) -> None:
        """Does nothing when it runs already."""
        if self.running:
            return
        take_lock(self.halt)
        take_lock(self.done)
        if not begin(self):
            give_lock(self.halt)
            give_lock(self.done)
            raise RuntimeError("no thread could be started to count the time of modules")
        self.running = True

    def stop(self) -> None:
        """Returns when the thread is gone."""
        if not self.running:
            return
        self.running = False
        give_lock(self.halt)
        take_lock(self.done)
        give_lock(self.done)
        give_lock(self.halt)


def beat(me: Ticker) -> cython.void:
    """The thread: it only borrows the ticker, which waits in `stop` for its end."""
    while not wait_lock(me.halt, me.interval):
        me.tick(me.engine)
    give_lock(me.done)
