"""Every host function of the module ABI, called as a guest calls it.

The guest is a module that exports all its imports again; its one reducer calls back into the test, which then uses
the host functions on the guest's own memory.
"""

import ctypes
import struct
from collections.abc import Callable
from typing import Any

import pytest
import wasmtime

from spacetimedb_engine import SIGNATURES, GuestTrap, Rare, Store

from .conftest import IDENTITY, HostTrap, LoadedGuest

U8, U32, U64, STRING = b"\x06", b"\x0b", b"\x0d", b"\x04"
PERSON, NOTE = 4096, 4097
PERSON_ID, PERSON_AGE, PERSON_BOTH, NOTE_ID, NOTE_HASH = 1, 2, 3, 4, 5
DRAINED = 0xFFFFFFFF
RANGE_SCAN = "datastore_index_scan_range_bsatn"
STEP = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
AT, OUT, LEN = 4096, 256, 128
"""Places in guest memory: for data, for results, for lengths."""


def product(*types: bytes) -> bytes:
    return b"\x02" + struct.pack("<I", len(types)) + b"".join(b"\x01" + kind for kind in types)


def person(id: int, age: int) -> bytes:
    return struct.pack("<II", id, age)


def note(id: int, text: str) -> bytes:
    return struct.pack("<QI", id, len(text.encode())) + text.encode()


def wat() -> str:
    """Imports everything and exports it again; the reducer calls the test, and returns what it says."""
    imports, exports = ['(import "test" "step" (func $step (result i32)))'], []
    for k, ((module, name), (params, results)) in enumerate(SIGNATURES.items()):
        kind = f"(param {' '.join(params)})" if params else ""
        kind += f"(result {' '.join(results)})" if results else ""
        imports.append(f'(import "{module}" "{name}" (func $f{k} {kind}))')
        exports.append(f'(export "{name}" (func $f{k}))')
    memory = '(memory (export "memory") 2)'
    reducer = (
        '(func (export "__call_reducer__") (param i32 i64 i64 i64 i64 i64 i64 i64 i32 i32) (result i32)'
        "(i32.store (i32.const 0) (local.get 0)) (i64.store (i32.const 8) (local.get 1))"
        "(i64.store (i32.const 16) (local.get 4)) (i64.store (i32.const 24) (local.get 5))"
        "(i64.store (i32.const 32) (local.get 7)) (i32.store (i32.const 40) (local.get 8))"
        "(i32.store (i32.const 44) (local.get 9)) (call $step))"
    )
    return f"(module {' '.join(imports)} {' '.join(exports)} {memory} {reducer})"


