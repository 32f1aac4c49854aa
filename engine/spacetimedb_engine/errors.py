"""What the engine raises to Python. Each carries the error number that a module sees in the same case."""

from __future__ import annotations


class EngineError(Exception):
    """Something asked of the engine could not be done; nothing was changed by it."""

    errno = 1
    cause = "it did not work"
    """The text when the engine raises it by number."""


class NotInTransaction(EngineError):
    errno = 2
    cause = "there is no open transaction: begin one first"


class RowDecodeError(EngineError):
    """Bytes are not a value of the type they should have."""

    errno = 3
    cause = "the bytes are no value of the type they should have"


class NoSuchTable(EngineError):
    errno = 4
    cause = "there is no such table"


class NoSuchIndex(EngineError):
    errno = 5
    cause = "the table has no such index"


class WrongIndexAlgorithm(EngineError):
    """A range was asked of an index that has no order."""

    errno = 10
    cause = "a hash index has no ranges: look for single keys"


class UniqueViolation(EngineError):
    """A row with that key is there already. `index_id` is the index that says so."""

    errno = 12

    def __init__(self, text: str, index_id: int = 0) -> None:
        super().__init__(text)
        self.index_id = index_id


class IndexNotUnique(EngineError):
    errno = 14
    cause = "a row can only be updated through a unique index"


class NoSuchRow(EngineError):
    errno = 15
    cause = "there is no row with that key"


class SchemaError(EngineError):
    """A definition (row type, index, sequence) that cannot be."""


class ReplayError(EngineError):
    """A commit log that does not fit the state it is applied to, or is not well-formed."""


class InternalError(EngineError):
    """The engine could not go on; the transaction must be rolled back."""


BY_ERRNO: dict[int, type[EngineError]] = {
    kind.errno: kind
    for kind in (
        NotInTransaction,
        RowDecodeError,
        NoSuchTable,
        NoSuchIndex,
        WrongIndexAlgorithm,
        IndexNotUnique,
        NoSuchRow,
    )
}
