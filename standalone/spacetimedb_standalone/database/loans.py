"""Lending the engine to another thread.

The store belongs to one thread, the engine's. A procedure runs on another; when it opens a transaction, the
engine's thread comes to a stand between two turns of its loop and stays there until the transaction has
ended. So both threads never touch the store at the same time, and a transaction of a procedure is as much
alone as one of a reducer. What must happen on the engine's own thread (a commit tells connections, writes to
the log, sets timers) is sent over to it, which does it where it stands.

A thread that does not end its loan stops the database for good: whoever borrows ends it in a `finally`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")

Post = Callable[[Callable[[], None]], None]
"""Has the engine's thread run a function soon, in the order of the calls. From any thread."""


class LoansEnded(Exception):
    """The database closes and lends its engine to nobody any more. Nobody's fault."""


class Loan:
    """The engine, for one other thread. `run` and `end` are that thread's to call."""

    def __init__(self) -> None:
        self._granted: SimpleQueue[bool] = SimpleQueue()
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()

    def run(self, work: Callable[[], T]) -> T:
        """Run this on the engine's thread; its result, or what it raises."""
        done: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()

        def job() -> None:
            try:
                done.put((work(), None))
            except BaseException as error:
                done.put((None, error))

        self._jobs.put(job)
        result, error = done.get()
        if error is not None:
            raise error
        return result  # type: ignore[return-value]  # None only where `work` returns it

    def end(self) -> None:
        """The engine's thread goes on."""
        self._jobs.put(None)

    def wait(self) -> bool:
        """Until the engine's thread stands still; False: it will not."""
        return self._granted.get()

    def grant(self) -> None:
        """On the engine's thread: stand still, but for what `run` sends over, until `end`."""
        self._granted.put(True)
        while (job := self._jobs.get()) is not None:
            job()

    def refuse(self) -> None:
        self._granted.put(False)


class EngineLoans:
    """Who may have the engine next. `borrow` is for other threads, `close` for the engine's."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._lock = threading.Lock()
        self._waiting: set[Loan] = set()
        self._closed = False

    def borrow(self) -> Loan:
        """Wait for the engine; the caller must `end` the loan. Raises `LoansEnded`."""
        loan = Loan()
        with self._lock:
            if self._closed:
                raise LoansEnded("the database is closing")
            self._waiting.add(loan)
        self._post(lambda: self._lend(loan))
        if not loan.wait():
            raise LoansEnded("the database is closing")
        return loan

    def close(self) -> None:
        """No more loans; who waits for one is told."""
        with self._lock:
            self._closed = True
            waiting, self._waiting = self._waiting, set()
        for loan in waiting:
            loan.refuse()

    def _lend(self, loan: Loan) -> None:
        with self._lock:
            if loan not in self._waiting:
                return
            self._waiting.remove(loan)
        loan.grant()
