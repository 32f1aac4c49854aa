"""What clients hear of transactions."""

from __future__ import annotations

import logging

import pytest

from spacetimedb_standalone.subscriptions import V2_GZIP, V2_PLAIN

from ..sql.sample import I1, I2, OWNER, P1, P2, P3, TABLES, A, B
from .client import Client, Stage

LEVEL_5 = "SELECT * FROM player WHERE level = 5"
ITEMS_OF_LEVEL_5 = "SELECT item.* FROM player JOIN item ON player.id = item.owner_id WHERE player.level = 5"
OWNERS = "SELECT player.* FROM player JOIN item ON player.id = item.owner_id"
AMY, P1_LEVEL_6, P2_LEVEL_5 = (1, "amy", 5, True, 1.5), (1, "ann", 6, True, 1.5), (2, "bob", 5, False, 2.5)
I4 = (4, 1, "bow", 1)


class TestOneTable:
    @pytest.mark.parametrize(
        ("inserts", "deletes", "change"),
        [
            ([P1_LEVEL_6], [P1], ([], [P1])),
            ([P2_LEVEL_5], [P2], ([P2_LEVEL_5], [])),
            ([AMY], [P1], ([AMY], [P1])),
            ([P1], [P1], None),
            ([(4, "dan", 9, True, 0.0)], [], None),
        ],
    )
    def test_rows_that_come_and_go(
        self, inserts: list[object], deletes: list[object], change: object
    ) -> None:
        stage = Stage()
        client = stage.client(A, LEVEL_5)
        stage.commit([("player", row) for row in inserts], [("player", row) for row in deletes])
        assert stage.heard(client) == change

    def test_of_the_sender(self) -> None:
        stage = Stage()
        a, b = (stage.client(who, "SELECT * FROM acct WHERE ident = :sender") for who in (A, B))
        row = ((11,), (3,), b"", (0,), (0,), 0, (1, ()))
        stage.commit([("acct", row)], [("acct", ((11,), (2,), b"\xff", (0,), (0,), 0, (1, ())))])
        assert stage.heard(a) is None
        assert stage.heard(b)[0] == [row]


class TestJoin:
    @pytest.mark.parametrize(
        ("query", "inserts", "deletes", "change"),
        [
            (ITEMS_OF_LEVEL_5, [("player", P1_LEVEL_6)], [("player", P1)], ([], [I1, I2])),
            (ITEMS_OF_LEVEL_5, [("player", AMY)], [("player", P1)], None),
            (
                ITEMS_OF_LEVEL_5,
                [("item", (2, 1, "potion", 11))],
                [("item", I2)],
                ([(2, 1, "potion", 11)], [I2]),
            ),
            (ITEMS_OF_LEVEL_5, [("item", (4, 3, "bow", 1))], [], ([(4, 3, "bow", 1)], [])),
            (ITEMS_OF_LEVEL_5, [], [("player", P1), ("item", I1)], ([], [I1, I2])),
            (
                ITEMS_OF_LEVEL_5,
                [("player", (4, "dan", 5, True, 0.0)), ("item", (4, 4, "bow", 1))],
                [],
                ([(4, 4, "bow", 1)], []),
            ),
            (ITEMS_OF_LEVEL_5, [("player", P1_LEVEL_6), ("item", I4)], [("player", P1)], ([], [I1, I2])),
            (OWNERS, [], [("item", I1)], ([], [P1])),
            (OWNERS, [("item", I4)], [], ([P1], [])),
            (OWNERS, [("player", AMY)], [("player", P1)], ([AMY, AMY], [P1, P1])),
            (OWNERS, [("item", I4)], [("item", I1)], None),
            (OWNERS, [], [("item", I1), ("item", I2)], ([], [P1, P1])),
        ],
    )
    def test_rows_count_as_often_as_they_are_joined(
        self, query: str, inserts: list[object], deletes: list[object], change: object
    ) -> None:
        stage = Stage()
        client = stage.client(A, query)
        stage.commit(inserts, deletes)
        assert stage.heard(client) == change

    def test_with_itself(self) -> None:
        stage = Stage()
        client = stage.client(A, "SELECT a.* FROM player a JOIN player b ON a.level = b.level")
        stage.commit([("player", P2_LEVEL_5)], [("player", P2)])
        gained = [P1, P2_LEVEL_5, P2_LEVEL_5, P2_LEVEL_5, P3]
        assert stage.heard(client) == (gained, [P2])


class TestViews:
    def test_change_with_their_tables(self) -> None:
        stage = Stage()
        client = stage.client(A, "SELECT * FROM hi_players")
        high = (4, "dan", 9, True, 0.0)
        stage.sample.insert("player", high)
        stage.sample.views.refresh(TABLES["hi_players"], None)
        stage.commit()
        assert stage.heard(client) == ([high], [])

    def test_each_caller_hears_of_their_instance(self) -> None:
        stage = Stage()
        a, b = (stage.client(who, "SELECT * FROM my_acct") for who in (A, B))
        view = TABLES["my_acct"]
        stage.sample.store.delete(view.id, stage.sample.store.scan(view.id)[0])
        stage.commit()
        assert stage.heard(a)[1][0][0] == (10,)
        assert stage.heard(b) is None


