"""What a procedure or HTTP handler may ask of its database beyond rows: `HostServices` off the engine's thread.

It may sleep and send requests, and it opens its transactions by itself. While one is open the engine is on
loan (`loans`), so what concerns rows is answered as for a reducer; what concerns the engine's thread is sent
over to it. Outside a transaction only what does not touch the database is answered here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

from spacetimedb_lib.identity import ConnectionId
from spacetimedb_lib.sats.errors import DecodeError
from spacetimedb_standalone.database.caller import Caller
from spacetimedb_standalone.database.database import Database
from spacetimedb_standalone.database.loans import EngineLoans, Loan, LoansEnded, Post
from spacetimedb_standalone.database.program import LoadedProgram
from spacetimedb_standalone.database.told import call_of_nobody, cause_of
from spacetimedb_standalone.database.views import ViewError
from spacetimedb_standalone.host.http_messages import decode_request, encode_response
from spacetimedb_standalone.host.interface import GuestTrap, HostServices, LogRecord
from spacetimedb_standalone.module_logs import Level
from spacetimedb_standalone.outgoing.http import OutgoingHttp
from spacetimedb_standalone.ports.clock import Clock

UNREADABLE, BLOCKED = 3, 17
"""The module ABI's error numbers: bytes that can't be decoded, and what may not be done in a transaction."""
LINES_UNDER_WAY = 256
"""Log lines that may be on their way to the engine's thread; a module that logs faster waits."""
LONGEST_SLEEP = 3600.0
"""Seconds slept at a time: the wall clock may be set meanwhile."""
LONGEST_SLEEP_IN_TX = 1_000_000
"""Microseconds."""

Durable = Callable[[int], bool]
"""Waits, off the engine's thread, until a transaction is on disk; False: it took too long."""


class WaitingServices:
    """For one instance of `loaded`, which makes one call at a time: `begin_call`, the call, `end_call`."""

    def __init__(
        self,
        database: Database,
        loaded: LoadedProgram,
        shared: HostServices,
        loans: EngineLoans,
        post: Post,
        outgoing: OutgoingHttp,
        durable: Durable,
        clock: Clock,
        stopping: threading.Event,
    ) -> None:
        self._database, self._loaded, self._shared = database, loaded, shared
        self._loans, self._post, self._outgoing, self._durable = loans, post, outgoing, durable
        self._clock, self._stopping = clock, stopping
        self._lines = threading.BoundedSemaphore(LINES_UNDER_WAY)
        self._loan: Loan | None = None
        self._timestamp = 0
        """Of the open transaction."""
        self._calling, self._since = False, -1
        self.offset = -1
        """The last transaction that the call has seen, -1 if it opened none."""

    def begin_call(self, since: int) -> None:
        """`since` is the last transaction before the call, which may be what made it happen."""
        self._calling, self._since, self.offset = True, since, -1

    def end_call(self, function: str) -> None:
        """The call is over, however it ended; a transaction that it left open is taken back."""
        self._calling = False
        loan = self._loan
        if loan is not None:
            self._loan = None
            text = f"aborting dangling anonymous transaction in procedure {function}"
            try:
                self._database.datastore.rollback()
                loan.run(partial(self._database.logs.system, Level.ERROR, text))
            finally:
                loan.end()

    # -- transactions

    def start_tx(self) -> int:
        if not self._calling:
            raise GuestTrap("a transaction can be opened by a procedure or HTTP handler only")
        loan = self._borrow()
        try:
            if self._database.loaded is not self._loaded:
                raise GuestTrap("module was replaced while this function was running")
            self._database.datastore.begin()
        except BaseException:
            loan.end()
            raise
        self._loan, self._timestamp = loan, self._database.stamp()
        return self._timestamp

    def commit_tx(self) -> None:
        """A view that can't be kept in step takes the transaction back and ends the call."""
        loan = self._take_loan()
        try:
            loan.run(self._commit)
            self.offset = self._database.datastore.read_offset()
        except ViewError as error:
            raise GuestTrap(str(error)) from error
        finally:
            self._release(loan)

    def _commit(self) -> None:
        """On the engine's thread."""
        database = self._database
        call = call_of_nobody(self._myself(), self._timestamp)
        database.commit(cause=cause_of(database.definition, call))

    def _myself(self) -> Caller:
        """Whom subscribers are told of: the database."""
        return Caller(self._database.datastore.database_identity, ConnectionId.ZERO, "{}", is_owner=True)

    def abort_tx(self) -> None:
        loan = self._take_loan()
        self.offset = self._database.datastore.read_offset()
        self._release(loan)

    def _borrow(self) -> Loan:
        try:
            return self._loans.borrow()
        except LoansEnded as error:
            raise GuestTrap(str(error)) from error

    def _take_loan(self) -> Loan:
        loan, self._loan = self._loan, None
        assert loan is not None, "the engine asks for the end of a transaction that it has seen begin"
        return loan

    def _release(self, loan: Loan) -> None:
        """Give the engine back, without a transaction."""
        try:
            if self._database.store.in_transaction:
                self._database.datastore.rollback()
        finally:
            loan.end()

    # -- in a transaction

    def table_id(self, name: str) -> int | None:
        return self._shared.table_id(name)

    def index_id(self, name: str) -> int | None:
        return self._shared.index_id(name)

    def jwt(self, connection_id: bytes) -> str | None:
        return self._shared.jwt(connection_id)

    def row_written(self, table_id: int, row: bytes, inserted: bool) -> int:
        assert self._loan is not None, "rows are written in transactions only"
        return self._loan.run(partial(self._shared.row_written, table_id, row, inserted))

    # -- at any time

    def env(self, key: str) -> str | None:
        """Outside a transaction it is read in a moment of its own."""
        if self._loan is not None:
            return self._shared.env(key)
        loan = self._borrow()
        try:
            return self._shared.env(key)
        finally:
            loan.end()

    def monotonic(self) -> float:
        return self._shared.monotonic()

    def schedule_now(self, function: str, args: bytes) -> None:
        self._shared.schedule_now(function, args)

    def log(self, record: LogRecord) -> None:
        if self._loan is not None:
            self._loan.run(partial(self._shared.log, record))
            return
        self._lines.acquire()
        self._post(partial(self._log, record))

    def _log(self, record: LogRecord) -> None:
        """On the engine's thread."""
        try:
            self._shared.log(record)
        finally:
            self._lines.release()

    # -- waiting

    def sleep_until(self, wake: int) -> int:
        """In a transaction the whole database sleeps along, so there it may be for a moment only."""
        now = self._clock.now()
        if self._loan is not None and wake - now > LONGEST_SLEEP_IN_TX:
            raise GuestTrap("procedure_sleep_until may not be called while a transaction is open")
        while (now := self._clock.now()) < wake:
            if self._stopping.wait(min((wake - now) / 1_000_000, LONGEST_SLEEP)):
                raise GuestTrap("the database is closing")
        return now

    def http(self, request: bytes, body: bytes, in_transaction: bool) -> list[bytes] | int:
        """What the world hears must not be undone by a power cut: first all is durable, then the request goes."""
        self._outgoing.require_enabled()
        if in_transaction:
            return -BLOCKED
        try:
            wanted = decode_request(request)
        except DecodeError:
            return -UNREADABLE
        if not self._durable(max(self._since, self.offset)):
            raise GuestTrap(
                "the last transaction is not durable yet: outcome unknown, do not retry without deduplication"
            )
        answer, content = self._outgoing.send(wanted, body)
        return [encode_response(answer), content]
