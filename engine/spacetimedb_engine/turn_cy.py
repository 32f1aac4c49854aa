"""A turn of the server's loop: all bytes that its sockets brought, worked off in one go.

For each connection in turn: frames, messages, and for every call of a reducer one transaction, from the bytes of the
call to its reply in the connection's buffer and its record in the log, without a Python object in between. What the
engine does not know goes to the host's callbacks, in order, so that a client's messages take effect in the order
they were sent.
"""

from __future__ import annotations

import cython
from spacetimedb_engine.faults import FAULTS, NOT_UTF8, UNREADABLE_CLOSE
from spacetimedb_engine.turn_host import CallResult, TurnHost
from spacetimedb_engine.wire_cy import reducer_ok

if not cython.compiled:
    from spacetimedb_engine.buffer_cy import Buffer
    from spacetimedb_engine.connection_cy import Connection
    from spacetimedb_engine.frames_cy import close_code_allowed
    from spacetimedb_engine.guest_cy import Guest
    from spacetimedb_engine.habits_cy import LookAhead
    from spacetimedb_engine.memory import bufp, get_bytes, ld8, u8p, utf8_valid
    from spacetimedb_engine.store_cy import Store
    from spacetimedb_engine.transactions_cy import Transactions
    from spacetimedb_engine.wire_cy import Call, Reducer, Reducers

    KEEP = 65_536  # buffers that hold more are given back once they are empty


