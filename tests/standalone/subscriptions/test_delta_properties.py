"""Whatever is subscribed to and whatever happens: first rows plus all changes are the rows there are now."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from spacetimedb_lib.sats.bsatn import codec
from spacetimedb_lib.sats.types import BOOL, IDENTITY, STRING, U8, U32
from spacetimedb_standalone.sql import Caller, NoViews, prepare_query
from spacetimedb_standalone.sql.memory import MemoryCatalog, MemoryStore
from spacetimedb_standalone.subscriptions import Subscriptions
from spacetimedb_standalone.wire.row_list import rows_of
from tests.examples import examples

from ..sql.sample import table

ONE, TWO = Caller(b"\1" + bytes(31), is_owner=False), Caller(b"\2" + bytes(31), is_owner=False)
TABLES = {
    each.name: each
    for each in (
        table(1, "users", {"id": U32, "name": STRING, "who": IDENTITY, "team": U8}, ("id",), ("team", "who")),
        table(2, "posts", {"text": STRING, "by": U32, "team": U8, "seen": BOOL}, (), ("by", "team")),
    )
}
RULES = {2: ["SELECT p.* FROM users u JOIN posts p ON u.team = p.team WHERE u.who = :sender"]}

numbers, texts = st.integers(0, 2), st.sampled_from(["", "a", "long enough"])
ROWS = {
    "users": st.tuples(numbers, texts, st.sampled_from([(1,), (2,)]), st.integers(0, 1)),
    "posts": st.tuples(texts, numbers, st.integers(0, 1), st.booleans()),
}
CONDITIONS = {
    "users": st.one_of(
        st.builds("{}.id = {}".format, st.just("u"), numbers),
        st.builds("{}.team {} {}".format, st.just("u"), st.sampled_from(["=", "<", "<>"]), numbers),
        st.builds("u.name {} '{}'".format, st.sampled_from(["=", ">=", "<>"]), texts),
        st.just("u.who = :sender"),
        st.just("(u.id = 1 OR u.team = 1)"),
    ),
    "posts": st.one_of(
        st.builds("p.by {} {}".format, st.sampled_from(["=", ">"]), numbers),
        st.builds("p.text = '{}'".format, texts),
        st.just("p.seen"),
        st.just("(p.seen = false OR p.team = 2)"),
    ),
}
JOINS = [
    ("users u", "posts p", "u.id = p.by"),
    ("posts p", "users u", "p.by = u.id"),
    ("posts p", "users u", "u.team = p.team"),
    ("users u", "users v", "u.team = v.team"),
    ("users u", "users v", "u.id = v.id"),
]
ACROSS = ["(u.team = 1 OR p.seen)", "u.team = p.team", "u.name < p.text"]


@st.composite
def single_queries(draw: st.DrawFn) -> str:
    name = draw(st.sampled_from(list(TABLES)))
    conditions = draw(st.lists(CONDITIONS[name], max_size=2))
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT * FROM {name} {name[0]}{where}"


@st.composite
def join_queries(draw: st.DrawFn) -> str:
    left, right, on = draw(st.sampled_from(JOINS))
    names = {side.split()[0] for side in (left, right)}
    conditions = [draw(CONDITIONS[name]) for name in sorted(names) if draw(st.booleans())]
    if len(names) == 2 and draw(st.booleans()):
        conditions.append(draw(st.sampled_from(ACROSS)))
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    returned = draw(st.sampled_from([left, right])).split()[1]
    return f"SELECT {returned}.* FROM {left} JOIN {right} ON {on}{where}"


steps = st.one_of(*(st.tuples(st.just(name), st.booleans(), rows) for name, rows in ROWS.items()))


class Client:
    """Keeps a bag of rows by what it is told."""

    connection_id = bytes(16)

    def __init__(self, caller: Caller) -> None:
        self.identity, self.is_owner = caller.identity, caller.is_owner
        self.rows: Counter[bytes] = Counter()
        self.refusal = ""

    def append(self, message: bytes, offset: int = -1) -> None:
        at = 1
        if message[at] == 3:
            self.refusal = message[at + 14 :].decode()
        elif message[at] == 1:
            at = self._each(message, at + 9, self._table)
        else:
            assert message[at] == 4
            at = self._each(message, at + 1, self._set)

    def _each(self, message: bytes, at: int, read: Any) -> int:
        count = int.from_bytes(message[at : at + 4], "little")
        at += 4
        for _ in range(count):
            at = read(message, at)
        return at

    def _name(self, message: bytes, at: int) -> int:
        return at + 4 + int.from_bytes(message[at : at + 4], "little")

    def _table(self, message: bytes, at: int) -> int:
        rows, at = rows_of(message, self._name(message, at))
        self.rows.update(rows)
        return at

    def _set(self, message: bytes, at: int) -> int:
        return self._each(message, at + 4, lambda m, at: self._each(m, self._name(m, at), self._change))

    def _change(self, message: bytes, at: int) -> int:
        inserts, at = rows_of(message, at + 1)
        deletes, at = rows_of(message, at)
        self.rows.update(inserts)
        self.rows.subtract(deletes)
        return at


def apply(store: MemoryStore, steps: list[tuple[str, bool, tuple[Any, ...]]]) -> list[Any]:
    """A transaction of inserts and deletes; inserts whose key is taken replace what is there."""
    for name, insert, value in steps:
        definition = TABLES[name]
        row = codec(definition.row_type).encode(value)
        if not insert:
            store.delete(definition.id, row)
            continue
        for index in definition.indexes:
            if index.unique:
                for old in store.seek(index.id, codec(U32).encode(value[0])):
                    store.delete(definition.id, old)
        store.insert(definition.id, row)
    return store.take_delta()


@settings(max_examples=examples(40))
@given(
    queries=st.lists(st.one_of(single_queries(), join_queries()), min_size=4, max_size=8),
    before=st.lists(steps, min_size=4, max_size=12),
    transactions=st.lists(st.lists(steps, min_size=1, max_size=4), min_size=4, max_size=8),
    protected=st.booleans(),
)
def test_first_rows_and_changes_make_the_present_rows(
    queries: list[str], before: list[Any], transactions: list[Any], protected: bool
) -> None:
    catalog = MemoryCatalog(TABLES.values(), RULES if protected else None)
    store = MemoryStore(TABLES.values())
    subscriptions = Subscriptions(catalog, store)
    apply(store, before)
    watching = []
    for caller in (ONE, TWO):
        for number, query in enumerate(queries):
            client = Client(caller)
            subscriptions.subscribe(client, 0, number, [query], 0)
            if client.refusal:
                assert protected, client.refusal
            else:
                watching.append((client, caller, query))
    for offset, changes in enumerate(transactions):
        subscriptions.committed(apply(store, changes), offset)
        for client, caller, query in watching:
            present = prepare_query(query, caller, catalog).run(store, NoViews()).rows
            assert +client.rows == Counter(present), query
            assert min(client.rows.values(), default=0) >= 0, query
    for client, _, _ in watching:
        subscriptions.drop(client)
    assert subscriptions.watched_tables() == frozenset()