class World:
    """A store with two tables, and a guest to work on them."""

    def __init__(self, load_guest: Callable[..., LoadedGuest], **options: Any) -> None:
        self.store = Store()
        self.store.create_table(PERSON, product(U32, U32), 0)
        self.store.create_index(PERSON_ID, PERSON, 0, True, [0])
        self.store.create_index(PERSON_AGE, PERSON, 0, False, [1])
        self.store.create_index(PERSON_BOTH, PERSON, 0, False, [1, 0])
        self.store.create_table(NOTE, product(U64, STRING), 0)
        self.store.create_index(NOTE_ID, NOTE, 0, True, [0])
        self.store.create_index(NOTE_HASH, NOTE, 1, False, [1])
        self.store.create_sequence(1, NOTE, 0, 1, 1, 2**64 - 1, 1, 1)
        self.asked: list[tuple[int, int, int, list[bytes | None]]] = []
        self.answers: dict[int, Any] = {}
        self.loaded = load_guest(self.store, wat(), self.rare, **options)
        self.guest = self.loaded.guest
        self.body: Callable[[], int | None] = lambda: 0
        self.failure: BaseException | None = None
        self.step = ctypes.CFUNCTYPE(
            ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t
        )(self.on_step)
        kind = wasmtime.FuncType([], [wasmtime.ValType.i32()])
        callback = ctypes.cast(self.step, ctypes.c_void_p).value
        assert callback is not None
        self.loaded.define_at("test", "step", kind, callback, 0)
        self.loaded.start()

    def rare(self, op: int, a: int, b: int, parts: list[bytes | None]) -> Any:
        self.asked.append((op, a, b, parts))
        answer = self.answers[op]
        if isinstance(answer, BaseException):
            raise answer
        return answer(a, b, parts) if callable(answer) else answer

    def on_step(self, env: object, caller: object, raw: int, n: int) -> None:
        try:
            ctypes.c_uint32.from_address(raw).value = self.body() or 0
        except BaseException as error:
            self.failure = error

    def reducer(self, body: Callable[[], int | None], args: bytes = b"") -> int:
        """Runs the body as a reducer in a transaction, which is committed if it returns nothing or 0."""
        self.body, self.failure = body, None
        self.store.begin()
        status = self.guest.call_reducer(7, b"test", bytes(range(32)), bytes(range(32, 48)), 1234, args)
        if self.failure is not None:
            self.store.rollback()
            raise self.failure
        if status:
            self.store.rollback()
        else:
            self.store.commit(None)
        return status

    def call(self, name: str, *words: int) -> int:
        return self.loaded.call(name, *words)

    # ---- guest memory

    def put(self, data: bytes, at: int = AT) -> None:
        self.loaded.memory.write(self.loaded.wasm, data, at)

    def get(self, n: int, at: int = AT) -> bytes:
        return bytes(self.loaded.memory.read(self.loaded.wasm, at, at + n))

    def number(self, at: int = OUT, size: int = 4) -> int:
        return int.from_bytes(self.get(size, at), "little")

    # ---- host functions with their usual places

    def insert(self, table: int, row: bytes) -> int:
        self.put(row)
        self.put(struct.pack("<I", len(row)), LEN)
        return self.call("datastore_insert_bsatn", table, AT, LEN)

    def update(self, table: int, index: int, row: bytes) -> int:
        self.put(row)
        self.put(struct.pack("<I", len(row)), LEN)
        return self.call("datastore_update_bsatn", table, index, AT, LEN)

    def scan(self, table: int) -> int:
        assert self.call("datastore_table_scan_bsatn", table, OUT) == 0
        return self.number()

    def point(self, index: int, key: bytes, function: str = "datastore_index_scan_point_bsatn") -> int:
        self.put(key)
        return self.call(function, index, AT, len(key), OUT)

    def range(
        self,
        index: int,
        prefix: bytes,
        elems: int,
        start: bytes,
        end: bytes,
        function: str = "datastore_index_scan_range_bsatn",
    ) -> int:
        self.put(prefix + start + end)
        s = AT + len(prefix)
        e = s + len(start)
        return self.call(function, index, AT, len(prefix), elems, s, len(start), e, len(end), OUT)

    def advance(self, iterator: int, room: int = 1 << 15) -> tuple[int, bytes]:
        self.put(struct.pack("<I", room), LEN)
        code = self.call("row_iter_bsatn_advance", iterator, AT, LEN)
        n = self.number(LEN)
        return code, self.get(n) if code in (0, DRAINED) else struct.pack("<I", n)

    def rows(self, iterator: int) -> bytes:
        code, rows = self.advance(iterator)
        assert code == DRAINED
        return rows


@pytest.fixture
def world(load_guest: Callable[..., LoadedGuest]) -> World:
    return World(load_guest)


# ---- calls


def test_a_reducer_gets_its_caller_time_and_handles(world: World) -> None:
    def body() -> None:
        assert world.number(0) == 7
        assert world.get(8, 8) == bytes(range(8)), "the first word of the sender"
        assert world.get(8, 16) == bytes(range(24, 32)), "the last word of the sender"
        assert world.get(8, 24) == bytes(range(32, 40)), "the first word of the connection id"
        assert world.number(32, 8) == 1234
        assert (world.number(40), world.number(44)) == (1, 1), "a source and a sink, numbered apart"

    assert world.reducer(body, b"args") == 0
    assert world.guest.function == b"test"


def test_empty_arguments_have_no_source(world: World) -> None:
    def body() -> None:
        assert world.number(40) == 0
        assert world.call("bytes_source_remaining_length", 0, OUT) == 8

    assert world.reducer(body) == 0


def test_an_error_of_the_module_is_in_its_sink(world: World) -> None:
    def body() -> int:
        world.put(b"overdrawn")
        world.put(struct.pack("<I", 9), LEN)
        assert world.call("bytes_sink_write", 1, AT, LEN) == 0
        assert world.call("bytes_sink_write", 1, AT, LEN) == 0
        assert world.number(LEN) == 9
        return 1

    assert world.reducer(body) == 1
    assert world.guest.text == b"overdrawnoverdrawn"
    assert not world.guest.dead


