"""Every migration that can be planned is carried out: schema and rows are then what they should be.

The plans are those of the vectors. A database of the old definition, with rows in it, is updated; its schema
must then be that of a database made from the new definition, but for ids. And the log alone must lead there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from spacetimedb_lib.hashing import keccak256
from spacetimedb_lib.identity import Identity
from spacetimedb_lib.moduledef import ModuleDef, decode
from spacetimedb_lib.moduledef.migrate import Plan, StepKind, plan_migration
from spacetimedb_lib.sats.types import AlgebraicType, Array, Kind, Primitive, Product, Sum, SumValue
from spacetimedb_standalone.commitlog import Driver
from spacetimedb_standalone.config.settings import CommitLogSettings
from spacetimedb_standalone.datastore.datastore import Datastore
from spacetimedb_standalone.datastore.errors import InitError, UpdateError
from spacetimedb_standalone.datastore.program import Program, ProgramKind
from spacetimedb_standalone.datastore.schema import Schema, Table, TableKind
from spacetimedb_standalone.datastore.view_definitions import backing_row_type
from spacetimedb_standalone.module_logs import Level
from spacetimedb_standalone.ports import ManualClock, MemoryFiles

VECTORS = Path(__file__).parents[2] / "lib" / "vectors" / "migrations.jsonl"
CASES: list[dict[str, Any]] = [case for case in map(json.loads, VECTORS.open(encoding="utf-8")) if case["ok"]]
OLD, NEW = (Program(ProgramKind.WASM, keccak256(data), data) for data in (b"old", b"new"))
NEVER_DONE = {StepKind.ADD_SCHEDULE, StepKind.REMOVE_SCHEDULE}


class Bench:
    """A datastore on pretended files, and what its module's log said."""

    def __init__(self, *, durable: bool = True) -> None:
        self.files = MemoryFiles()
        self.said: list[str] = []
        if durable:
            self.open()
        else:
            self.datastore = Datastore.in_memory()

    def open(self) -> None:
        self.datastore = Datastore.open(
            Path("/replica"), self.files, ManualClock(), options=CommitLogSettings(), driver=Driver.INLINE
        )

    def reopen(self) -> None:
        self.datastore.close()
        self.open()

    def log(self, level: Level, message: str) -> None:
        self.said.append(f"{level} {message}")

    def target(self, sql: str) -> int:
        found = re.search(r"from (\w+)", sql, re.IGNORECASE)
        table = self.datastore.schema.table(found.group(1)) if found else None
        if table is None:
            raise ValueError(f"no such table in {sql}")
        return table.id

    def init(self, module: ModuleDef, run_init: Callable[[], None] | None = None) -> int:
        return self.datastore.init_program(
            OLD,
            module,
            database_identity=Identity.from_int(1),
            owner=Identity.from_int(2),
            system_log=self.log,
            rule_target=self.target,
            run_init=run_init,
        )

    def update(self, plan: Plan) -> int:
        return self.datastore.update_program(NEW, plan, system_log=self.log, rule_target=self.target)

    def fill(self, rows: dict[str, int]) -> None:
        """So many distinct rows into each table."""
        store = self.datastore.store
        store.begin()
        for name, count in rows.items():
            table = self.datastore.schema.named(name)
            assert table is not None
            for number in range(1, count + 1):
                store.insert(table.id, table.codec.encode(value(table.row_type, number)))
        self.datastore.commit()

    def rows(self) -> dict[str, list[Any]]:
        return {
            table.name: sorted(
                (table.codec.decode_exact(row) for row in self.datastore.store.scan(table.id)), key=repr
            )
            for table in self.datastore.schema.tables.values()
        }


