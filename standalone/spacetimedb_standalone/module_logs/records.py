"""One line of a module's log.

The public form: a JSON object a line, without blanks, keys in the order `level`, `ts`, `target`, `filename`,
`line_number`, `function`, `message`, and `trace` for panics; what is not known is left out. `ts` is in
microseconds since the Unix epoch.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum

from spacetimedb_standalone.host.interface import Frame

HOST = "__spacetimedb__"
"""Target, file and function of what the server itself writes into a module's log."""


class Level(StrEnum):
    ERROR = "Error"
    WARN = "Warn"
    INFO = "Info"
    DEBUG = "Debug"
    TRACE = "Trace"
    PANIC = "Panic"

    @classmethod
    def of_guest(cls, number: int) -> Level:
        """The level that a module means; only the low eight bits count, and what is unknown is Debug."""
        return _GUEST_LEVELS.get(number & 0xFF, cls.DEBUG)


_GUEST_LEVELS = {
    0: Level.ERROR,
    1: Level.WARN,
    2: Level.INFO,
    3: Level.DEBUG,
    4: Level.TRACE,
    101: Level.PANIC,
}


@dataclass(frozen=True, slots=True)
class Record:
    level: Level
    ts: int
    message: str
    target: str | None = None
    filename: str | None = None
    line_number: int | None = None
    function: str | None = None
    trace: tuple[Frame, ...] = ()

    def encode(self) -> bytes:
        """The line, with its end."""
        fields: dict[str, object] = {"level": self.level.value, "ts": self.ts}
        for key in ("target", "filename", "line_number", "function", "message"):
            value = getattr(self, key)
            if value is not None:
                fields[key] = value
        if self.level is Level.PANIC:
            fields["trace"] = [_frame(frame) for frame in self.trace]
        text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "replace") + b"\n"


def _frame(frame: Frame) -> dict[str, str]:
    fields = {"module_name": frame.module_name, "func_name": frame.func_name}
    return {key: value for key, value in fields.items() if value is not None}