def test_an_unknown_code_keeps_the_instance(world: World) -> None:
    assert world.reducer(lambda: 77) == 2
    assert not world.guest.dead


# ---- sources and sinks


def test_a_source_is_read_in_parts_and_then_gone(world: World) -> None:
    def body() -> None:
        assert world.call("bytes_source_remaining_length", 1, OUT) == 0
        assert world.number() == 10
        world.put(struct.pack("<I", 4), LEN)
        assert world.call("bytes_source_read", 1, AT, LEN) == 0
        assert world.get(4) == b"abcd"
        world.put(struct.pack("<I", 100), LEN)
        assert world.call("bytes_source_read", 1, AT, LEN) == DRAINED
        assert (world.number(LEN), world.get(6)) == (6, b"efghij")
        assert world.call("bytes_source_read", 1, AT, LEN) == 8
        assert world.call("bytes_source_remaining_length", 1, OUT) == 8
        assert world.call("bytes_sink_write", 2, AT, LEN) == 8

    assert world.reducer(body, b"abcdefghij") == 0


# ---- rows


def test_insert_scan_and_count(world: World) -> None:
    def body() -> None:
        assert world.insert(PERSON, person(1, 30)) == 0
        assert world.number(LEN) == 0, "nothing was generated"
        assert world.insert(PERSON, person(2, 40)) == 0
        assert world.call("datastore_table_row_count", PERSON, OUT) == 0
        assert world.number(OUT, 8) == 2
        rows = world.rows(world.scan(PERSON))
        assert sorted([rows[:8], rows[8:]]) == [person(1, 30), person(2, 40)]

    assert world.reducer(body) == 0
    assert sorted(world.store.scan(PERSON)) == [person(1, 30), person(2, 40)]


def test_generated_columns_are_written_back_alone(world: World) -> None:
    def body() -> None:
        assert world.insert(NOTE, note(0, "first")) == 0
        assert world.number(LEN) == 8
        assert world.get(8) == struct.pack("<Q", 1)
        assert world.insert(NOTE, note(77, "own number")) == 0
        assert world.number(LEN) == 0

    assert world.reducer(body) == 0
    assert sorted(world.store.scan(NOTE)) == [note(1, "first"), note(77, "own number")]


def test_a_row_that_is_none_and_a_key_that_is_taken(world: World) -> None:
    def body() -> None:
        assert world.insert(PERSON, b"short") == 3
        assert world.insert(PERSON, person(1, 1)) == 0
        assert world.insert(PERSON, person(1, 2)) == 12
        assert world.insert(PERSON, person(1, 1)) == 0, "the same row again is no conflict"
        assert world.insert(999, b"") == 4

    assert world.reducer(body) == 0


def test_update(world: World) -> None:
    def body() -> None:
        assert world.insert(PERSON, person(1, 30)) == 0
        assert world.update(PERSON, PERSON_ID, person(1, 31)) == 0
        assert world.update(PERSON, PERSON_ID, person(2, 31)) == 15
        assert world.update(PERSON, PERSON_AGE, person(1, 31)) == 14
        assert world.update(PERSON, NOTE_ID, person(1, 31)) == 5
        assert world.update(PERSON, 999, person(1, 31)) == 5
        assert world.update(999, PERSON_ID, person(1, 31)) == 4

    assert world.reducer(body) == 0
    assert world.store.scan(PERSON) == [person(1, 31)]


def test_point_scans(world: World) -> None:
    def body() -> None:
        for id, age in ((1, 30), (2, 30), (3, 40)):
            assert world.insert(PERSON, person(id, age)) == 0
        assert world.point(PERSON_ID, struct.pack("<I", 3)) == 0
        assert world.rows(world.number()) == person(3, 40)
        assert world.point(PERSON_ID, struct.pack("<I", 9)) == 0
        assert world.rows(world.number()) == b""
        assert world.point(PERSON_AGE, struct.pack("<I", 30)) == 0
        assert len(world.rows(world.number())) == 16
        assert world.point(PERSON_ID, b"\1") == 3
        assert world.point(999, b"\1\0\0\0") == 5
        assert (
            world.point(PERSON_AGE, struct.pack("<I", 30), "datastore_delete_by_index_scan_point_bsatn") == 0
        )
        assert world.number() == 2

    assert world.reducer(body) == 0
    assert world.store.scan(PERSON) == [person(3, 40)]


