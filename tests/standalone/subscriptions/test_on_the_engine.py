"""The same statements and subscriptions on the engine's store as on the one in dictionaries."""

from __future__ import annotations

from typing import Any

import pytest

from spacetimedb_engine.store_cy import Store
from spacetimedb_lib.sats.type_codec import encode_type
from spacetimedb_standalone.sql import Caller, NoViews, SqlError, prepare
from spacetimedb_standalone.subscriptions import Subscriptions

from ..sql.sample import OWNER, ROWS, TABLES, A, Sample, encode
from .client import Client

STATEMENTS = [
    "INSERT INTO player (id, name, level, online, x) VALUES (4, 'dan', 5, true, 2), (5, 'eve', 7, false, 0)",
    "UPDATE player SET level = 5 WHERE id = 2",
    "INSERT INTO item (id, owner_id, kind, qty) VALUES (4, 4, 'bow', 1)",
    "UPDATE item SET kind = 'a much longer name than before' WHERE owner_id = 1",
    "INSERT INTO kv (k, v) VALUES ('6', 'six'), ('5', 'other')",
    "DELETE FROM player WHERE level = 7 OR x < 0",
    "INSERT INTO evt (pid, msg) VALUES (1, 'hi')",
    "DELETE FROM item WHERE kind = 'sword' AND qty = 1",
    "UPDATE guild SET gid = 1",
    "DELETE FROM acct WHERE ident = :sender OR data = 0xff",
]
QUERIES = [
    "SELECT * FROM player",
    "SELECT * FROM player WHERE level = 5",
    "SELECT * FROM player WHERE id = 2 AND name > 'a'",
    "SELECT item.* FROM player JOIN item ON player.id = item.owner_id WHERE player.level = 5",
    "SELECT player.* FROM guild JOIN player ON player.id = guild.player_id",
    "SELECT p.* FROM player p JOIN player q ON p.level = q.level",
    "SELECT * FROM acct WHERE big > 5",
    "SELECT * FROM evt",
    "SELECT * FROM kv",
]


def engine_store() -> Store:
    store = Store()
    store.begin()
    for table in TABLES.values():
        store.create_table(table.id, encode_type(table.row_type), 1 if table.event else 0)
        for index in table.indexes:
            store.create_index(index.id, table.id, 0, index.unique, list(index.columns))
    for name, rows in ROWS.items():
        for row in rows:
            store.insert(TABLES[name].id, encode(name, row))
    store.commit()
    store.take_delta()
    return store


class Played:
    """A database on which statements are run, and a client that watches."""

    def __init__(self, store: Any, catalog: Any, watch: Any) -> None:
        self.store, self.catalog = store, catalog
        self.subscriptions = Subscriptions(catalog, store, watch=watch)
        self.client = Client(A)
        for number, query in enumerate(QUERIES):
            self.subscriptions.subscribe(self.client, 0, number, [query], 0)

    def run(self, text: str, caller: Caller = OWNER) -> Any:
        raise NotImplementedError

    def select(self, text: str) -> list[bytes]:
        return sorted(prepare(text, OWNER, self.catalog).run(self.store).rows)


class OnTheEngine(Played):
    def __init__(self) -> None:
        store = engine_store()
        super().__init__(store, Sample().catalog, store.watch)

    def run(self, text: str, caller: Caller = OWNER) -> Any:
        self.store.begin()
        try:
            result = prepare(text, caller, self.catalog).run(self.store, NoViews())
        except SqlError as error:
            self.store.rollback()
            return str(error)
        self.store.commit()
        self.subscriptions.committed(self.store.take_delta(), 1)
        return result


class InDictionaries(Played):
    def __init__(self) -> None:
        sample = Sample()
        super().__init__(sample.store, sample.catalog, lambda table_id, on: None)

    def run(self, text: str, caller: Caller = OWNER) -> Any:
        try:
            result = prepare(text, caller, self.catalog).run(self.store, NoViews())
        except SqlError as error:
            self.store.rollback()
            return str(error)
        self.subscriptions.committed(self.store.take_delta(), 1)
        return result


@pytest.fixture(scope="module")
def played() -> tuple[OnTheEngine, InDictionaries]:
    return OnTheEngine(), InDictionaries()


def test_statements_and_updates(played: tuple[OnTheEngine, InDictionaries]) -> None:
    engine, dictionaries = played
    assert engine.client.take() == dictionaries.client.take()
    for statement in STATEMENTS:
        assert engine.run(statement) == dictionaries.run(statement), statement
        assert engine.client.take() == dictionaries.client.take(), statement
    for query in QUERIES:
        assert engine.select(query) == dictionaries.select(query), query
