"""Which queries a transaction is found to concern, without asking each."""

from __future__ import annotations

from typing import Any

import pytest

from spacetimedb_standalone.subscriptions.changes import Changes
from spacetimedb_standalone.subscriptions.compiled import LinkedMark, Mark, compile_query
from spacetimedb_standalone.subscriptions.pruning import Pruning
from spacetimedb_standalone.subscriptions.queries import QueryKey, WatchedQuery

from ..sql.sample import TABLES, A, Sample, encode

BY_LEVEL = "SELECT item.* FROM player JOIN item ON player.id = item.owner_id WHERE player.level = {}"


def watched(text: str, sample: Sample) -> WatchedQuery:
    return WatchedQuery(QueryKey(text, False, None), A, compile_query(text, sample.catalog, A))


def marks(text: str) -> list[Any]:
    """What a query says of its tables: their name, or column and value, or the way to another's."""

    def short(mark: Any) -> Any:
        match mark:
            case Mark(table, position, value):
                return f"{table.name}.{table.columns[position].name}", value.hex()
            case LinkedMark():
                return mark.table.name, short(mark.mark)
            case _:
                return mark.name

    return [short(mark) for mark in watched(text, Sample()).marks()]


class TestMarks:
    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("SELECT * FROM player", ["player"]),
            ("SELECT * FROM player WHERE level = 5", [("player.level", "05")]),
            ("SELECT * FROM player WHERE level = 5 AND id = 2 AND online", [("player.id", "02000000")]),
            ("SELECT * FROM player WHERE name = 'a' AND x > 2", [("player.name", "0100000061")]),
            ("SELECT * FROM player WHERE level = 5 OR level = 6", ["player"]),
            ("SELECT * FROM player WHERE x = 1.5", ["player"]),
            ("SELECT * FROM player WHERE level > 5", ["player"]),
            (BY_LEVEL.format(5), [("player.level", "05"), ("item", ("player.level", "05"))]),
            (
                "SELECT player.* FROM player JOIN item ON player.id = item.owner_id WHERE item.qty = 1",
                ["player", ("item.qty", "01000000")],
            ),
        ],
    )
    def test_of_a_query(self, query: str, expected: list[Any]) -> None:
        assert sorted(marks(query), key=str) == sorted(expected, key=str)


class TestFinding:
    def setup_method(self) -> None:
        self.sample = Sample()
        self.watched: list[tuple[int, bool]] = []
        self.pruning: Pruning[WatchedQuery] = Pruning(lambda table, on: self.watched.append((table, on)))

    def file(self, *texts: str) -> list[WatchedQuery]:
        queries = [watched(text, self.sample) for text in texts]
        for query in queries:
            self.pruning.add(query)
        return queries

    def found(self, name: str, inserts: list[Any], deletes: tuple[Any, ...] = ()) -> list[str]:
        rows = [[encode(name, row) for row in rows] for rows in (inserts, deletes)]
        changes = Changes([(TABLES[name].id, rows[0], rows[1])])
        return sorted(query.key.text for query in self.pruning.affected(changes, self.sample.store))

    def test_by_value(self) -> None:
        queries = [f"SELECT * FROM player WHERE level = {level}" for level in range(200)]
        self.file(*queries)
        assert self.found("player", [(9, "x", 7, True, 0.0)], ((9, "x", 8, True, 0.0),)) == queries[7:9]
        assert self.found("item", [(9, 9, "", 0)]) == []

    def test_through_the_joined_table(self) -> None:
        queries = [BY_LEVEL.format(level) for level in (5, 6, 7)]
        self.file(*queries)
        assert self.found("item", [(9, 1, "of ann, level 5", 0)]) == queries[:1]
        assert self.found("item", [(9, 2, "of bob, level 7", 0)]) == queries[2:]
        assert self.found("item", [(9, 99, "of nobody", 0)]) == []

    def test_taking_out_leaves_nothing(self) -> None:
        queries = self.file(BY_LEVEL.format(5), BY_LEVEL.format(6), "SELECT * FROM item", "SELECT * FROM kv")
        assert self.watched == [(4096, True), (4097, True), (4100, True)]
        for query in queries[1:]:
            self.pruning.remove(query)
        assert self.pruning.tables() == {4096, 4097}
        assert self.found("item", [(9, 1, "of ann", 0)]) == [BY_LEVEL.format(5)]
        self.pruning.remove(queries[0])
        assert self.pruning.tables() == frozenset()
        assert self.found("item", [(9, 1, "of ann", 0)]) == []