@pytest.mark.parametrize("name", ["datastore_index_scan_range_bsatn", "datastore_btree_scan_bsatn"])
def test_range_scans(world: World, name: str) -> None:
    def body() -> None:
        for id, age in ((1, 30), (2, 31), (3, 32), (4, 40)):
            assert world.insert(PERSON, person(id, age)) == 0
        included, excluded, unbounded = b"\0", b"\1", b"\2"
        age = struct.Struct("<I").pack
        assert world.range(PERSON_AGE, b"", 0, included + age(31), excluded + age(40), name) == 0
        assert world.rows(world.number()) == person(2, 31) + person(3, 32)
        assert world.range(PERSON_AGE, b"", 0, unbounded, unbounded, name) == 0
        assert len(world.rows(world.number())) == 32
        assert world.range(PERSON_BOTH, age(31), 1, unbounded, unbounded, name) == 0
        assert world.rows(world.number()) == person(2, 31)
        assert world.range(PERSON_AGE, age(31), 1, unbounded, unbounded, name) == 3
        assert world.range(NOTE_HASH, b"", 0, unbounded, unbounded, name) == 10
        assert world.range(PERSON_AGE, b"", 0, b"\x09", unbounded, name) == 3
        assert world.range(999, b"", 0, unbounded, unbounded, name) == 5

    assert world.reducer(body) == 0


def test_delete_by_range(world: World) -> None:
    def body() -> None:
        for id in range(10):
            assert world.insert(PERSON, person(id, id)) == 0
        name = "datastore_delete_by_index_scan_range_bsatn"
        assert world.range(PERSON_ID, b"", 0, b"\0\3\0\0\0", b"\2", name) == 0
        assert world.number() == 7

    assert world.reducer(body) == 0
    assert world.store.count(PERSON) == 3


def test_delete_by_equality_and_clear(world: World) -> None:
    def body() -> None:
        for id in range(5):
            assert world.insert(PERSON, person(id, 0)) == 0
        relation = struct.pack("<I", 3) + person(0, 0) + person(1, 0) + person(9, 9)
        world.put(relation)
        assert world.call("datastore_delete_all_by_eq_bsatn", PERSON, AT, len(relation), OUT) == 0
        assert world.number() == 2
        assert world.call("datastore_delete_all_by_eq_bsatn", PERSON, AT, len(relation) - 1, OUT) == 3
        assert world.call("datastore_clear", PERSON, OUT) == 0
        assert world.number(OUT, 8) == 3
        assert world.call("datastore_clear", 999, OUT) == 4

    assert world.reducer(body) == 0
    assert world.store.count(PERSON) == 0


def test_system_tables_are_for_reading_only(world: World) -> None:
    """The server keeps what it has built in step with them: to a write they are not there."""
    system, key = 12, 13
    world.store.create_table(system, product(U32, U32), 0)
    world.store.create_index(key, system, 0, True, [0])
    world.store.begin()
    world.store.insert(system, person(1, 1))
    world.store.commit(None)

    def body() -> None:
        assert world.rows(world.scan(system)) == person(1, 1)
        assert world.point(key, struct.pack("<I", 1)) == 0
        assert world.insert(system, person(2, 2)) == 4
        assert world.update(system, key, person(1, 2)) == 4
        assert world.update(PERSON, key, person(1, 2)) == 5
        relation = struct.pack("<I", 1) + person(1, 1)
        world.put(relation)
        assert world.call("datastore_delete_all_by_eq_bsatn", system, AT, len(relation), OUT) == 4
        assert world.call("datastore_clear", system, OUT) == 4
        by_point = "datastore_delete_by_index_scan_point_bsatn"
        assert world.point(key, struct.pack("<I", 1), by_point) == 5
        by_range = "datastore_delete_by_index_scan_range_bsatn"
        assert world.range(key, b"", 0, b"\2", b"\2", by_range) == 5

    assert world.reducer(body) == 0
    assert world.store.scan(system) == [person(1, 1)]


