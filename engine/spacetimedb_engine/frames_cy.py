"""WebSocket framing of a server (RFC 6455), without sockets.

A `FrameReader` is fed whatever bytes a socket brought and gives out one event after another: whole messages
(fragments put together), pings, pongs, closes, or the news that the peer broke the protocol. A frame that lies
whole in the bytes fed is unmasked straight into the caller's scratch buffer; only what is cut off at the end is
kept until more comes.

Invariants:
- `pending` holds the still masked bytes of at most one incomplete frame between `settle` and `feed`.
- `message` holds the unmasked fragments of at most one unfinished message, `opcode` its kind (0: none).
- A message over the limit is refused when its header arrives, before room is made for it.
- The payload of an event (`data`, `start`, `length`) is valid until the next call of the reader.
"""

from __future__ import annotations

import cython

if not cython.compiled:
    from spacetimedb_engine.buffer_cy import Buffer
    from spacetimedb_engine.memory import bufp, get_bytes, ld8, null, st8, u8p, unmask

    FRAGMENT = 4096  # largest payload of a frame that the server sends
    MESSAGE_LIMIT = 33_554_432  # largest message a client may send
    KEEP = 65_536  # buffers that hold more are given back once they are empty

NOTHING, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
BROKEN, NO_MEMORY = -1, -4


class FrameReader:
    """The receiving half of one connection.

    Events of `next`: 0 nothing more, 1 text, 2 binary, 8 close, 9 ping, 10 pong, -1 broken, -4 out of memory.
    After -1 `fault` indexes `faults.FAULTS`, and the reader gives nothing any more.
    """

    def __init__(self) -> None:
        self.pending = Buffer()
        self.message = Buffer()
        self.source: u8p = null()
        self.data: u8p = null()
        self.pos = self.end = self.start = self.length = 0
        self.opcode = 0
        self.fault = 0
        self.own = self.delivered = False

    def feed(self, source: u8p, n: cython.size_t) -> cython.int:
        """Takes what a socket brought; the bytes must stay where they are until `settle`."""
        self.pos = 0
        self.own = self.pending.n > 0
        if not self.own:
            self.source = source
            self.end = n
            return 0
        self.end = 0
        if self.pending.append(source, 0, n) != 0:
            return -4
        self.source = self.pending.data
        self.end = self.pending.n
        return 0

    def settle(self) -> cython.int:
        """All events of what was fed are out: keeps the incomplete rest."""
        left: cython.size_t = self.end - self.pos
        if self.fault != 0:
            left = 0
        if self.own:
            self.pending.drop_front(self.pending.n - left)
        elif left > 0 and self.pending.append(self.source, self.pos, left) != 0:
            return -4
        if self.delivered:
            self.delivered = False
            self.message.clear()
        self.pending.shrink(KEEP)
        self.message.shrink(KEEP)
        self.source = null()
        self.data = null()
        self.pos = self.end = 0
        return 0

    def broken(self, fault: cython.int) -> cython.int:
        self.fault = fault
        return -1

    def next(self, scratch: Buffer) -> cython.int:
        """The next event; a payload lies in `data` from `start` on, `length` bytes."""
        left: cython.size_t
        at: cython.size_t
        head: cython.size_t
        k: cython.size_t
        first: cython.uint
        opcode: cython.uint
        size: cython.ulonglong
        event: cython.int
        if self.delivered:
            self.delivered = False
            self.message.clear()
        while self.fault == 0:
            at = self.pos
            left = self.end - at
            if left < 2:
                return 0
            first = ld8(self.source, at)
            size = ld8(self.source, at + 1)
            opcode = first & 15
            if size < 128:
                return self.broken(1)
            size -= 128
            if (first & 0x70) != 0 or opcode > 10 or (opcode > 2 and opcode < 8):
                return self.broken(2)
            if opcode >= 8:
                if first < 128 or size > 125:
                    return self.broken(3)
            elif (opcode == 0) != (self.opcode != 0):
                return self.broken(4)
            head = 6
            if size == 126:
                head = 8
            elif size == 127:
                head = 14
            if left < head - 4:
                return 0
            if head > 6:
                size = 0
                for k in range(at + 2, at + head - 4):
                    if size > MESSAGE_LIMIT:
                        return self.broken(5)
                    size = (size << 8) | ld8(self.source, k)
            if opcode < 8 and size + self.message.n > MESSAGE_LIMIT:
                return self.broken(5)
            if left < head or left - head < size:
                return 0
            self.pos = at + head + size
            if opcode >= 8 or (opcode > 0 and first >= 128):
                return self.whole(opcode, at + head, size, scratch)
            event = self.fragment(opcode, first >= 128, at + head, size)
            if event != 0:
                return event
        return -1

    def whole(self, opcode: cython.uint, at: cython.size_t, n: cython.size_t, scratch: Buffer) -> cython.int:
        """An event in a single frame: unmasked in place if the bytes are ours, else into scratch."""
        self.length = n
        if self.own:
            self.data = self.source
            self.start = at
        else:
            scratch.n = 0
            if scratch.cap < n and scratch.reserve(n) != 0:
                return -4
            self.data = scratch.data
            self.start = 0
        if n > 0:
            unmask(self.data, self.start, self.source, at, n, at - 4)
        return opcode

    def fragment(
        self, opcode: cython.uint, last: cython.bint, at: cython.size_t, n: cython.size_t
    ) -> cython.int:
        """A part of a message: the whole of it after its last part, else 0."""
        if opcode != 0:
            self.opcode = opcode
        if self.message.reserve(n) != 0:
            return -4
        if n > 0:
            unmask(self.message.data, self.message.n, self.source, at, n, at - 4)
            self.message.n += n
        if not last:
            return 0
        self.data = self.message.data
        self.start = 0
        self.length = self.message.n
        self.delivered = True
        opcode = self.opcode
        self.opcode = 0
        return opcode

    def read(self, source: bytes) -> list[tuple[int, bytes]]:
        """All events of the bytes fed, for Python: (event, payload)."""
        scratch = Buffer()
        events: list[tuple[int, bytes]] = []
        event: cython.int = self.feed(bufp(source), len(source))
        while event == 0:
            event = self.next(scratch)
            if event == 0:
                break
            if event < 0:
                events.append((event, b""))
                break
            events.append((event, get_bytes(self.data, self.start, self.length) if self.length else b""))
            event = 0
        self.settle()
        return events


