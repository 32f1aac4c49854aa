"""The part of the state machine that reads: points and ranges of every index, and after each step everything."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
from hypothesis.stateful import invariant, rule

from spacetimedb_engine import WrongIndexAlgorithm
from spacetimedb_lib.sats.bsatn import codec
from tests.engine.store.machine_rows import INDEXED, RowMachine
from tests.engine.store.model import order
from tests.engine.store.random_schemas import HASH, IndexSpec, values


def bound(tag: int, value: Any, type_: Any) -> bytes:
    """0 included, 1 excluded, 2 unbounded."""
    return bytes([tag]) if tag == 2 else bytes([tag]) + codec(type_).encode(value)


class ReadMachine(RowMachine):
    """Deletes by point and by range are here too: they delete what the read before has found."""

    @INDEXED
    @rule(data=st.data(), delete=st.booleans())
    def read_range(self, data: st.DataObject, delete: bool) -> None:
        index = self.any_index(data)
        table = self.model.tables[index.table_id]
        types = [table.types[column] for column in index.columns]
        elems = data.draw(st.integers(0, len(types) - 1))
        template = self.known_row(data, table)
        prefix = [template[column] for column in index.columns[:elems]]
        tags = [data.draw(st.integers(0, 2)) for _ in range(2)]
        ends = [data.draw(values(types[elems])) for _ in range(2)]
        encoded = b"".join(codec(type_).encode(value) for type_, value in zip(types, prefix, strict=False))
        bounds = [bound(tag, value, types[elems]) for tag, value in zip(tags, ends, strict=True)]
        arguments = (index.id, encoded, elems, bounds[0], bounds[1])

        def inside(key: list[Any]) -> bool:
            low, high = order(ends[0]), order(ends[1])
            above = tags[0] == 2 or key[elems] > low or (tags[0] == 0 and key[elems] == low)
            below = tags[1] == 2 or key[elems] < high or (tags[1] == 0 and key[elems] == high)
            return key[:elems] == [order(value) for value in prefix] and above and below

        expected = [(key, row) for key, row in self.model.in_order(index) if inside(key)]
        try:
            found = self.store.range(*arguments)
        except WrongIndexAlgorithm:
            assert index.kind == HASH
            return
        assert index.kind != HASH
        self._agree_in_order(index, found, expected)
        if delete and self.store.in_transaction:
            assert self.store.delete_range(*arguments) == len(expected)
            for _, row in expected:
                del self.model.rows[table.id][row]

    @INDEXED
    @rule(data=st.data(), delete=st.booleans())
    def read_point(self, data: st.DataObject, delete: bool) -> None:
        index = self.any_index(data)
        table = self.model.tables[index.table_id]
        row = self.known_row(data, table)
        point = b"".join(codec(table.types[column]).encode(row[column]) for column in index.columns)
        key = self.model.key(index, row)
        expected = [data for each, data in self.model.in_order(index) if each == key]
        assert sorted(self.store.seek(index.id, point)) == sorted(expected)
        if delete and self.store.in_transaction:
            assert self.store.delete_seek(index.id, point) == len(expected)
            for each in expected:
                del self.model.rows[table.id][each]

    def _agree_in_order(
        self, index: IndexSpec, found: list[bytes], expected: list[tuple[Any, bytes]]
    ) -> None:
        """The same rows, in the order of their keys; rows with the same key in any order."""
        rows = self.model.rows[index.table_id]
        keyed = [(self.model.key(index, rows[row]), row) for row in found]
        assert sorted(keyed) == expected
        assert [key for key, _ in keyed] == [key for key, _ in expected]

    @invariant()
    def tables_agree(self) -> None:
        RowMachine.steps += 1
        for table_id, rows in self.model.rows.items():
            assert self.store.count(table_id) == len(rows)
            found = self.store.scan(table_id)
            assert len(found) == len(rows)
            assert set(found) == rows.keys()
        for index in self.model.indexes.values():
            if index.kind != HASH:
                everything = self.store.range(index.id, b"", 0, b"\2", b"\2")
                self._agree_in_order(index, everything, self.model.in_order(index))
