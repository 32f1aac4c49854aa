"""The compiled and the uncompiled engine, side by side: same answers, same log, same deltas, rows in the same places."""

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spacetimedb_engine import is_compiled
from tests.examples import examples

pytestmark = pytest.mark.slow

WORK = Path(__file__).with_name("work.py")
WITHOUT_CYTHON = (
    "import runpy, sys; sys.modules['cython'] = None; runpy.run_path(sys.argv[1], run_name='__main__')"
)


def load_work() -> ModuleType:
    spec = importlib.util.spec_from_file_location("engine_store_work", WORK)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


work = load_work()


class Uncompiled:
    """The same work in a process of its own, where the engine runs as Python, and Cython is not installed."""

    def __init__(self) -> None:
        import spacetimedb_engine

        package = Path(spacetimedb_engine.__file__).parents[1]
        path = os.pathsep.join([str(package), *sys.path])
        self.process = subprocess.Popen(
            [sys.executable, "-c", WITHOUT_CYTHON, str(WORK)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "STDB_PURE": "1", "PYTHONPATH": path},
        )
        assert self.answer() is False

    def answer(self) -> Any:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def run(self, operations: list[Any]) -> Any:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(operations) + "\n")
        self.process.stdin.flush()
        return self.answer()

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(timeout=30)


@pytest.fixture(scope="module")
def uncompiled() -> Iterator[Uncompiled]:
    if not is_compiled():
        pytest.skip("the engine is not compiled: there is nothing to compare")
    process = Uncompiled()
    yield process
    process.close()


def u32(value: int) -> str:
    return value.to_bytes(4, "little").hex()


def text(value: str) -> str:
    data = value.encode()
    return (len(data).to_bytes(4, "little") + data).hex()


SMALL = st.integers(0, 5)
TEXT = st.sampled_from(["", "a", "ab", "abcdefghi", "abcdefghj", "x" * 60, "y" * 5000]).map(text)
BYTE = SMALL.map(lambda n: bytes([n]).hex())
COLUMNS = {
    7: BYTE,
    11: SMALL.map(u32),
    12: st.integers(-2, 2).map(lambda n: n.to_bytes(8, "little", signed=True).hex()),
    17: SMALL.map(lambda n: (n << 199).to_bytes(32, "little").hex()),
    19: st.sampled_from(["0000000000000000", "0000000000000080", "000000000000f0bf", "010000000000f07f"]),
    4: TEXT,
    5: st.sampled_from(["00", "01", "02"]),
}
TABLE = st.sampled_from(sorted(work.TABLES))
INDEX = st.sampled_from(sorted(work.INDEXES))


def row_of(table_id: int) -> st.SearchStrategy[str]:
    return st.tuples(*(COLUMNS[kind] for kind in work.TABLES[table_id][0])).map("".join)


def key_of(index_id: int) -> st.SearchStrategy[str]:
    table_id, _, _, columns = work.INDEXES[index_id]
    return st.tuples(*(COLUMNS[work.TABLES[table_id][0][column]] for column in columns)).map("".join)


def bound_of(index_id: int) -> st.SearchStrategy[str]:
    table_id, _, _, columns = work.INDEXES[index_id]
    first = COLUMNS[work.TABLES[table_id][0][columns[0]]]
    return st.one_of(
        st.just("02"), first.map(lambda value: "00" + value), first.map(lambda value: "01" + value)
    )


def on_row(name: str) -> st.SearchStrategy[list[Any]]:
    return TABLE.flatmap(lambda table_id: row_of(table_id).map(lambda row: [name, table_id, row]))


def on_bounds(name: str) -> st.SearchStrategy[list[Any]]:
    return INDEX.flatmap(
        lambda index_id: st.tuples(bound_of(index_id), bound_of(index_id)).map(
            lambda bounds: [name, index_id, "", 0, *bounds]
        )
    )


OPERATION = st.one_of(
    on_row("insert"),
    on_row("insert"),
    on_row("insert"),
    on_row("delete"),
    INDEX.flatmap(
        lambda index_id: row_of(work.INDEXES[index_id][0]).map(
            lambda row: ["update", work.INDEXES[index_id][0], index_id, row]
        )
    ),
    INDEX.flatmap(lambda index_id: key_of(index_id).map(lambda key: ["seek", index_id, key])),
    INDEX.flatmap(lambda index_id: key_of(index_id).map(lambda key: ["delete_seek", index_id, key])),
    on_bounds("range"),
    on_bounds("delete_range"),
    TABLE.map(lambda table_id: ["clear", table_id]),
    TABLE.map(lambda table_id: ["scan", table_id]),
    st.sampled_from([["begin"], ["begin"], ["commit"], ["commit", "0166"], ["rollback"], ["memory_in_use"]]),
    INDEX.map(lambda index_id: ["drop_index", index_id]),
    TABLE.map(lambda table_id: ["drop_table", table_id]),
)


@given(st.lists(OPERATION, max_size=60).map(lambda operations: [["begin"], *operations]))
@settings(
    max_examples=examples(60),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_both_forms_do_the_same(uncompiled: Uncompiled, operations: list[list[Any]]) -> None:
    assert json.loads(json.dumps(work.run(operations))) == uncompiled.run(operations)


def test_both_forms_do_the_same_with_many_rows(uncompiled: Uncompiled) -> None:
    """Enough rows for pages, leaves and buckets to fill up, divide and empty again."""
    operations: list[list[Any]] = [["begin"]]
    for i in range(1500):
        k = i * 7919 % 3001
        operations.append(["insert", 4096, u32(k) + bytes([k % 7]).hex() + "00" * 7])
        operations.append(["insert", 4097, text("n" * (k % 50)) + k.to_bytes(32, "little").hex() + "01"])
        if i % 100 == 99:
            operations += [["commit"], ["begin"]]
    for i in range(0, 1500, 2):
        k = i * 7919 % 3001
        operations.append(["delete_seek", 1, u32(k)])
        operations.append(["update", 4097, 10, text("updated") + k.to_bytes(32, "little").hex() + "00"])
    operations += [
        ["commit"],
        ["begin"],
        ["clear", 4097],
        ["rollback"],
        ["begin"],
        ["clear", 4096],
        ["commit"],
    ]
    operations += [["memory_in_use"]]
    assert json.loads(json.dumps(work.run(operations))) == uncompiled.run(operations)
