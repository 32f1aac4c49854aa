"""A growing run of bytes.

`data[0:n]` is what was put in, `cap` what there is room for. Everything that may need more memory answers 0,
or -4 when the machine has none left; then the buffer is as it was. `data` moves when the buffer grows.
"""

from __future__ import annotations

import cython

if not cython.compiled:
    from spacetimedb_engine.memory import (
        bufp,
        copy,
        get_bytes,
        grow,
        is_null,
        move,
        null,
        release,
        st8,
        st32,
        st64,
        u8p,
    )


class Buffer:
    def __init__(self) -> None:
        self.data: u8p = null()
        self.n = 0
        self.cap = 0

    def __dealloc__(self) -> None:
        release(self.data)

    def reserve(self, extra: cython.size_t) -> cython.int:
        """Makes room for `extra` more bytes."""
        cap: cython.size_t
        data: u8p
        if extra <= self.cap - self.n:
            return 0
        cap = self.cap * 2 if self.cap * 2 > self.n + extra else self.n + extra
        if cap < 64:
            cap = 64
        data = grow(self.data, self.n, cap)
        if is_null(data):
            return -4
        self.data = data
        self.cap = cap
        return 0

    def append(self, src: u8p, off: cython.size_t, n: cython.size_t) -> cython.int:
        if self.cap - self.n < n and self.reserve(n) != 0:
            return -4
        if n > 0:
            copy(self.data, self.n, src, off, n)
            self.n += n
        return 0

    def put8(self, v: cython.uint) -> cython.int:
        if self.cap - self.n < 1 and self.reserve(1) != 0:
            return -4
        st8(self.data, self.n, v)
        self.n += 1
        return 0

    def put32(self, v: cython.uint) -> cython.int:
        if self.cap - self.n < 4 and self.reserve(4) != 0:
            return -4
        st32(self.data, self.n, v)
        self.n += 4
        return 0

    def put64(self, v: cython.ulonglong) -> cython.int:
        if self.cap - self.n < 8 and self.reserve(8) != 0:
            return -4
        st64(self.data, self.n, v)
        self.n += 8
        return 0

    def put_varint(self, v: cython.ulonglong) -> cython.int:
        """Unsigned LEB128: seven bits a byte, the lowest first."""
        if self.cap - self.n < 10 and self.reserve(10) != 0:
            return -4
        while v > 127:
            st8(self.data, self.n, (v & 127) | 128)
            self.n += 1
            v = v >> 7
        st8(self.data, self.n, v)
        self.n += 1
        return 0

    def clear(self) -> None:
        self.n = 0

    def drop_front(self, k: cython.size_t) -> None:
        """The first k bytes go."""
        if k < self.n:
            move(self.data, 0, k, self.n - k)
            self.n -= k
        else:
            self.n = 0

    def shrink(self, limit: cython.size_t) -> None:
        """Gives an empty buffer's memory back when it holds more than `limit` bytes of it."""
        if self.n == 0 and self.cap > limit:
            release(self.data)
            self.data = null()
            self.cap = 0

    def take(self) -> bytes:
        """The content; the buffer is empty afterwards."""
        content = get_bytes(self.data, 0, self.n) if self.n else b""
        self.n = 0
        return content

    def write(self, content: bytes) -> None:
        """Appends, for Python."""
        if self.append(bufp(content), 0, len(content)) != 0:
            raise MemoryError(f"no memory for {len(content)} more bytes")
