"""SELECT: which rows come back, and how often."""

from __future__ import annotations

import json
from typing import Any

import pytest

from spacetimedb_lib.sats.bsatn import codec
from spacetimedb_standalone.sql import Caller, SqlError, ruled_table, run_sql

from .sample import I1, I2, I3, OWNER, P1, P2, P3, A, B, Sample

HEX_A, HEX_B = f"{0x0A:064x}", f"{0x0B:064x}"


def select(text: str, caller: Caller = OWNER, sample: Sample | None = None) -> list[Any]:
    """The rows in order; those of one column without their tuple."""
    sample = sample or Sample()
    result = run_sql(text, caller, sample.catalog, sample.store, sample.views)
    rows = [codec(result.schema).decode_exact(row) for row in result.rows]
    return sorted((row[0] if len(row) == 1 else row for row in rows), key=repr)


def refusal(text: str, caller: Caller = OWNER, sample: Sample | None = None) -> str:
    with pytest.raises(SqlError) as refused:
        select(text, caller, sample)
    return str(refused.value)


class TestProjection:
    def test_everything(self) -> None:
        assert select("SELECT * FROM player") == [P1, P2, P3]
        assert select("select player.* from player;") == [P1, P2, P3]

    def test_columns_come_in_the_order_asked_for(self) -> None:
        assert select("SELECT name AS n, id FROM player WHERE level = 5") == [("ann", 1), ("cat", 3)]
        assert select("SELECT x, level, x AS again FROM player WHERE id = 3") == [(-1.0, 5, -1.0)]

    def test_columns_behind_strings_and_options(self) -> None:
        assert select("SELECT note, uid FROM acct WHERE data = 0xff") == [((1, ()), (0,))]

    def test_count(self) -> None:
        assert select("SELECT COUNT(*) AS n FROM player") == [3]
        assert select("SELECT count(*) n FROM player WHERE level = 5") == [2]
        assert select("SELECT COUNT(*) AS n FROM player WHERE id = 99") == [0]
        assert select("SELECT COUNT(*) AS n FROM player CROSS JOIN guild") == [9]

    @pytest.mark.parametrize(
        ("limit", "rows", "counts"), [("0", 0, []), ("2", 2, [3]), ("1e1", 3, [3]), ("ALL", 3, [3])]
    )
    def test_limit(self, limit: str, rows: int, counts: list[int]) -> None:
        assert len(select(f"SELECT * FROM player LIMIT {limit}")) == rows
        assert select(f"SELECT COUNT(*) AS n FROM player LIMIT {limit}") == counts


PLAYER_CONDITIONS = {
    "online": [1, 3],
    "online = true": [1, 3],
    "online <> true": [2],
    "NOT_USED.id = 1": None,
    "true": [1, 2, 3],
    "FALSE = TRUE": [],
    "(TRUE = TRUE) AND (id = 1)": [1],
    "5 < level": [2],
    "5 >= level": [1, 3],
    "level > 5 AND level < 5": [],
    "level = 5 AND online = true OR id = 2": [1, 2, 3],
    "level = 5 AND (name = 'ann' OR id = 2)": [1],
    "level = 5e0": [1, 3],
    "level = '5'": [1, 3],
    "level = 0x5": [1, 3],
    "level = level": [1, 2, 3],
    "level <> level": [],
    "(id = 1) = true": [1],
    "id = 1 = online": [1, 2],
    "x = 1.5": [1],
    "x <> 1.5": [2, 3],
    "x < 0": [3],
    "x >= -1": [1, 2, 3],
    "x < 1e40": [1, 2, 3],
    "x = x": [1, 2, 3],
    "name = 'o''hara'": [],
    "name > 'ann'": [2, 3],
    "name >= 'ann'": [1, 2, 3],
    "name <= 'b'": [1],
    "name <> 'ann'": [2, 3],
    "name = name": [1, 2, 3],
    "name = ''": [],
    "name = 0xAB": [],
}


