"""The WebAssembly runtime's C interface for the uncompiled engine: the names of ``foreign.pxd`` over ctypes.

Here guests run with the interpreter lock released, so that the thread that counts time gets in between;
compiled, that thread needs no lock.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from typing import Any, TypeAlias

rawp: TypeAlias = Any
pointer: TypeAlias = int
call_fn: TypeAlias = Any
trap_fn: TypeAlias = Any
size_fn: TypeAlias = Any
data_fn: TypeAlias = Any
deadline_fn: TypeAlias = Any
tick_fn: TypeAlias = Any

_P, _S = ctypes.c_void_p, ctypes.c_size_t
_Values = ctypes.c_uint64 * 32
callback = ctypes.CFUNCTYPE(_P, _P, _P, _P, _S)
"""(env, caller, arguments and results, how many) -> a trap or None"""


def as_pointer(address: int) -> pointer:
    return address


def as_call(address: int) -> call_fn:
    return ctypes.CFUNCTYPE(_P, _P, _P, _P, _S, _P)(address)


def as_trap(address: int) -> trap_fn:
    return ctypes.CFUNCTYPE(_P, ctypes.c_char_p, _S)(address)


def as_size(address: int) -> size_fn:
    return ctypes.CFUNCTYPE(_S, _P, _P)(address)


def as_data(address: int) -> data_fn:
    return ctypes.CFUNCTYPE(_P, _P, _P)(address)


def as_deadline(address: int) -> deadline_fn:
    return ctypes.CFUNCTYPE(None, _P, ctypes.c_uint64)(address)


def as_tick(address: int) -> tick_fn:
    return ctypes.CFUNCTYPE(None, _P)(address)


def new_raw() -> rawp:
    """Room for the arguments and results of a call."""
    return _Values()


def raw_at(address: int) -> rawp:
    """The arguments of a host function, at their address."""
    return _Values.from_address(address)


def arg(a: rawp, k: int) -> int:
    """The 32-bit argument number k of a host function; what stands above it in its place is not defined."""
    return int(a[2 * k]) & 0xFFFFFFFF


def arg64(a: rawp, k: int) -> int:
    """The 64-bit argument number k, signed."""
    value = int(a[2 * k])
    return value - (1 << 64) if value >> 63 else value


def address_of_callback(function: Any) -> int:
    found = ctypes.cast(function, _P).value
    assert found is not None
    return found


def run(f: call_fn, context: pointer, func: pointer, raw: rawp, n: int) -> int:
    """Runs a guest's function. 0: it returned, results are in raw. 1: raw[30] is the address of a trap or
    raw[31] that of an error."""
    trap = _P()
    error = f(context, func, ctypes.addressof(raw), n, ctypes.addressof(trap))
    if not error and not trap.value:
        return 0
    raw[30] = trap.value or 0
    raw[31] = error or 0
    return 1


def new_trap(f: trap_fn, text: bytes) -> Any:
    """A trap with a text; whoever gets it owns it."""
    return f(text, len(text))


lock: TypeAlias = threading.Lock


def new_lock() -> threading.Lock:
    return threading.Lock()


def no_lock(held: threading.Lock) -> bool:
    """Could no lock be made?"""
    return False


def free_lock(held: threading.Lock) -> None:
    """Nothing to do: the collector has it."""


def take_lock(held: threading.Lock) -> None:
    held.acquire()


def give_lock(held: threading.Lock) -> None:
    held.release()


def wait_lock(held: threading.Lock, microseconds: int) -> bool:
    """Was it taken within that time?"""
    return held.acquire(timeout=microseconds / 1e6)


def start_thread(func: Callable[[Any], None], argument: object) -> bool:
    """False when no thread could be started."""
    try:
        threading.Thread(target=func, args=(argument,), daemon=True).start()
    except RuntimeError:
        return False
    return True
