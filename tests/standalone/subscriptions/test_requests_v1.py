"""Subscriptions by protocol v1: what single, multi and whole sets share, and what they are told."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from spacetimedb_standalone.ports.clock import ManualClock
from spacetimedb_standalone.sql import Caller
from spacetimedb_standalone.subscriptions import V1, Cause, RequestsV1, v1_encoder
from spacetimedb_standalone.wire.envelope import Compression
from spacetimedb_standalone.wire.forms import Single
from spacetimedb_standalone.wire.server_v1 import ReducerCall

from ..sql.sample import I1, P1, P2, P3, A
from .client import Stage

TEXT = v1_encoder(is_text=True, compression=Compression.NONE, is_light=False)
LIGHT = v1_encoder(is_text=True, compression=Compression.NONE, is_light=True)
CALL = ReducerCall(5, bytes(32), bytes(16), "add", 3, Single(b"", lambda: "[1]"), 8, 70)
NO_EVENTS = (
    "Subscribing to event tables requires WebSocket v2. "
    "Please upgrade your client SDK and regenerate your module bindings."
)


@dataclass(eq=False)
class TextClient:
    """A client without a network that speaks JSON: it keeps what it is sent."""

    caller: Caller = A
    encoder: V1 = TEXT
    connection_id: bytes = (7).to_bytes(16, "little")
    raw: list[bytes] = field(default_factory=list)

    @property
    def identity(self) -> bytes:
        return self.caller.identity

    @property
    def is_owner(self) -> bool:
        return self.caller.is_owner

    def append(self, message: bytes, offset: int = -1) -> None:
        self.raw.append(message)

    def take(self) -> list[tuple[str, dict[str, Any]]]:
        """The messages since the last time: (name, content)."""
        taken, self.raw = self.raw, []
        return [next(iter(json.loads(message).items())) for message in taken]


class Hall:
    """The sample database, with requests of v1."""

    def __init__(self) -> None:
        self.stage = Stage()
        self.clock = ManualClock()
        encoder_of: Callable[[Any], V1] = lambda client: client.encoder  # noqa: E731
        self.requests = RequestsV1(self.stage.subscriptions.sets, encoder_of, self.clock)

    def multi(self, client: TextClient, *queries: str, id: int = 1) -> Any:
        self.requests.subscribe_multi(client, 11, id, queries, 0)
        return answer(client)

    def single(self, client: TextClient, query: str, id: int = 1) -> Any:
        self.requests.subscribe_single(client, 12, id, query, 0)
        return answer(client)

    def whole(self, client: TextClient, *queries: str) -> Any:
        self.requests.subscribe_whole(client, 13, queries, 0)
        return answer(client)

    def drop_multi(self, client: TextClient, id: int = 1) -> Any:
        self.requests.unsubscribe_multi(client, 14, id, 0)
        return answer(client)

    def drop_single(self, client: TextClient, id: int = 1) -> Any:
        self.requests.unsubscribe_single(client, 15, id, 0)
        return answer(client)

    def commit(self, *rows: tuple[str, Any], cause: Cause | None = None) -> None:
        for name, row in rows:
            self.stage.sample.insert(name, row)
        delta = self.stage.sample.store.take_delta()
        self.stage.subscriptions.committed(delta, 9, None, cause or Cause())


@pytest.fixture
def hall() -> Hall:
    return Hall()


def answer(client: TextClient) -> tuple[str, Any]:
    """The one message: its name, and what it says of rows or errors."""
    ((name, content),) = client.take()
    if name == "SubscriptionError":
        return name, content["error"]
    if "rows" in content:
        return name, tables({"tables": [content["rows"]["table_rows"]]})
    return name, tables(content.get("update") or content.get("database_update"))


def tables(update: Any) -> list[tuple[str, int, list[Any]]]:
    """Of each table: name, number of rows, and of each query (deletes, inserts)."""
    return [
        (table["table_name"], table["num_rows"], [changes(each) for each in table["updates"]])
        for table in update["tables"]
    ]


def changes(update: Any) -> tuple[list[Any], list[Any]]:
    return [sorted((json.loads(row) for row in update[k]), key=repr) for k in ("deletes", "inserts")]  # type: ignore[return-value]


def player(row: Any) -> dict[str, Any]:
    """A row that was read, as it is told."""
    return dict(zip(("id", "name", "level", "online", "x"), row, strict=True))


PLAYERS = "SELECT * FROM player"
LEVEL_7 = "SELECT * FROM player WHERE level = 7"


class TestMulti:
    def test_rows_come_and_go(self, hall: Hall) -> None:
        client = TextClient()
        rows = [player(row) for row in (P1, P2, P3)]
        assert hall.multi(client, PLAYERS) == ("SubscribeMultiApplied", [("player", 3, [[[], rows]])])
        assert hall.drop_multi(client) == ("UnsubscribeMultiApplied", [("player", 3, [[rows, []]])])
        hall.commit(("player", (4, "dan", 1, True, 0.0)))
        assert client.take() == []

    def test_tables_without_rows_are_left_out(self, hall: Hall) -> None:
        hall.stage.sample.delete("kv", ("5", "five"))
        assert hall.multi(TextClient(), "SELECT * FROM kv") == ("SubscribeMultiApplied", [])

    def test_a_query_in_two_sets_counts_once(self, hall: Hall) -> None:
        client = TextClient()
        hall.multi(client, LEVEL_7, id=1)
        assert hall.multi(client, LEVEL_7, id=2) == ("SubscribeMultiApplied", [])
        hall.commit(("player", (4, "dan", 7, True, 0.0)))
        ((name, content),) = client.take()
        assert name == "TransactionUpdateLight"
        assert tables(content["update"]) == [("player", 1, [[[], [[4, "dan", 7, True, 0.0]]]])]
        assert hall.drop_multi(client, id=1) == ("UnsubscribeMultiApplied", [])
        hall.commit(("player", (5, "eve", 7, True, 0.0)))
        assert len(client.take()) == 1, "the other set still has the query"
        gone = [player((4, "dan", 7, True, 0.0)), player((5, "eve", 7, True, 0.0)), player(P2)]
        _, ((_, count, ((deletes, _),)),) = hall.drop_multi(client, id=2)
        assert count == 3
        assert sorted(deletes, key=repr) == sorted(gone, key=repr)
        hall.commit(("player", (6, "fay", 7, True, 0.0)))
        assert client.take() == []

    def test_another_spelling_is_another_query(self, hall: Hall) -> None:
        client = TextClient()
        hall.multi(client, LEVEL_7, "select * from player where level = 7")
        hall.commit(("player", (4, "dan", 7, True, 0.0)))
        ((_, content),) = client.take()
        twice = [[[], [[4, "dan", 7, True, 0.0]]]] * 2
        assert tables(content["update"]) == [("player", 2, twice)], "one table, a part for each query"

    def test_a_taken_id(self, hall: Hall) -> None:
        client = TextClient()
        hall.multi(client, PLAYERS)
        name, error = hall.multi(client, LEVEL_7)
        assert name == "SubscriptionError"
        assert error.startswith("Subscription with id QuerySetId { id: 1 } already exists for client: (Ident")

    def test_an_unknown_id(self, hall: Hall) -> None:
        client = TextClient()
        assert "Client not found: (Identity(" in hall.drop_multi(client, id=7)[1]
        hall.multi(client, PLAYERS)
        assert "Subscription not found: ((Identity(" in hall.drop_multi(client, id=7)[1]

    def test_event_tables_are_for_later_protocols(self, hall: Hall) -> None:
        client = TextClient()
        assert hall.multi(client, "SELECT * FROM evt") == ("SubscriptionError", NO_EVENTS)
        assert hall.multi(client, PLAYERS)[0] == "SubscribeMultiApplied", "nothing is left of the refused set"

    def test_durations_are_told_in_microseconds(self, hall: Hall) -> None:
        client = TextClient()
        hall.requests._clock = SlowClock()
        hall.requests.subscribe_multi(client, 1, 1, [PLAYERS], 0)
        assert client.take()[0][1]["total_host_execution_duration_micros"] == 250


class SlowClock(ManualClock):
    """Something always takes 250 microseconds here."""

    def monotonic(self) -> float:
        self.advance(250)
        return super().monotonic()


class TestSingle:
    def test_it_is_always_about_one_table(self, hall: Hall) -> None:
        client = TextClient()
        assert hall.single(client, LEVEL_7) == ("SubscribeApplied", [("player", 1, [[[], [player(P2)]]])])
        hall.stage.sample.delete("kv", ("5", "five"))
        assert hall.single(client, "SELECT * FROM kv", id=2) == ("SubscribeApplied", [("kv", 0, [[[], []]])])
        assert hall.drop_single(client) == ("UnsubscribeApplied", [("player", 1, [[[player(P2)], []]])])

    def test_its_text_is_taken_to_the_letter(self, hall: Hall) -> None:
        assert "executing: `SELECT * FROM *`" in hall.single(TextClient(), "SELECT * FROM *")[1]

    def test_a_query_that_a_multi_set_has_comes_without_rows(self, hall: Hall) -> None:
        client = TextClient()
        hall.multi(client, LEVEL_7, id=1)
        assert hall.single(client, LEVEL_7, id=2) == ("SubscribeApplied", [("player", 0, [[[], []]])])
        assert hall.drop_single(client, id=2) == ("SubscriptionError", "Internal error")
        assert hall.drop_multi(client, id=1)[1][0][:2] == ("player", 1)

    def test_the_other_kind_of_unsubscribing_does_too(self, hall: Hall) -> None:
        client = TextClient()
        hall.single(client, LEVEL_7)
        assert hall.drop_multi(client)[0] == "UnsubscribeMultiApplied"
        hall.multi(client, LEVEL_7)
        assert hall.drop_single(client)[0] == "UnsubscribeApplied"


class TestWhole:
    def test_each_replaces_the_one_before(self, hall: Hall) -> None:
        client = TextClient()
        assert hall.whole(client, PLAYERS)[0] == "InitialSubscription"
        assert hall.whole(client, "SELECT * FROM kv")[1][0][:2] == ("kv", 1)
        hall.commit(("player", (4, "dan", 7, True, 0.0)))
        assert client.take() == []
        hall.whole(client, PLAYERS)
        hall.commit(("player", (5, "eve", 7, True, 0.0)))
        assert len(client.take()) == 1

    def test_one_that_is_refused_leaves_the_old_one(self, hall: Hall) -> None:
        client = TextClient()
        hall.whole(client, PLAYERS)
        assert hall.whole(client, "SELECT * FROM nowhere")[0] == "SubscriptionError"
        hall.commit(("player", (4, "dan", 7, True, 0.0)))
        assert len(client.take()) == 1

    def test_it_is_told_beside_the_other_sets(self, hall: Hall) -> None:
        client = TextClient()
        hall.multi(client, LEVEL_7)
        assert hall.whole(client, LEVEL_7)[1][0][:2] == ("player", 1)
        hall.commit(("player", (4, "dan", 7, True, 0.0)))
        ((_, content),) = client.take()
        twice = [[[], [[4, "dan", 7, True, 0.0]]]] * 2
        assert tables(content["update"]) == [("player", 2, twice)]

    def test_it_may_have_event_tables(self, hall: Hall) -> None:
        client = TextClient()
        assert hall.whole(client, "SELECT * FROM evt") == ("InitialSubscription", [])
        hall.commit(("evt", (1, "boom")))
        ((_, content),) = client.take()
        assert tables(content["update"]) == [("evt", 1, [[[], [[1, "boom"]]]])]


class TestUpdates:
    def test_who_called_what_is_told_where_it_is_no_secret(self, hall: Hall) -> None:
        full, light = TextClient(), TextClient(encoder=LIGHT)
        hall.multi(full, PLAYERS)
        hall.multi(light, PLAYERS)
        hall.commit(("player", (4, "dan", 7, True, 0.0)), cause=Cause(8, CALL))
        ((name, content),) = full.take()
        assert name == "TransactionUpdate"
        call = {"reducer_name": "add", "reducer_id": 3, "args": "[1]", "request_id": 8}
        assert content["reducer_call"] == call
        assert tables(content["status"]["Committed"])[0][:2] == ("player", 1)
        ((name, content),) = light.take()
        assert (name, content["request_id"]) == ("TransactionUpdateLight", 8)
        hall.commit(("player", (5, "eve", 7, True, 0.0)), cause=Cause(8))
        assert full.take()[0][0] == "TransactionUpdateLight"

    def test_rows_that_were_read_are_objects_and_written_ones_arrays(self, hall: Hall) -> None:
        client = TextClient()
        hall.multi(client, "SELECT player.* FROM player JOIN item ON player.id = item.owner_id")
        hall.commit(("item", (9, 3, "bow", 1)))
        ((_, content),) = client.take()
        assert tables(content["update"]) == [("player", 1, [[[], [player(P3)]]])]
        hall.commit(("player", (4, "dan", 7, True, 0.0)), ("item", (10, 4, "bow", 1)))
        ((_, content),) = client.take()
        assert tables(content["update"]) == [("player", 1, [[[], [[4, "dan", 7, True, 0.0]]]])]

    def test_rows_of_views_are_arrays(self, hall: Hall) -> None:
        _, ((_, _, ((_, inserts),)),) = hall.multi(TextClient(), "SELECT * FROM hi_players")
        assert inserts == [list(P2)]

    def test_a_query_that_fails_takes_all_sets_of_its_client(
        self, hall: Hall, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        client, bystander = TextClient(), TextClient()
        hall.multi(client, "SELECT * FROM kv", id=1)
        hall.whole(client, PLAYERS)
        hall.multi(bystander, PLAYERS)
        (query,) = [q for q in hall.stage.subscriptions.sets.registry.all() if q.key.text != PLAYERS]

        def fail(*args: Any) -> Any:
            raise ArithmeticError("overflow")

        monkeypatch.setattr(query, "changes", fail)
        hall.commit(("kv", ("a", "b")))
        ((name, content),) = client.take()
        assert (name, content["request_id"], content["query_id"]) == (
            "SubscriptionError",
            {"none": []},
            {"none": []},
        )
        hall.commit(("player", (4, "dan", 7, True, 0.0)))
        assert client.take() == []
        assert len(bystander.take()) == 1

    def test_clients_of_all_protocols_hear_of_one_change(self, hall: Hall) -> None:
        old = TextClient(encoder=v1_encoder(is_text=False, compression=Compression.GZIP, is_light=True))
        hall.requests.subscribe_multi(old, 1, 1, [PLAYERS], 0)
        new = hall.stage.client(A, PLAYERS)
        text = TextClient()
        hall.multi(text, PLAYERS)
        old.raw.clear()
        rows = [("player", (n, "x" * 100, 1, True, 0.0)) for n in range(4, 24)]
        hall.commit(*rows)
        assert old.raw[0][0] == Compression.GZIP
        assert gzip.decompress(old.raw[0][1:])[0] == 2, "the tag of a light update"
        assert len(hall.stage.heard(new)[0]) == 20
        assert text.take()[0][1]["update"]["tables"][0]["num_rows"] == 20


class TestOneOff:
    def test_rows(self, hall: Hall) -> None:
        client = TextClient()
        hall.requests.one_off(client, b"\1\2", "SELECT * FROM item WHERE id = 1", 0)
        ((name, content),) = client.take()
        assert (name, content["message_id"], content["error"]) == (
            "OneOffQueryResponse",
            "0102",
            {"none": []},
        )
        (table,) = content["tables"]
        assert [json.loads(row) for row in table["rows"]] == [
            dict(zip(("id", "owner_id", "kind", "qty"), I1, strict=True))
        ]

    def test_an_error(self, hall: Hall) -> None:
        client = TextClient()
        hall.requests.one_off(client, b"", "", 0)
        ((_, content),) = client.take()
        assert (content["error"], content["tables"]) == ({"some": "Empty SQL query"}, [])