@pytest.mark.parametrize(("condition", "ids"), PLAYER_CONDITIONS.items())
def test_condition(condition: str, ids: list[int] | None) -> None:
    statement = f"SELECT id FROM player WHERE {condition}"
    if ids is None:
        assert refusal(statement) == "`NOT_USED` is not in scope"
    else:
        assert select(statement) == ids


ACCOUNT_CONDITIONS = {
    f"ident = 0x{HEX_A}": "A",
    f"ident > 0x{HEX_A}": "B",
    "conn >= 0x00000000000000000000000000000002": "B",
    "data = 0x0102": "A",
    "data = X'0102'": "A",
    "data < '0x02'": "A",
    "data <> 0x0102": "B",
    "ts = '2025-02-10T15:45:30Z'": "A",
    "ts = '2025-02-10 17:45:30+02:00'": "A",
    "ts <= '1970-01-01T00:00:00Z'": "B",
    "ts > '1969-12-31T23:59:59.999999Z'": "AB",
    "uid = '00000000-0000-0000-0000-000000000001'": "A",
    "uid < 0x00000000000000000000000000000001": "B",
    "big = 1e40": "A",
    "big > 5": "A",
    "uid = uid": "AB",
}


@pytest.mark.parametrize(("condition", "whose"), ACCOUNT_CONDITIONS.items())
def test_condition_on_special_types(condition: str, whose: str) -> None:
    found = [row[0] for row in select(f"SELECT * FROM acct WHERE {condition}")]
    assert found == [{"A": (10,), "B": (11,)}[name] for name in whose]


def test_floats_are_ordered_in_total() -> None:
    """A NaN is greater than everything and equal to itself; the zeros are equal."""
    sample = Sample()
    nan, zero = float("nan"), -0.0
    sample.insert("player", (8, "nan", 0, False, nan), (9, "zero", 0, False, zero))

    def ids(condition: str) -> list[Any]:
        return select(f"SELECT id FROM player WHERE {condition}", sample=sample)

    assert ids("x > 2") == [2, 8]
    assert ids("x >= 1e40") == [8]
    assert ids("x <= 0") == [3, 9]
    assert ids("x = 0") == [9]
    assert ids("x <> 0") == [1, 2, 3, 8]
    assert ids("x = x") == [1, 2, 3, 8, 9]
    joined = "SELECT a.id FROM player a JOIN player b ON a.x = b.x WHERE a.level = 0"
    assert select(joined, sample=sample) == [8, 9]


class TestSender:
    def test_is_the_caller(self) -> None:
        assert select("SELECT data FROM acct WHERE ident = :sender", A) == [b"\x01\x02"]
        assert select("SELECT data FROM acct WHERE :sender <> ident", A) == [b"\xff"]
        assert select("SELECT data FROM acct WHERE ident = :sender") == []

    def test_compared_with_bytes_is_their_text_order(self) -> None:
        sample = Sample()
        sample.insert("acct", ((99,), (9,), bytes.fromhex(HEX_B), (0,), (0,), 0, (1, ())))
        assert select("SELECT conn FROM acct WHERE data = :sender", B, sample) == [(9,)]
        assert select("SELECT conn FROM acct WHERE data = :sender", A, sample) == []