class TestEvents:
    def test_are_told_once(self) -> None:
        stage = Stage()
        client = stage.client(A, "SELECT * FROM evt WHERE pid < 3")
        stage.commit([("evt", (1, "one")), ("evt", (2, "two")), ("evt", (3, "three"))])
        assert stage.heard(client) == ("events", [(1, "one"), (2, "two")])
        stage.commit()
        assert client.take() == []

    def test_joined_with_what_was_before(self) -> None:
        stage = Stage()
        client = stage.client(A, "SELECT evt.* FROM evt JOIN player ON evt.pid = player.id")
        new = (4, "dan", 9, True, 0.0)
        events = [("evt", (pid, "hi")) for pid in (1, 2, 4)]
        stage.commit([*events, ("player", new)], [("player", P2)])
        assert stage.heard(client) == ("events", [(1, "hi"), (2, "hi")])


class TestMessages:
    def test_one_a_transaction_with_sets_and_tables_in_order(self) -> None:
        stage = Stage()
        client = stage.client(A, "SELECT * FROM player", set_id=9)
        stage.ask(client, "SELECT * FROM player", "SELECT * FROM kv", set_id=3)
        new, kv = (4, "dan", 9, True, 0.0), ("a", "b")
        stage.commit([("player", new), ("kv", kv)])
        ((kind, sets),) = client.take()
        assert kind == "update"
        assert [(set_id, list(tables)) for set_id, tables in sets.items()] == [
            (3, ["kv", "player"]),
            (9, ["player"]),
        ]
        assert client.offsets[-1] == 1

    def test_queries_of_a_table_are_told_apart(self) -> None:
        stage = Stage()
        client = stage.client(A, "SELECT * FROM kv", "select * from kv")
        stage.commit([("kv", ("a", "b"))])
        assert client.take() == [("update", {1: {"kv": [([("a", "b")], []), ([("a", "b")], [])]}})]

    def test_the_caller_gets_its_part_back(self) -> None:
        stage = Stage()
        caller, other = stage.client(A, "SELECT * FROM kv"), stage.client(B, "SELECT * FROM kv")
        update = stage.commit([("kv", ("a", "b"))], caller=caller)
        assert update == {1: {"kv": [([("a", "b")], [])]}}
        assert caller.take() == []
        assert other.take() == [("update", update)]

    def test_a_caller_that_watches_nothing_gets_an_empty_part(self) -> None:
        stage = Stage()
        stage.client(A, "SELECT * FROM kv")
        assert stage.commit([("kv", ("a", "b"))], caller=Client(B)) == {}

    def test_equal_messages_are_the_same_bytes(self) -> None:
        stage = Stage()
        clients = [stage.client(who, "SELECT * FROM kv") for who in (A, B, A)]
        stage.commit([("kv", ("a", "b"))])
        assert clients[0].raw[-1] is clients[1].raw[-1] is clients[2].raw[-1]

    def test_compressed_for_those_who_asked(self) -> None:
        plain, packed = Client(A), Client(B)
        stage = Stage(encoder_of=lambda client: V2_GZIP if client is packed else V2_PLAIN)
        for client in (plain, packed):
            stage.ask(client, "SELECT * FROM kv")
        stage.commit([("kv", ("long", "x" * 2000))])
        assert (plain.raw[-1][0], packed.raw[-1][0]) == (0, 2)
        assert plain.take() == packed.take()


class TestFailure:
    def test_takes_only_the_sets_of_the_query_and_is_told_first(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        stage = Stage()
        client = stage.client(A, "SELECT * FROM kv", set_id=1)
        stage.ask(client, OWNERS, "SELECT * FROM kv", set_id=2)

        def broken(index_id: int, point: bytes) -> list[bytes]:
            raise RuntimeError("index is gone")

        monkeypatch.setattr(stage.sample.store, "seek", broken)
        stage.sample.store._rows[4097][b"\x04" + bytes(7) + b"\1\0\0\0" + bytes(8)] = None
        delta = [(4097, stage.sample.store.scan(4097)[-1:], []), (4100, [b"\1\0\0\0a\1\0\0\0b"], [])]
        with caplog.at_level(logging.ERROR):
            stage.subscriptions.committed(delta, 7)
        assert client.take() == [
            ("refused", None, 2, "index is gone"),
            ("update", {1: {"kv": [([("a", "b")], [])]}}),
        ]
        assert "failed on transaction 7" in caplog.text


class TestRedefinition:
    def test_queries_mean_the_new_tables(self) -> None:
        stage = Stage()
        client = stage.client(A, "SELECT * FROM kv")
        lost = stage.client(A, "SELECT * FROM guild", set_id=2)
        tables = stage.sample.catalog._tables
        del tables[4098]
        assert stage.subscriptions.redefine() == [lost]
        assert stage.watched == {4100}
        stage.commit([("kv", ("a", "b"))])
        assert stage.heard(client) == ([("a", "b")], [])

    def test_owners_and_strangers_do_not_share(self) -> None:
        stage = Stage({"kv": ["SELECT * FROM kv WHERE k = 'a'"]})
        owner, stranger = stage.client(OWNER, "SELECT * FROM kv"), stage.client(A, "SELECT * FROM kv")
        stage.commit([("kv", ("b", "c"))])
        assert stage.heard(owner) == ([("b", "c")], [])
        assert stage.heard(stranger) is None
