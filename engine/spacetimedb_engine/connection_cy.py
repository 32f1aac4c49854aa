"""A client's connection: what of its bytes is still to be read, and what is to be written to it.

Everything that is put in comes out of `take` in the same order, as WebSocket frames. The connection knows the latest
transaction that anything in it was computed from (`offset`), so that a reader who wants confirmed reads gets none of
it before that transaction is durable.

In protocol 3 one payload holds several messages: they gather in `body`, behind one tag byte that says they are not
compressed, until something that must not join them comes, or until `take`.
"""

from __future__ import annotations

import cython

if not cython.compiled:
    from spacetimedb_engine.buffer_cy import Buffer
    from spacetimedb_engine.frames_cy import FrameReader, put_frame, put_message
    from spacetimedb_engine.memory import bufp, ld8, st8, st16, st32, st64, u8p

    PAYLOAD = 524_288  # most bytes of messages that the server puts into one payload of protocol 3
    TOGETHER = 4096  # and most messages
    KEEP = 65_536  # buffers that hold more are given back once they are empty


class Connection:
    """Made by `Turn.open`. `protocol`: 0 v1 as JSON text, 1 v1, 2, 3. `tag` is for the host."""

    def __init__(
        self,
        identity: bytes,
        connection_id: bytes,
        protocol: cython.int,
        is_owner: bool,
        dirtied: list[Connection],
    ) -> None:
        if len(identity) != 32 or len(connection_id) != 16:
            raise ValueError("an identity has 32 bytes and a connection id 16")
        self.identity = identity
        self.connection_id = connection_id
        self.head = identity + connection_id
        self.protocol = protocol
        self.is_owner = is_owner
        self.closing = False
        self.dropped = self.ended = False
        self.alive_since_ping = True
        self.tag: object = None
        self.offset = -1
        self.reader = FrameReader()
        self.out = Buffer()
        self.body = Buffer()
        self.together = 0
        self.listed = False
        self.dirtied = dirtied

    # ---- for the engine: 0, or -4 when out of memory; then nothing was added

    def dirty(self) -> None:
        """There is something to take: says so once."""
        if not self.listed:
            self.listed = True
            self.dirtied.append(self)

    def wait_for(self, offset: cython.longlong) -> None:
        if offset > self.offset:
            self.offset = offset

    def flush(self) -> cython.int:
        """The messages gathered become a payload."""
        if self.body.n > 0:
            if put_message(self.out, 2, self.body.data, 0, self.body.n) != 0:
                return -4
            self.body.clear()
            self.together = 0
        return 0

    def put(self, message: u8p, off: cython.size_t, n: cython.size_t) -> cython.int:
        """A whole server message, its compression tag in front (protocol 0: its text)."""
        if self.protocol == 3:
            if n == 0 or ld8(message, off) != 0:
                if self.flush() != 0:
                    return -4
                return put_message(self.out, 2, message, off, n)
            if (self.body.n + n > PAYLOAD or self.together == TOGETHER) and self.flush() != 0:
                return -4
            if self.body.reserve(n) != 0:
                return -4
            if self.body.n == 0:
                self.body.put8(0)
            self.body.append(message, off + 1, n - 1)
            self.together += 1
            return 0
        return put_message(self.out, 1 if self.protocol == 0 else 2, message, off, n)

    def put_ok(self, request_id: cython.uint, timestamp: cython.ulonglong) -> cython.int:
        """ReducerResult: ok, without a value and without updates."""
        o: cython.size_t
        b: Buffer = self.out
        if self.protocol == 3:
            if (self.body.n + 23 > PAYLOAD or self.together == TOGETHER) and self.flush() != 0:
                return -4
            b = self.body
        if b.reserve(25) != 0:
            return -4
        o = b.n
        if self.protocol != 3:
            st16(b.data, o, 0x1782)
            st8(b.data, o + 2, 0)
            o += 3
        elif o == 0:
            st8(b.data, 0, 0)
            o = 1
        st8(b.data, o, 6)
        st32(b.data, o + 1, request_id)
        st64(b.data, o + 5, timestamp)
        st8(b.data, o + 13, 0)
        st64(b.data, o + 14, 0)
        b.n = o + 22
        self.together += 1
        return 0

    def put_control(
        self, opcode: cython.uint, payload: u8p, off: cython.size_t, n: cython.size_t
    ) -> cython.int:
        """A ping, pong or close, behind what is there."""
        if self.flush() != 0:
            return -4
        return put_frame(self.out, opcode | 128, payload, off, n)

    # ---- for the host

    def append(self, message: bytes, offset: int = -1) -> None:
        """Queues a whole server message: its compression tag in front, or its text in protocol 0.

        `offset`: the transaction that it was computed from, -1 if from none.
        """
        if self.put(bufp(message), 0, len(message)) != 0:
            raise MemoryError(f"no memory to queue a message of {len(message)} bytes")
        self.wait_for(offset)
        self.dirty()

    def send_ping(self, payload: bytes = b"") -> None:
        self._control(9, payload)

    def close(self, code: int, reason: str) -> bool:
        """Queues a close frame. False: the reason is too long for one; drop the connection instead."""
        text = reason.encode()
        if len(text) > 123:
            return False
        self._control(8, code.to_bytes(2, "big") + text)
        self.closing = True
        return True

    def _control(self, opcode: int, payload: bytes) -> None:
        if self.put_control(opcode, bufp(payload), 0, len(payload)) != 0:
            raise MemoryError("no memory to queue a control frame")
        self.dirty()

    def take(self) -> bytes:
        """All that is queued, as frames; the queue is empty afterwards. Read `offset` before."""
        if self.flush() != 0:
            raise MemoryError(f"no memory to frame {self.body.n} bytes")
        self.offset = -1
        frames = self.out.take()
        self.out.shrink(KEEP)
        self.body.shrink(KEEP)
        return frames

    @property
    def pending(self) -> int:
        """Bytes queued."""
        return self.out.n + self.body.n
