"""INSERT, UPDATE, DELETE, SET and SHOW."""

from __future__ import annotations

from typing import Any

import pytest

from spacetimedb_lib.sats.bsatn import codec
from spacetimedb_standalone.sql import Caller, SqlError, SqlResult, prepare

from .sample import OWNER, TABLES, A, Sample, decode


def run(text: str, sample: Sample, caller: Caller = OWNER) -> SqlResult:
    """The statement in a transaction of its own."""
    statement = prepare(text, caller, sample.catalog)
    try:
        result = statement.run(sample.store, sample.views)
    except SqlError:
        sample.store.rollback()
        raise
    if statement.writes:
        sample.store.take_delta()
    return result


def refusal(text: str, sample: Sample | None = None, caller: Caller = OWNER) -> str:
    with pytest.raises(SqlError) as refused:
        run(text, sample or Sample(), caller)
    return str(refused.value)


def rows(sample: Sample, name: str) -> list[tuple[Any, ...]]:
    return decode(name, sample.store.scan(TABLES[name].id))


class TestInsert:
    def test_counts_what_was_not_there(self) -> None:
        sample = Sample()
        assert run("INSERT INTO kv (k, v) VALUES ('a','b'), ('c','d')", sample).inserted == 2
        assert run("INSERT INTO kv (k, v) VALUES ('5', 'five')", sample).inserted == 0
        assert run("INSERT INTO kv (k, v) VALUES ('e','f'), ('e','f')", sample).inserted == 1
        assert rows(sample, "kv") == [("5", "five"), ("a", "b"), ("c", "d"), ("e", "f")]

    def test_names_of_columns_are_only_counted(self) -> None:
        sample = Sample()
        run("INSERT INTO kv (v, nope) VALUES ('x', 'y')", sample)
        assert ("x", "y") in rows(sample, "kv")

    def test_numbers_and_hexits_into_strings(self) -> None:
        sample = Sample()
        run("INSERT INTO kv (k, v) VALUES (7.50, -8), (0xAB, X'cd')", sample)
        assert rows(sample, "kv") == [("5", "five"), ("7.50", "-8"), ("AB", "cd")]

    def test_an_existing_key(self) -> None:
        sample = Sample()
        assert refusal("INSERT INTO kv (k, v) VALUES ('z','1'), ('5','q')", sample) == (
            "IndexError: Unique constraint violation 'kv_k_idx_btree' in table 'kv': "
            'column(s): \'["k"]\' value: "5"'
        )
        assert rows(sample, "kv") == [("5", "five")]

    def test_an_event_is_heard_and_gone(self) -> None:
        sample = Sample()
        assert run("INSERT INTO evt (pid, msg) VALUES (1, 'hi')", sample).inserted == 1
        assert rows(sample, "evt") == []

    @pytest.mark.parametrize(
        ("statement", "told"),
        [
            (
                "INSERT INTO kv VALUES ('a', 'b')",
                "The number of fields (0) in the INSERT does not match the number of columns (2) "
                "of the table `kv`",
            ),
            (
                "INSERT INTO kv (k, v) VALUES ('a')",
                "Inserting a row with 1 values into `kv` which has 2 fields",
            ),
            (
                "INSERT INTO kv (k, v) VALUES (true, 'x')",
                "Unexpected type: (expected) Bool != String (inferred)",
            ),
            (
                "INSERT INTO item (id, owner_id, kind, qty) VALUES ('9', 3, 'bow', 1)",
                "Unexpected type: (expected) String != U64 (inferred)",
            ),
            (
                "INSERT INTO hi_players (a, b, c, d, e) VALUES (9,'z',9,true,1)",
                "`hi_players` is a view; DML on views is not supported",
            ),
        ],
    )
    def test_refused(self, statement: str, told: str) -> None:
        assert refusal(statement) == told


