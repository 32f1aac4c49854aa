"""What may be subscribed to, and the answers."""

from __future__ import annotations

import pytest

from ..sql.sample import I1, I2, I3, OWNER, P1, P2, P3, A, B
from .client import Client, Stage

INDEX_NEEDED = "Subscriptions require indexes on join columns"
NO_SECRET = "no such table: `secret`. If the table exists, it may be marked private."
JOINED = "JOIN item ON player.id = item.owner_id"

ACCEPTED = {
    "SELECT * FROM player": [("player", [P1, P2, P3])],
    "SELECT player.* FROM player WHERE name = 'ann' OR level = 7": [("player", [P1, P2])],
    f"SELECT item.* FROM player {JOINED} WHERE player.level = 5": [("item", [I1, I2])],
    f"SELECT player.* FROM player {JOINED}": [("player", [P1, P1, P2])],
    "SELECT player.* FROM guild JOIN player ON player.id = guild.player_id": [("player", [P1, P1, P2])],
    "SELECT player.* FROM player JOIN guild ON player.id = guild.player_id WHERE guild.gid = 10": [
        ("player", [P1, P2])
    ],
    "SELECT evt.* FROM evt JOIN player ON evt.pid = player.id": [],
    "SELECT * FROM evt": [],
    "SELECT * FROM player WHERE id = 99": [("player", [])],
    "SELECT * FROM my_acct": [
        ("my_acct", [((10,), (1,), b"\1\2", (1_739_202_330_000_000,), (1,), 10**40, (0, "hi"))])
    ],
    "SELECT * FROM hi_players": [("hi_players", [P2])],
    "  SELECT * FROM kv ; ": [("kv", [("5", "five")])],
}

REFUSED = {
    "SELECT name FROM player": "Column projections are not supported in subscriptions; "
    "Subscriptions must return a table type",
    "SELECT COUNT(*) AS n FROM player": "Column projections are not supported in subscriptions; "
    "Subscriptions must return a table type",
    "SELECT * FROM player LIMIT 1": "Unsupported: SELECT * FROM player LIMIT 1",
    "SELECT DISTINCT * FROM player": "Unsupported SELECT: SELECT DISTINCT * FROM player",
    "DELETE FROM player": "Unsupported: Non-SELECT queries",
    "select r.* from player": "`r` is not in scope",
    "SELECT player.* FROM player JOIN guild ON player.id = guild.player_id": INDEX_NEEDED,
    "SELECT player.* FROM player JOIN guild ON player.id = guild.player_id WHERE guild.gid = 10 "
    "AND player.level = 5": INDEX_NEEDED,
    "SELECT player.* FROM player JOIN guild ON player.id = guild.player_id WHERE guild.gid = 10 "
    "OR guild.gid = 20": INDEX_NEEDED,
    "SELECT i.* FROM guild g JOIN player p ON g.player_id = p.id JOIN item i ON i.owner_id = p.id": (
        "Invalid number of tables in subscription: 3"
    ),
    "SELECT p.* FROM player p JOIN item i WHERE p.id = i.owner_id": INDEX_NEEDED,
    "SELECT player.* FROM player JOIN evt ON player.id = evt.pid": INDEX_NEEDED,
    "SELECT * FROM secret": NO_SECRET,
    "SELECT * FROM secret WHERE false": NO_SECRET,
    "": "SubscriptionError: Empty string",
}


@pytest.mark.parametrize("query", ACCEPTED)
def test_accepted(query: str) -> None:
    stage = Stage()
    assert stage.ask(Client(A), query) == ("applied", 11, 1, ACCEPTED[query])


@pytest.mark.parametrize("query", REFUSED)
def test_refused(query: str) -> None:
    stage = Stage()
    client = Client(A)
    told = f"{REFUSED[query]}, executing: `{query}`"
    assert stage.ask(client, "SELECT * FROM player", query) == ("refused", 11, 1, told)
    assert stage.watched == set()
    assert stage.ask(client, "SELECT * FROM kv")[0] == "applied"


