"""A table may have no columns, or only columns that take no bytes: its one possible row is there or not, for good."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from spacetimedb_lib.moduledef import ModuleDef
from spacetimedb_lib.moduledef.migrate import plan_migration
from tests.standalone.datastore.busy import snapshot
from tests.standalone.datastore.json_modules import named, table
from tests.standalone.datastore.test_migrations_carried_out import Bench

DefineModule = Callable[[dict[str, Any]], ModuleDef]
UNIT: dict[str, Any] = {"Product": {"elements": []}}
COLUMNS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "no columns": [],
    "a unit": [("nothing", UNIT)],
    "two units": [("nothing", UNIT), ("neither", UNIT)],
}


def flag_module(
    define_module: DefineModule, columns: list[tuple[str, dict[str, Any]]], defaults: tuple[str, ...] = ()
) -> ModuleDef:
    """A table `flag` with these columns, the last of them with these defaults, and a table `other` with a number."""
    elements = [named(name, type_) for name, type_ in columns]
    first = len(columns) - len(defaults)
    values = [{"col_id": first + n, "value": value} for n, value in enumerate(defaults)]
    tables = [
        table("flag", 0, default_values=values),
        table("other", 1),
    ]
    types = [{"Product": {"elements": elements}}, {"Product": {"elements": [named("number", {"U32": []})]}}]
    return define_module({"V10": {"sections": [{"Typespace": {"types": types}}, {"Tables": tables}]}})


def ids(bench: Bench) -> tuple[int, int]:
    flag, other = bench.datastore.schema.named("flag"), bench.datastore.schema.named("other")
    assert flag is not None and other is not None
    return flag.id, other.id


def count_after_restart(bench: Bench) -> int:
    bench.reopen()
    flag, other = ids(bench)
    assert bench.datastore.store.scan(other) == [b"\1\0\0\0"], (
        "what stands behind it in the log is there as well"
    )
    assert bench.datastore.store.scan(flag) == [b""] * bench.datastore.store.count(flag)
    return bench.datastore.store.count(flag)


@pytest.mark.parametrize("with_snapshot", [False, True], ids=["log", "snapshot"])
@pytest.mark.parametrize("columns", COLUMNS.values(), ids=COLUMNS)
def test_the_row_survives(
    define_module: DefineModule, columns: list[tuple[str, dict[str, Any]]], with_snapshot: bool
) -> None:
    bench = Bench()
    bench.init(flag_module(define_module, columns))
    flag, other = ids(bench)
    for _ in range(2):  # twice the same row is one
        bench.datastore.begin()
        bench.datastore.store.insert(flag, b"")
        bench.datastore.store.insert(other, b"\1\0\0\0")
        bench.datastore.commit()
    if with_snapshot:
        snapshot(bench.datastore)
    assert count_after_restart(bench) == 1
    bench.datastore.begin()
    assert bench.datastore.store.delete(flag, b"")
    bench.datastore.commit()
    if with_snapshot:
        snapshot(bench.datastore)
    assert count_after_restart(bench) == 0


@pytest.mark.parametrize("with_snapshot", [False, True], ids=["log", "snapshot"])
def test_it_gets_columns(define_module: DefineModule, with_snapshot: bool) -> None:
    old = flag_module(define_module, [])
    new = flag_module(define_module, [("level", {"U8": []})], ("07",))
    bench = Bench()
    bench.init(old)
    flag, other = ids(bench)
    bench.datastore.begin()
    bench.datastore.store.insert(flag, b"")
    bench.datastore.store.insert(other, b"\1\0\0\0")
    bench.datastore.commit()
    if with_snapshot:
        snapshot(bench.datastore)
    bench.update(plan_migration(old, new))
    bench.reopen()
    assert bench.rows()["flag"] == [(7,)]
