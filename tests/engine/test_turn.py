"""From the bytes of sockets to replies, transactions and the log: turns of the server's loop."""

import struct
from collections.abc import Callable
from typing import Any

import pytest

from spacetimedb_engine import Connection, Status, Store, Turn, call_inputs

from .conftest import LoadedGuest

TABLE, INDEX = 4096, 1
U32, I64 = b"\x0b", b"\x0c"
NOW = 1_700_000_000_000_000
ALICE, BOB = bytes([1]) * 32, bytes([2]) * 32
CONN = bytes(range(16))
NOBODY, OWNER, EVERYONE = 0, 1, 2
PUT, FAIL, TRAP, NOOP, LOOP, SECRET, START = range(7)

WAT = """(module
 (import "spacetime_10.0" "bytes_source_read" (func $read (param i32 i32 i32) (result i32)))
 (import "spacetime_10.0" "bytes_sink_write" (func $write (param i32 i32 i32) (result i32)))
 (import "spacetime_10.0" "datastore_insert_bsatn" (func $insert (param i32 i32 i32) (result i32)))
 (memory (export "memory") 1)
 (func $row (drop (call $insert (i32.const 4096) (i32.const 1024) (i32.const 16))))
 (func (export "__call_reducer__")
  (param $id i32) (param i64 i64 i64 i64 i64 i64 i64) (param $args i32) (param $sink i32) (result i32)
  (i32.store (i32.const 16) (i32.const 4096))
  (if (local.get $args) (then (drop (call $read (local.get $args) (i32.const 1024) (i32.const 16)))))
  (if (i32.eq (local.get $id) (i32.const 0)) (then (i32.store (i32.const 16) (i32.const 12)) (call $row)))
  (if (i32.eq (local.get $id) (i32.const 1))
   (then (call $row) (drop (call $write (local.get $sink) (i32.const 1024) (i32.const 16))) (return (i32.const 1))))
  (if (i32.eq (local.get $id) (i32.const 2)) (then (call $row) unreachable))
  (if (i32.eq (local.get $id) (i32.const 4)) (then (loop $again (br $again))))
  (i32.const 0)))"""


def product(*types: bytes) -> bytes:
    return b"\x02" + struct.pack("<I", len(types)) + b"".join(b"\x01" + kind for kind in types)


REDUCERS = [
    (b"put", PUT, product(U32, I64), EVERYONE),
    (b"fail", FAIL, product(), EVERYONE),
    (b"trap", TRAP, product(), EVERYONE),
    (b"noop", NOOP, product(), EVERYONE),
    (b"loop", LOOP, product(), EVERYONE),
    (b"secret", SECRET, product(), OWNER),
    (b"start", START, product(), NOBODY),
]


def call(request_id: int, name: bytes, args: bytes = b"", flags: int = 0) -> bytes:
    return struct.pack("<BIBI", 3, request_id, flags, len(name)) + name + struct.pack("<I", len(args)) + args


def put(request_id: int, id: int, balance: int) -> bytes:
    return call(request_id, b"put", struct.pack("<Iq", id, balance))


def frame(payload: bytes, first: int = 0x82) -> bytes:
    n = len(payload)
    head = bytes([first, 0x80 | n]) if n < 126 else bytes([first, 0xFE]) + n.to_bytes(2, "big")
    return head + bytes(4) + payload


def ok(request_id: int, timestamp: int, updates: bytes = bytes(4)) -> bytes:
    """ReducerResult, uncompressed."""
    return b"\0\x06" + struct.pack("<Iq", request_id, timestamp) + bytes(5) + updates


