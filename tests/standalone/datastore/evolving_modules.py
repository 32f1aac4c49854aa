"""Modules that change at random from one version to the next: tables come and go, get columns, indexes, sequences."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from itertools import count

from spacetimedb_lib.moduledef import ModuleDef, TableAccess, TableType, ValidationErrors, validate
from spacetimedb_lib.moduledef.raw_common import RawUniqueConstraint
from spacetimedb_lib.moduledef.raw_v10 import (
    RawColumnDefaultValueV10,
    RawConstraintDefV10,
    RawIndexDefV10,
    RawModuleDefV10,
    RawScopedTypeNameV10,
    RawSequenceDefV10,
    RawTableDefV10,
    RawTypeDefV10,
)
from spacetimedb_lib.moduledef.records import Tagged
from spacetimedb_lib.sats.bsatn import codec
from spacetimedb_lib.sats.types import AlgebraicType, Element, Product
from tests.engine.store.random_schemas import COLUMNS, DIRECT, INTEGERS
from tests.standalone.datastore.busy import random_value

ACCESS = (TableAccess.PUBLIC, TableAccess.PRIVATE)

Column = tuple[str, AlgebraicType]


@dataclass(frozen=True)
class IndexPlan:
    name: str
    columns: tuple[int, ...]
    algorithm: str
    unique: bool = False


@dataclass(frozen=True)
class TablePlan:
    """`sequences` are columns and where their numbers start, `defaults` what rows get in columns that are new."""

    name: str
    columns: tuple[Column, ...]
    key: int | None
    access: TableAccess
    is_event: bool
    indexes: tuple[IndexPlan, ...] = ()
    sequences: tuple[tuple[int, int | None], ...] = ()
    defaults: dict[int, bytes] = field(default_factory=dict)

    @property
    def type(self) -> Product:
        return Product(tuple(Element(name, type_) for name, type_ in self.columns))

    def raw(self, number: int) -> RawTableDefV10:
        return RawTableDefV10(
            source_name=self.name,
            product_type_ref=number,
            primary_key=() if self.key is None else (self.key,),
            indexes=tuple(
                RawIndexDefV10(
                    index.name,
                    f"{index.name}_accessor",
                    Tagged(
                        index.algorithm, index.columns[0] if index.algorithm == "Direct" else index.columns
                    ),
                )
                for index in self.indexes
            ),
            constraints=tuple(
                RawConstraintDefV10(None, Tagged("Unique", RawUniqueConstraint(index.columns)))
                for index in self.indexes
                if index.unique
            ),
            sequences=tuple(
                RawSequenceDefV10(None, column, start, None, None, 1) for column, start in self.sequences
            ),
            table_type=TableType.USER,
            table_access=self.access,
            default_values=tuple(
                RawColumnDefaultValueV10(column, value) for column, value in sorted(self.defaults.items())
            ),
            is_event=self.is_event,
        )


Plans = tuple[TablePlan, ...]


def module_of(tables: Plans) -> ModuleDef | None:
    """None where no such module can be."""
    names = tuple(
        RawTypeDefV10(RawScopedTypeNameV10((), f"{table.name}Row"), number, custom_ordering=True)
        for number, table in enumerate(tables)
    )
    sections = (
        Tagged("Typespace", tuple(table.type for table in tables)),
        Tagged("Types", names),
        Tagged("Tables", tuple(table.raw(number) for number, table in enumerate(tables))),
    )
    try:
        return validate(Tagged("V10", RawModuleDefV10(sections)))
    except ValidationErrors:
        return None


class Evolution:
    """Modules by a seed. No name is used twice."""

    def __init__(self, choice: random.Random) -> None:
        self._choice = choice
        self._numbers = count()

    def first(self) -> Plans:
        return tuple(self._new_table() for _ in range(self._choice.randrange(5)))

    def next(self, tables: Plans) -> Plans:
        """With one to three changes, of which the database may refuse some."""
        for _ in range(self._choice.randint(1, 3)):
            tables = self._changed(tables)
        return tables

    def _changed(self, tables: Plans) -> Plans:
        if not tables or self._choice.random() < 0.2:
            return (*tables, self._new_table())
        table = self._choice.choice(tables)
        others = tuple(other for other in tables if other is not table)
        if self._choice.random() < 0.1:
            return others
        steps = (self._with_index, self._without_index, self._with_sequence, self._with_column, self._opened)
        return (*others, self._choice.choice(steps)(table))

    def _name(self, what: str) -> str:
        return f"{what}{next(self._numbers)}"

    def _new_table(self) -> TablePlan:
        choice = self._choice
        columns = tuple(self._new_column() for _ in range(choice.choice((0, 1, 1, 2, 3, 5))))
        table = TablePlan(self._name("t"), columns, None, choice.choice(ACCESS), choice.random() < 0.1)
        if columns and choice.random() < 0.6:
            key = choice.randrange(len(columns))
            index = IndexPlan(self._name("i"), (key,), choice.choice(("BTree", "Hash")), unique=True)
            table = replace(table, key=key, indexes=(index,))
        for _ in range(choice.randrange(3)):
            table = self._with_index(table)
        return self._with_sequence(table) if choice.random() < 0.5 else table

    def _new_column(self) -> Column:
        return self._name("c"), self._choice.choice(COLUMNS)

    def _with_index(self, table: TablePlan) -> TablePlan:
        width = len(table.columns)
        columns = tuple(self._choice.sample(range(width), min(width, self._choice.randint(1, 3))))
        if not columns or any(index.columns == columns for index in table.indexes):
            return table
        direct = len(columns) == 1 and table.columns[columns[0]][1] in DIRECT
        algorithm = self._choice.choice(("BTree", "Hash", "Direct" if direct else "BTree"))
        unique = len(columns) == 1 and self._choice.random() < 0.3
        return replace(
            table, indexes=(*table.indexes, IndexPlan(self._name("i"), columns, algorithm, unique))
        )

    def _without_index(self, table: TablePlan) -> TablePlan:
        free = [index for index in table.indexes if index.columns != (table.key,)]
        gone = self._choice.choice(free) if free else None
        return replace(table, indexes=tuple(index for index in table.indexes if index is not gone))

    def _with_sequence(self, table: TablePlan) -> TablePlan:
        taken = {column for column, _ in table.sequences}
        free = [
            column
            for column, (_, type_) in enumerate(table.columns)
            if type_ in INTEGERS and column not in taken
        ]
        if not free:
            return table
        return replace(
            table, sequences=(*table.sequences, (self._choice.choice(free), self._choice.choice((None, 5))))
        )

    def _with_column(self, table: TablePlan) -> TablePlan:
        name, type_ = self._new_column()
        value = codec(type_).encode(random_value(type_, self._choice))
        return replace(
            table,
            columns=(*table.columns, (name, type_)),
            defaults={**table.defaults, len(table.columns): value},
        )

    def _opened(self, table: TablePlan) -> TablePlan:
        return replace(table, access=self._choice.choice(ACCESS))
