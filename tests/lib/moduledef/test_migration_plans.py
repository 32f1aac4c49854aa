"""What a plan gives to those who carry it out and to those who must agree to it."""

from __future__ import annotations

from typing import Any

import pytest

from spacetimedb_lib.hashing import keccak256, migration_token
from spacetimedb_lib.identity import Identity
from spacetimedb_lib.moduledef import IndexDef, ModuleDef, Plan, SequenceDef, TableDef, plan_migration
from spacetimedb_lib.moduledef.migrate import (
    MigrationErrors,
    MigrationPolicyError,
    PlanFormatError,
    Step,
    StepKind,
    Style,
    log_line,
    pretty,
)
from spacetimedb_lib.moduledef.migrate.debug_value import debug_value
from spacetimedb_lib.moduledef.migrate.policy import check_policy
from spacetimedb_lib.moduledef.raw_v10 import RawColumnDefaultValueV10, RawIndexDefV10, RawSequenceDefV10
from spacetimedb_lib.moduledef.records import Tagged
from spacetimedb_lib.sats.types import (
    BOOL,
    BYTES,
    F32,
    I128,
    STRING,
    U8,
    U64,
    U256,
    UNIT,
    AlgebraicType,
    Array,
    Ref,
    SumValue,
    product,
    sum_of,
)

OWNER = Identity.from_claims("localhost", "bob")
OLD, NEW = keccak256(b"old"), keccak256(b"new")


def numbered(column: int = 0) -> RawSequenceDefV10:
    return RawSequenceDefV10(None, column, None, None, None, 1)


def named_index(accessor: str) -> RawIndexDefV10:
    return RawIndexDefV10("car_name", accessor, Tagged("BTree", (1,)))


@pytest.fixture
def old(make: Any) -> ModuleDef:
    row = product(id=U64, name=STRING)
    definition: ModuleDef = make.module(
        make.table("car", row, indexes=(named_index("name"),)), make.table("gone", product(id=U64))
    )
    return definition


@pytest.fixture
def new(make: Any) -> ModuleDef:
    row = product(id=U64, name=STRING, doors=U8)
    definition: ModuleDef = make.module(
        make.table(
            "car", row, sequences=(numbered(),), default_values=(RawColumnDefaultValueV10(2, b"\x05"),)
        )
    )
    return definition


@pytest.fixture
def plan(old: ModuleDef, new: ModuleDef) -> Plan:
    return plan_migration(old, new)


def step_of(plan: Plan, kind: StepKind) -> Step:
    (step,) = (step for step in plan.steps if step.kind is kind)
    return step


def test_steps_carry_the_definitions_they_are_about(plan: Plan, old: ModuleDef, new: ModuleDef) -> None:
    assert [step.kind for step in plan.steps] == [
        StepKind.REMOVE_INDEX,
        StepKind.REMOVE_TABLE,
        StepKind.ADD_COLUMNS,
        StepKind.ADD_SEQUENCE,
        StepKind.DISCONNECT_ALL_USERS,
    ]
    removed = step_of(plan, StepKind.REMOVE_INDEX)
    assert isinstance(removed.old, IndexDef)
    assert (removed.new, removed.table) == (None, old.tables["car"])
    added = step_of(plan, StepKind.ADD_SEQUENCE)
    assert isinstance(added.new, SequenceDef)
    assert (added.old, added.table) == (None, new.tables["car"])
    columns = step_of(plan, StepKind.ADD_COLUMNS)
    assert isinstance(columns.old, TableDef)
    assert isinstance(columns.new, TableDef)
    assert [column.default for column in columns.new.columns[len(columns.old.columns) :]] == [b"\x05"]


def test_a_new_sequence_is_to_be_checked_against_the_rows(plan: Plan, new: ModuleDef) -> None:
    (check,) = plan.prechecks
    assert (check.table, check.sequence.column) == (new.tables["car"], 0)
    assert check.taken_range == (1, (1 << 64) - 1), "clamped into the column's type"


def test_every_visible_step_has_a_line_for_the_log(plan: Plan) -> None:
    assert [log_line(step) for step in plan.steps] == [
        "Dropping index `car_name_idx_btree` on table `car`",
        "Dropping table `gone`",
        None,
        "Adding sequence `car_id_seq` to table `car`",
        "Disconnecting all users",
    ]