def value(type_: AlgebraicType, number: int) -> Any:
    """A value that differs with its number."""
    match type_:
        case Product(elements):
            return tuple(value(element.type, number) for element in elements)
        case Sum(variants):
            return SumValue(number % len(variants), value(variants[number % len(variants)].type, number))
        case Array(Primitive(Kind.U8)):
            return bytes([number])
        case Array(element):
            return [value(element, number)] * (number % 3)
        case Primitive(Kind.STRING):
            return f"text {number}"
        case Primitive(Kind.BOOL):
            return number % 2 == 1
        case Primitive(Kind.F32 | Kind.F64):
            return number / 2
    return number


def without_ids(schema: Schema) -> dict[str, Any]:
    """What is defined, by names."""
    return {table.name: _described(table) for table in schema.tables.values()} | {
        "rules": sorted((rule.sql, schema.tables[rule.table_id].name) for rule in schema.row_level_security)
    }


def _described(table: Table) -> Any:
    schedule, view = table.schedule, table.view
    return (
        (table.accessor, table.kind, table.access, table.primary_key, table.is_event),
        [(column.name, column.accessor, column.type) for column in table.columns],
        sorted((i.name, i.accessor, i.kind, i.columns, i.unique) for i in table.indexes),
        sorted((constraint.name, constraint.columns) for constraint in table.constraints),
        sorted((s.name, s.column, s.start, s.minimum, s.maximum, s.increment) for s in table.sequences),
        schedule and (schedule.name, schedule.function, schedule.at_column, schedule.id_column),
        view and (view.name, view.is_anonymous),
    )


def parted(case: dict[str, Any]) -> tuple[ModuleDef, ModuleDef, Plan]:
    old, new = decode(bytes.fromhex(case["old_bsatn"])), decode(bytes.fromhex(case["new_bsatn"]))
    return old, new, plan_migration(old, new)


def with_slow_ones_marked() -> list[Any]:
    """Cases that bring a kind of step which none before has are always run."""
    seen: set[str] = set()
    marked = []
    for case in sorted(CASES, key=lambda case: -len(case["steps"])):
        kinds = {step[0] for step in case["steps"]}
        marks = [] if kinds - seen else [pytest.mark.slow]
        seen |= kinds
        marked.append(pytest.param(case, id=case["note"], marks=marks))
    return marked


@pytest.mark.parametrize("case", with_slow_ones_marked())
def test_a_migration_leads_to_the_new_definition(case: dict[str, Any]) -> None:
    old, new, plan = parted(case)
    kinds = {step.kind for step in plan.steps}
    bench, fresh = Bench(), Bench(durable=False)
    fresh.init(new)
    assert bench.init(old) == 0
    emptied = {step.full_name for step in plan.steps if step.kind is StepKind.REMOVE_TABLE}
    emptied |= {check.table.full_name for check in plan.prechecks}
    bench.fill({table.full_name: 3 for table in old.all_tables if table.full_name not in emptied})
    before, schema = bench.rows(), bench.datastore.schema
    if kinds & NEVER_DONE:
        with pytest.raises(UpdateError, match="schedules is not yet implemented"):
            bench.update(plan)
        assert bench.datastore.schema is schema and bench.rows() == before
        bench.reopen()
        assert bench.rows() == before and without_ids(bench.datastore.schema) == without_ids(schema)
        return
    offset = bench.update(plan)
    assert offset == bench.datastore.read_offset()
    assert without_ids(bench.datastore.schema) == without_ids(fresh.datastore.schema)
    assert bench.datastore.program == NEW
    for table in old.all_tables:
        if new.find_table(table.full_name) is not None and not table.is_event:
            kept = [row[: len(table.columns)] for row in bench.rows()[table.full_name]]
            assert sorted(kept, key=repr) == before[table.full_name]
    after, schema = bench.rows(), bench.datastore.schema
    bench.reopen()
    assert bench.datastore.schema.tables.keys() == schema.tables.keys()
    assert without_ids(bench.datastore.schema) == without_ids(schema)
    assert bench.rows() == after


