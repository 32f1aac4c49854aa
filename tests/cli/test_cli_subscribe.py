"""`subscribe`, against a WebSocket server on this machine."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from spacetimedb_cli.errors import PeerError
from spacetimedb_cli.subscribe.messages import (
    CLIENT_MESSAGE,
    SERVER_MESSAGE,
    Applied,
    Refused,
    TableChange,
    Update,
    read_payload,
    split_rows,
    subscribe_message,
)
from spacetimedb_lib.sats.bsatn import codec
from spacetimedb_lib.sats.types import STRING, U32, SumValue, product

from .conftest import DATABASE, WARNING, token_of
from .schemas import V10

ITEM = codec(product(id=U32, name=STRING))


def row_list(*rows: bytes) -> Any:
    starts = [sum(map(len, rows[:number])) for number in range(len(rows))]
    return SumValue(1, starts), b"".join(rows)


def message(tag: int, content: Any) -> bytes:
    return bytes(codec(SERVER_MESSAGE).encode(SumValue(tag, content)))


def item(number: int, name: str) -> bytes:
    return ITEM.encode((number, name))


def applied(**tables: Any) -> bytes:
    return message(1, (0, (0,), (list(tables.items()),)))


def update(*tables: tuple[str, Any]) -> bytes:
    return message(4, ([((0,), list(tables))],))


def changed(table: str, inserts: list[bytes] = (), deletes: list[bytes] = ()) -> tuple[str, Any]:
    return table, [SumValue(0, (row_list(*inserts), row_list(*deletes)))]


GREETING = message(0, ((1,), (2,), "token"))


@dataclass
class Database:
    """A WebSocket server that plays a script at whoever subscribes; it remembers who came with what."""

    script: Callable[[ServerConnection], None] = lambda socket: None
    protocol: str = "v3.bsatn.spacetimedb"
    came: list[ServerConnection] = field(default_factory=list)
    asked: list[Any] = field(default_factory=list)

    def serve(self, socket: ServerConnection) -> None:
        self.came.append(socket)
        try:
            self.asked.append(codec(CLIENT_MESSAGE).decode_exact(socket.recv()))
            self.script(socket)
            socket.recv(timeout=60)  # stay until the client leaves
        except (ConnectionClosed, TimeoutError):
            return


@pytest.fixture
def database() -> Iterator[Database]:
    database = Database()

    def choose(socket: ServerConnection, offered: list[str]) -> str:
        return database.protocol

    with serve(database.serve, "127.0.0.1", 0, select_subprotocol=choose, compression=None) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        database.url = f"http://127.0.0.1:{server.socket.getsockname()[1]}"
        yield database
        server.shutdown()
        thread.join()


@pytest.fixture
def subscribe(logged_in, server, database):
    server.on(f"GET /v1/database/{DATABASE}/schema", V10)
    return lambda *arguments: logged_in("subscribe", "-s", database.url, "db", *arguments)


def sends(*payloads: bytes) -> Callable[[ServerConnection], None]:
    def script(socket: ServerConnection) -> None:
        for payload in payloads:
            socket.send(b"\0" + payload)

    return script


def test_updates_are_lines_of_json(subscribe, database):
    first = update(changed("item", [item(1, "anvil")]), changed("big_item", deletes=[item(2, "grüße")]))
    database.script = sends(GREETING, applied(item=row_list(item(9, "old"))), first, update(changed("item")))
    outcome = subscribe("SELECT * FROM item", "-n", "2")
    assert (outcome.exit, outcome.err) == (0, WARNING)
    assert outcome.out == (
        '{"item":{"deletes":[],"inserts":[{"id":1,"name":"anvil"}]},'
        '"big_item":{"deletes":[{"id":2,"name":"grüße"}],"inserts":[]}}\n'
        '{"item":{"deletes":[],"inserts":[]}}\n'
    )


def test_what_is_asked_for(subscribe, database):
    database.script = sends(update(changed("item")))
    subscribe("SELECT * FROM item", "SELECT * FROM mine", "-n", "1", "--confirmed", "false")
    assert database.asked == [(0, (0, (0,), ["SELECT * FROM item", "SELECT * FROM mine"]))]
    request = database.came[0].request
    assert request.path == f"/v1/database/{DATABASE}/subscribe?compression=None&confirmed=false"
    assert request.headers["authorization"] == f"Bearer {token_of('me')}"
    assert request.headers["sec-websocket-protocol"] == "v3.bsatn.spacetimedb, v2.bsatn.spacetimedb"
    assert request.headers["user-agent"] == "spacetimedb-cli/2.10.0"


def test_several_messages_in_a_payload(subscribe, database):
    one = update(changed("item", [item(1, "a")]))
    database.script = sends(GREETING + applied() + one + one + one)
    assert len(subscribe("SELECT * FROM item", "-n", "2").out.splitlines()) == 2


def test_the_older_protocol(subscribe, database):
    database.protocol = "v2.bsatn.spacetimedb"
    database.script = sends(GREETING, applied(), update(changed("item")))
    assert subscribe("SELECT * FROM item", "-n", "1").exit == 0


def test_a_protocol_that_is_too_old(subscribe, database):
    database.protocol = None
    outcome = subscribe("SELECT * FROM item", "-n", "1")
    assert (outcome.exit, "too old for this tool" in outcome.err) == (1, True)


def test_the_initial_rows_on_request(subscribe, database):
    database.script = sends(GREETING, applied(item=row_list(item(9, "old")), mine=row_list()))
    outcome = subscribe("SELECT * FROM item", "--print-initial-update", "-t", "0")
    database.script = sends(GREETING, applied(item=row_list(item(9, "old"))), update(changed("item")))
    outcome = subscribe("SELECT * FROM item", "--print-initial-update", "-n", "1")
    assert outcome.out.splitlines()[0] == '{"item":{"deletes":[],"inserts":[{"id":9,"name":"old"}]}}'
    assert len(outcome.out.splitlines()) == 2  # the initial rows do not count


def test_rows_of_an_event_table_only_come(subscribe, database):
    database.script = sends(update(("item", [SumValue(1, (row_list(item(1, "a")),))])))
    line = json.loads(subscribe("SELECT * FROM item", "-n", "1").out)
    assert line == {"item": {"deletes": [], "inserts": [{"id": 1, "name": "a"}]}}


def test_a_submodules_table(subscribe, database):
    row = codec(product(key=STRING)).encode(("k",))
    database.script = sends(update(changed("auth.session", [row])))
    assert json.loads(subscribe("SELECT * FROM auth.session", "-n", "1").out) == {
        "auth.session": {"deletes": [], "inserts": [{"key": "k"}]}
    }


def test_time_is_up(subscribe, database):
    database.script = sends(GREETING, applied())
    outcome = subscribe("SELECT * FROM item", "-t", "0")
    assert (outcome.exit, outcome.err) == (0, f"{WARNING}timed out after 0s\n")


def test_time_is_up_too_early(subscribe, database):
    database.script = sends(GREETING, update(changed("item")))
    outcome = subscribe("SELECT * FROM item", "-n", "2", "-t", "1")
    assert outcome.exit == 1
    assert outcome.err == (
        f"{WARNING}timed out after 1s\nError: subscription timed out after 1s after receiving 1/2 updates\n"
    )


def test_the_server_closes(subscribe, database):
    database.script = lambda socket: socket.close()
    outcome = subscribe("SELECT * FROM item")
    assert (outcome.exit, outcome.err) == (0, f"{WARNING}disconnected by server\n")
    outcome = subscribe("SELECT * FROM item", "-n", "1")
    assert outcome.exit == 1
    assert outcome.err.endswith("Error: subscription closed after receiving 0/1 updates\n")


def test_a_query_that_is_wrong(subscribe, database):
    database.script = sends(GREETING, message(3, (SumValue(0, 0), (0,), "no such table: `x`")))
    outcome = subscribe("SELECT * FROM x")
    assert outcome.exit == 1
    assert outcome.err.endswith("Error: encountered error in initial subscribe: no such table: `x`\n")


@pytest.mark.parametrize(
    ("payload", "error"),
    [
        (b"\1abc", "the server compressed a message"),
        (b"", "the server compressed a message"),
        (b"\0\xff", "a message that cannot be read"),
        (b"\0" + update(changed("nothing", [b"x"])), "rows of `nothing`, which its schema does not have"),
        (b"\0" + update(changed("item", [b"x"])), "a row of `item` that does not fit its type"),
    ],
)
def test_messages_that_are_wrong(subscribe, database, payload, error):
    database.script = lambda socket: socket.send(payload)
    outcome = subscribe("SELECT * FROM item", "-n", "1")
    assert (outcome.exit, error in outcome.err) == (1, True)


def test_text_is_not_expected(subscribe, database):
    database.script = lambda socket: socket.send("hello")
    assert "sent text on a binary connection" in subscribe("SELECT * FROM item").err


def test_nobody_there(logged_in, server):
    server.on(f"GET /v1/database/{DATABASE}/schema", V10)
    outcome = logged_in("subscribe", "-s", "http://127.0.0.1:1", "db", "SELECT * FROM item")
    assert outcome.exit == 1
    assert "Error: could not connect to ws://127.0.0.1:1/v1/database/" in outcome.err


# --- messages ---


def test_subscribe_in_bytes():
    assert (
        subscribe_message(["SELECT 1"]).hex()
        == "00" + "00000000" * 2 + "01000000" + "08000000" + b"SELECT 1".hex()
    )


def test_messages_about_other_things_are_passed_over():
    result = message(6, (0, (0,), SumValue(1, ())))
    assert list(read_payload(b"\0" + GREETING + result + applied())) == [Applied(())]


def test_a_payload_is_read_to_its_end():
    payload = b"\0" + update(changed("t", [b"ab"])) + message(3, (SumValue(1, ()), (0,), "why"))
    assert list(read_payload(payload)) == [Update((TableChange("t", [b"ab"], []),)), Refused("why")]


def test_a_payload_that_breaks_off():
    with pytest.raises(PeerError, match="a message that cannot be read"):
        list(read_payload(b"\0" + applied()[:-1]))


@pytest.mark.parametrize(
    ("hint", "data", "rows"),
    [
        (SumValue(0, 2), b"aabbcc", [b"aa", b"bb", b"cc"]),
        (SumValue(0, 2), b"", []),
        (SumValue(1, []), b"", []),
        (SumValue(1, [0, 1, 1]), b"abc", [b"a", b"", b"bc"]),
        (SumValue(1, [0, 0]), b"", [b"", b""]),  # a table without columns still counts its rows
    ],
)
def test_rows_are_cut_by_their_hint(hint, data, rows):
    assert split_rows((hint, data)) == rows