class TestSets:
    def test_everything_a_caller_may_read(self) -> None:
        stage = Stage()
        stranger = stage.ask(Client(A), "select *\nFROM *")
        names = ["acct", "guild", "hi_players", "item", "kv", "my_acct", "player"]
        assert [name for name, _ in stranger[3]] == names
        owner = stage.ask(Client(OWNER), "SELECT * FROM *")
        # The owner has no account, but other views' rows keep the table from being empty.
        assert [name for name, _ in owner[3]] == [*names, "secret"]

    def test_the_same_text_twice_counts_once(self) -> None:
        answer = Stage().ask(Client(), "SELECT * FROM kv", " SELECT * FROM kv ", "select * from kv")
        assert answer[3] == [("kv", [("5", "five")])] * 2

    def test_a_set_without_queries(self) -> None:
        stage, client = Stage(), Client()
        assert stage.ask(client) == ("applied", 11, 1, [])
        stage.subscriptions.unsubscribe(client, 12, 1, True, 0)
        assert client.take() == [("unsubscribed", 12, 1, [])]

    def test_an_id_in_use(self) -> None:
        stage, client = Stage(), Client()
        stage.ask(client, "SELECT * FROM kv")
        told = (
            "Subscription with id QuerySetId { id: 1 } already exists for client: "
            f"(Identity({10:064x}), ConnectionId({7:032x}))"
        )
        assert stage.ask(client, "SELECT * FROM player") == ("refused", 11, 1, told)
        stage.commit(inserts=[("kv", ("a", "b"))])
        assert stage.heard(client) == ([("a", "b")], [])

    def test_unsubscribing_with_and_without_rows(self) -> None:
        stage, client = Stage(), Client()
        for send_dropped, rows in ((True, [("kv", [("5", "five")])]), (False, None)):
            stage.ask(client, "SELECT * FROM kv")
            stage.subscriptions.unsubscribe(client, 12, 1, send_dropped, 0)
            assert client.take() == [("unsubscribed", 12, 1, rows)]
        stage.commit(inserts=[("kv", ("a", "b"))])
        assert client.take() == []
        assert stage.watched == set()

    def test_unsubscribing_what_is_unknown(self) -> None:
        stage, client = Stage(), Client()
        who = f"(Identity({10:064x}), ConnectionId({7:032x}))"
        stage.subscriptions.unsubscribe(client, 12, 5, True, 0)
        assert client.take() == [("refused", 12, 5, f"Client not found: {who}")]
        stage.ask(client, "SELECT * FROM kv")
        stage.subscriptions.unsubscribe(client, 12, 5, True, 0)
        told = f"Subscription not found: ({who}, QuerySetId {{ id: 5 }})"
        assert client.take() == [("refused", 12, 5, told)]

    def test_answers_wait_for_the_transaction_they_show(self) -> None:
        stage, client = Stage(), Client()
        stage.subscriptions.subscribe(client, 1, 1, ["SELECT * FROM kv"], 41)
        stage.subscriptions.subscribe(client, 2, 2, ["nonsense"], 41)
        stage.subscriptions.one_off(client, 3, "SELECT * FROM kv", 42)
        stage.subscriptions.unsubscribe(client, 4, 1, True, 43)
        assert client.offsets == [41, -1, 42, 43]

    def test_a_connection_that_ends_leaves_nothing(self) -> None:
        stage = Stage()
        client = stage.client(A, "SELECT * FROM *")
        other = stage.client(B, "SELECT * FROM my_acct")
        stage.subscriptions.drop(client)
        assert stage.watched == {4104}
        assert stage.sample.views.retained == [("my_acct", B.identity)]
        stage.subscriptions.drop(other)
        assert stage.watched == set()
        assert stage.sample.views.retained == []


class TestRowLimit:
    def test_binds_all_but_the_owner(self) -> None:
        stage = Stage()
        stage.sample.insert("st_var", ("row_limit", (8, 2)))
        told = "Estimated cardinality (3 rows) exceeds limit (2 rows)"
        assert stage.ask(Client(A), "SELECT * FROM player") == ("refused", 11, 1, told)
        assert stage.ask(Client(A), "SELECT * FROM player WHERE id = 1")[0] == "applied"
        assert stage.ask(Client(OWNER), "SELECT * FROM player")[0] == "applied"


class TestRules:
    def test_each_rule_is_an_entry(self) -> None:
        stage = Stage({"kv": ["SELECT * FROM kv WHERE k = '5'", "SELECT * FROM kv WHERE v = 'five'"]})
        five = ("5", "five")
        assert stage.ask(Client(A), "SELECT * FROM kv")[3] == [("kv", [five])] * 2
        assert stage.ask(Client(OWNER), "SELECT * FROM kv")[3] == [("kv", [five])]

    def test_a_rule_with_a_join(self) -> None:
        stage = Stage(
            {"item": ["SELECT i.* FROM player p JOIN item i ON p.id = i.owner_id WHERE p.level = 7"]}
        )
        assert stage.ask(Client(A), "SELECT * FROM item")[3] == [("item", [I3])]

    def test_a_rule_that_cannot_be_watched(self) -> None:
        stage = Stage({"item": ["SELECT item.* FROM player JOIN item"]})
        answer = stage.ask(Client(A), "SELECT * FROM item")
        assert answer[3] == f"{INDEX_NEEDED}, executing: `SELECT * FROM item`"


class TestOneOff:
    @pytest.mark.parametrize(
        ("query", "answer"),
        [
            ("SELECT * FROM kv", [("kv", [("5", "five")])]),
            ("SELECT * FROM evt", [("evt", [])]),
            ("SELECT * FROM kv WHERE k = 'x'", [("kv", [])]),
            ("SELECT p.* FROM player p JOIN item i WHERE p.id = i.owner_id", [("player", [P1, P1, P2])]),
            (
                "SELECT i.* FROM guild g JOIN player p ON g.player_id = p.id "
                "JOIN item i ON i.owner_id = p.id",
                [("item", [I1, I1, I2, I2, I3])],
            ),
            ("SELECT * FROM hi_players", [("hi_players", [])]),
            ("", "Empty SQL query"),
            ("SELECT * FROM *", "sql parser error: Expected identifier, found: * at Line: 1, Column 15"),
            (
                "SELECT * FROM nowhere",
                "no such table: `nowhere`. If the table exists, it may be marked private.",
            ),
        ],
    )
    def test_answer(self, query: str, answer: object) -> None:
        stage, client = Stage(), Client()
        stage.subscriptions.one_off(client, 5, query, 0)
        assert client.take() == [("answer", 5, answer)]
        assert stage.watched == set()
