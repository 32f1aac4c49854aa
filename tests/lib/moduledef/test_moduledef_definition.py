"""What a validated definition tells: names, columns, ids, who may call what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from spacetimedb_lib.moduledef import (
    FunctionKind,
    IndexKind,
    Lifecycle,
    ModuleDefDecodeError,
    RawVersion,
    TypeName,
    ValidationErrors,
    Visibility,
    decode,
)
from spacetimedb_lib.moduledef.raw_v10 import (
    RawColumnDefaultValueV10,
    RawHttpHandlerDefV10,
    RawHttpRouteDefV10,
    RawLifecycleReducerDefV10,
    RawProcedureDefV10,
    RawScheduleDefV10,
    RawViewPrimaryKeyDefV10,
)
from spacetimedb_lib.moduledef.records import Tagged
from spacetimedb_lib.sats.errors import TypeRefError
from spacetimedb_lib.sats.types import (
    SCHEDULE_AT,
    STRING,
    U32,
    U64,
    UNIT,
    Array,
    Product,
    Ref,
    Variant,
    option,
    product,
    sum_of,
)

DESCRIBED = Path(__file__).parents[1] / "vectors" / "described"


def test_names_of_the_source_become_canonical_and_stay_as_accessors(make: Any) -> None:
    definition = make.module(make.keyed("UserAccount", product(accountId=U64, displayName=STRING)))
    table = definition.tables["user_account"]
    assert (table.name, table.accessor, table.full_name) == ("user_account", "UserAccount", "user_account")
    assert [(column.name, column.accessor) for column in table.columns] == [
        ("account_id", "accountId"),
        ("display_name", "displayName"),
    ]
    assert table.column("displayName") is table.column("display_name") is table.columns[1]
    assert table.column("nothing") is None
    (index,) = table.indexes.values()
    assert index.name == "user_account_account_id_idx_btree"
    assert index.source_name == "UserAccount_accountId_idx_btree"
    assert (index.accessor, index.kind, index.columns) == ("accountId", IndexKind.BTREE, (0,))
    assert list(table.constraints) == ["user_account_account_id_key"]
    assert table.primary_key == 0
    assert TypeName((), "UserAccount") in definition.types


def test_an_explicit_name_is_taken_as_it_is(make: Any) -> None:
    definition = make.module(
        make.table("UserAccount", product(id=U64)),
        ExplicitNames=make.names(Table={"UserAccount": "Accounts"}),
    )
    assert list(definition.tables) == ["Accounts"]


def test_without_a_policy_nothing_is_converted(make: Any) -> None:
    definition = make.module(
        make.table("UserAccount", product(accountId=U64)), CaseConversionPolicy=make.verbatim
    )
    assert definition.tables["UserAccount"].columns[0].name == "accountId"


def test_types_of_columns_are_there_with_and_without_references(make: Any) -> None:
    definition = make.module(
        make.table("car", product(id=U64, maker=Ref(1), rival=option(Ref(1)))),
        make.table("maker", product(fullName=STRING)),
    )
    car = definition.tables["car"]
    assert car.columns[1].type == Ref(1)
    assert car.columns[2].resolved == option(product(full_name=STRING))
    assert car.row_type == product(
        id=U64, maker=product(full_name=STRING), rival=option(product(full_name=STRING))
    )
    assert definition.source_typespace[1] == product(fullName=STRING)


def test_variants_of_enums_are_converted_too(make: Any) -> None:
    raw_types = make.raw(make.table("car", UNIT), make.table("colour", UNIT)).section("Types")
    definition = make.module(
        Typespace=(product(id=U64, colour=Ref(1)), sum_of(DarkRed=UNIT, Blue=UNIT)),
        Types=raw_types,
        Tables=(),
    )
    assert definition.typespace[1].variants == (Variant("darkRed", UNIT), Variant("blue", UNIT))


def test_a_recursive_column_is_sound_but_has_no_row_type(make: Any) -> None:
    definition = make.module(make.table("tree", product(id=U64, children=Array(Ref(0)))))
    with pytest.raises(TypeRefError, match="Found recursive type reference &0"):
        _ = definition.tables["tree"].row_type


def test_defaults_are_bytes_of_the_column(make: Any) -> None:
    default = RawColumnDefaultValueV10(1, bytes.fromhex("05000000ff"))
    table = make.table("car", product(id=U64, doors=U32), default_values=(default,))
    columns = make.module(table).tables["car"].columns
    assert [column.default for column in columns] == [None, bytes.fromhex("05000000")]


def test_lifecycle_reducers_are_known_by_event_and_become_private(make: Any) -> None:
    definition = make.module(
        Reducers=(make.reducer("add"), make.reducer("start")),
        LifeCycleReducers=(RawLifecycleReducerDefV10(Lifecycle.INIT, "start"),),
    )
    assert definition.lifecycle[Lifecycle.INIT].id == 1
    assert definition.reducers["start"].visibility is Visibility.PRIVATE
    assert definition.reducers["add"].visibility is Visibility.CLIENT_CALLABLE


def test_a_scheduled_table_knows_its_function(make: Any) -> None:
    job = product(scheduledId=U64, at=SCHEDULE_AT)
    definition = make.module(
        make.keyed("Job", job),
        Procedures=(RawProcedureDefV10("runJob", product(job=Ref(0)), UNIT, Visibility.CLIENT_CALLABLE),),
        Schedules=(RawScheduleDefV10(None, "Job", 1, "runJob"),),
    )
    schedule = definition.tables["job"].schedule
    assert schedule is not None
    assert (schedule.name, schedule.at_column, schedule.id_column) == ("job_sched", 1, 0)
    assert (schedule.function, schedule.function_kind) == ("run_job", FunctionKind.PROCEDURE)
    assert definition.procedures["run_job"].visibility is Visibility.PRIVATE


def test_parameters_keep_their_names_for_calls_and_have_canonical_ones_for_clients(make: Any) -> None:
    reducer = make.module(Reducers=(make.reducer("add", fullName=STRING),)).reducers["add"]
    assert reducer.params == product(fullName=STRING)
    assert reducer.param_names == ("full_name",)
    assert reducer.resolved_params == (STRING,)


def test_views_have_keys_declared_or_those_of_their_tables(make: Any) -> None:
    definition = make.module(
        make.keyed("car", product(carId=U64)),
        Views=(
            make.view("declared"),
            make.view("query", index=1, return_type=product(__query__=Ref(0))),
            make.view("keyless", index=0, is_anonymous=False, return_type=option(Ref(0))),
        ),
        ViewPrimaryKeys=(RawViewPrimaryKeyDefV10("declared", ("carId",)),),
    )
    keys = {name: view.primary_key for name, view in definition.views.items()}
    assert keys == {"declared": 0, "query": 0, "keyless": None}
    assert definition.views["query"].returns_query
    assert [view.id for view in definition.views.values()] == [0, 1, 0], "each kind is counted by itself"


def test_routes_name_handlers_canonically(make: Any) -> None:
    route = RawHttpRouteDefV10("showAll", Tagged("Any"), "/all")
    definition = make.module(HttpHandlers=(RawHttpHandlerDefV10("showAll"),), HttpRoutes=(route,))
    assert definition.http_routes[0].handler == "show_all"
    assert definition.http_handlers["show_all"].id == 0


def test_submodules_live_under_their_namespace_and_ids_go_on(make: Any) -> None:
    deep = make.raw(make.keyed("hole", product(id=U64)), Reducers=(make.reducer("dig"),))
    shop = make.raw(
        make.keyed("item", product(id=U64)),
        Reducers=(make.reducer("sell"),),
        Views=(make.view("cheap"),),
        Submodules=(make.submodule("deep", deep),),
    )
    bank = make.raw(make.keyed("item", product(id=U64)), Reducers=(make.reducer("pay"),))
    definition = make.module(
        make.keyed("item", product(id=U64)),
        Reducers=(make.reducer("a"), make.reducer("b")),
        Views=(make.view("all_items"),),
        Submodules=(make.submodule("shop", shop), make.submodule("bank", bank)),
    )
    assert [table.full_name for table in definition.all_tables] == [
        "item",
        "shop.item",
        "shop.deep.hole",
        "bank.item",
    ]
    assert [(reducer.id, reducer.full_name) for reducer in definition.all_reducers] == [
        (0, "a"),
        (1, "b"),
        (2, "shop.sell"),
        (3, "shop.deep.dig"),
        (4, "bank.pay"),
    ]
    cheap = definition.find_view("shop.cheap")
    assert cheap is not None
    assert (cheap.id, cheap.index) == (1, 0)
    hole = definition.find_table("shop.deep.hole")
    assert hole is not None
    assert definition.module_of(hole.namespace).tables["hole"] is hole
    assert next(iter(hole.indexes.values())).full_name == "shop.deep.hole_id_idx_btree"
    assert definition.find_reducer("shop.sell") is definition.all_reducers[2]
    assert definition.find_reducer("shop.item") is None


def test_tables_and_reducers_of_one_name_are_told_apart(make: Any) -> None:
    definition = make.module(make.table("add", product(id=U64)), Reducers=(make.reducer("add"),))
    assert definition.find_table("add") is definition.tables["add"]
    assert definition.find_reducer("add") is definition.reducers["add"]


def test_errors_of_independent_parts_come_together_sorted_and_once(make: Any) -> None:
    with pytest.raises(ValidationErrors) as caught:
        make.module(
            make.table("st_car", product(id=U64)),
            make.table("bike", Product(()), primary_key=(3,)),
            Reducers=(make.reducer("1st"), make.reducer("1st")),
        )
    assert [error.kind.name for error in caught.value.errors] == [
        "IdentifierError",
        "IdentifierError",
        "ColumnNotFound",
        "TableNameReserved",
    ]
    assert str(caught.value).startswith("Errors occurred:\nmodule contains invalid identifier: ")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x07",
        b"\x02\x01\x00\x00\x00\x63",
        b"\x02\x01\x00\x00\x00\x00\x01\x00\x00\x00" + b"\x03" * 100_000,
    ],
    ids=["nothing", "unknown version", "unknown section", "type nested without end"],
)
def test_bytes_that_are_no_definition_are_the_modules_fault(data: bytes) -> None:
    with pytest.raises(ModuleDefDecodeError, match="description of itself cannot be decoded"):
        decode(data)


def test_types_nested_deeper_than_can_be_judged_are_refused(make: Any) -> None:
    nested: Any = U64
    for _ in range(2000):
        nested = Array(nested)
    with pytest.raises(ModuleDefDecodeError, match="nested too deeply"):
        make.module(make.table("deep", product(id=nested)))


@pytest.mark.parametrize("name", ["quickstart", "kitchen-sink", "newest"])
def test_compiled_modules_describe_themselves_soundly(name: str) -> None:
    definition = decode((DESCRIBED / f"{name}.bsatn").read_bytes())
    assert definition.raw_version is RawVersion.V10
    assert [reducer.id for reducer in definition.all_reducers] == list(range(len(definition.reducers)))
    assert all(table.row_type.elements for table in definition.all_tables if table.name != "empty_row")