class Host:
    """Records what the turn tells."""

    def __init__(self) -> None:
        self.seen: list[tuple[Any, ...]] = []
        self.updates: bytes | None = None
        self.refusal: bytes | None = None
        self.used: int | None = None

    def on_message(self, conn: Connection, payload: bytes) -> int | None:
        self.seen.append(("message", payload))
        return self.used

    def on_text(self, conn: Connection, text: str) -> None:
        self.seen.append(("text", text))

    def before_commit(self, conn: Connection | None, reducer_id: int) -> bytes | None:
        self.seen.append(("before", reducer_id))
        return self.refusal

    def on_commit(self, conn: Connection, request_id: int, offset: int) -> bytes | None:
        self.seen.append(("commit", request_id, offset))
        return self.updates

    def on_failure(
        self, conn: Connection, request: int, reducer: int, status: int, text: bytes, at: int
    ) -> None:
        self.seen.append(("failure", request, reducer, status, text, at))

    def on_pong(self, conn: Connection, payload: bytes) -> None:
        self.seen.append(("pong", payload))

    def on_close(self, conn: Connection, code: int, reason: str) -> None:
        self.seen.append(("close", code, reason))

    def on_broken(self, conn: Connection, text: str) -> None:
        self.seen.append(("broken", text))


class World:
    def __init__(self, load_guest: Callable[..., LoadedGuest]) -> None:
        self.store = Store()
        self.store.create_table(TABLE, product(U32, I64), 0)
        self.store.create_index(INDEX, TABLE, 1, True, [0])
        self.host = Host()
        self.turn = Turn(self.store, self.host)
        self.load = lambda: load_guest(self.store, WAT).start()
        self.loaded = self.load()
        self.turn.guest = self.loaded.guest
        self.turn.set_reducers(REDUCERS)

    def connect(self, protocol: int = 2, identity: bytes = ALICE, owner: bool = False) -> Connection:
        return self.turn.open(identity, CONN, protocol, owner)

    def run(self, conn: Connection, *frames: bytes) -> bytes:
        """One turn in which one connection brought these frames; what it gets back."""
        dirty = self.turn.run([(conn, b"".join(frames))], NOW)
        assert dirty in ([], [conn])
        return conn.take()


@pytest.fixture
def world(load_guest: Callable[..., LoadedGuest]) -> World:
    return World(load_guest)


# ---- calls


def test_a_call_is_a_transaction_a_reply_and_a_record(world: World) -> None:
    conn = world.connect()
    dirty = world.turn.run([(conn, frame(put(9, 1, 50)))], NOW)
    assert dirty == [conn]
    assert conn.offset == 0, "the reply waits for this transaction"
    assert conn.take() == b"\x82\x17" + ok(9, NOW)
    assert world.store.scan(TABLE) == [struct.pack("<Iq", 1, 50)]
    record = world.store.take_log()
    args = struct.pack("<Iq", 1, 50)
    assert call_inputs(b"put", ALICE, CONN, NOW, args) in record
    assert world.host.seen == []
    assert world.turn.guest is not None and world.turn.guest.function == b"put"


def test_every_call_has_a_later_timestamp_than_the_one_before(world: World) -> None:
    conn = world.connect()
    out = world.run(conn, frame(call(1, b"noop")), frame(call(2, b"noop")))
    assert out == b"\x82\x17" + ok(1, NOW) + b"\x82\x17" + ok(2, NOW + 1)
    assert world.turn.stamp(NOW) == NOW + 2
    assert world.turn.stamp(NOW + 100) == NOW + 100


def test_a_call_that_changes_nothing_takes_no_offset(world: World) -> None:
    conn = world.connect()
    world.turn.run([(conn, frame(call(1, b"noop")))], NOW)
    assert (conn.offset, world.store.next_offset, world.store.take_log()) == (-1, 0, b"")
    conn.take()
    world.run(conn, frame(put(2, 1, 1)))
    world.turn.run([(conn, frame(call(3, b"noop")))], NOW)
    assert conn.offset == 0, "it has seen the transaction before it"


def test_many_connections_in_one_turn(world: World) -> None:
    alice, bob, idle = world.connect(), world.connect(identity=BOB), world.connect()
    dirty = world.turn.run(
        [(alice, frame(put(1, 1, 1)) + frame(put(2, 2, 2))), (idle, b""), (bob, frame(put(3, 3, 3)))], NOW
    )
    assert dirty == [alice, bob]
    assert (alice.offset, bob.offset) == (1, 2)
    assert alice.take() == b"\x82\x17" + ok(1, NOW) + b"\x82\x17" + ok(2, NOW + 1)
    assert bob.take() == b"\x82\x17" + ok(3, NOW + 2)


