"""What clients of each protocol hear from a database that runs a module."""

from __future__ import annotations

import gzip
import json
import struct
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from spacetimedb_standalone.wire.envelope import Compression

from .played_client import BINARY, Played, Room, room

ITEMS = "SELECT * FROM item"


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("compiled")


@pytest.fixture
async def old(tmp_path: Path, cache_dir: Path) -> AsyncIterator[Room]:
    """A module of the 1.x library: whose calls are told to all. It has items, and reducers that add them."""
    async with room(tmp_path, "items-1x.wasm", cache_dir) as here:
        yield here


@pytest.fixture
async def new(tmp_path: Path, cache_dir: Path) -> AsyncIterator[Room]:
    """A module of the 2.x library: whose calls are nobody else's business."""
    async with room(tmp_path, "quickstart.wasm", cache_dir) as here:
        yield here


async def talker(room_: Room, name: str = "ann", **terms: Any) -> Played:
    """A client of the text protocol that was greeted."""
    client = await room_.enter("v1.json", name, **terms)
    assert (await client.hear())[0] == "IdentityToken"
    return client


async def watcher(room_: Room, name: str, query: str = ITEMS, **terms: Any) -> Played:
    client = await talker(room_, name, **terms)
    client.ask("SubscribeMulti", query_strings=[query], request_id=1, query_id={"id": 1})
    assert (await client.hear())[0] == "SubscribeMultiApplied"
    return client


def call(client: Played, reducer: str, *args: Any, flags: int = 0, request_id: int = 7) -> None:
    client.ask("CallReducer", reducer=reducer, args=json.dumps(args), request_id=request_id, flags=flags)


def told(content: dict[str, Any]) -> Any:
    """The inserted rows of the one table."""
    update = content["update"] if "update" in content else content["status"]["Committed"]
    return [json.loads(row) for table in update["tables"] for row in table["updates"][0]["inserts"]]


class TestTextProtocol:
    async def test_the_greeting(self, old: Room) -> None:
        client = await old.enter("v1.json")
        name, content = await client.hear()
        assert (name, content["token"]) == ("IdentityToken", "tok")
        assert content["connection_id"] == {"__connection_id__": 1}

    async def test_a_call_is_answered_with_its_rows(self, old: Room) -> None:
        client = await watcher(old, "ann")
        call(client, "add_item", "cup", 3)
        name, content = await client.hear()
        assert (name, told(content)) == ("TransactionUpdate", [[1, "cup", 3]])
        info = content["reducer_call"]
        assert (info["reducer_name"], info["args"], info["request_id"]) == ("add_item", '["cup", 3]', 7)

    async def test_a_call_that_changes_nothing_is_answered_too(self, old: Room) -> None:
        client = await talker(old)
        call(client, "nothing")
        assert (await client.hear())[1]["status"] == {"Committed": {"tables": []}}

    async def test_a_failure_is_told_to_its_caller(self, old: Room) -> None:
        client, bystander = await watcher(old, "ann"), await watcher(old, "bob")
        call(client, "fail", "why not")
        call(client, "add_item", "cup", 3)
        assert (await client.hear())[1]["status"] == {"Failed": "why not"}
        assert told((await bystander.hear())[1]) == [[1, "cup", 3]]

    async def test_calls_that_cannot_start(self, old: Room) -> None:
        client = await talker(old)
        call(client, "dance")
        content = (await client.hear())[1]
        assert content["status"] == {"Failed": "no such reducer"}
        assert content["reducer_call"]["reducer_id"] == 0xFFFF_FFFF
        call(client, "fail", 5)
        content = (await client.hear())[1]
        assert content["status"]["Failed"].startswith(
            "invalid arguments for reducer fail: [0]: invalid arguments for function fail: [0]: [0]: invalid type"
        )
        assert content["reducer_call"] == {
            "reducer_name": "fail",
            "reducer_id": 1,
            "args": "[]",
            "request_id": 0,
        }

    async def test_who_wants_no_news_of_success_hears_of_rows_only(self, old: Room) -> None:
        client = await watcher(old, "ann", light=True)
        call(client, "nothing", flags=1)
        call(client, "fail", "unheard", flags=1)
        call(client, "add_item", "cup", 3, flags=1, request_id=9)
        name, content = await client.hear()
        assert (name, content["request_id"], told(content)) == ("TransactionUpdateLight", 9, [[1, "cup", 3]])

    async def test_binary_frames_are_read_too(self, old: Room) -> None:
        client = await talker(old)
        args = struct.pack("<I", 3) + b"cup" + struct.pack("<I", 3)
        client.send(b"\0\x08\0\0\0add_item" + struct.pack("<I", len(args)) + args + struct.pack("<IB", 4, 0))
        assert (await client.hear())[1]["reducer_call"]["args"] == '["cup",3]'

    async def test_what_is_no_message_closes(self, old: Room) -> None:
        client = await talker(old)
        client.send("{")
        assert await client.closed() == (1011, "EOF while parsing an object at line 1 column 1")

    async def test_a_reason_that_fits_no_close_frame_ends_the_connection_without(self, old: Room) -> None:
        client = await talker(old)
        client.send('{"Dance":{}}')
        assert await client.closed() is None


