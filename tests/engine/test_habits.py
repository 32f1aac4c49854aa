"""Looking ahead: what reducers look up by their arguments is noticed, and calls come out the same for it.

Uncompiled, every access to memory is checked: these tests then also show that nothing is read beyond the bytes
that a socket brought.
"""

import random
import struct
from collections.abc import Callable

import pytest

from spacetimedb_engine import Connection, Store, Turn
from tests.examples import BASE, examples

from .conftest import LoadedGuest
from .test_turn import ALICE, CONN, EVERYONE, I64, INDEX, NOW, TABLE, U32, Host, call, frame, product

PUT, MOVE = 0, 1
SECOND_INDEX = 2
WAT = """(module
 (import "spacetime_10.0" "bytes_source_read" (func $read (param i32 i32 i32) (result i32)))
 (import "spacetime_10.0" "datastore_insert_bsatn" (func $insert (param i32 i32 i32) (result i32)))
 (import "spacetime_10.4" "datastore_index_scan_point_bsatn"
  (func $seek (param i32 i32 i32 i32) (result i32)))
 (memory (export "memory") 1)
 (func (export "__call_reducer__")
  (param $id i32) (param i64 i64 i64 i64 i64 i64 i64) (param $args i32) (param $sink i32) (result i32)
  (i32.store (i32.const 16) (i32.const 64))
  (drop (call $read (local.get $args) (i32.const 1024) (i32.const 16)))
  (drop (call $seek (i32.const 1) (i32.const 1024) (i32.const 4) (i32.const 32)))
  (i32.store (i32.const 16) (i32.const 12))
  (if (i32.eq (local.get $id) (i32.const 0))
   (then (drop (call $insert (i32.const 4096) (i32.const 1024) (i32.const 16)))))
  (if (i32.eq (local.get $id) (i32.const 1))
   (then (drop (call $seek (i32.const 2) (i32.const 1028) (i32.const 8) (i32.const 32)))))
  (i32.const 0)))"""
REDUCERS = [(b"put", PUT, product(U32, I64), EVERYONE), (b"move", MOVE, product(U32, I64), EVERYONE)]


class World:
    def __init__(self, load_guest: Callable[..., LoadedGuest]) -> None:
        self.store = Store()
        self.store.create_table(TABLE, product(U32, I64), 0)
        self.store.create_index(INDEX, TABLE, 1, True, [0])
        self.store.create_index(SECOND_INDEX, TABLE, 1, True, [1])
        self.turn = Turn(self.store, Host())
        self.loaded = load_guest(self.store, WAT).start()
        self.turn.guest = self.loaded.guest
        self.turn.set_reducers(REDUCERS)

    def connect(self, protocol: int) -> Connection:
        return self.turn.open(ALICE, CONN, protocol, False)

    def rows(self) -> list[bytes]:
        return sorted(self.store.scan(TABLE))


@pytest.fixture
def world(load_guest: Callable[..., LoadedGuest]) -> World:
    return World(load_guest)


def args(id: int) -> bytes:
    return struct.pack("<Iq", id, 1000 + id)


def masked(payload: bytes, mask: bytes) -> bytes:
    body = bytes(byte ^ mask[k % 4] for k, byte in enumerate(payload))
    return frame(payload)[:2] + mask + body


def test_a_key_in_the_arguments_becomes_a_habit(world: World) -> None:
    conn = world.connect(2)
    assert world.turn.habits(b"put") == []
    world.turn.run([(conn, frame(call(1, b"put", args(7))))], NOW)
    assert world.turn.habits(b"put") == [(INDEX, 0)]
    world.turn.run([(conn, frame(call(2, b"move", args(7))))], NOW)
    assert world.turn.habits(b"move") == [(INDEX, 0), (SECOND_INDEX, 4)]
    assert world.turn.habits(b"nobody") == []


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("seed", range(BASE, BASE + examples(3)))
def test_calls_come_out_the_same_however_they_arrive(world: World, protocol: int, seed: int) -> None:
    """Masked with anything, cut anywhere, with pings, other calls and long ones in between."""
    dice = random.Random(seed)
    conn = world.connect(protocol)
    ids = dice.sample(range(5000), 300)
    sent = bytearray()
    while_waiting = [(id, call(id, b"put", args(id))) for id in ids]
    for id, message in while_waiting:
        kind = dice.randrange(12)
        if kind == 0:
            message += call(id, b"move", args(id)) if protocol == 3 else b""
        elif kind == 1:
            message = call(id, b"put", args(id) + bytes(dice.randrange(400)))
        elif kind == 2:
            sent += frame(b"?", 0x89)
        elif kind == 3:
            sent += masked(call(id, b"move", args(id)), dice.randbytes(4))
        if protocol == 3 and kind > 8:
            message = b"".join(call(id, b"move", args(id)) for _ in range(dice.randrange(20))) + message
        small = len(message) < 126
        sent += masked(message, dice.randbytes(4)) if small else frame(message)
    at = 0
    while at < len(sent):
        n = dice.choice([1, 5, 40, 400, 4000])
        world.turn.run([(conn, bytes(sent[at : at + n]))], NOW)
        at += n
    assert world.rows() == sorted(args(id) for id in ids)


def test_an_index_may_go_while_calls_are_used_to_it(world: World) -> None:
    conn = world.connect(2)
    world.turn.run([(conn, frame(call(1, b"put", args(1))))], NOW)
    world.store.drop_index(INDEX)
    world.turn.run([(conn, b"".join(frame(call(id, b"put", args(id))) for id in range(2, 300)))], NOW)
    assert world.rows() == sorted(args(id) for id in range(1, 300))
    assert world.turn.habits(b"put") == [], "the call that was watched next did not find it any more"