def test_protocol_3_reads_and_writes_several_messages_in_a_payload(world: World) -> None:
    conn = world.connect(protocol=3)
    out = world.run(conn, frame(put(1, 1, 1) + put(2, 2, 2)), frame(call(3, b"noop")))
    assert out == b"\x82\x43" + ok(1, NOW) + ok(2, NOW + 1)[1:] + ok(3, NOW + 2)[1:]


def test_surplus_bytes_behind_the_arguments_are_let_go(world: World) -> None:
    out = world.run(world.connect(), frame(call(1, b"put", struct.pack("<Iq", 1, 1) + b"more")))
    assert out == b"\x82\x17" + ok(1, NOW)


# ---- failures


def test_an_error_of_the_module_is_told_and_nothing_stays(world: World) -> None:
    world.run(world.connect(), frame(call(5, b"fail", b"no money")))
    assert world.host.seen == [("failure", 5, FAIL, Status.FAILED, b"no money", NOW)]
    assert world.store.count(TABLE) == 0
    assert not world.store.in_transaction
    assert world.store.take_log() == b""


def test_a_trap_kills_the_guest_and_the_next_call_waits_for_another(world: World) -> None:
    conn = world.connect()
    world.run(conn, frame(call(5, b"trap")), frame(put(6, 1, 1)))
    failure, message = world.host.seen
    assert failure[:4] == ("failure", 5, TRAP, Status.TRAPPED)
    assert b"unreachable" in failure[4]
    assert message == ("message", put(6, 1, 1)), "without a guest the host has the call"
    assert world.turn.guest is not None and world.turn.guest.dead
    world.loaded = world.load()
    world.turn.guest = world.loaded.guest
    assert world.run(conn, frame(put(7, 1, 1))) == b"\x82\x17" + ok(7, NOW + 1)


def test_the_host_may_put_another_guest_in_place_at_once(world: World) -> None:
    def replace(*failure: Any) -> None:
        world.loaded = world.load()
        world.turn.guest = world.loaded.guest

    world.host.on_failure = replace  # type: ignore[method-assign]
    out = world.run(world.connect(), frame(call(5, b"trap")), frame(put(6, 1, 1)))
    assert out == b"\x82\x17" + ok(6, NOW + 1)


def test_a_call_that_does_not_end_is_ended(world: World) -> None:
    ticker = world.loaded.start_ticker(interval=5_000, ticks=4)
    world.run(world.connect(), frame(call(5, b"loop")))
    ticker.stop()
    assert world.host.seen[0][:4] == ("failure", 5, LOOP, Status.EXHAUSTED)
    assert b"interrupt" in world.host.seen[0][4]


# ---- what the engine leaves to the host


@pytest.mark.parametrize(
    ("what", "payload"),
    {
        "nothing": b"",
        "another message": b"\2\1\0\0\0\1\0\0\0S",
        "flags": call(1, b"noop", flags=1),
        "an unknown reducer": call(1, b"nope"),
        "a reducer that nobody may call": call(1, b"start"),
        "a reducer of the owner's": call(1, b"secret"),
        "arguments too short": call(1, b"put", b"\1"),
        "cut in the name": call(1, b"noop")[:12],
        "cut in the arguments": put(1, 1, 1)[:-1],
        "a length beyond the end": b"\3\1\0\0\0\0\xff\xff\xff\xff" + b"noop" + bytes(4),
    }.items(),
)
@pytest.mark.parametrize("protocol", [2, 3])
def test_everything_else_goes_to_the_host(world: World, protocol: int, what: str, payload: bytes) -> None:
    assert world.run(world.connect(protocol), frame(payload)) == b""
    assert world.host.seen == [("message", payload)]


def test_protocol_1_goes_to_the_host(world: World) -> None:
    world.run(world.connect(protocol=1), frame(call(1, b"noop")))
    assert world.host.seen == [("message", call(1, b"noop"))]


def test_the_owner_may_call_what_is_private(world: World) -> None:
    assert world.run(world.connect(owner=True), frame(call(1, b"secret"))) == b"\x82\x17" + ok(1, NOW)