class Turn:
    """`host` has the callbacks of `TurnHost`. `guest` runs the reducers; None or a dead one: calls go to the host."""

    def __init__(self, store: Store, host: TurnHost) -> None:
        self.store = store
        self.host = host
        self.guest: Guest | None = None
        self.reducers = Reducers([])
        self.dirtied: list[Connection] = []
        self.call_parts = Call()
        self.scratch = Buffer()
        self.transactions = Transactions(store, host)
        self.look_ahead = LookAhead(store)
        self.now = 0
        self.running = False

    def open(self, identity: bytes, connection_id: bytes, protocol: int, is_owner: bool) -> Connection:
        return Connection(identity, connection_id, protocol, is_owner, self.dirtied)

    def set_reducers(self, table: list[tuple[bytes, int, bytes, int]]) -> None:
        """(name, id, BSATN of the product type of its parameters, 0 nobody | 1 owner | 2 everyone may call it)"""
        self.reducers = Reducers([Reducer(*entry) for entry in table])

    def habits(self, name: bytes) -> list[tuple[int, int]]:
        """What the calls of a reducer look up by their arguments: see `Habits.pairs`."""
        reducer: Reducer | None = self.reducers.find(bufp(name), 0, len(name))
        return [] if reducer is None else reducer.habits.pairs()

    @property
    def before_commit(self) -> bool:
        """Does the host want to be asked before a call commits?"""
        return self.transactions.before_commit

    @before_commit.setter
    def before_commit(self, wanted: bool) -> None:
        self.transactions.before_commit = wanted

    def stamp(self, now: int) -> int:
        """The timestamp of the next call: now, but later than any before."""
        return self.transactions.stamp(now)

    def call(
        self, reducer_id: int, name: bytes, identity: bytes, connection_id: bytes, now: int, args: bytes
    ) -> CallResult:
        """A whole transaction for a caller without a socket. Arguments and permissions are the host's business."""
        head = identity + connection_id
        done: Transactions = self.transactions
        timestamp = done.stamp(now)
        guest: Guest | None = self.guest
        if len(head) != 48 or guest is None or guest.dead:
            raise ValueError("a call needs a living guest, an identity of 32 bytes and a connection id of 16")
        status = done.execute(None, guest, name, reducer_id, bufp(head), timestamp, bufp(args), 0, len(args))
        return CallResult(status, guest.text if status != 0 else b"", timestamp, done.offset)

    def dirty(self) -> list[Connection]:
        """Connections with something to take, each once."""
        conn: Connection
        found = self.dirtied[:]
        for conn in found:
            conn.listed = False
        self.dirtied.clear()
        return found

    def run(self, items: list[tuple[Connection, bytes]], now: int) -> list[Connection]:
        """Works off what the sockets brought; `now` in microseconds. The connections that have something to take."""
        conn: Connection
        data: bytes
        if self.running:
            raise RuntimeError("a turn is running: callbacks must not start another")
        self.running = True
        self.now = now
        try:
            for conn, data in items:
                self.receive(conn, bufp(data), len(data))
        finally:
            self.running = False
        return self.dirty()

    # ---- frames

    def receive(self, c: Connection, data: u8p, n: cython.size_t) -> cython.int:
        kind: cython.int = c.reader.feed(data, n)
        c.alive_since_ping = True
        self.look_ahead.restart()
        try:
            while kind == 0:
                kind = c.reader.next(self.scratch)
                if kind <= 0:
                    break
                self.event(c, kind)
                kind = 0
            if kind == -1:
                self.broken(c, FAULTS[c.reader.fault])
        finally:
            if c.reader.settle() != 0:
                kind = -4
            self.scratch.clear()
            self.scratch.shrink(KEEP)
        if kind == -4:
            self.broken(c, "the server has no memory left for what the client sends")
        return 0

    def event(self, c: Connection, kind: cython.int) -> cython.int:
        buf: u8p = c.reader.data
        at: cython.size_t = c.reader.start
        n: cython.size_t = c.reader.length
        if kind == 8:
            return self.closed(c)
        if kind == 10:
            self.host.on_pong(c, get_bytes(buf, at, n) if n > 0 else b"")
        elif c.closing:
            return 0
        elif kind == 9:
            if c.put_control(10, buf, at, n) != 0:
                return self.broken(c, "the server has no memory left for a pong")
            c.dirty()
        elif kind == 2:
            return self.message(c, buf, at, at + n)
        elif n > 0 and not utf8_valid(buf, at, n):
            c.reader.broken(NOT_UTF8)
            return self.broken(c, FAULTS[NOT_UTF8])
        else:
            self.host.on_text(c, get_bytes(buf, at, n).decode() if n > 0 else "")
        return 0

    def closed(self, c: Connection) -> cython.int:
        """The peer's close: answered as it came, unless we closed first."""
        buf: u8p = c.reader.data
        at: cython.size_t = c.reader.start
        n: cython.size_t = c.reader.length
        code: cython.uint = 1005
        if n == 1 or (n > 2 and not utf8_valid(buf, at + 2, n - 2)):
            c.reader.broken(UNREADABLE_CLOSE)
            return self.broken(c, FAULTS[UNREADABLE_CLOSE])
        if n >= 2:
            code = (ld8(buf, at) << 8) | ld8(buf, at + 1)
        reason = get_bytes(buf, at + 2, n - 2).decode() if n > 2 else ""
        if c.ended:
            return 0
        c.ended = True
        if not c.closing:
            if n >= 2 and not close_code_allowed(code):
                c.close(1002, "Protocol violation")
            elif c.put_control(8, buf, at, n) != 0:
                return self.broken(c, "the server has no memory left for a close")
            c.closing = True
            c.dirty()
        self.host.on_close(c, code, reason)
        return 0

    def broken(self, c: Connection, text: str) -> cython.int:
        """The connection is to be dropped without another word, once only."""
        if not c.dropped:
            c.dropped = c.closing = True
            self.host.on_broken(c, text)
        return 0

    # ---- messages

    def message(self, c: Connection, buf: u8p, off: cython.size_t, end: cython.size_t) -> cython.int:
        """A binary message: in protocol 3, every message in it."""
        used: cython.size_t
        guest: Guest | None
        reducer: Reducer | None
        parts: Call = self.call_parts
        if c.protocol == 3:
            self.look_ahead.restart()
        while True:
            reducer = None
            guest = self.guest
            if c.protocol >= 2 and guest is not None and not guest.dead and parts.parse(buf, off, end):
                reducer = self.reducers.find(buf, parts.name, parts.name_n)
            if (
                guest is not None
                and reducer is not None
                and (reducer.callable == 2 or (reducer.callable == 1 and c.is_owner))
                and reducer.params.walk(buf, parts.args, parts.end) >= 0
            ):
                if reducer.habits.table.n > 0:
                    self.look(c, reducer, buf, off, end)
                off = parts.end
                self.hot(c, guest, reducer, buf)
                if c.protocol != 3:
                    return 0
            else:
                answer = self.host.on_message(c, get_bytes(buf, off, end - off) if end > off else b"")
                if c.protocol != 3 or answer is None:
                    return 0
                used = answer
                if used == 0 or used > end - off:
                    return 0
                off += used
            if off >= end or c.closing:
                return 0

    def look(
        self, c: Connection, r: Reducer, buf: u8p, off: cython.size_t, end: cython.size_t
    ) -> cython.void:
        """Fetches what the calls behind the one at `off` will need."""
        parts: Call = self.call_parts
        if c.protocol == 3:
            self.look_ahead.messages(r.habits, buf, off, parts.args, parts.end, end)
        else:
            self.look_ahead.frames(r.habits, c.reader, parts.args - off)

    def hot(self, c: Connection, guest: Guest, r: Reducer, buf: u8p) -> cython.int:
        """A call whose arguments are in order, from its transaction to its reply."""
        request_id: cython.uint = self.call_parts.request_id
        args: cython.size_t = self.call_parts.args
        n: cython.size_t = self.call_parts.args_n
        watched: cython.bint = r.habits.watched(n)
        timestamp: cython.ulonglong = self.transactions.stamp(self.now)
        guest.lookups.n = 0
        guest.noting = watched
        status: cython.int = self.transactions.execute(
            c, guest, r.name, r.id, bufp(c.head), timestamp, buf, args, n
        )
        guest.noting = False
        if watched:
            r.habits.learn(self.store, guest.lookups, buf, args, n)
        if status != 0:
            self.host.on_failure(c, request_id, r.id, status, guest.text, timestamp)
            return 0
        return self.committed(c, request_id, timestamp)

    def committed(self, c: Connection, request_id: cython.uint, timestamp: cython.ulonglong) -> cython.int:
        """The caller's reply, with the rows it watches; the host tells the others."""
        updates: bytes | None = None
        if self.transactions.offset >= 0 and self.store.committer.touched_watched:
            updates = self.host.on_commit(c, request_id, self.transactions.offset)
        if updates is None or len(updates) == 4:
            if c.put_ok(request_id, timestamp) != 0:
                raise MemoryError("no memory for the reply to a call")
            c.wait_for(self.store.committer.offset - 1)
            c.dirty()
        else:
            c.append(reducer_ok(request_id, timestamp, updates), self.store.committer.offset - 1)
        return 0
