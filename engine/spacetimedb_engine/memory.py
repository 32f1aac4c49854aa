"""Memory of the uncompiled engine: the interface of ``memory.pxd`` on memoryviews, with every access checked.

A place in memory is always a pair (buffer, offset); compiled, the buffer is a ``unsigned char*``.
An access outside its buffer raises ``IndexError`` or ``struct.error`` here, where the compiled form would
read on: the engine's tests run in this form to find such faults.

Numbers are little-endian and unsigned. C integers wrap, Python's do not: code that means to wrap masks.
"""

from __future__ import annotations

import ctypes
import struct
from typing import Any, TypeAlias, cast

import google_crc32c

u8p: TypeAlias = memoryview
ptrs: TypeAlias = list[memoryview]
objs: TypeAlias = list[Any]

_H, _I, _Q = struct.Struct("<H"), struct.Struct("<I"), struct.Struct("<Q")
_M64 = 0xFFFFFFFFFFFFFFFF


def _check(p: u8p | None, o: int, n: int) -> None:
    size = 0 if p is None else len(p)
    if o < 0 or n < 0 or o + n > size:
        raise IndexError(f"bytes {o}..{o + n} of a buffer of {size}")


def _read(p: u8p, o: int, n: int) -> bytes:
    _check(p, o, n)
    return bytes(p[o : o + n]) if n else b""


def ld8(p: u8p, o: int) -> int:
    _check(p, o, 1)
    return p[o]


def ld16(p: u8p, o: int) -> int:
    _check(p, o, 2)
    return int(_H.unpack_from(p, o)[0])


def ld32(p: u8p, o: int) -> int:
    _check(p, o, 4)
    return int(_I.unpack_from(p, o)[0])


def ld64(p: u8p, o: int) -> int:
    _check(p, o, 8)
    return int(_Q.unpack_from(p, o)[0])


def st8(p: u8p, o: int, v: int) -> None:
    _check(p, o, 1)
    p[o] = v & 0xFF


def st16(p: u8p, o: int, v: int) -> None:
    _check(p, o, 2)
    _H.pack_into(p, o, v & 0xFFFF)


def st32(p: u8p, o: int, v: int) -> None:
    _check(p, o, 4)
    _I.pack_into(p, o, v & 0xFFFFFFFF)


def st64(p: u8p, o: int, v: int) -> None:
    _check(p, o, 8)
    _Q.pack_into(p, o, v & _M64)


def _mix(h: int, v: int) -> int:
    h = ((h ^ v) * 0xFF51AFD7ED558CCD) & _M64
    return h ^ (h >> 32)


def hash_bytes(p: u8p, o: int, n: int, seed: int) -> int:
    """64-bit hash of n bytes; the same numbers as compiled."""
    _check(p, o, n)
    h = ((0x9E3779B97F4A7C15 ^ n) + seed) & _M64
    end = o + n
    while o < end:
        h = _mix(h, int.from_bytes(p[o : min(o + 8, end)], "little"))
        o += 8
    h = (h * 0xC4CEB9FE1A85EC53) & _M64
    return h ^ (h >> 33)


def be64(p: u8p, o: int, n: int) -> int:
    """The first min(n, 8) bytes as one big-endian number, padded with zero bytes on the right."""
    n = min(n, 8)
    _check(p, o, n)
    return int.from_bytes(p[o : o + n], "big") << (64 - 8 * n)


def match12(p: u8p, o: int, v: int) -> int:
    """Which of the 12 bytes at o are v: bit i for byte i. The 4 bytes behind must be there too."""
    _check(p, o, 16)
    return sum(1 << i for i in range(12) if p[o + i] == v)


def lowest(m: int) -> int:
    """The number of the lowest bit that is set in m, which is not zero."""
    return (m & -m).bit_length() - 1


def prefetch(p: u8p, o: int) -> None:
    """The cache line at o will be wanted soon. Never wrong, whatever o is."""


def order(a: u8p, ao: int, an: int, b: u8p, bo: int, bn: int) -> int:
    """-1, 0 or 1: bytewise, a shorter beginning first."""
    x, y = _read(a, ao, an), _read(b, bo, bn)
    return (x > y) - (x < y)


def utf8_valid(p: u8p, o: int, n: int) -> bool:
    try:
        str(_read(p, o, n), "utf-8")
    except UnicodeDecodeError:
        return False
    return True