def test_protocol_3_goes_on_behind_what_the_host_has_used(world: World) -> None:
    world.host.used = 10
    payload = put(1, 1, 1) + b"\2\1\0\0\0\1\0\0\0S" + put(2, 2, 2)
    out = world.run(world.connect(protocol=3), frame(payload))
    assert world.host.seen == [("message", b"\2\1\0\0\0\1\0\0\0S" + put(2, 2, 2))]
    assert out == b"\x82\x2d" + ok(1, NOW) + ok(2, NOW + 1)[1:]


def test_protocol_3_stops_at_what_the_host_could_not_read(world: World) -> None:
    out = world.run(world.connect(protocol=3), frame(put(1, 1, 1) + b"\xff" + put(2, 2, 2)))
    assert out == b"\x82\x17" + ok(1, NOW)


def test_text_messages(world: World) -> None:
    conn = world.connect()
    world.run(conn, frame("grün".encode(), 0x81), frame(b"", 0x81))
    assert world.host.seen == [("text", "grün"), ("text", "")]
    world.run(conn, frame(b"\xc3\x28", 0x81))
    assert world.host.seen[2:] == [("broken", "the client sent a text message that is not UTF-8")]


# ---- control frames and ends


def test_pings_are_answered_and_pongs_told(world: World) -> None:
    conn = world.connect()
    conn.alive_since_ping = False
    assert world.run(conn, frame(b"hi", 0x89), frame(b"yo", 0x8A), frame(b"", 0x89)) == b"\x8a\x02hi\x8a\x00"
    assert world.host.seen == [("pong", b"yo")]
    assert conn.alive_since_ping


@pytest.mark.parametrize(
    ("code", "reason"), [(1000, ""), (1000, "bye"), (1001, "away"), (3000, "mine"), (4999, "ü")]
)
def test_a_close_comes_back_as_it_was_sent(world: World, code: int, reason: str) -> None:
    conn = world.connect()
    payload = code.to_bytes(2, "big") + reason.encode()
    out = world.run(conn, frame(payload, 0x88), frame(call(1, b"noop")), frame(b"", 0x89))
    assert out == bytes([0x88, len(payload)]) + payload
    assert conn.closing
    assert world.host.seen == [("close", code, reason)]


def test_a_close_without_a_code(world: World) -> None:
    assert world.run(world.connect(), frame(b"", 0x88)) == b"\x88\x00"
    assert world.host.seen == [("close", 1005, "")]


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1014, 1015, 1016, 2999, 5000, 65535])
def test_a_forbidden_code_is_a_violation(world: World, code: int) -> None:
    out = world.run(world.connect(), frame(code.to_bytes(2, "big"), 0x88))
    assert out == b"\x88\x14\x03\xeaProtocol violation"
    assert world.host.seen == [("close", code, "")]


def test_a_close_that_we_began_ends_with_theirs(world: World) -> None:
    conn = world.connect()
    assert conn.close(1001, "module exited")
    assert world.turn.dirty() == [conn]
    assert conn.take() == b"\x88\x0f\x03\xe9module exited"
    close = frame(b"\x03\xe9", 0x88)
    assert world.run(conn, frame(put(1, 1, 1)), close, close) == b""
    assert world.host.seen == [("close", 1001, "")], "told once"
    assert world.store.count(TABLE) == 0


@pytest.mark.parametrize(
    "raw", [frame(b"\3", 0x88), frame(b"\x03\xe8\xff", 0x88), b"\x82\x01\x00", frame(b"", 0x83)]
)
def test_a_broken_protocol_is_told_once_and_nothing_is_read_any_more(world: World, raw: bytes) -> None:
    conn = world.connect()
    assert world.run(conn, raw, frame(put(1, 1, 1))) == b""
    assert world.run(conn, frame(put(2, 2, 2))) == b""
    [(kind, text)] = world.host.seen
    assert kind == "broken"
    assert text.startswith("the client sent")
    assert conn.closing
    assert world.store.count(TABLE) == 0


# ---- those who watch


