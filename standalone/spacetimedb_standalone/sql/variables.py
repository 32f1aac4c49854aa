"""System variables: rows of `st_var`. There is one, the row limit."""

from __future__ import annotations

from spacetimedb_lib.sats.bsatn import codec
from spacetimedb_lib.sats.types import STRING, SumValue

from .checking import find_table
from .errors import SqlNameError
from .relation import Column, Compare, Constant, Fields, Relation, Selection, Variable
from .schema import Caller, Catalog, Rows, TableDef

ROW_LIMIT = "row_limit"
VARIABLES = "st_var"
"""The table that they are rows of."""
_U64_VARIANT = 8
_NAME, _VALUE = 0, 1


def variables_table(variable: str, catalog: Catalog, caller: Caller) -> TableDef:
    """The table that a variable is a row of. Raises SqlNameError if there is no such variable or table."""
    if variable != ROW_LIMIT:
        raise SqlNameError(f"{variable} is not a valid system variable")
    return find_table(VARIABLES, catalog, caller)


def variable_row(table: TableDef, variable: str, number: int) -> bytes:
    """The row that says that a variable is this number."""
    return table.codec.encode((variable, SumValue(_U64_VARIANT, number)))


def variable_query(table: TableDef, variable: str) -> Selection:
    """A query for the value of a variable: one row, or none if it is not set."""
    wanted = Constant(STRING, codec(STRING).encode(variable))
    condition = Compare(Column(VARIABLES, _NAME, STRING), "=", wanted, STRING)
    value = Column(VARIABLES, _VALUE, table.columns[_VALUE].type)
    relation = Relation(Variable(VARIABLES, table), (), (condition,))
    return Selection(relation, Fields(((value, table.columns[_VALUE].name),)))


def row_limit(catalog: Catalog, store: Rows) -> int | None:
    """How many rows a query of anybody but the owner may read, if that is bounded."""
    table = catalog.table_named(VARIABLES)
    if table is None:
        return None
    decode = table.codec.decode_exact
    for row in store.scan(table.id):
        name, (tag, value) = decode(row)
        if name == ROW_LIMIT and tag == _U64_VARIANT:
            number: int = value
            return number
    return None
