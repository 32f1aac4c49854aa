"""Console timers of a module: started and ended by number, told as `Timing span "name": 1.5ms`."""

from collections.abc import Callable

MOST = 16_384
"""Timers that may run at once; a module that ends none loses the oldest."""
LONGEST_NAME = 4_096


class ConsoleTimers:
    """Timers live until they are ended, across calls. A freed number is the next to be used."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._running: dict[int, tuple[str, float]] = {}
        self._free: list[int] = []

    def start(self, name: str) -> int:
        if len(self._running) == MOST:
            oldest = next(iter(self._running))
            del self._running[oldest]
            self._free.append(oldest)
        timer = self._free.pop() if self._free else len(self._running) + 1
        self._running[timer] = name[:LONGEST_NAME], self._monotonic()
        return timer

    def end(self, timer: int) -> str | None:
        """The line for the log; None: there is no such timer."""
        started = self._running.pop(timer, None)
        if started is None:
            return None
        self._free.append(timer)
        name, since = started
        nanoseconds = max(0, round((self._monotonic() - since) * 1e9))
        return f"Timing span {_quoted(name)}: {duration(nanoseconds)}"


def duration(nanoseconds: int) -> str:
    """As Rust's `Debug` prints a duration: `2s`, `1.234567ms`, `15.2µs`, `7ns`."""
    for unit, size, digits in (("s", 10**9, 9), ("ms", 10**6, 6), ("µs", 10**3, 3)):
        if nanoseconds >= size:
            whole, rest = divmod(nanoseconds, size)
            fraction = f"{rest:0{digits}}".rstrip("0")
            return f"{whole}.{fraction}{unit}" if fraction else f"{whole}{unit}"
    return f"{nanoseconds}ns"


_ESCAPES = {"\0": "\\0", "\t": "\\t", "\n": "\\n", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def _quoted(text: str) -> str:
    """As Rust's `Debug` prints a string."""
    shown = (_ESCAPES.get(c) or (c if c.isprintable() else f"\\u{{{ord(c):x}}}") for c in text)
    return f'"{"".join(shown)}"'
