"""What one instance of a WebAssembly module may use."""

import os
from dataclasses import dataclass

ADDRESSABLE = 4 << 30
"""What 32-bit WebAssembly can address at all."""


def default_memory() -> int:
    """Half of this machine's memory, so that one module cannot take its database's host down; at most 4 GiB."""
    try:
        physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not a POSIX system
        return ADDRESSABLE
    return min(ADDRESSABLE, physical // 2) if physical > 0 else ADDRESSABLE


@dataclass(frozen=True, slots=True)
class WasmLimits:
    """`call_seconds` is the budget of one call: 60 s is what the public default of 120e9 units stands for."""

    memory_bytes: int
    call_seconds: float = 60.0

    @classmethod
    def of_this_machine(cls) -> "WasmLimits":
        return cls(memory_bytes=default_memory())
