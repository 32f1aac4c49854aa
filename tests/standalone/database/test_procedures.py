"""Procedures run beside the loop: they return values, wait, fail, and have transactions of their own."""

from __future__ import annotations

import time

import pytest

from spacetimedb_engine import Status
from spacetimedb_standalone.database.procedures import NO_BUDGET
from tests.standalone.database.conftest import Publish


def test_a_procedure_returns_a_value(publish: Publish) -> None:
    module = publish("waiting")
    result = module.run("add", "[2, 3]")
    assert (result.status, result.value, result.text) == (Status.OK, (5).to_bytes(8, "little"), "")
    assert result.timestamp > 0
    assert result.offset == -1  # it has opened no transaction


def test_values_go_to_http_callers_as_json(publish: Publish) -> None:
    module = publish("waiting")
    assert module.json("add", "[-7, 5]") == "-2"
    assert module.json("judge", "[false]") == '[1,"not good"]'


def test_a_panic_is_told_with_its_backtrace_and_the_next_call_works(publish: Publish) -> None:
    module = publish("waiting")
    result = module.run("crash", '["boom"]')
    assert result.status is Status.TRAPPED
    assert result.text.startswith("The module instance encountered a fatal error: error while executing at")
    assert (result.timestamp, result.micros) == (0, 0)
    assert '"level":"Panic"' in module.lines()
    assert module.json("add", "[1, 1]") == "2"


def test_what_a_transaction_wrote_is_there_at_once(publish: Publish) -> None:
    module = publish("waiting")
    assert module.json("write", '["written"]') == "1"
    assert module.events() == [("write", "written")]


def test_callers_who_want_durable_answers_know_what_to_wait_for(publish: Publish) -> None:
    module = publish("waiting")
    result = module.run("write", '["written"]')
    assert result.offset == module.database.datastore.read_offset() > 0


def test_a_transaction_that_is_taken_back_leaves_nothing(publish: Publish) -> None:
    module = publish("waiting")
    assert module.json("take_back", '["never"]') == '[1,"took back never"]'
    assert module.events() == []


def test_a_panic_in_a_transaction_takes_it_back(publish: Publish) -> None:
    module = publish("waiting")
    assert module.run("crash_in_tx").status is Status.TRAPPED
    assert module.events() == []
    assert "aborting dangling anonymous transaction in procedure crash_in_tx" in module.lines()
    assert module.json("write", '["next"]') != ""


def test_a_transaction_left_open_is_taken_back(publish: Publish) -> None:
    hostile = publish("hostile")
    hostile.run("procedure_leave_tx_open")
    assert "aborting dangling anonymous transaction in procedure procedure_leave_tx_open" in hostile.lines()
    assert not hostile.database.store.in_transaction
    assert hostile.reduce("ok").status is Status.OK


def test_ends_without_a_beginning_are_errors_18(publish: Publish) -> None:
    hostile = publish("hostile")
    hostile.run("procedure_leave_tx_open")
    assert "procedure_commit_mut_tx -> 18" in hostile.lines()
    assert "procedure_abort_mut_tx -> 18" in hostile.lines()


def test_a_transaction_in_a_transaction_is_error_17(publish: Publish) -> None:
    hostile = publish("hostile")
    assert hostile.run("procedure_nested_tx").status is Status.OK
    assert "procedure_start_mut_tx -> 17" in hostile.lines()


def test_outside_a_transaction_there_are_no_rows(publish: Publish) -> None:
    hostile = publish("hostile")
    hostile.run("procedure_read_outside_tx")
    assert "table_id_from_name -> 2" in hostile.lines()
    assert "datastore_table_row_count -> 2" in hostile.lines()


