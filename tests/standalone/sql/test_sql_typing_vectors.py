"""What parses, what types, and what is said otherwise, against the public server's own parser and checker."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from spacetimedb_lib.sats.resolve import resolve
from spacetimedb_lib.sats.type_forms import type_from_json, type_text
from spacetimedb_lib.sats.types import SCHEDULE_AT, AlgebraicType, Array, Element, Product, Sum, Variant
from spacetimedb_standalone.sql import Caller, SqlError, prepare
from spacetimedb_standalone.sql.checking import check_query, check_select
from spacetimedb_standalone.sql.forms import DeleteForm, InsertForm, SelectForm, UpdateForm
from spacetimedb_standalone.sql.memory import MemoryCatalog
from spacetimedb_standalone.sql.parsing import parse
from spacetimedb_standalone.sql.restriction import query_form, statement_form
from spacetimedb_standalone.sql.schema import ColumnDef, IndexDef, TableDef
from spacetimedb_standalone.subscriptions.compiled import compile_query

VECTORS = Path(__file__).parent / "vectors"
ANYONE = Caller(bytes(32), is_owner=True)
KINDS = {SelectForm: "select", InsertForm: "insert", UpdateForm: "update", DeleteForm: "delete"}


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def canonical(type_: AlgebraicType) -> AlgebraicType:
    """The type with the names of enum variants as the server knows them."""
    match type_:
        case _ if type_ == SCHEDULE_AT:
            return type_
        case Sum(variants):
            return Sum(
                tuple(Variant(v.name and v.name[0].lower() + v.name[1:], canonical(v.type)) for v in variants)
            )
        case Product(elements):
            return Product(tuple(Element(e.name, canonical(e.type)) for e in elements))
        case Array(element):
            return Array(canonical(element))
        case _:
            return type_


def catalog() -> MemoryCatalog:
    sections = {
        key: value
        for section in json.loads((VECTORS / "sql-typing-schema.json").read_text())["V10"]["sections"]
        for key, value in section.items()
    }
    space = tuple(map(type_from_json, sections["Typespace"]["types"]))
    tables = []
    for number, table in enumerate(sections["Tables"], 4096):
        row = resolve(space[table["product_type_ref"]], space)
        assert isinstance(row, Product)
        unique = [constraint["data"]["Unique"]["columns"] for constraint in table["constraints"]]
        indexes = [index["algorithm"]["BTree"] for index in table["indexes"]]
        tables.append(
            TableDef(
                number,
                snake(table["source_name"]),
                table["source_name"],
                tuple(ColumnDef(snake(e.name or ""), e.name or "", canonical(e.type)) for e in row.elements),
                tuple(
                    IndexDef(
                        number * 10 + at, index["source_name"]["some"], tuple(columns), columns in unique
                    )
                    for at, (index, columns) in enumerate(zip(table["indexes"], indexes, strict=True))
                ),
                event=table["is_event"],
            )
        )
    return MemoryCatalog(tables)


@pytest.fixture(scope="module")
def tables() -> MemoryCatalog:
    return catalog()


def cases() -> list[Any]:
    lines = (json.loads(line) for line in (VECTORS / "sql-typing.jsonl").read_text().splitlines())
    return [pytest.param(line, id=line["id"]) for line in lines]


@pytest.mark.parametrize("case", cases())
def test_statement(case: dict[str, Any], tables: MemoryCatalog) -> None:
    expected = case["sql_api"]
    if not expected["ok"]:
        with pytest.raises(SqlError) as refusal:
            prepare(case["sql"], ANYONE, tables)
        assert str(refusal.value) == expected["error"]
        return
    form = statement_form(parse(case["sql"]))
    assert KINDS[type(form)] == expected["statement"]
    if isinstance(form, SelectForm):
        schema = check_select(form, tables, ANYONE).schema
        columns = [{"name": e.name, "type": type_text(e.type)} for e in schema.elements]
        assert columns == expected["columns"]
    prepare(case["sql"], ANYONE, tables)


@pytest.mark.parametrize("case", cases())
def test_subscription(case: dict[str, Any], tables: MemoryCatalog) -> None:
    expected = case["subscription"]
    if not expected["ok"] or not expected["plan_ok"]:
        with pytest.raises(SqlError) as refusal:
            compile_query(case["sql"], tables, ANYONE)
        assert str(refusal.value) == (expected.get("error") or expected["plan_error"])
        if not expected["ok"]:
            return
    else:
        assert compile_query(case["sql"], tables, ANYONE).depends_on_caller == expected["has_param"]
    _, returned = check_query(query_form(parse(case["sql"])), tables, ANYONE)
    assert returned.table.name == expected["returns"]