def crc32c(p: u8p, o: int, n: int) -> int:
    return int(google_crc32c.value(_read(p, o, n)))


def copy(d: u8p, dof: int, s: u8p, so: int, n: int) -> None:
    """n bytes from (s, so) to (d, dof), two places that do not overlap."""
    _check(d, dof, n)
    _check(s, so, n)
    if n:
        d[dof : dof + n] = s[so : so + n]


def move(p: u8p, dof: int, so: int, n: int) -> None:
    """n bytes within one buffer; the places may overlap."""
    _check(p, dof, n)
    _check(p, so, n)
    if n:
        p[dof : dof + n] = bytes(p[so : so + n])


def fill(p: u8p, o: int, v: int, n: int) -> None:
    _check(p, o, n)
    p[o : o + n] = bytes([v]) * n


def same(a: u8p, ao: int, b: u8p, bo: int, n: int) -> bool:
    return _read(a, ao, n) == _read(b, bo, n)


def unmask(d: u8p, dof: int, s: u8p, so: int, n: int, mo: int) -> None:
    """n bytes from (s, so) to (d, dof), each xor one of the four mask bytes at (s, mo) in turn."""
    _check(d, dof, n)
    _check(s, so, n)
    _check(s, mo, 4)
    mask = (bytes(s[mo : mo + 4]) * (n // 4 + 1))[:n]
    mixed = int.from_bytes(s[so : so + n], "little") ^ int.from_bytes(mask, "little")
    d[dof : dof + n] = mixed.to_bytes(n, "little")


def at(p: u8p, o: int) -> u8p:
    """The buffer from o on."""
    _check(p, o, 0)
    return p[o:]


def alloc(n: int) -> u8p:
    """n zero bytes, or `null()` when the machine has no more."""
    try:
        return memoryview(bytearray(n or 1))
    except MemoryError:
        return null()


def to_line(p: u8p) -> int:
    """How far behind p the next cache line (64 bytes) begins. Below 64; uncompiled there are none."""
    return 0


def grow(p: u8p, old: int, n: int) -> u8p:
    """A buffer of n bytes that begins as p did; p is gone, except that it stays when `null()` comes back."""
    q = alloc(n)
    if not is_null(q) and not is_null(p):
        kept = min(old, n)
        q[:kept] = p[:kept]
    return q


def release(p: u8p) -> None:
    if not is_null(p):
        p.release()


def keep_apart(n: int) -> None:
    """From now on blocks of n bytes or more go back to the machine when they are released. For the whole process."""


def trim() -> None:
    """Whole pages of memory that nothing uses go back to the machine."""


def null() -> u8p:
    """No place at all."""
    return cast(u8p, None)


def is_null(p: u8p | None) -> bool:
    return p is None


def no_ptrs() -> ptrs:
    return cast(ptrs, None)


def is_no_ptrs(v: ptrs | None) -> bool:
    return v is None


def grow_ptrs(v: ptrs | None, old: int, n: int) -> ptrs:
    return [*(v or [])[: min(old, n)], *[null()] * (n - old)]


def move_ptrs(v: ptrs, dof: int, so: int, n: int) -> None:
    v[dof : dof + n] = v[so : so + n]


def release_ptrs(v: ptrs) -> None:
    """Nothing to do: the collector has it."""


def no_objs() -> objs:
    return cast(objs, None)


def is_no_objs(v: objs | None) -> bool:
    return v is None


def grow_objs(v: objs | None, old: int, n: int) -> objs:
    return [*(v or [])[: min(old, n)], *[None] * (n - old)]


def release_objs(v: objs) -> None:
    """Nothing to do: the collector has it."""


def borrow(o: object) -> Any:
    """A reference to o that does not keep it alive (compiled); its owner does."""
    return o


def is_nothing(o: object) -> bool:
    return o is None


def nothing() -> Any:
    return None


def foreign(address: int, n: int) -> u8p:
    """n bytes at a foreign address (a guest's memory), readable and writable."""
    view: u8p = memoryview((ctypes.c_ubyte * n).from_address(address)).cast("B")
    return view


def bufp(b: bytes) -> u8p:
    """The bytes of b, read-only, as long as b lives."""
    return memoryview(b)


def get_bytes(s: u8p, o: int, n: int) -> bytes:
    return _read(s, o, n)
