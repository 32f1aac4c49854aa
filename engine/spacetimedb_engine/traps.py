"""Codes below zero that the body of a host function ends with, and the text of the trap that they become."""

from __future__ import annotations

NULL = -1
BOUNDS = -2
UTF8 = -3
NO_MEMORY = -4
INTERNAL = -5
"""The store's own fault: a sequence that has no number left, or a row that cannot be held."""
TEXT = -6
"""The guest object has the text, complete."""
COLUMN = -7
ROWS = -8
ASYNC_ONLY = -9

TEXTS: dict[int, bytes] = {
    NULL: b"null pointer passed to a spacetime function",
    BOUNDS: b"out of bounds pointer passed to a spacetime function",
    UTF8: b"invalid utf8 passed to a spacetime function",
    COLUMN: b"ABI violation, a ColId must be a u16",
}

REASONS: dict[int, bytes] = {
    NO_MEMORY: b"the host has no memory left",
    INTERNAL: b"internal db error: the store could not carry this out",
    ROWS: b"the open row iterators hold more bytes than an instance may use",
}


def text(code: int, function: str, detail: bytes) -> bytes:
    """The message of a trap in the host function of that name; `detail` is the guest's own, for TEXT."""
    if code == TEXT:
        return detail
    if code in TEXTS:
        return TEXTS[code]
    if code == ASYNC_ONLY:
        return f"{function} is only available in async instances".encode()
    call = "".join(part.capitalize() for part in function.split("_"))
    reason = REASONS.get(code, REASONS[INTERNAL])
    return b"runtime error calling " + call.encode() + b": " + reason