# ---- iterators


def test_rows_come_in_whole_chunks_of_a_little_more_than_32_kib(world: World) -> None:
    text = "x" * 1000
    size = len(note(0, text))

    def body() -> None:
        for _ in range(100):
            assert world.insert(NOTE, note(0, text)) == 0
        iterator = world.scan(NOTE)
        chunk = (32768 // size + 1) * size
        assert world.advance(iterator, 100) == (11, struct.pack("<I", chunk))
        code, rows = world.advance(iterator, chunk + size)
        assert (code, len(rows)) == (0, chunk)
        code, rows = world.advance(iterator, 3 * chunk)
        assert code == DRAINED
        assert len(rows) == 100 * size - chunk
        assert world.advance(iterator)[0] == 6

    assert world.reducer(body) == 0


def test_a_scan_does_not_see_what_is_written_after_it_began(world: World) -> None:
    def body() -> None:
        world.insert(PERSON, person(1, 1))
        iterator = world.scan(PERSON)
        world.insert(PERSON, person(2, 2))
        world.call("datastore_clear", PERSON, OUT)
        assert world.rows(iterator) == person(1, 1)

    assert world.reducer(body) == 0


def test_handles_of_iterators_are_used_again(world: World) -> None:
    def body() -> None:
        first, second = world.scan(PERSON), world.scan(PERSON)
        assert (first, second) == (1, 2)
        assert world.call("row_iter_bsatn_close", first) == 0
        assert world.call("row_iter_bsatn_close", first) == 6
        assert world.scan(PERSON) == first
        assert world.scan(PERSON) == 3
        assert world.call("row_iter_bsatn_close", 0) == 6

    assert world.reducer(body) == 0
    assert world.guest.iters.live == 0, "what is left open goes with the call"

    def again() -> None:
        assert world.scan(PERSON) == 1

    assert world.reducer(again) == 0


def test_iterators_hold_no_more_rows_than_they_may(load_guest: Callable[..., LoadedGuest]) -> None:
    world = World(load_guest, row_limit=20_000)

    def body() -> None:
        assert world.insert(NOTE, note(0, "y" * 15_000)) == 0
        world.scan(NOTE)
        with pytest.raises(HostTrap, match="more bytes than an instance may use"):
            world.scan(NOTE)

    assert world.reducer(body) == 0


# ---- pointers


def test_bad_pointers_are_traps(world: World) -> None:
    end = world.loaded.memory.data_len(world.loaded.wasm)

    def body() -> None:
        with pytest.raises(HostTrap, match="null pointer passed to a spacetime function"):
            world.call("datastore_table_row_count", PERSON, 0)
        with pytest.raises(HostTrap, match="null pointer passed to a spacetime function"):
            world.call("datastore_index_scan_point_bsatn", PERSON_ID, 0, 0, OUT)
        with pytest.raises(HostTrap, match="out of bounds pointer passed to a spacetime function"):
            world.call("datastore_table_row_count", PERSON, end - 7)
        assert world.call("datastore_table_row_count", PERSON, end - 8) == 0
        with pytest.raises(HostTrap, match="out of bounds pointer passed to a spacetime function"):
            world.call("datastore_index_scan_point_bsatn", PERSON_ID, AT, 0xFFFFFFFF, OUT)
        with pytest.raises(HostTrap, match="out of bounds pointer passed to a spacetime function"):
            world.call("datastore_insert_bsatn", PERSON, AT, end - 1)
        assert world.call("datastore_index_scan_point_bsatn", PERSON_ID, end, 0, OUT) == 3, (
            "none, at the very end"
        )
        with pytest.raises(HostTrap, match="ABI violation, a ColId must be a u16"):
            world.range(PERSON_BOTH, b"", 65536, b"\2", b"\2")
        world.put(b"\xff\xfe")
        with pytest.raises(HostTrap, match="invalid utf8 passed to a spacetime function"):
            world.call("table_id_from_name", AT, 2, OUT)

    assert world.reducer(body) == 0


def test_memory_that_has_grown_is_the_guests_too(world: World) -> None:
    end = world.loaded.memory.data_len(world.loaded.wasm)

    def body() -> None:
        world.loaded.memory.grow(world.loaded.wasm, 1)
        assert world.call("datastore_table_row_count", PERSON, end + 100) == 0

    assert world.reducer(body) == 0


# ---- outside a transaction


def test_without_a_transaction_rows_are_out_of_reach(world: World) -> None:
    def body() -> None:
        assert world.insert(PERSON, person(1, 1)) == 2
        assert world.update(PERSON, PERSON_ID, person(1, 1)) == 2
        assert world.call("datastore_table_scan_bsatn", PERSON, OUT) == 2
        assert world.call("datastore_table_row_count", PERSON, OUT) == 2
        assert world.point(PERSON_ID, b"\1\0\0\0") == 2
        assert world.range(PERSON_ID, b"", 0, b"\2", b"\2") == 2
        assert world.call("datastore_clear", PERSON, OUT) == 2
        assert world.call("datastore_delete_all_by_eq_bsatn", PERSON, AT, 4, OUT) == 2
        world.put(b"person")
        assert world.call("table_id_from_name", AT, 6, OUT) == 2
        assert world.call("index_id_from_name", AT, 6, OUT) == 2
        assert world.call("get_jwt", AT, OUT) == 2

    world.body = body
    words = [0] * 10
    assert (
        world.guest.invoke(world.loaded.address("__call_reducer__"), words, [], [], None, False, False)[0]
        == 0
    )
    assert world.failure is None, world.failure


# ---- what the host answers


def test_names_are_looked_up_by_the_host(world: World) -> None:
    def body() -> None:
        world.put(b"person")
        world.answers = {Rare.TABLE_ID: PERSON, Rare.INDEX_ID: -5}
        assert world.call("table_id_from_name", AT, 6, OUT) == 0
        assert world.number() == PERSON
        assert world.call("index_id_from_name", AT, 6, OUT) == 5

    assert world.reducer(body) == 0
    assert world.asked == [(Rare.TABLE_ID, 0, 0, [b"person"]), (Rare.INDEX_ID, 0, 0, [b"person"])]


def test_lines_for_the_log(world: World) -> None:
    world.answers = {Rare.CONSOLE_LOG: 0}

    def body() -> None:
        world.put(b"targetfilemessage")
        world.call("console_log", 2, AT, 6, AT + 6, 4, 12, AT + 10, 7)
        world.call("console_log", 0x1FF, 0, 0, 0, 9, 0xFFFFFFFF, AT + 10, 7)
        world.call("console_log", 2, 0, 0, 0, 0, 0, 0, 0)
        world.call("console_log", 2, AT, 0xFFFFFFFF, 0, 0, 0, AT, 1)

    assert world.reducer(body) == 0
    assert world.asked == [
        (Rare.CONSOLE_LOG, 2, 12, [b"target", b"file", b"message"]),
        (Rare.CONSOLE_LOG, 255, -1, [None, None, b"message"]),
    ], "with a bad pointer nothing is logged"


def test_timers(world: World) -> None:
    world.answers = {Rare.TIMER_START: 3, Rare.TIMER_END: lambda a, b, parts: 0 if a == 3 else -7}

    def body() -> None:
        world.put(b"load")
        assert world.call("console_timer_start", AT, 4) == 3
        assert world.call("console_timer_end", 3) == 0
        assert world.call("console_timer_end", 4) == 7

    assert world.reducer(body) == 0


def test_the_identity_of_the_database(world: World) -> None:
    def body() -> None:
        world.call("identity", AT)
        assert world.get(32) == IDENTITY

    assert world.reducer(body) == 0


def test_claims_of_a_connection(world: World) -> None:
    def body() -> None:
        world.put(bytes(range(16)))
        world.answers = {Rare.JWT: b'{"sub":"a"}'}
        assert world.call("get_jwt", AT, OUT) == 0
        source = world.number()
        assert world.call("bytes_source_remaining_length", source, OUT) == 0
        assert world.number() == 11
        world.answers = {Rare.JWT: None}
        assert world.call("get_jwt", AT, OUT) == 0
        assert world.number() == 0

    assert world.reducer(body) == 0
    assert world.asked[0] == (Rare.JWT, 0, 0, [bytes(range(16))])


def test_environment_variables(world: World) -> None:
    def get(key: bytes, n: int | None = None) -> int:
        world.put(key)
        return world.call("env_get", AT, len(key) if n is None else n, OUT)

    def body() -> None:
        world.answers = {Rare.ENV: b"value"}
        assert get(b"KEY_1") == 0
        assert world.number() == 1
        world.answers = {Rare.ENV: b""}
        assert get(b"EMPTY") == 0
        assert world.number() == 2, "an empty value is a value"
        world.answers = {Rare.ENV: None}
        assert get(b"ABSENT") == 0
        assert world.number() == 0
        asked = len(world.asked)
        assert [get(b""), get(b"1a"), get(b"a-b"), get(b"a" * 257), get("é".encode())] == [1] * 5
        assert len(world.asked) == asked
        world.answers = {Rare.ENV: GuestTrap("environment key is not declared")}
        with pytest.raises(HostTrap, match="environment key is not declared"):
            get(b"KEY")

    assert world.reducer(body) == 0


def test_at_most_256_values_wait_to_be_read(world: World) -> None:
    world.answers = {Rare.ENV: b"v"}

    def body() -> None:
        world.put(b"K")
        codes = [world.call("env_get", AT, 1, OUT) for _ in range(257)]
        assert codes == [0] * 256 + [9]

    assert world.reducer(body) == 0


def test_a_call_for_as_soon_as_possible(world: World) -> None:
    world.answers = {Rare.SCHEDULE_NOW: 0}

    def body() -> None:
        world.put(b"nameargs")
        world.call("volatile_nonatomic_schedule_immediate", AT, 4, AT + 4, 4)

    assert world.reducer(body) == 0
    assert world.asked == [(Rare.SCHEDULE_NOW, 0, 0, [b"name", b"args"])]


def test_rows_of_tables_that_the_host_wants_to_know_of(world: World) -> None:
    world.guest.notify([NOTE])
    world.answers = {Rare.ROW_WRITTEN: 0}

    def body() -> None:
        assert world.insert(PERSON, person(1, 1)) == 0
        assert world.insert(NOTE, note(0, "a")) == 0
        assert world.get(8) == struct.pack("<Q", 1)
        assert world.update(NOTE, NOTE_ID, note(1, "b")) == 0
        world.answers = {Rare.ROW_WRITTEN: -13}
        assert world.insert(NOTE, note(0, "c")) == 13

    assert world.reducer(body) == 0
    assert world.asked == [
        (Rare.ROW_WRITTEN, NOTE, 1, [note(1, "a")]),
        (Rare.ROW_WRITTEN, NOTE, 0, [note(1, "b")]),
        (Rare.ROW_WRITTEN, NOTE, 1, [note(2, "c")]),
    ]


def test_what_the_host_raises_ends_the_call_and_is_kept(world: World) -> None:
    world.answers = {Rare.TABLE_ID: KeyError("lost")}

    def body() -> None:
        world.put(b"person")
        with pytest.raises(HostTrap, match="the host failed: KeyError"):
            world.call("table_id_from_name", AT, 6, OUT)

    assert world.reducer(body) == 0
    assert isinstance(world.guest.cause, KeyError)


# ---- procedures


def test_a_reducer_may_not_do_what_procedures_do(world: World) -> None:
    def body() -> None:
        assert world.call("procedure_start_mut_tx", OUT) == 17
        assert world.call("procedure_commit_mut_tx") == 18
        assert world.call("procedure_abort_mut_tx") == 18
        with pytest.raises(HostTrap, match="procedure_sleep_until is only available in async instances"):
            world.call("procedure_sleep_until", 1)
        with pytest.raises(HostTrap, match="procedure_http_request is only available in async instances"):
            world.call("procedure_http_request", AT, 1, AT, 1, OUT)

    assert world.reducer(body) == 0


def test_a_procedure_opens_its_own_transactions(load_guest: Callable[..., LoadedGuest]) -> None:
    world = World(load_guest, may_wait=True)
    store = world.store
    world.answers = {
        Rare.START_TX: lambda a, b, parts: store.begin() or 555,
        Rare.COMMIT_TX: lambda a, b, parts: store.commit(None) and 0,
        Rare.ABORT_TX: lambda a, b, parts: store.rollback() or 0,
        Rare.SLEEP: lambda a, b, parts: a + 1,
        Rare.HTTP: lambda a, b, parts: -17 if a else [b"head", b""],
    }

    def body() -> None:
        assert world.insert(PERSON, person(1, 1)) == 2
        assert world.call("procedure_commit_mut_tx") == 18
        assert world.call("procedure_start_mut_tx", OUT) == 0
        assert world.number(OUT, 8) == 555
        assert world.guest.has_own_transaction
        assert world.call("procedure_start_mut_tx", OUT) == 17
        assert world.insert(PERSON, person(1, 1)) == 0
        assert world.call("procedure_http_request", AT, 1, AT, 1, OUT) == 17
        assert world.call("procedure_commit_mut_tx") == 0
        assert world.call("procedure_commit_mut_tx") == 18
        assert world.call("procedure_start_mut_tx", OUT) == 0
        assert world.insert(PERSON, person(2, 2)) == 0
        assert world.call("procedure_abort_mut_tx") == 0
        assert world.call("procedure_sleep_until", 41) == 42
        assert world.call("procedure_http_request", AT, 1, AT, 1, OUT) == 0
        assert (world.number(OUT), world.number(OUT + 4)) == (1, 0)
        world.answers[Rare.HTTP] = [b"\4\0\0\0nope"]
        assert world.call("procedure_http_request", AT, 1, AT, 1, OUT) == 21
        assert world.number(OUT) == 2

    world.body = body
    assert (
        world.guest.invoke(world.loaded.address("__call_reducer__"), [0] * 10, [], [], b"p", False, False)[0]
        == 0
    )
    assert world.failure is None, world.failure
    assert store.scan(PERSON) == [person(1, 1)]


def test_a_guest_can_be_called_while_it_commits(load_guest: Callable[..., LoadedGuest]) -> None:
    world = World(load_guest, may_wait=True)
    inner: list[object] = []

    def nested() -> None:
        world.insert(PERSON, person(5, 5))
        inner.append((world.number(40), world.number(44), world.guest.in_transaction))

    def commit(a: int, b: int, parts: list[bytes | None]) -> int:
        outer, world.body = world.body, nested
        world.guest.invoke(
            world.loaded.address("__call_reducer__"), [0] * 10, [(8, b"view args")], [9], b"view", True, True
        )
        world.body = outer
        world.store.commit(None)
        return 0

    world.answers = {Rare.START_TX: lambda a, b, parts: world.store.begin() or 1, Rare.COMMIT_TX: commit}

    def body() -> None:
        assert world.call("procedure_start_mut_tx", OUT) == 0
        assert world.call("procedure_commit_mut_tx") == 0
        assert not world.guest.in_transaction
        assert world.call("bytes_source_remaining_length", 1, OUT) == 0
        assert world.number() == 4, "the procedure's own source is still there"
        assert world.call("bytes_source_remaining_length", 2, OUT) == 8, "that of the view is gone"

    world.body = body
    status, *_ = world.guest.invoke(
        world.loaded.address("__call_reducer__"), [0] * 10, [(8, b"args")], [9], b"p", False, False
    )
    assert world.failure is None, world.failure
    assert (status, inner) == (0, [(2, 2, True)])
    assert world.store.scan(PERSON) == [person(5, 5)]


# ---- views


def test_what_a_view_reads_is_noted(world: World) -> None:
    def body() -> None:
        world.call("datastore_table_row_count", PERSON, OUT)
        world.scan(NOTE)
        world.point(PERSON_ID, b"\1\0\0\0")
        world.range(PERSON_AGE, b"", 0, b"\0\5\0\0\0", b"\0\5\0\0\0")
        world.range(PERSON_BOTH, b"\6\0\0\0", 1, b"\0\7\0\0\0", b"\0\7\0\0\0")
        world.range(PERSON_AGE, b"", 0, b"\0\5\0\0\0", b"\2")

    world.body = body
    world.store.begin()
    *_, reads = world.guest.invoke(
        world.loaded.address("__call_reducer__"), [0] * 10, [], [], b"v", True, True
    )
    world.store.rollback()
    assert world.failure is None, world.failure
    assert reads == [
        (True, PERSON, b""),
        (True, NOTE, b""),
        (False, PERSON_ID, b"\1\0\0\0"),
        (False, PERSON_AGE, b"\5\0\0\0"),
        (False, PERSON_BOTH, b"\6\0\0\0\7\0\0\0"),
        (True, PERSON, b""),
    ]