class TestBystanders:
    async def test_of_an_old_module_hear_who_called_what(self, old: Room) -> None:
        caller = await watcher(old, "ann")
        full, light = await watcher(old, "bob"), await watcher(old, "cat", light=True)
        call(caller, "add_item", "cup", 3)
        name, content = await full.hear()
        assert (name, content["reducer_call"]["reducer_name"]) == ("TransactionUpdate", "add_item")
        assert (await light.hear())[0] == "TransactionUpdateLight"

    async def test_of_an_old_module_hear_of_calls_by_later_protocols_as_well(self, old: Room) -> None:
        full = await watcher(old, "bob")
        caller = await old.enter("v2.bsatn")
        await caller.receive()
        args = struct.pack("<I", 3) + b"cup" + struct.pack("<I", 3)
        head = struct.pack("<BIB", 3, 5, 0) + b"\x08\0\0\0add_item"
        caller.send(head + struct.pack("<I", len(args)) + args)
        name, content = await full.hear()
        assert (name, content["reducer_call"]["args"]) == ("TransactionUpdate", '["cup",3]')
        _, answer = await caller.receive()
        assert answer[:6] == b"\0\x06" + struct.pack("<I", 5)

    async def test_of_a_new_module_hear_of_rows_only(self, new: Room) -> None:
        full = await watcher(new, "bob", "SELECT * FROM st_client")
        await talker(new, "cat")
        assert (await full.hear())[0] == "TransactionUpdateLight"


class TestCompression:
    @pytest.mark.parametrize("protocol", ["v1.bsatn", "v2.bsatn", "v3.bsatn"])
    async def test_large_binary_messages_are_compressed_as_asked_for(self, old: Room, protocol: str) -> None:
        adder = await talker(old, "ann")
        call(adder, "add_item", "x" * 2000, 3)
        await adder.hear()
        client = await old.enter(protocol, "bob", compression=Compression.GZIP)
        opcode, greeting = await client.receive()
        assert (opcode, greeting[0]) == (BINARY, Compression.NONE)
        query = struct.pack("<I", len(ITEMS)) + ITEMS.encode()
        one_off = b"\2" + struct.pack("<I", 0 if protocol == "v1.bsatn" else 3) + query
        client.send(one_off)
        _, answer = await client.receive()
        assert answer[0] == Compression.GZIP
        assert b"x" * 2000 in gzip.decompress(answer[1:])

    async def test_text_never_is(self, old: Room) -> None:
        client = await talker(old, compression=Compression.GZIP)
        call(client, "add_item", "x" * 2000, 3)
        await client.hear()
        client.ask("OneOffQuery", message_id="", query_string=ITEMS)
        assert (await client.hear())[0] == "OneOffQueryResponse"


class TestLaterProtocols:
    @pytest.mark.parametrize("protocol", ["v2.bsatn", "v3.bsatn"])
    async def test_batches_of_subscriptions_are_always_understood(self, old: Room, protocol: str) -> None:
        client = await old.enter(protocol)
        await client.receive()
        query = struct.pack("<I", len(ITEMS)) + ITEMS.encode()
        client.send(struct.pack("<BIIII", 5, 9, 1, 4, 1) + query)
        _, answer = await client.receive()
        assert answer == struct.pack("<BBIIIBI", 0, 8, 9, 1, 4, 0, 0)

    async def test_an_empty_payload_of_v3_closes(self, old: Room) -> None:
        client = await old.enter("v3.bsatn")
        await client.receive()
        client.send(b"")
        reason = "v3 websocket binary payload must contain at least one v2 client message"
        assert await client.closed() == (1011, reason)

    async def test_text_closes(self, old: Room) -> None:
        client = await old.enter("v2.bsatn")
        await client.receive()
        client.send("hello")
        assert await client.closed() == (1011, "v2 websocket does not support text messages")


class TestSilence:
    async def test_who_is_silent_too_long_is_dropped_without_a_close_frame(self, old: Room) -> None:
        client = await talker(old, ping_interval=0.05, idle_timeout=0.2)
        assert await client.closed() is None

    async def test_who_says_anything_stays(self, old: Room) -> None:
        client = await talker(old, ping_interval=60.0, idle_timeout=0.5)
        began = time.monotonic()
        while time.monotonic() < began + 0.7:
            client.ask("OneOffQuery", message_id="", query_string=ITEMS)
            assert (await client.hear())[0] == "OneOffQueryResponse"
