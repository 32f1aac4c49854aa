"""Procedures that are due: once at most, one at a time, and never in the way of reducers."""

from __future__ import annotations

from tests.standalone.database.conftest import Publish


def test_its_row_is_gone_before_it_runs(publish: Publish) -> None:
    """It runs once at most: after a crash in the middle nothing calls it again."""
    module = publish("waiting")
    module.reduce("plan_chore", '[0, "sweep", 200]')
    module.until(lambda: module.events() == [("begin", "sweep")])
    assert module.rows("SELECT * FROM chore") == []
    module.until(lambda: module.events() == [("begin", "sweep"), ("end", "sweep")])


def test_one_runs_at_a_time(publish: Publish) -> None:
    module = publish("waiting")
    module.reduce("plan_chore", '[0, "first", 100]')
    module.reduce("plan_chore", '[0, "second", 0]')
    module.until(lambda: len(module.events()) == 4)
    assert module.events() == [("begin", "first"), ("end", "first"), ("begin", "second"), ("end", "second")]


def test_while_one_waits_for_its_turn_its_row_can_be_deleted(publish: Publish) -> None:
    module = publish("waiting")
    module.reduce("plan_chore", '[0, "first", 200]')
    module.reduce("plan_chore", '[0, "second", 0]')
    module.until(lambda: module.events() == [("begin", "first")])
    module.reduce("drop_chores")
    module.until(lambda: ("end", "first") in module.events())
    for _ in range(5):
        module.turn(0.02)
    assert len(module.events()) == 2


def test_ticks_that_pass_while_it_runs_are_left_out(publish: Publish) -> None:
    """A habit of every 20 ms that takes 150: it does not pile up."""
    module = publish("waiting")
    module.reduce("plan_habit", '[20, "knit", 150]')
    module.until(lambda: len(module.events()) == 3)
    assert module.events() == [("begin", "knit"), ("end", "knit"), ("begin", "knit")]
    module.reduce("drop_chores")
    module.until(lambda: len(module.events()) == 4)
    for _ in range(5):
        module.turn(0.02)
    assert len(module.events()) == 4


def test_a_failure_goes_to_the_log_and_the_next_one_runs(publish: Publish) -> None:
    module = publish("waiting")
    module.reduce("plan_chore", '[0, "crash", 0]')
    module.reduce("plan_chore", '[0, "next", 0]')
    module.until(lambda: ("end", "next") in module.events())
    assert "scheduled procedure do_chore: The module instance encountered a fatal error" in module.lines()
