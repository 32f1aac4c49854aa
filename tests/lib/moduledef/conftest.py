"""A short way to write raw module definitions."""

from __future__ import annotations

from typing import Any

import pytest

from spacetimedb_lib.moduledef import Edition, ModuleDef, TableAccess, TableType, Visibility, validate
from spacetimedb_lib.moduledef.raw_common import RawUniqueConstraint
from spacetimedb_lib.moduledef.raw_v10 import (
    CaseConversionPolicy,
    ExplicitNames,
    NameMapping,
    RawConstraintDefV10,
    RawIndexDefV10,
    RawModuleDefV10,
    RawReducerDefV10,
    RawScopedTypeNameV10,
    RawSubmoduleV10,
    RawTableDefV10,
    RawTypeDefV10,
    RawViewDefV10,
)
from spacetimedb_lib.moduledef.records import Tagged
from spacetimedb_lib.sats.types import STRING, UNIT, AlgebraicType, Array, Product, Ref, product


class Make:
    """Builds raw definitions of version 10; row types are given per table and named after it."""

    def table(self, name: str, row: Product, **changes: Any) -> tuple[Product, dict[str, Any]]:
        fields: dict[str, Any] = {
            "source_name": name,
            "primary_key": (),
            "indexes": (),
            "constraints": (),
            "sequences": (),
            "table_type": TableType.USER,
            "table_access": TableAccess.PUBLIC,
            "default_values": (),
            "is_event": False,
        }
        return row, fields | changes

    def keyed(self, name: str, row: Product, **changes: Any) -> tuple[Product, dict[str, Any]]:
        """A table whose first column is the primary key."""
        column = row.elements[0].name
        index = RawIndexDefV10(f"{name}_{column}_idx_btree", column, Tagged("BTree", (0,)))
        unique = RawConstraintDefV10(None, Tagged("Unique", RawUniqueConstraint((0,))))
        return self.table(name, row, primary_key=(0,), indexes=(index,), constraints=(unique,), **changes)

    def reducer(self, name: str, **params: AlgebraicType) -> RawReducerDefV10:
        return RawReducerDefV10(name, product(**params), Visibility.CLIENT_CALLABLE, UNIT, STRING)

    def view(self, name: str, ref: int = 0, index: int = 0, **changes: Any) -> RawViewDefV10:
        fields: dict[str, Any] = {
            "is_public": True,
            "is_anonymous": True,
            "params": UNIT,
            "return_type": Array(Ref(ref)),
        }
        return RawViewDefV10(name, index, **(fields | changes))

    def names(self, **entries: dict[str, str]) -> ExplicitNames:
        """`names(Table={"source": "canonical"})`"""
        return ExplicitNames(
            tuple(
                Tagged(kind, NameMapping(*pair)) for kind, pairs in entries.items() for pair in pairs.items()
            )
        )

    def raw(self, *tables: tuple[Product, dict[str, Any]], **sections: Any) -> RawModuleDefV10:
        """A module: tables, then the other sections by name."""
        rows = tuple(row for row, _ in tables)
        types = tuple(
            RawTypeDefV10(RawScopedTypeNameV10((), fields["source_name"]), ref, custom_ordering=True)
            for ref, (_, fields) in enumerate(tables)
        )
        defs = tuple(RawTableDefV10(product_type_ref=ref, **fields) for ref, (_, fields) in enumerate(tables))
        contents = {"Typespace": rows, "Types": types, "Tables": defs} | sections
        return RawModuleDefV10(tuple(Tagged(name, content) for name, content in contents.items()))

    def submodule(self, namespace: str, raw: RawModuleDefV10) -> RawSubmoduleV10:
        return RawSubmoduleV10(namespace, raw)

    def module(
        self, *tables: tuple[Product, dict[str, Any]], edition: Edition = Edition.V2_8, **sections: Any
    ) -> ModuleDef:
        """The same, validated."""
        return validate(Tagged("V10", self.raw(*tables, **sections)), edition)

    verbatim = CaseConversionPolicy.NONE


@pytest.fixture
def make() -> Make:
    return Make()