def put_frame(out: Buffer, first: cython.uint, src: u8p, off: cython.size_t, n: cython.size_t) -> cython.int:
    """One frame whose first byte is given. 0 | -4."""
    k: cython.int
    if out.reserve(n + 10) != 0:
        return -4
    st8(out.data, out.n, first)
    if n < 126:
        st8(out.data, out.n + 1, n)
        out.n += 2
    elif n < 65536:
        st8(out.data, out.n + 1, 126)
        st8(out.data, out.n + 2, n >> 8)
        st8(out.data, out.n + 3, n & 255)
        out.n += 4
    else:
        st8(out.data, out.n + 1, 127)
        for k in range(8):
            st8(out.data, out.n + 2 + k, (n >> (56 - 8 * k)) & 255)
        out.n += 10
    return out.append(src, off, n)


def put_message(
    out: Buffer, opcode: cython.uint, src: u8p, off: cython.size_t, n: cython.size_t
) -> cython.int:
    """A text (1) or binary (2) message, in frames of at most FRAGMENT bytes. 0 | -4; then `out` is as it was."""
    begin: cython.size_t = out.n
    while n > FRAGMENT:
        if put_frame(out, opcode, src, off, FRAGMENT) != 0:
            out.n = begin
            return -4
        opcode = 0
        off += FRAGMENT
        n -= FRAGMENT
    if put_frame(out, opcode | 128, src, off, n) != 0:
        out.n = begin
        return -4
    return 0


def close_code_allowed(code: cython.uint) -> cython.bint:
    """May a peer send this code in a close frame?"""
    if code < 1000 or code >= 5000:
        return False
    return code >= 3000 or code <= 1003 or (code >= 1007 and code <= 1013)
