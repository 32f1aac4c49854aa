"""SQL statements on a database: which of them are transactions, and who hears of them."""

from __future__ import annotations

from spacetimedb_standalone.database.caller import Caller
from spacetimedb_standalone.database.database import Database
from spacetimedb_standalone.database.told import call_of_nobody, cause_of
from spacetimedb_standalone.sql import Caller as SqlCaller
from spacetimedb_standalone.sql import SqlResult, prepare


def execute(database: Database, caller: Caller, text: str) -> SqlResult:
    """Run one statement. Raises SqlError, the sender's fault; then nothing is changed."""
    asking = SqlCaller(bytes(caller.identity), caller.is_owner)
    statement = prepare(text, asking, database.catalog)
    if not statement.writes:
        return statement.run(database.store, database.views)
    database.datastore.begin()
    try:
        result = statement.run(database.store)
    except BaseException:
        database.datastore.rollback()
        raise
    database.commit(cause=cause_of(database.definition, call_of_nobody(caller, database.stamp())))
    return result
