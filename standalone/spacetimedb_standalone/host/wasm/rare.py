"""Answers what a guest asks of its host: from the numbers and bytes of the engine to `HostServices`."""

from collections.abc import Callable

from spacetimedb_engine.status import Rare
from spacetimedb_standalone.host.interface import Frame, GuestTrap, HostServices, HttpFailed, LogRecord
from spacetimedb_standalone.host.wasm.timers import ConsoleTimers

NO_SUCH_TABLE, NO_SUCH_INDEX, NO_SUCH_TIMER = 4, 5, 7
PANIC = 101
INFO = 2

Answer = int | bytes | list[bytes] | None


class RareCalls:
    """One per instance, because timers are. `function` names what runs; `backtrace` reads the guest's stack."""

    def __init__(
        self,
        services: HostServices,
        function: Callable[[], str | None],
        backtrace: Callable[[], tuple[Frame, ...]],
    ) -> None:
        self._services = services
        self._function = function
        self._backtrace = backtrace
        self._timers = ConsoleTimers(services.monotonic)

    def __call__(self, op: int, a: int, b: int, parts: list[bytes | None]) -> Answer:
        """See `Rare` for what each operation takes and gives."""
        services = self._services
        match op:
            case Rare.TABLE_ID:
                found = services.table_id(_text(parts[0]))
                return -NO_SUCH_TABLE if found is None else found
            case Rare.INDEX_ID:
                found = services.index_id(_text(parts[0]))
                return -NO_SUCH_INDEX if found is None else found
            case Rare.CONSOLE_LOG:
                return self._log(a, b, parts)
            case Rare.TIMER_START:
                return self._timers.start(_lossy(parts[0]))
            case Rare.TIMER_END:
                return self._end_timer(a)
            case Rare.SCHEDULE_NOW:
                services.schedule_now(_text(parts[0]), parts[1] or b"")
                return 0
            case Rare.JWT:
                claims = services.jwt(parts[0] or b"")
                return None if claims is None else claims.encode()
            case Rare.SLEEP:
                return services.sleep_until(a)
            case Rare.START_TX:
                return services.start_tx()
            case Rare.COMMIT_TX:
                services.commit_tx()
                return 0
            case Rare.ABORT_TX:
                services.abort_tx()
                return 0
            case Rare.HTTP:
                return self._http(bool(a), parts[0] or b"", parts[1] or b"")
            case Rare.ENV:
                value = services.env(_text(parts[0]))
                return None if value is None else value.encode()
            case Rare.ROW_WRITTEN:
                return -services.row_written(a, parts[0] or b"", bool(b))
        raise GuestTrap(f"the host does not know operation {op}")

    def _log(self, level: int, line: int, parts: list[bytes | None]) -> int:
        target, filename, message = parts
        record = LogRecord(
            level=level,
            message=_lossy(message),
            target=None if target is None else _lossy(target),
            filename=None if filename is None else _lossy(filename),
            line_number=None if line < 0 else line,
            function=self._function(),
            trace=self._backtrace() if level == PANIC else (),
        )
        self._services.log(record)
        return 0

    def _end_timer(self, timer: int) -> int:
        message = self._timers.end(timer)
        if message is None:
            return -NO_SUCH_TIMER
        self._services.log(LogRecord(level=INFO, message=message, function=self._function()))
        return 0

    def _http(self, in_transaction: bool, request: bytes, body: bytes) -> Answer:
        try:
            return self._services.http(request, body, in_transaction)
        except HttpFailed as failed:
            message = str(failed).encode()
            return [len(message).to_bytes(4, "little") + message]


def _text(part: bytes | None) -> str:
    """The engine has checked that it is UTF-8."""
    return (part or b"").decode()


def _lossy(part: bytes | None) -> str:
    return (part or b"").decode(errors="replace")
