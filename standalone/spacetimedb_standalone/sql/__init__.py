"""SQL: parsing, checking, planning and running statements over a store of rows in BSATN.

Nothing here does input or output, and nothing is kept between statements.
"""

from .errors import SqlError
from .results import SqlResult
from .rules import ruled_table
from .schema import Caller, Catalog, NoViews, Rows, Store, TableDef, View, Views
from .statement import Statement, prepare, prepare_query, run_sql

__all__ = [
    "Caller",
    "Catalog",
    "NoViews",
    "Rows",
    "SqlError",
    "SqlResult",
    "Statement",
    "Store",
    "TableDef",
    "View",
    "Views",
    "prepare",
    "prepare_query",
    "ruled_table",
    "run_sql",
]
