"""Migrations that the public implementation planned or refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from spacetimedb_lib.moduledef import MigrationErrors, Plan, decode, plan_migration
from spacetimedb_lib.moduledef.migrate import PlanFormatError, Step, Style, pretty

VECTORS = Path(__file__).parents[1] / "vectors" / "migrations.jsonl"
CASES = [json.loads(line) for line in VECTORS.read_text(encoding="utf-8").splitlines()]
POSSIBLE = [pytest.param(case, id=case["id"]) for case in CASES if case["ok"]]
IMPOSSIBLE = [pytest.param(case, id=case["id"]) for case in CASES if not case["ok"]]


def plan_of(case: dict[str, Any]) -> Plan:
    return plan_migration(decode(bytes.fromhex(case["old_bsatn"])), decode(bytes.fromhex(case["new_bsatn"])))


def listed(step: Step) -> list[str]:
    return [part for part in (step.kind.value, step.full_name, step.column) if part]


@pytest.mark.parametrize("case", POSSIBLE)
def test_a_plan_has_its_steps_in_order(case: dict[str, Any]) -> None:
    plan = plan_of(case)
    assert [listed(step) for step in plan.steps] == case["steps"]
    assert [[check.kind, check.full_name] for check in plan.prechecks] == case["prechecks"]
    assert plan.breaks_clients is case["breaks_clients"]


@pytest.mark.parametrize("case", POSSIBLE)
def test_a_plan_is_printed_for_people(case: dict[str, Any]) -> None:
    plan = plan_of(case)
    if "pretty_error" in case:
        with pytest.raises(PlanFormatError) as caught:
            pretty(plan)
        assert str(caught.value) == case["pretty_error"]
    else:
        assert pretty(plan, Style.NO_COLOR) == case["pretty"]
        assert pretty(plan, Style.ANSI_COLOR) == case["pretty_ansi"]


@pytest.mark.parametrize("case", IMPOSSIBLE)
def test_all_obstacles_are_named(case: dict[str, Any]) -> None:
    with pytest.raises(MigrationErrors) as caught:
        plan_of(case)
    found = sorted((error.kind, error.text) for error in caught.value.errors)
    assert found == sorted((error["kind"], error["text"]) for error in case["errors"])
    assert sorted(str(caught.value).splitlines()) == sorted(case["display"].splitlines())