def test_the_module_log_tells_what_is_done() -> None:
    old, _, plan = parted(max(CASES, key=lambda case: len(case["steps"])))
    bench = Bench()
    bench.init(old)
    said, bench.said = bench.said, []
    assert said[0].startswith("Info Creating table `") and said[-1] == "Info Database initialized"
    bench.update(plan)
    assert bench.said[0] == f"Info Updated program to {NEW.hash.hex()}"
    assert any(line.startswith("Info Creating table `") for line in bench.said)
    assert bench.said[-1] == "Info Database updated"


def find_case(kind: str) -> tuple[ModuleDef, ModuleDef, Plan]:
    return parted(next(case for case in CASES if any(step[0] == kind for step in case["steps"])))


def test_a_table_with_rows_is_not_removed() -> None:
    old, _, plan = find_case("RemoveTable")
    removed = next(step.full_name for step in plan.steps if step.kind is StepKind.REMOVE_TABLE)
    bench = Bench()
    bench.init(old)
    bench.fill({removed: 1})
    with pytest.raises(UpdateError) as refused:
        bench.update(plan)
    assert str(refused.value) == (
        f"Cannot remove table `{removed}`: table contains data. Clear the table's rows (e.g. via a reducer) "
        "before removing it from your schema."
    )
    assert bench.said[-1] == f"Warn Database update failed: {refused.value}"
    assert bench.datastore.program == OLD and bench.datastore.schema.named(removed) is not None


def test_rows_that_repeat_a_key_forbid_a_unique_constraint() -> None:
    old, _, plan = find_case("AddConstraint")
    step = next(step for step in plan.steps if step.kind is StepKind.ADD_CONSTRAINT)
    assert step.table is not None
    bench = Bench()
    bench.init(old)
    table = bench.datastore.schema.named(step.table.full_name)
    assert table is not None
    columns = step.new.columns  # type: ignore[union-attr]
    store = bench.datastore.store
    store.begin()
    for number in (1, 2, 3):
        row = list(value(table.row_type, number))
        for column in columns:
            row[column] = value(table.columns[column].type, 7)
        store.insert(table.id, table.codec.encode(tuple(row)))
    bench.datastore.commit()
    with pytest.raises(UpdateError) as refused:
        bench.update(plan)
    lines = str(refused.value).splitlines()
    assert lines[0] == (
        f"Cannot add unique constraint on table {table.id} column(s) {list(columns)} (committed state):"
    )
    assert lines[1] == "1 duplicate group(s) found."
    assert re.fullmatch(r"  - \S.*\(.*7.*\) appears 3 times", lines[2])


def test_numbers_in_the_range_of_a_new_sequence_forbid_it() -> None:
    old, _, plan = find_case("AddSequence")
    check = plan.prechecks[0]
    bench = Bench()
    bench.init(old)
    bench.fill({check.table.full_name: 1})
    with pytest.raises(UpdateError, match=r"Precheck failed: added sequence .* already has values in range"):
        bench.update(plan)


def player_module(define_module: Callable[[dict[str, Any]], ModuleDef], *extra: str) -> ModuleDef:
    """A table `player` with numbered rows, a name and, if wished, more columns of bytes that default to 7."""
    columns = [("id", "U64"), ("name", "String"), *((name, "U8") for name in extra)]
    elements = [{"name": {"some": name}, "algebraic_type": {kind: []}} for name, kind in columns]
    table = {
        "source_name": "player",
        "product_type_ref": 0,
        "primary_key": [0],
        "indexes": [
            {"source_name": {"some": "p_id"}, "accessor_name": {"some": "id"}, "algorithm": {"BTree": [0]}}
        ],
        "constraints": [{"source_name": {"none": []}, "data": {"Unique": {"columns": [0]}}}],
        "sequences": [
            {
                "source_name": {"none": []},
                "column": 0,
                "start": {"none": []},
                "min_value": {"none": []},
                "max_value": {"none": []},
                "increment": 1,
            }
        ],
        "table_type": {"User": []},
        "table_access": {"Public": []},
        "default_values": [{"col_id": 2 + number, "value": "07"} for number in range(len(extra))],
        "is_event": False,
    }
    types = [{"Product": {"elements": elements}}]
    return define_module({"V10": {"sections": [{"Typespace": {"types": types}}, {"Tables": [table]}]}})


