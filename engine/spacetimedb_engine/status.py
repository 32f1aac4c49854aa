"""How a call into a module ended, and which rare host functions a guest may ask for.

Both are numbers because they cross the border of the compiled engine.
"""

from enum import IntEnum


class Status(IntEnum):
    """Outcome of one call of an export of a module. Negative: the instance is dead and must be replaced."""

    OK = 0
    FAILED = 1
    """The module returned an error of its own: the text is the module's message."""
    BAD_CODE = 2
    """The module returned a code that means nothing."""
    REFUSED = 3
    """The host took the transaction back before its commit (a view could not be refreshed)."""
    TRAPPED = -1
    """The module trapped or panicked: the text is the engine's, with a backtrace."""
    EXHAUSTED = -2
    """The module used up its time."""


class Rare(IntEnum):
    """Operations that a guest hands to the host: `rare(op, a, b, parts)`.

    `a` and `b` are integers, `parts` a list of bytes (None: a null pointer), as each line says.
    The answer is an int (a value, or minus an ABI error number), bytes (the content of a new bytes
    source; None: no source) or a list of bytes. An exception of type `GuestTrap` traps the guest with its
    text; any other ends the call the same way and is kept on the guest as `cause`.
    """

    TABLE_ID = 0
    """[name] -> table id"""
    INDEX_ID = 1
    """[name] -> index id"""
    CONSOLE_LOG = 2
    """a = level, b = line or -1, [target | None, filename | None, message]"""
    TIMER_START = 3
    """[name] -> timer id"""
    TIMER_END = 4
    """a = timer id -> 0"""
    SCHEDULE_NOW = 5
    """[function name, arguments] -> 0"""
    JWT = 6
    """[connection id] -> bytes | None"""
    SLEEP = 7
    """a = wake time in microseconds -> now in microseconds"""
    START_TX = 8
    """-> timestamp of the transaction in microseconds"""
    COMMIT_TX = 9
    """-> 0"""
    ABORT_TX = 10
    """-> 0"""
    HTTP = 11
    """a = 1 inside a transaction, [request, body] -> [response, body], or [message] for a failed request"""
    ENV = 12
    """[key] -> bytes | None"""
    ROW_WRITTEN = 13
    """a = table id, b = 1 inserted, 0 updated, [row] -> 0"""


class GuestTrap(Exception):
    """Raised by the host inside `rare`: the guest's call ends as a trap with this text."""