def test_lines_about_aliases_say_which(make: Any) -> None:
    before = make.module(make.keyed("theCar", product(carId=U64)), CaseConversionPolicy=make.verbatim)
    renamed = make.names(Table={"car": "theCar"}, Index={"car_carId_idx_btree": "theCar_carId_idx_btree"})
    after = make.module(
        make.keyed("car", product(carId=U64)), CaseConversionPolicy=make.verbatim, ExplicitNames=renamed
    )
    assert [log_line(step) for step in plan_migration(before, after).steps] == [
        "Changing index source name for `theCar_carId_idx_btree` on table `theCar`"
        " from `theCar_carId_idx_btree` to `car_carId_idx_btree`",
        "Changing table accessor name for `theCar` to `car`",
    ]


def test_an_accessor_of_an_index_stays(make: Any, old: ModuleDef) -> None:
    row = product(id=U64, name=STRING)
    with pytest.raises(MigrationErrors, match=r'car_name_idx_btree from Some\("name"\) to Some\("by_name"\)'):
        plan_migration(old, make.module(make.table("car", row, indexes=(named_index("by_name"),))))


def test_a_column_that_cannot_be_stored_is_an_obstacle(make: Any) -> None:
    before = make.module(make.table("tree", product(id=U64, child=U64)))
    after = make.module(make.table("tree", product(id=U64, child=Array(Ref(0)))))
    with pytest.raises(MigrationErrors, match="Column child of table tree has a type that cannot be stored"):
        plan_migration(before, after)


def test_a_recursive_table_can_be_planned_but_not_printed(make: Any) -> None:
    after = make.module(make.table("tree", product(id=U64, child=Array(Ref(0)))))
    with pytest.raises(PlanFormatError, match="Found recursive type reference &0"):
        pretty(plan_migration(make.module(), after))


# --- agreement ---


def test_a_plan_that_breaks_clients_needs_the_token(plan: Plan) -> None:
    assert plan.breaks_clients
    with pytest.raises(MigrationPolicyError, match="client-breaking change which is disallowed"):
        check_policy(plan, None, OWNER, OLD, NEW)
    check_policy(plan, migration_token(OWNER, OLD, NEW), OWNER, OLD, NEW)


def test_a_token_must_be_right_even_when_none_was_needed(old: ModuleDef) -> None:
    harmless = plan_migration(old, old)
    check_policy(harmless, None, OWNER, OLD, NEW)
    with pytest.raises(MigrationPolicyError, match="Token provided is invalid"):
        check_policy(harmless, migration_token(OWNER, NEW, OLD), OWNER, OLD, NEW)


def test_an_empty_plan_is_only_a_title(old: ModuleDef) -> None:
    rule = "━" * 60
    assert pretty(plan_migration(old, old), Style.NO_COLOR) == f"{rule}\nDatabase Migration Plan\n{rule}\n\n"


# --- values in print ---


SUM_TEXT = """\
Sum(
    SumValue {
        tag: 0,
        value: U8(
            1,
        ),
    },
)"""

RECORDS_TEXT = """\
Array(
    [
        ProductValue {
            elements: [
                U8(
                    1,
                ),
            ],
        },
    ],
)"""


@pytest.mark.parametrize(
    ("type_", "value", "text"),
    [
        (BOOL, True, "Bool(\n    true,\n)"),
        (I128, -5, "I128(\n    Packed(\n        -5,\n    ),\n)"),
        (U256, 7, "U256(\n    7,\n)"),
        (F32, 1.0, "F32(\n    Total(\n        1.0,\n    ),\n)"),
        (STRING, 'a"b', 'String(\n    "a\\"b",\n)'),
        (BYTES, b"\x01\x02", "Array(\n    [\n        1,\n        2,\n    ],\n)"),
        (BYTES, b"", "Array(\n    [],\n)"),
        (UNIT, (), "Product(\n    ProductValue {\n        elements: [],\n    },\n)"),
        (sum_of(a=U8), SumValue(0, 1), SUM_TEXT),
        (Array(product(a=U8)), [(1,)], RECORDS_TEXT),
    ],
)
def test_defaults_are_shown_the_programmers_way(type_: AlgebraicType, value: Any, text: str) -> None:
    assert debug_value(type_, value) == text
