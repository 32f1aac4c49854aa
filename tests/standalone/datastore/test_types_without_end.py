"""A type may contain itself, as a tree does. It can be a parameter, but not a column: rows have no such form."""

from __future__ import annotations

from typing import Any

import pytest

from spacetimedb_lib.moduledef import ModuleDef
from spacetimedb_lib.moduledef.migrate import plan_migration
from spacetimedb_standalone.database.reducer_table import EVERYONE, NOBODY, reducer_table
from spacetimedb_standalone.datastore.errors import InitError, UpdateError
from tests.standalone.datastore.busy import module_of
from tests.standalone.datastore.json_modules import named, table
from tests.standalone.datastore.test_migrations_carried_out import Bench

NUMBER: dict[str, Any] = {"U32": []}
TREE = {"Ref": 0}
UNIT = b"\2\0\0\0\0"
"""The BSATN of the type that is a product of nothing."""


def forest(column: dict[str, Any] | None, counted: dict[str, Any] = NUMBER) -> ModuleDef:
    """A table `forest` with this column, if any, and reducers `grow(tree)` and `count(counted)`."""
    types = [
        {"Product": {"elements": [named("value", NUMBER), named("kids", {"Array": TREE})]}},
        {"Product": {"elements": [named("column", column or NUMBER)]}},
    ]
    reducers = [
        {
            "source_name": name,
            "params": {"elements": [named("argument", type_)]},
            "visibility": {"ClientCallable": []},
            "ok_return_type": {"Product": {"elements": []}},
            "err_return_type": {"String": []},
        }
        for name, type_ in (("grow", TREE), ("count", counted))
    ]
    definitions = [
        {"source_name": {"scope": [], "source_name": name}, "ty": slot, "custom_ordering": True}
        for slot, name in enumerate(("Tree", "Forest"))
    ]
    return module_of(
        [
            {"Typespace": {"types": types}},
            {"Types": definitions},
            {"Tables": [] if column is None else [table("forest", 1)]},
            {"Reducers": reducers},
        ]
    )


def test_the_engine_leaves_calls_with_such_arguments_to_others() -> None:
    called = {name: (type_, by) for name, _, type_, by in reducer_table(forest(None), by_engine=True)}
    assert called[b"grow"] == (UNIT, NOBODY)
    assert called[b"count"][0] != UNIT and called[b"count"][1] == EVERYONE


def test_so_it_does_for_types_that_are_too_deep_for_it() -> None:
    deep = NUMBER
    for _ in range(101):
        deep = {"Array": deep}
    assert [by for _, _, _, by in reducer_table(forest(None, deep), by_engine=True)] == [NOBODY, NOBODY]


def test_a_new_module_with_such_a_column_is_refused() -> None:
    bench = Bench()
    refusal = r"table `forest` cannot be created: Found recursive type reference &0"
    with pytest.raises(InitError, match=refusal):
        bench.init(forest(TREE))
    assert not bench.datastore.initialized


def test_so_is_one_that_adds_such_a_table() -> None:
    bench = Bench()
    bench.init(forest(None))
    with pytest.raises(UpdateError, match=r"forest failed: Found recursive type reference &0"):
        bench.update(plan_migration(forest(None), forest(TREE)))
    assert bench.datastore.schema.named("forest") is None
    bench.reopen()