class TestUpdate:
    def test_changes_the_columns_named(self) -> None:
        sample = Sample()
        assert run("UPDATE player SET level = 9, name = 'amy' WHERE id = 1", sample).updated == 1
        assert rows(sample, "player")[0] == (1, "amy", 9, True, 1.5)

    def test_the_first_of_two_assignments_counts(self) -> None:
        sample = Sample()
        run("UPDATE player SET level = 1, level = 2", sample)
        assert [row[2] for row in rows(sample, "player")] == [1, 1, 1]

    def test_rows_that_become_equal_become_one(self) -> None:
        sample = Sample()
        assert run("UPDATE guild SET gid = 1", sample).updated == 3
        assert rows(sample, "guild") == [(1, 1), (1, 2)]

    def test_keys_may_be_passed_on_within_a_statement(self) -> None:
        sample = Sample()
        sample.insert("kv", ("6", "six"))
        run("UPDATE kv SET k = '6' WHERE k = '6'", sample)
        assert rows(sample, "kv") == [("5", "five"), ("6", "six")]

    def test_an_existing_key(self) -> None:
        sample = Sample()
        told = refusal("UPDATE player SET id = 2 WHERE id = 1", sample)
        assert told.endswith("column(s): '[\"id\"]' value: 2")
        assert [row[0] for row in rows(sample, "player")] == [1, 2, 3]

    def test_columns_between_others_of_any_length(self) -> None:
        sample = Sample()
        run("UPDATE acct SET data = 0x0a0b, big = 2 WHERE ident = :sender OR big = 0", sample)
        assert rows(sample, "acct")[1][2:6] == (b"\x0a\x0b", (0,), (0,), 2)

    @pytest.mark.parametrize(
        ("statement", "told"),
        [
            ("UPDATE player SET player.level = 1", "`player` does not have a field `player.level`"),
            ("UPDATE player SET level = '9'", "Unexpected type: (expected) String != U8 (inferred)"),
            ("UPDATE player SET level = 1 WHERE item.id = 1", "`item` is not in scope"),
        ],
    )
    def test_refused(self, statement: str, told: str) -> None:
        assert refusal(statement) == told


class TestDelete:
    @pytest.mark.parametrize(
        ("where", "gone", "left"),
        [
            ("WHERE level = 5", 2, [2]),
            ("WHERE player.id = 3", 1, [1, 2]),
            ("", 3, []),
            ("WHERE id = 9", 0, [1, 2, 3]),
        ],
    )
    def test_removes_what_matches(self, where: str, gone: int, left: list[int]) -> None:
        sample = Sample()
        assert run(f"DELETE FROM player {where}", sample).deleted == gone
        assert [row[0] for row in rows(sample, "player")] == left


class TestWhoMayWrite:
    def test_only_the_owner(self) -> None:
        told = f"Caller {0x0A:064x} is not authorized to run SQL DML statements"
        for statement in (
            "INSERT INTO kv (k, v) VALUES ('a','b')",
            "UPDATE kv SET v = 'b'",
            "DELETE FROM kv",
            "SET row_limit = 5",
        ):
            assert refusal(statement, caller=A) == told

    def test_mistakes_are_told_first(self) -> None:
        assert refusal("DELETE FROM kv WHERE nope = 1", caller=A) == "`nope` is not in scope"
        assert refusal("DELETE FROM secret", caller=A).startswith("no such table: `secret`")


class TestSystemTables:
    """They say what the database is made of, so they are the server's to write, but for the variables."""

    @pytest.mark.parametrize(
        "statement",
        [
            "DELETE FROM st_sequence",
            "UPDATE st_sequence SET increment = 0 WHERE sequence_id = 4096",
            "INSERT INTO st_sequence (sequence_id, increment) VALUES (7, 1)",
        ],
    )
    def test_what_would_change_one_is_refused(self, statement: str) -> None:
        sample = Sample()
        told = "`st_sequence` is kept by the server: of the system tables, SQL may write only `st_var`"
        assert refusal(statement, sample) == told
        assert rows(sample, "st_sequence") == [(4096, 1)]

    def test_what_finds_nothing_is_carried_out(self) -> None:
        assert run("DELETE FROM st_sequence WHERE sequence_id = 1", Sample()).deleted == 0
        assert run("UPDATE st_sequence SET increment = 2 WHERE sequence_id = 1", Sample()).updated == 0


class TestVariables:
    def test_set_and_show(self) -> None:
        sample = Sample()
        assert run("SHOW row_limit", sample).rows == []
        assert run("SET row_limit TO 5", sample).inserted == 1
        shown = run("SHOW row_limit", sample)
        assert [codec(shown.schema).decode_exact(row) for row in shown.rows] == [((8, 5),)]
        assert run("SET row_limit = 5", sample).inserted == 0

    def test_another_value_needs_the_old_one_deleted(self) -> None:
        sample = Sample()
        run("SET row_limit = 5", sample)
        assert refusal("SET row_limit = 6", sample).startswith("IndexError: Unique constraint violation")
        assert run("DELETE FROM st_var WHERE name = 'row_limit'", sample).deleted == 1
        assert run("SET row_limit = 6", sample).inserted == 1

    @pytest.mark.parametrize(
        ("statement", "told"),
        [
            ("SET foo = 1", "foo is not a valid system variable"),
            ("SHOW foo", "foo is not a valid system variable"),
            ("SET row_limit = '5'", "Unexpected type: (expected) U64 != String (inferred)"),
            ("SET row_limit = true", "Unexpected type: (expected) U64 != Bool (inferred)"),
            ("SET row_limit = 0x5", "Unexpected type: (expected) U64 != Array<U8> (inferred)"),
            ("SET row_limit = -1", "The literal expression `-1` cannot be parsed as type `U64`"),
        ],
    )
    def test_refused(self, statement: str, told: str) -> None:
        assert refusal(statement) == told