def test_a_commit_in_a_watched_table_is_told_and_the_caller_gets_its_share(world: World) -> None:
    conn, other = world.connect(), world.connect(identity=BOB)
    world.store.watch(TABLE, True)
    share = b"\1\0\0\0" + b"update"

    def on_commit(caller: Connection, request_id: int, offset: int) -> bytes:
        [(table, inserts, deletes)] = world.store.take_delta()
        assert (table, inserts, deletes) == (TABLE, [struct.pack("<Iq", 1, 5)], [])
        other.append(b"\0news", offset)
        return share

    world.host.on_commit = on_commit  # type: ignore[method-assign]
    dirty = world.turn.run([(conn, frame(put(1, 1, 5)))], NOW)
    assert dirty == [other, conn]
    assert (conn.offset, other.offset) == (0, 0)
    assert other.take() == b"\x82\x05\0news"
    message = ok(1, NOW, share)
    assert conn.take() == bytes([0x82, len(message)]) + message


def test_a_commit_that_nobody_watches_is_not_told(world: World) -> None:
    world.store.watch(TABLE, True)
    world.run(world.connect(), frame(call(1, b"noop")))
    world.store.watch(TABLE, False)
    world.run(world.connect(), frame(put(1, 1, 1)))
    assert world.host.seen == []


def test_the_host_may_refuse_a_commit(world: World) -> None:
    world.turn.before_commit = True
    world.run(world.connect(), frame(put(1, 1, 1)))
    assert world.store.count(TABLE) == 1
    world.host.refusal = b"a view failed"
    world.run(world.connect(), frame(put(2, 2, 2)))
    assert world.host.seen == [
        ("before", PUT),
        ("before", PUT),
        ("failure", 2, PUT, Status.REFUSED, b"a view failed", NOW + 1),
    ]
    assert world.store.count(TABLE) == 1


def test_what_a_callback_raises_leaves_no_transaction_open(world: World) -> None:
    def on_failure(*failure: Any) -> None:
        raise RuntimeError("the host failed")

    world.host.on_failure = on_failure  # type: ignore[method-assign]
    with pytest.raises(RuntimeError, match="the host failed"):
        world.run(world.connect(), frame(call(1, b"fail")))
    assert not world.store.in_transaction
    assert world.run(world.connect(), frame(put(1, 1, 1))) == b"\x82\x17" + ok(1, NOW + 1)


def test_a_callback_must_not_start_a_turn(world: World) -> None:
    conn = world.connect()
    world.host.on_text = lambda conn, text: world.turn.run([], NOW)  # type: ignore[assignment, method-assign]
    with pytest.raises(RuntimeError, match="a turn is running"):
        world.run(conn, frame(b"x", 0x81))


# ---- callers without a socket


def test_a_call_from_python(world: World) -> None:
    done = world.turn.call(PUT, b"put", BOB, bytes(16), NOW, struct.pack("<Iq", 1, 5))
    assert done == (Status.OK, b"", NOW, 0)
    assert call_inputs(b"put", BOB, bytes(16), NOW, struct.pack("<Iq", 1, 5)) in world.store.take_log()
    failed = world.turn.call(FAIL, b"fail", BOB, bytes(16), NOW, b"no")
    assert failed == (Status.FAILED, b"no", NOW + 1, -1)
    assert world.store.count(TABLE) == 1


def test_a_call_inside_a_transaction_of_the_hosts(world: World) -> None:
    assert world.turn.guest is not None
    world.store.begin()
    with pytest.raises(RuntimeError, match="a transaction is open already"):
        world.turn.call(PUT, b"put", BOB, bytes(16), NOW, b"")
    args = struct.pack("<Iq", 1, 5)
    assert world.turn.guest.call_reducer(PUT, b"put", BOB, bytes(16), NOW, args) == 0
    world.store.rollback()
    assert world.store.count(TABLE) == 0


# ---- large messages


def test_arguments_of_a_megabyte(world: World) -> None:
    conn = world.connect()
    args = bytes(1 << 20)
    message = call(1, b"fail", args)
    data = b"\x82\xff" + len(message).to_bytes(8, "big") + b"\1\2\3\4"
    data += bytes(b ^ (1, 2, 3, 4)[k % 4] for k, b in enumerate(message))
    for at in range(0, len(data), 100_000):
        world.run(conn, data[at : at + 100_000])
    [(kind, request, reducer, status, text, _)] = world.host.seen
    assert (kind, request, reducer, status) == ("failure", 1, FAIL, Status.FAILED)
    assert text == bytes(4096), "the guest read as much as it had room for"
