"""Automatic migration: from the definition a database has to that of the module that is to take over.

plan = plan_migration(old, new)                      # Plan, or MigrationErrors
check_policy(plan, token, database, old_hash, new_hash)   # MigrationPolicyError
print(pretty(plan, Style.ANSI_COLOR))
for step in plan.steps: ...
"""

from __future__ import annotations

from spacetimedb_lib.moduledef.migrate.errors import (
    MigrationError,
    MigrationErrors,
    MigrationPolicyError,
    PlanFormatError,
)
from spacetimedb_lib.moduledef.migrate.log_lines import log_line
from spacetimedb_lib.moduledef.migrate.paint import Style
from spacetimedb_lib.moduledef.migrate.planner import plan_migration
from spacetimedb_lib.moduledef.migrate.pretty import pretty
from spacetimedb_lib.moduledef.migrate.steps import Plan, Precheck, Step, StepKind

__all__ = [
    "MigrationError",
    "MigrationErrors",
    "MigrationPolicyError",
    "Plan",
    "PlanFormatError",
    "Precheck",
    "Step",
    "StepKind",
    "Style",
    "log_line",
    "plan_migration",
    "pretty",
]
