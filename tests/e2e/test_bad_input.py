"""Bad input at each door of a running server: a clear sentence to whoever caused it, and life goes on."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import wasmtime
from websockets.exceptions import ConnectionClosed

from tests.e2e.running_server import PATIENCE, Api, RunningServer
from tests.e2e.v2_client import RESULT, V2Client, text

pytestmark = pytest.mark.slow

HOSTILE = Path(__file__).parents[1] / "modules" / "hostile.wasm"


def module(describe: str, *, abi: str = "10.0") -> bytes:
    """A module that imports one function of the ABI and says `describe` of itself."""
    data = "".join(f"\\{byte:02x}" for byte in bytes.fromhex(describe))
    length = len(bytes.fromhex(describe))
    reducer = "i32 i64 i64 i64 i64 i64 i64 i64 i32 i32"
    return bytes(
        wasmtime.wat2wasm(f"""(module
          (import "spacetime_{abi}" "bytes_sink_write" (func $write (param i32 i32 i32) (result i32)))
          (memory (export "memory") 1)
          (data (i32.const 16) "{data}")
          (data (i32.const 8) "\\{length & 255:02x}\\{length >> 8:02x}\\00\\00")
          (func (export "__describe_module__") (param i32)
            (drop (call $write (local.get 0) (i32.const 16) (i32.const 8))))
          (func (export "__call_reducer__") (param {reducer}) (result i32) (i32.const 0)))""")
    )


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """One for all tests that leave it as it was; a call may take a second there, a module hold 64 MiB."""
    root = tmp_path_factory.mktemp("server")
    (root / "data").mkdir()
    (root / "data" / "config.toml").write_text('[wasm]\ncall-timeout = "1s"\nmemory-limit-mb = 64\n')
    running = RunningServer(root / "data", root / "keys")
    running.start()
    try:
        yield running
    finally:
        running.end()


@pytest.fixture(scope="module")
def somebody(shared_server: RunningServer) -> Api:
    return Api.anonymous(shared_server.url)


class TestPublishing:
    @pytest.mark.parametrize(
        ("program", "told"),
        [
            (b"this is no module", "failed to parse WebAssembly module"),
            (b"", "failed to parse WebAssembly module"),
            (b"\0asm\x01\0\0\0", "unable to determine ABI of module"),
            (module("0200000000", abi="99.0"), "abi version 99.0 is not supported"),
            (module("07"), "description of itself cannot be decoded"),
            (module("02ffffffff"), "description of itself cannot be decoded"),
        ],
        ids=["text", "empty", "no imports", "an ABI of the future", "a lying tag", "a lying count"],
    )
    def test_what_is_no_module(self, somebody: Api, program: bytes, told: str) -> None:
        answer = somebody.publish("broken", program)
        assert answer.status_code == 500
        assert told in answer.text and "Traceback" not in answer.text

    def test_a_module_with_a_table_that_points_nowhere(self, somebody: Api) -> None:
        """One V10 section: a table "t" of the row type in slot 7, which does not exist."""
        table = "0100000074" + "07000000" + "00000000" * 4 + "0100" + "00000000" + "00"
        answer = somebody.publish("broken", module("02" + "01000000" + "02" + "01000000" + table))
        assert answer.status_code == 500
        assert "Table t has invalid product_type_ref &7" in answer.text

    def test_a_good_module_under_the_same_name_afterwards(self, somebody: Api) -> None:
        assert somebody.publish("broken", module("0200000000")).status_code == 200


@pytest.fixture(scope="module")
def hostile(somebody: Api) -> str:
    answer = somebody.publish("hostile", HOSTILE.read_bytes())
    assert answer.status_code == 200, answer.text
    return "hostile"


class TestModulesThatMisbehave:
    @pytest.mark.parametrize(
        ("reducer", "status"),
        [("spin_forever", 402), ("spin_on_host", 402), ("allocate_forever", 530), ("recurse_forever", 530)],
    )
    def test_endless(self, somebody: Api, hostile: str, reducer: str, status: int) -> None:
        before = somebody.rows(hostile, "SELECT COUNT(*) AS n FROM witness")
        answer = somebody.call(hostile, reducer, "[]")
        assert answer.status_code == status, answer.text
        assert somebody.rows(hostile, "SELECT COUNT(*) AS n FROM witness") == before, "its rows are undone"
        assert somebody.call(hostile, "ok", "[]").status_code == 200, "the database still answers"

    def test_an_unknown_reducer(self, somebody: Api, hostile: str) -> None:
        answer = somebody.call(hostile, "no_such_thing", "[]")
        assert (answer.status_code, answer.text) == (404, "No such procedure")

    def test_wrong_arguments(self, somebody: Api, hostile: str) -> None:
        answer = somebody.call(hostile, "allocate", '["much"]')
        assert answer.status_code == 400
        assert answer.text.startswith("invalid arguments for reducer allocate")


class TestSockets:
    async def test_garbage_frames(self, shared_server: RunningServer, somebody: Api) -> None:
        somebody.publish("sockets", module("0200000000"))
        client = await V2Client.open(shared_server.url, "sockets", somebody.person)
        await client.socket.send(b"\xff\xff\xff")
        with pytest.raises(ConnectionClosed) as closed:
            await client.receive()
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1011

    async def test_a_frame_over_the_limit(self, shared_server: RunningServer, somebody: Api) -> None:
        somebody.publish("sockets", module("0200000000"))
        bystander = await V2Client.open(shared_server.url, "sockets", somebody.person)
        client = await V2Client.open(shared_server.url, "sockets", somebody.person)
        with pytest.raises(ConnectionClosed):
            await client.socket.send(bytes(33_554_433))
            await client.receive()
        result = await bystander.call("nothing", b"")
        assert result.outcome == 3, "the other connection is heard: there is no such reducer"

    def test_bytes_that_are_no_http(self, shared_server: RunningServer) -> None:
        with socket.create_connection(("127.0.0.1", shared_server.port), PATIENCE) as raw:
            raw.sendall(b"\x16\x03\x01 this is not HTTP\r\n\r\n")
            raw.settimeout(PATIENCE)
            assert b"400" in raw.recv(1000)
        assert httpx.get(f"{shared_server.url}/v1/ping", timeout=PATIENCE).status_code == 200


class TestStarting:
    def test_a_second_server_on_the_same_data(self, server: RunningServer) -> None:
        second = RunningServer(server.data_dir, server.key_dir)
        done = subprocess.run(second.argv(), capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert done.returncode == 1
        assert server.process is not None
        assert f"spacetime.pid already exists (owned by pid Some({server.process.pid}))" in done.stderr

    def test_a_used_port(self, server: RunningServer, tmp_path: Path) -> None:
        second = RunningServer(tmp_path / "other", server.key_dir, port=server.port)
        done = subprocess.run(second.argv(), capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert done.returncode == 1
        assert f"Port {server.port} is already in use" in done.stderr

    def test_a_torn_log_tail_is_cut_off(self, server: RunningServer, owner: Api, chat: bytes) -> None:
        owner.publish("chat", chat)
        owner.call("chat", "say", '[1, "kept"]')
        server.stop()
        (segment,) = (server.data_dir / "replicas").glob("*/clog/*.stdb.log")
        with segment.open("ab") as log:
            log.write(random.Random(1).randbytes(40))
        server.start()
        assert owner.rows("chat", "SELECT text FROM message") == [["kept"]]

    def test_damage_in_the_middle_of_the_log_is_refused(
        self, server: RunningServer, owner: Api, chat: bytes
    ) -> None:
        """Only that database: the others go on."""
        owner.publish("chat", chat)
        owner.publish("other", chat)
        for _ in range(5):
            owner.call("chat", "say", '[1, "more"]')
        damaged = httpx.get(f"{server.url}/v1/database/chat/identity", timeout=PATIENCE).text
        server.stop()
        segments = sorted(
            (server.data_dir / "replicas").glob("*/clog/*.stdb.log"), key=lambda p: p.stat().st_size
        )
        data = bytearray(segments[-1].read_bytes())
        data[len(data) // 3] ^= 0xFF
        segments[-1].write_bytes(data)
        server.start()
        answer = owner.sql("chat", "SELECT * FROM message")
        assert answer.status_code == 500, (damaged, answer.text)
        assert str(segments[-1].name) in answer.text
        assert owner.rows("other", "SELECT title FROM room") == [["lobby"]]


async def test_nothing_is_lost_by_bad_neighbours(server: RunningServer, owner: Api, chat: bytes) -> None:
    """Good calls between bad ones on the same connection are carried out, in order."""
    owner.publish("chat", chat)
    client = await V2Client.open(server.url, "chat", owner.person)
    good = struct.pack("<I", 1)
    for number in range(10):
        await client.send_call("say", good + text(f"number {number}"))
        await client.send_call("say", b"\1")
        await client.send_call("unheard_of", b"")
    outcomes = [(await client.receive_tag(RESULT)).outcome for _ in range(30)]
    assert outcomes == [0, 3, 3] * 10
    rows = await asyncio.to_thread(owner.rows, "chat", "SELECT text FROM message")
    assert sorted(row[0] for row in rows) == [f"number {number}" for number in range(10)]
    await client.close()