class TestJoins:
    def test_every_match_is_a_row(self) -> None:
        on = "ON player.id = item.owner_id"
        assert select(f"SELECT item.* FROM player JOIN item {on}") == [I1, I2, I3]
        assert select(f"SELECT player.* FROM player JOIN item {on}") == [P1, P1, P2]
        assert select(f"SELECT player.* FROM item JOIN player {on}") == [P1, P1, P2]

    def test_columns_of_both_sides(self) -> None:
        found = select(
            "SELECT p.name, i.kind AS k FROM player p JOIN item i ON i.owner_id = p.id WHERE i.qty >= 2"
        )
        assert found == [("ann", "potion"), ("ann", "sword")]

    def test_without_an_index(self) -> None:
        assert select("SELECT g.gid FROM player p JOIN guild g ON p.id = g.player_id") == [10, 10, 20]
        assert select("SELECT a.kind FROM item a JOIN item b ON a.kind = b.kind") == [
            *("potion", "sword", "sword", "sword", "sword")
        ]

    def test_without_a_condition(self) -> None:
        where = "p.id = g.player_id AND g.gid = 10"
        assert select(f"SELECT p.name FROM player p JOIN guild g WHERE {where}") == ["ann", "bob"]
        assert select(f"SELECT p.name FROM player p CROSS JOIN guild g WHERE {where}") == ["ann", "bob"]

    def test_of_three_tables(self) -> None:
        found = select(
            "SELECT p.name, g.gid, i.kind FROM player p JOIN guild g ON p.id = g.player_id "
            "JOIN item i ON i.owner_id = p.id WHERE g.gid = 20"
        )
        assert found == [("ann", 20, "potion"), ("ann", 20, "sword")]

    def test_of_two_hundred_tables(self) -> None:
        joins = " ".join(f"JOIN player p{i} ON p{i}.id = p{i - 1}.id" for i in range(1, 201))
        assert select(f"SELECT p200.name FROM player p0 {joins} WHERE p0.id = 2") == ["bob"]

    def test_conditions_that_concern_both(self) -> None:
        sides = "item i JOIN player p ON i.owner_id = p.id"
        assert select(f"SELECT i.kind FROM {sides} WHERE p.id = 2 OR i.qty = 10") == ["potion", "sword"]
        assert select(f"SELECT i.id FROM {sides} WHERE p.id = i.owner_id AND (i.qty = 2)") == [1]

    def test_on_must_relate_the_two(self) -> None:
        statement = "SELECT p.name FROM player p JOIN item i ON p.id = p.id"
        assert refusal(statement) == "Could not compute positional arguments during query planning"


class TestWhoMayReadWhat:
    def test_private_tables_do_not_exist_for_strangers(self) -> None:
        missing = "no such table: `secret`. If the table exists, it may be marked private."
        assert select("SELECT * FROM secret") == [(1, "s")]
        assert refusal("SELECT * FROM secret", A) == missing
        assert refusal("SELECT nope FROM secret WHERE false", A) == missing
        assert refusal("SELECT player.* FROM player JOIN secret ON player.id = secret.id", A) == missing

    def test_rules_hide_rows(self) -> None:
        sample = Sample({"acct": ["SELECT * FROM acct WHERE ident = :sender"]})
        assert select("SELECT data FROM acct", A, sample) == [b"\x01\x02"]
        assert select("SELECT COUNT(*) AS n FROM acct", A, sample) == [1]
        assert select("SELECT COUNT(*) AS n FROM acct", OWNER, sample) == [2]

    def test_a_row_is_there_as_often_as_rules_show_it(self) -> None:
        rules = ["SELECT * FROM kv WHERE k = '5'", "SELECT * FROM kv WHERE v = 'five'"]
        sample = Sample({"kv": rules})
        assert select("SELECT * FROM kv", A, sample) == [("5", "five"), ("5", "five")]
        assert select("SELECT COUNT(*) AS n FROM kv", A, sample) == [2]
        assert select("SELECT p.id FROM player p CROSS JOIN kv WHERE p.id = 1", A, sample) == [1, 1]

    def test_rules_protect_the_tables_inside_rules(self) -> None:
        sample = Sample(
            {
                "guild": ["SELECT guild.* FROM player JOIN guild ON player.id = guild.player_id"],
                "player": [
                    "SELECT player.* FROM player JOIN acct WHERE acct.ident = :sender AND player.id = 2"
                ],
            }
        )
        assert select("SELECT * FROM guild", A, sample) == [(10, 2)]
        assert select("SELECT * FROM guild", OWNER, sample) == [(10, 1), (10, 2), (20, 1)]
        assert select("SELECT g.gid FROM player p JOIN guild g ON p.id = g.player_id", A, sample) == [10]

    def test_what_a_rule_protects(self) -> None:
        catalog = Sample().catalog
        joined = "SELECT i.* FROM player p JOIN item i ON p.id = i.owner_id"
        assert ruled_table(joined, catalog).name == "item"
        with pytest.raises(SqlError, match="Cannot define RLS rule on private table: secret"):
            ruled_table("SELECT * FROM secret", catalog)
        with pytest.raises(SqlError, match="Column projections are not supported"):
            ruled_table("SELECT id FROM player", catalog)

    def test_rules_in_a_circle(self) -> None:
        sample = Sample(
            {
                "player": ["SELECT player.* FROM player JOIN guild ON player.id = guild.player_id"],
                "guild": ["SELECT guild.* FROM guild JOIN player ON player.id = guild.player_id"],
            }
        )
        told = "Discovered cyclic dependency when resolving RLS rules for table id `4096`"
        assert refusal("SELECT * FROM player", A, sample) == told


