"""A call of a reducer as a transaction: begin, run, commit or take back.

Order: begin, run, (let the host refresh what hangs on the rows), commit. A call that does not commit leaves nothing
behind, however it ends.
"""

from __future__ import annotations

import cython
from spacetimedb_engine.turn_host import TurnHost

if not cython.compiled:
    from spacetimedb_engine.buffer_cy import Buffer
    from spacetimedb_engine.connection_cy import Connection
    from spacetimedb_engine.guest_cy import Guest
    from spacetimedb_engine.memory import bufp, copy, st8, st64, u8p
    from spacetimedb_engine.store_cy import Store

    KEEP = 65_536  # buffers that hold more are given back once they are empty


class Transactions:
    """`offset`: of the last transaction, -1 if it took none. `last`: the timestamp of the last call."""

    def __init__(self, store: Store, host: TurnHost) -> None:
        self.store = store
        self.host = host
        self.before_commit = False
        self.inputs = Buffer()
        self.last = 0
        self.offset = -1

    def stamp(self, now: cython.ulonglong) -> cython.ulonglong:
        """The timestamp of the next call: now, but later than any before."""
        self.last = now if now > self.last else self.last + 1
        return self.last

    def execute(
        self,
        c: Connection | None,
        guest: Guest,
        name: bytes,
        id: cython.uint,
        head: u8p,
        timestamp: cython.ulonglong,
        buf: u8p,
        off: cython.size_t,
        n: cython.size_t,
    ) -> cython.int:
        """One transaction; its offset goes to `offset` (-1: it took none). A status other than 0: rolled back."""
        status: cython.int
        store: Store = self.store
        self.offset = -1
        if store.begin_tx() != 0:
            raise RuntimeError("a transaction is open already: a reducer cannot begin its own")
        try:
            guest.function = name
            status = guest.reducer(id, head, timestamp, buf, off, n)
            if status == 0 and self.before_commit:
                refusal = self.host.before_commit(c, id)
                if refusal is not None:
                    guest.text = refusal
                    status = 3
            if status == 0:
                if self.fill_inputs(name, head, timestamp, buf, off, n) != 0:
                    raise MemoryError("no memory for the record of a call")
                self.offset = store.commit_tx(self.inputs.data, 0, self.inputs.n, True, False)
                if self.offset < -1:
                    raise MemoryError("no memory for the record of a transaction")
        finally:
            if store.journal.open:
                store.rollback_tx()
        return status

    def fill_inputs(
        self,
        name: bytes,
        head: u8p,
        timestamp: cython.ulonglong,
        args: u8p,
        off: cython.size_t,
        n: cython.size_t,
    ) -> cython.int:
        """What the log keeps of a call: u8 length and name, sender, connection id, timestamp, arguments."""
        b: Buffer = self.inputs
        k: cython.size_t = len(name)
        if k > 255:
            k = 255
        if b.cap > KEEP:
            b.n = 0
            b.shrink(KEEP)
        b.n = 0
        if b.reserve(57 + k + n) != 0:
            return -4
        st8(b.data, 0, k)
        copy(b.data, 1, bufp(name), 0, k)
        copy(b.data, 1 + k, head, 0, 48)
        st64(b.data, 49 + k, timestamp)
        copy(b.data, 57 + k, args, off, n)
        b.n = 57 + k + n
        return 0
