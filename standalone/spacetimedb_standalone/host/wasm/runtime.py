"""The WebAssembly engine of a process, and the clock that bounds how long guests run.

Time is bounded by wasmtime's epochs: the engine has a counter, compiled code looks at it on every loop and
call, and traps once it passes the deadline that was set when the call began. Something must count while the
guest runs and holds the interpreter lock: the engine's `Ticker`, a thread of its own that needs no lock.
"""

import hashlib
import platform
from importlib.metadata import version

import wasmtime

from spacetimedb_engine import Ticker
from spacetimedb_standalone.host.wasm import capi
from spacetimedb_standalone.host.wasm.limits import WasmLimits

TICKS = 16
"""Ticks that make up the budget of a call: it is precise to a sixteenth."""
MIN_TICK, MAX_TICK = 0.005, 5.0


class WasmRuntime:
    """One per process; the ticker's thread runs from the first instance until `close`."""

    def __init__(self, limits: WasmLimits) -> None:
        self.limits = limits
        config = wasmtime.Config()
        config.epoch_interruption = True
        config.wasm_threads = False  # host functions work on memory that nobody else changes
        config.wasm_memory64 = False
        capi.configure(config)
        self.engine = wasmtime.Engine(config)
        tick = min(max(limits.call_seconds / TICKS, MIN_TICK), MAX_TICK)
        self.deadline_ticks = int(limits.call_seconds / tick) + 1
        self.fingerprint = _fingerprint()
        self._ticker = Ticker(
            capi.address("wasmtime_engine_increment_epoch"), capi.engine_address(self.engine), int(tick * 1e6)
        )

    def start(self) -> None:
        """Lets time pass. Threads do not survive a fork, hence not in the constructor."""
        self._ticker.start()

    def interrupt(self) -> None:
        """The calls that run now are out of time; later ones have all of theirs."""
        for _ in range(self.deadline_ticks + 1):
            self.engine.increment_epoch()

    def close(self) -> None:
        self._ticker.stop()


def _fingerprint() -> str:
    parts = (version("wasmtime"), platform.machine(), platform.system(), "epochs, fixed memory, no threads")
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