def test_others_go_on_while_a_procedure_sleeps(publish: Publish) -> None:
    """Rows before, after its first transaction, after the nap, after its second."""
    module = publish("waiting")
    results = module.start("write_twice", '[300, "mine"]')
    module.until(lambda: len(module.events()) == 1)
    module.turn(0.05)
    module.reduce("record", '["meanwhile"]')
    module.until(lambda: bool(results))
    before, between, after, last = list(results[0].value[4::8])
    assert (before, between, after, last) == (0, 1, 2, 3)


def test_transactions_of_procedures_and_reducers_exclude_each_other(publish: Publish) -> None:
    """Each reads a number and writes the next one: none is lost."""
    module = publish("waiting")
    results = [module.start("count_up", "[40]") for _ in range(3)]
    reducers = 0
    while not all(results):
        module.reduce("count_one")
        reducers += 1
        module.turn(0.001)
    assert module.rows("SELECT * FROM counter") == [(1, 3 * 40 + reducers)]


def test_what_is_only_computed_holds_nobody_up(publish: Publish) -> None:
    """A guest in an endless loop uses a core and its time, and nothing of the loop's."""
    hostile = publish("hostile", seconds=0.6)
    results = hostile.start("procedure_spin_forever")
    time.sleep(0.1)
    calls = 0
    while not results:
        assert hostile.reduce("ok").status is Status.OK
        calls += 1
        hostile.turn(0.001)
    assert results[0].text == NO_BUDGET
    assert calls > 10, "the first one waited for the end of it"


def test_waiting_does_not_count_as_time_used(publish: Publish) -> None:
    module = publish("waiting", seconds=0.3)
    assert module.run("nap", "[700]").status is Status.OK


def test_in_a_transaction_a_nap_may_only_be_short(publish: Publish) -> None:
    """Everybody else waits meanwhile."""
    hostile = publish("hostile")
    assert hostile.run("procedure_sleep_in_tx").status is Status.OK
    assert "woke at" in hostile.lines()


def test_as_many_run_at_once_as_the_pool_has_room_for(publish: Publish) -> None:
    two = publish("waiting", size=2)
    two.start("write_twice", '[600000, "first"]')
    two.start("write_twice", '[600000, "second"]')
    two.until(lambda: len(two.events()) == 2)

    one = publish("waiting", size=1)
    first, second = one.start("write_twice", '[50, "first"]'), one.start("write_twice", '[50, "second"]')
    one.until(lambda: bool(first and second))
    wrote = [what for _, what in one.events()]
    assert wrote in (["first", "first", "second", "second"], ["second", "second", "first", "first"])


def test_closing_wakes_those_who_sleep(publish: Publish) -> None:
    hostile = publish("hostile")
    hostile.start("procedure_sleep_long")
    hostile.turn(0.1)
    began = time.monotonic()
    hostile.pool.close()
    assert time.monotonic() - began < 20


def test_closing_stops_those_who_compute(publish: Publish) -> None:
    hostile = publish("hostile")
    hostile.start("procedure_spin_forever")
    time.sleep(0.2)
    began = time.monotonic()
    hostile.pool.close()
    assert time.monotonic() - began < 20


def test_a_procedure_of_a_replaced_program_opens_no_more_transactions(publish: Publish) -> None:
    """It would read and write rows as its own program had them."""
    module = publish("waiting")
    results = module.start("write_twice", '[300, "old"]')
    module.until(lambda: len(module.events()) == 1)
    module.republish()
    module.until(lambda: bool(results))
    assert "module was replaced while this function was running" in results[0].text
    assert module.events() == [("write_twice", "old")]
    assert module.json("write", '["new"]') == "2"


@pytest.mark.parametrize("then_fail", ["false", "true"])
def test_a_reducer_can_ask_for_a_call_right_after_it(publish: Publish, then_fail: str) -> None:
    """Outside its transaction: it happens even if that is rolled back."""
    module = publish("waiting")
    module.reduce("ask_for_record", f'["this", {then_fail}]')
    module.until(lambda: ("record", "this") in module.events())
    assert (("ask_for_record", "this") in module.events()) == (then_fail == "false")
