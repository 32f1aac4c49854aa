"""One WebAssembly module at work: its handles, what it may do at the moment, and calls of its exports.

Host functions (the `abi_*` modules) work on this object; what concerns the runtime is in `linked_cy`.

Invariants:
- `transaction` says whether the running function may touch rows; `anonymous` that it opened the transaction itself.
- A guest that may wait runs without the interpreter lock, on a thread of its own, and its host functions take the lock
  when they are called (`imports_cy`): it computes beside the loop. All others hold the lock throughout, which costs
  nothing. Either way it touches the store only while `transaction`, and then its host keeps everybody else away.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cython

if not cython.compiled:
    from spacetimedb_engine.buffer_cy import Buffer
    from spacetimedb_engine.foreign import arg, as_pointer
    from spacetimedb_engine.handles_cy import RowIters, Sinks, Sources
    from spacetimedb_engine.linked_cy import Linked
    from spacetimedb_engine.memory import bufp, ld32, ld64, u8p
    from spacetimedb_engine.store_cy import Store

Answer = int | bytes | list[bytes] | None


class Guest(Linked):
    """Make one, link its imports (`imports_of`), instantiate, `bind`, then call.

    `identity`: the database's, 32 bytes. `rare(op, a, b, parts)`: see `status.Rare`. `row_limit`: bytes of rows that
    open iterators may hold together. `may_wait`: it may sleep and make HTTP requests, as procedures do.
    """

    def __init__(
        self,
        store: Store,
        identity: bytes,
        rare: Callable[[int, int, int, list[bytes | None]], Answer],
        row_limit: cython.size_t,
        may_wait: bool = False,
    ) -> None:
        Linked.__init__(self, may_wait)
        self.store = store
        self.identity = identity
        self.rare = rare
        self.row_limit = row_limit
        self.function: bytes | None = None
        self.trap_text: bytes = b""
        self.sources = Sources()
        self.sinks = Sinks()
        self.iters = RowIters()
        self.notified = Buffer()
        self.lookups = Buffer()
        self.transaction = self.anonymous = self.viewing = self.noting = False
        self.reads: list[tuple[bool, int, bytes]] = []
        self.depth = 0
        if not cython.compiled:
            self.answer: Answer = None

    def notify(self, table_ids: Sequence[int]) -> None:
        """Rows that the guest writes to these tables are shown to `rare` (ROW_WRITTEN)."""
        self.notified.clear()
        for table_id in table_ids:
            self.notified.write(table_id.to_bytes(4, "little"))

    def is_notified(self, table_id: cython.uint) -> cython.bint:
        k: cython.size_t = self.notified.n
        while k > 0:
            k -= 4
            if ld32(self.notified.data, k) == table_id:
                return True
        return False

    # ---- calls

    def leave(self, table_mark: cython.size_t, heap_mark: cython.size_t, sink_mark: cython.uint) -> None:
        """A call is over: its handles go, and with the outermost call the row iterators."""
        self.depth -= 1
        if self.sources.table.n > table_mark:
            self.sources.cut(table_mark, heap_mark)
        if self.sinks.n > sink_mark:
            self.sinks.cut(sink_mark)
        if self.depth == 0 and self.iters.live > 0:
            self.iters.close_all()

    def reducer(
        self,
        id: cython.uint,
        head: u8p,
        now: cython.ulonglong,
        args: u8p,
        off: cython.size_t,
        n: cython.size_t,
    ) -> cython.int:
        """The outermost call of a reducer, inside an open transaction; `head` = sender and connection id, 48 bytes.

        0 ok, 1 failed with `text`, 2 an unknown code, negative: dead, with `text`.
        """
        k: cython.int
        status: cython.int
        code: cython.uint
        self.depth = 1
        self.transaction = True
        self.anonymous = self.viewing = False
        self.raw[0] = id
        for k in range(6):
            self.raw[2 + 2 * k] = ld64(head, 8 * k)
        self.raw[14] = now
        self.raw[16] = self.sources.open_args(args, off, n)
        self.raw[18] = self.sinks.open()
        status = self.enter(self.reducer_func, 10)
        if status == 0:
            code = arg(self.raw, 0)
            if code == 1:
                status = 1
                self.text = self.sinks.taken(1)
            elif code != 0:
                status = 2
                self.text = b"unknown return code"
        self.transaction = False
        self.leave(0, 0, 0)
        return status

    def call_reducer(
        self, id: int, name: bytes, sender: bytes, connection_id: bytes, now: int, args: bytes
    ) -> int:
        """A reducer from Python, inside an open transaction: see `reducer`."""
        head = sender + connection_id
        self._require_alive()
        if self.depth != 0 or len(head) != 48:
            raise ValueError(
                "a reducer is an outermost call with a sender of 32 and a connection id of 16 bytes"
            )
        self.function = name
        return self.reducer(id, bufp(head), now, bufp(args), 0, len(args))

    def invoke(
        self,
        func: cython.size_t,
        words: list[int],
        sources: list[tuple[int, bytes | None]],
        sinks: list[int],
        name: bytes | None,
        transaction: bool,
        viewing: bool,
    ) -> tuple[int, int, list[bytes], list[tuple[bool, int, bytes]]]:
        """Any export, from Python, also within another call of this guest.

        `words` are the arguments as unsigned numbers; at the positions in `sources` go handles of bytes to read
        (0 for None), at those in `sinks` handles of fresh sinks. Returns (0 or a negative status, returned code,
        what the sinks hold, what was read if `viewing`: (a whole table?, table or index id, key)).
        """
        position: int
        content: bytes | None
        k: cython.int
        status: cython.int
        code: cython.longlong
        self._require_alive()
        if len(words) > 15:
            raise ValueError("no export takes more than 15 arguments")
        before = (self.transaction, self.anonymous, self.viewing, self.reads)
        table_mark: cython.size_t = self.sources.table.n
        heap_mark: cython.size_t = self.sources.heap.n
        sink_mark: cython.uint = self.sinks.n
        self.depth += 1
        self.transaction = transaction
        self.anonymous = False
        self.viewing = viewing
        self.reads = []
        if name is not None:
            self.function = name
        try:
            for position, content in sources:
                words[position] = self._source(content)
            for position in sinks:
                words[position] = self.sinks.open()
            for k in range(len(words)):
                self.raw[2 * k] = words[k]
            status = self.enter(as_pointer(func), len(words))
            if status != 0:
                return status, 0, [], []
            code = arg(self.raw, 0)
            return 0, code, [self.sinks.taken(words[position]) for position in sinks], self.reads
        finally:
            self.transaction, self.anonymous, self.viewing, self.reads = before
            self.leave(table_mark, heap_mark, sink_mark)

    def _require_alive(self) -> None:
        if self.dead:
            raise RuntimeError("this instance of the module has trapped or was closed: start another")

    def _source(self, content: bytes | None) -> int:
        if content is None:
            return 0
        handle = self.sources.open_copy(bufp(content), 0, len(content))
        if handle < 0:
            raise MemoryError(f"no memory for {len(content)} bytes of arguments")
        return handle

    @property
    def in_transaction(self) -> bool:
        """May the running function touch rows?"""
        return self.transaction

    @property
    def has_own_transaction(self) -> bool:
        """Did the running procedure open a transaction that it has not ended?"""
        return self.anonymous
