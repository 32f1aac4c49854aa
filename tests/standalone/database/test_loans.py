"""The engine's thread stands still while another one has the engine."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import SimpleQueue

import pytest

from spacetimedb_standalone.database.loans import EngineLoans, LoansEnded

Work = Callable[[], None]


def in_thread(work: Work) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_the_engine_does_what_it_is_sent_and_nothing_else_until_the_loan_ends() -> None:
    posted: SimpleQueue[Work] = SimpleQueue()
    loans, here = EngineLoans(posted.put), threading.get_ident()
    happened: list[str] = []

    def borrower() -> None:
        loan = loans.borrow()
        happened.append("borrowed")
        assert loan.run(threading.get_ident) == here
        time.sleep(0.05)
        happened.append("ended")
        loan.end()

    thread = in_thread(borrower)
    posted.get()()
    happened.append("going on")
    thread.join()
    assert happened == ["borrowed", "ended", "going on"]


def test_what_the_work_raises_comes_back() -> None:
    posted: SimpleQueue[Work] = SimpleQueue()
    loans = EngineLoans(posted.put)
    caught: list[BaseException] = []

    def borrower() -> None:
        loan = loans.borrow()
        try:
            loan.run(lambda: 1 // 0)
        except ZeroDivisionError as error:
            caught.append(error)
        finally:
            loan.end()

    thread = in_thread(borrower)
    posted.get()()
    thread.join()
    assert len(caught) == 1


def test_after_the_end_nobody_gets_it_and_who_waits_is_told() -> None:
    posted: SimpleQueue[Work] = SimpleQueue()
    loans = EngineLoans(posted.put)
    told = threading.Event()

    def borrower() -> None:
        with pytest.raises(LoansEnded):
            loans.borrow()
        told.set()

    in_thread(borrower)
    late = posted.get()
    loans.close()
    assert told.wait(60)
    late()  # returns at once: there is nobody to lend to
    with pytest.raises(LoansEnded):
        loans.borrow()