def test_added_columns_keep_the_numbering_of_a_table(
    define_module: Callable[[dict[str, Any]], ModuleDef],
) -> None:
    """A table that gets columns is made anew, but does not give out a number twice."""
    old, new = player_module(define_module), player_module(define_module, "level", "lives")
    bench = Bench()
    bench.init(old)
    before = bench.datastore.schema.named("player")
    assert numbers(bench, "player", 0, 3) == [1, 2, 3]
    bench.update(plan_migration(old, new))
    after = bench.datastore.schema.named("player")
    assert before is not None and after is not None and before.id != after.id
    assert bench.rows()["player"] == [(n, f"text {49 + n}", 7, 7) for n in (1, 2, 3)]
    assert numbers(bench, "player", 0, 2) == [4, 5]
    bench.reopen()
    assert numbers(bench, "player", 0, 1) == [4097]


def numbers(bench: Bench, name: str, column: int, count: int) -> list[int]:
    table = bench.datastore.schema.named(name)
    assert table is not None
    bench.datastore.begin()
    drawn = []
    for number in range(count):
        row = list(value(table.row_type, 50 + number))
        row[column] = 0
        stored = bench.datastore.store.insert(table.id, table.codec.encode(tuple(row)))
        drawn.append(table.codec.decode_exact(stored)[column])
    bench.datastore.commit()
    return drawn


def test_a_failing_init_leaves_nothing() -> None:
    bench = Bench()
    system = bench.rows()

    def fail() -> None:
        assert bench.datastore.owner == Identity.from_int(2)
        assert any(table.kind is TableKind.USER for table in bench.datastore.schema.tables.values())
        raise ValueError("the reducer said no")

    with pytest.raises(ValueError, match="said no"):
        bench.init(find_case("AddColumns")[0], fail)
    assert not bench.datastore.initialized and bench.rows() == system
    assert bench.said[-1] == "Info Invoking `init` reducer"
    bench.reopen()
    assert not bench.datastore.initialized and bench.datastore.store.next_offset == 0
    bench.init(find_case("AddColumns")[0], lambda: None)
    bench.reopen()
    assert bench.datastore.initialized and bench.datastore.program == OLD


def test_a_rule_about_no_table_fails_the_publish() -> None:
    old, new, plan = find_case("AddRowLevelSecurity")
    sql = next(step.name for step in plan.steps if step.kind is StepKind.ADD_ROW_LEVEL_SECURITY)
    bench = Bench(durable=False)

    def no_such_table(sql: str) -> int:
        raise ValueError("no such table")

    bench.target = no_such_table  # type: ignore[method-assign]
    with pytest.raises(
        InitError, match=f"failed to create row-level security: `{re.escape(sql)}`: no such table"
    ):
        bench.init(new)
    assert not bench.datastore.initialized
    bench.init(replace(old, row_level_security=()))
    with pytest.raises(UpdateError, match="failed to create row-level security"):
        bench.update(plan)


def test_stale_tables_of_views_are_made_anew() -> None:
    """A database that an older server left with a view that returns something else now."""
    for case in CASES:
        old, new, _ = parted(case)
        for view in old.all_views:
            successor = new.find_view(view.full_name)
            if successor is not None and backing_row_type(successor) != backing_row_type(view):
                bench = Bench()
                bench.init(old)
                schema = bench.datastore.schema
                bench.datastore.repair_views(old, bench.log)
                assert bench.datastore.schema is schema, "nothing to do"
                bench.datastore.repair_views(new, bench.log)
                assert bench.said[-1] == "Info Repairing stale view backing tables"
                bench.reopen()
                table = bench.datastore.schema.named(view.full_name)
                assert table is not None and table.row_type == backing_row_type(successor)
                return
    pytest.fail("no case changes what a view returns")
