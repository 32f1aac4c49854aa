"""What the rest of the server knows of a module, whatever language it was written in.

A `ModuleHost` is one running instance of one module. WebAssembly modules implement it over the compiled
engine; hosts for other kinds of module implement the same protocol and reach the rows through `Store.apply`
and `Store.scan`. In the other direction a module asks its database through `HostServices`.

Identities and connection ids are their 32 and 16 little-endian BSATN bytes; timestamps are microseconds
since the Unix epoch; arguments and rows are BSATN.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from spacetimedb_engine.status import GuestTrap, Status

__all__ = [
    "FATAL",
    "Frame",
    "GuestTrap",
    "HandlerOutcome",
    "HostServices",
    "HttpFailed",
    "LogRecord",
    "ModuleError",
    "ModuleHost",
    "Outcome",
    "Read",
    "Status",
    "ViewOutcome",
]

FATAL = "The instance encountered a fatal error."
"""What a caller is told of a trap; the details stay in the log."""


class ModuleError(Exception):
    """The module cannot be used: its author's fault. The text goes to whoever published it."""


class HttpFailed(Exception):
    """An outgoing HTTP request of a procedure failed; the text is for the module."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One function on the module's stack."""

    module_name: str | None
    func_name: str | None


@dataclass(frozen=True, slots=True)
class LogRecord:
    """A line that a module wrote. `level`: 0 error, 1 warn, 2 info, 3 debug, 4 trace, 101 panic."""

    level: int
    message: str
    target: str | None = None
    filename: str | None = None
    line_number: int | None = None
    function: str | None = None
    trace: tuple[Frame, ...] = ()
    """Innermost first; only for panics."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a reducer or procedure ended; `value` is the BSATN return value of a procedure."""

    status: Status
    text: str = ""
    value: bytes = b""


@dataclass(frozen=True, slots=True)
class Read:
    """One read that a view made: of a whole table, or of an index at a key."""

    whole_table: bool
    id: int
    """A table id, or an index id."""
    key: bytes = b""


@dataclass(frozen=True, slots=True)
class ViewOutcome:
    """What a view returned: `rows` (BSATN array with its count) or `sql`, and what it read."""

    status: Status
    text: str = ""
    rows: bytes | None = None
    sql: str | None = None
    reads: tuple[Read, ...] = ()


@dataclass(frozen=True, slots=True)
class HandlerOutcome:
    """What an HTTP handler answered: BSATN of the response's head, and the raw body."""

    status: Status
    text: str = ""
    response: bytes = b""
    body: bytes = b""


class HostServices(Protocol):
    """What a module may ask of its database beyond rows.

    Errors are raised: `GuestTrap` ends the module's call. Errnos are those of the module ABI.
    """

    def table_id(self, name: str) -> int | None:
        """By canonical name, then by accessor."""

    def index_id(self, name: str) -> int | None:
        """By canonical name, then by accessor."""

    def log(self, record: LogRecord) -> None: ...

    def monotonic(self) -> float:
        """Seconds, for the module's console timers."""

    def jwt(self, connection_id: bytes) -> str | None:
        """JSON text of the claims of a connection; None: it has none."""

    def env(self, key: str) -> str | None:
        """A declared variable's value; None: it is not set."""

    def row_written(self, table_id: int, row: bytes, inserted: bool) -> int:
        """A row went into a table that `notify` named. Returns 0 or an errno."""

    def schedule_now(self, function: str, args: bytes) -> None:
        """Run a reducer or procedure as soon as possible, whatever becomes of this transaction."""

    def start_tx(self) -> int:
        """Opens a transaction for a procedure: its timestamp."""

    def commit_tx(self) -> None: ...

    def abort_tx(self) -> None: ...

    def sleep_until(self, wake: int) -> int:
        """Returns the time it woke at."""

    def http(self, request: bytes, body: bytes, in_transaction: bool) -> list[bytes] | int:
        """BSATN request and raw body to [BSATN response, raw body]; minus an errno; raises `HttpFailed`."""


@runtime_checkable
class ModuleHost(Protocol):
    """One instance of a module. One call at a time, except that a view may run inside a procedure's commit."""

    @property
    def description(self) -> bytes:
        """BSATN of the module's definition."""

    @property
    def dead(self) -> bool:
        """It trapped: replace it."""

    def notify(self, table_ids: Iterable[int]) -> None:
        """Tables whose inserts and updates go to `HostServices.row_written`."""

    def call_reducer(
        self, reducer_id: int, name: str, sender: bytes, connection_id: bytes, timestamp: int, args: bytes
    ) -> Outcome:
        """Inside an open transaction, which the caller commits or rolls back."""

    def call_view(self, view_id: int, name: str, sender: bytes | None, args: bytes) -> ViewOutcome:
        """Inside an open transaction. `sender` None: an anonymous view."""

    def call_procedure(
        self, procedure_id: int, name: str, sender: bytes, connection_id: bytes, timestamp: int, args: bytes
    ) -> Outcome:
        """Outside any transaction."""

    def call_handler(
        self,
        handler_id: int,
        name: str,
        sender: bytes,
        claims: bytes,
        timestamp: int,
        request: bytes,
        body: bytes,
    ) -> HandlerOutcome:
        """Outside any transaction."""

    def close(self) -> None: ...