class TestViews:
    def test_show_their_rows_without_the_hidden_column(self) -> None:
        assert select("SELECT * FROM hi_players") == [P2]
        assert select("SELECT name FROM hi_players WHERE level = 7") == ["bob"]
        assert refusal("SELECT arg_hash FROM hi_players") == "`arg_hash` is not in scope"

    def test_everyone_sees_their_own_instance(self) -> None:
        sample = Sample()
        assert select("SELECT data FROM my_acct", A, sample) == [b"\x01\x02"]
        assert select("SELECT data FROM my_acct", B, sample) == [b"\xff"]
        assert select("SELECT COUNT(*) AS n FROM my_acct", OWNER, sample) == [0]

    def test_join_with_tables(self) -> None:
        assert select("SELECT h.name, i.kind FROM hi_players h JOIN item i ON i.owner_id = h.id") == [
            ("bob", "sword")
        ]
        assert select("SELECT i.kind FROM item i JOIN hi_players h ON i.owner_id = h.id") == ["sword"]


class TestRowLimit:
    def limited(self, limit: int) -> Sample:
        sample = Sample()
        run_sql(f"SET row_limit = {limit}", OWNER, sample.catalog, sample.store)
        return sample

    @pytest.mark.parametrize(
        ("limit", "statement", "rows_read"),
        [
            (2, "SELECT * FROM guild", 3),
            (2, "SELECT COUNT(*) AS n FROM guild", 3),
            (5, "SELECT * FROM guild WHERE gid = 10", 6),
            (5, "SELECT p.name FROM player p JOIN guild g ON p.id = g.player_id", 15),
            (5, "SELECT p.name FROM guild g JOIN player p ON p.id = g.player_id", 6),
            (5, "SELECT p.name FROM guild g CROSS JOIN player p", 15),
        ],
    )
    def test_refuses_what_reads_more(self, limit: int, statement: str, rows_read: int) -> None:
        told = f"Estimated cardinality ({rows_read} rows) exceeds limit ({limit} rows)"
        assert refusal(statement, A, self.limited(limit)) == told
        assert select(statement, OWNER, self.limited(limit))

    @pytest.mark.parametrize(
        "statement",
        [
            "SELECT * FROM guild LIMIT 2",
            "SELECT name FROM player WHERE id = 1",
            "SELECT name FROM player WHERE level = 5",
            "SELECT name FROM hi_players",
        ],
    )
    def test_lets_pass_what_reads_less(self, statement: str) -> None:
        assert select(statement, A, self.limited(2))


def test_result_as_json() -> None:
    sample = Sample()
    statement = "SELECT ident, note, big FROM acct WHERE data = 0xff"
    result = run_sql(statement, OWNER, sample.catalog, sample.store)
    identity = {"elements": [{"name": {"some": "__identity__"}, "algebraic_type": {"U256": []}}]}
    (answer,) = json.loads(result.json(153))
    assert answer["schema"]["elements"][0] == {
        "name": {"some": "ident"},
        "algebraic_type": {"Product": identity},
    }
    assert answer["rows"] == [[["0xb"], [1, []], "0x0"]]
    assert answer["total_duration_micros"] == 153
    assert answer["stats"] == {"rows_inserted": 0, "rows_deleted": 0, "rows_updated": 0}
