"""May this caller call that function, with these arguments?

Whoever may not call a function is told that there is none. Attempts that fail here never reach the module;
they are noted in its log, for they mostly mean that client and module are of different ages.
"""

from __future__ import annotations

from spacetimedb_lib.moduledef import ProcedureDef, ReducerDef, Visibility
from spacetimedb_lib.sats.bsatn import codec
from spacetimedb_lib.sats.errors import DecodeError
from spacetimedb_lib.sats.json_read import ArgumentsError as JsonArgumentsError
from spacetimedb_lib.sats.json_read import arguments_codec
from spacetimedb_lib.sats.types import Typespace
from spacetimedb_standalone.database.database import Database
from spacetimedb_standalone.module_logs import Level


class UncallableError(Exception):
    """The caller's fault; the text is what it is told. Some callers hear the whole chain of causes."""

    def __init__(self, text: str, chain: str | None = None) -> None:
        super().__init__(text)
        self.chain = text if chain is None else chain


class UnknownFunctionError(UncallableError):
    """No such function, or not for this caller."""


class LifecycleError(UncallableError):
    """A lifecycle reducer runs when its event happens, never because somebody calls it."""


class ArgumentsError(UncallableError):
    """The arguments are not of the parameters' types."""


def find_reducer(database: Database, name: str, is_owner: bool) -> ReducerDef:
    reducer = database.reducers.get(name)
    if reducer is None or (reducer.lifecycle is None and _is_hidden(reducer, is_owner)):
        _note(
            database,
            f'External attempt to call nonexistent reducer "{name}" failed. '
            "Have you run `spacetime generate` recently?",
        )
        raise UnknownFunctionError("no such reducer")
    if reducer.lifecycle is not None:
        event = reducer.lifecycle.value
        raise LifecycleError(f"can't directly call special {event} lifecycle reducer")
    return reducer


def find_procedure(database: Database, name: str, is_owner: bool) -> ProcedureDef:
    procedure = database.definition.find_procedure(name)
    if procedure is not None and not _is_hidden(procedure, is_owner):
        return procedure
    _note(
        database,
        f'External attempt to call nonexistent procedure "{name}" failed. '
        "Have you run `spacetime generate` recently?",
    )
    raise UnknownFunctionError("No such procedure")


def arguments_from_json(database: Database, function: ReducerDef | ProcedureDef, text: str) -> bytes:
    """The BSATN of a JSON argument list (or object), in all spellings that are understood."""
    typespace = _typespace(database, function)
    try:
        return arguments_codec(function.full_name, function.params, typespace).read(text)
    except JsonArgumentsError as error:
        where = str(error) if error.path is None else error.path
        raise _refused(database, function, where, error.chain(_kind(function))) from error


def check_arguments(database: Database, function: ReducerDef | ProcedureDef, args: bytes) -> None:
    """BSATN arguments are read as a prefix: what stands behind the last one does not matter."""
    try:
        codec(function.params, _typespace(database, function)).decode(args)
    except DecodeError as error:
        chain = JsonArgumentsError(function.full_name, None, str(error)).chain(_kind(function))
        raise _refused(database, function, str(error), chain) from error


def _refused(
    database: Database, function: ReducerDef | ProcedureDef, error: str, chain: str
) -> ArgumentsError:
    _note(
        database,
        f'External attempt to call {_kind(function)} "{function.full_name}" failed, invalid arguments.\n'
        "This is likely due to a mismatched client schema, have you run `spacetime generate` recently?",
        function.full_name,
    )
    return ArgumentsError(f"invalid arguments for {_kind(function)} {function.full_name}: {error}", chain)


def _kind(function: ReducerDef | ProcedureDef) -> str:
    return "reducer" if isinstance(function, ReducerDef) else "procedure"


def _note(database: Database, text: str, function: str | None = None) -> None:
    database.logs.host_record(Level.ERROR, text, function)


def _is_hidden(function: ReducerDef | ProcedureDef, is_owner: bool) -> bool:
    return function.visibility is Visibility.PRIVATE and not is_owner


def _typespace(database: Database, function: ReducerDef | ProcedureDef) -> Typespace:
    return database.definition.module_of(function.namespace).typespace
