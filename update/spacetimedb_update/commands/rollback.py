"""`spacetime version rollback`: back to the version that was selected before."""

from __future__ import annotations

from argparse import Namespace

from spacetimedb_update.changes import plans
from spacetimedb_update.changes.journal import Journal
from spacetimedb_update.changes.steps import Plan
from spacetimedb_update.commands.run import Run
from spacetimedb_update.installation.survey import Installation


def run(run: Run, arguments: Namespace) -> int:
    with run.change("spacetime version rollback") as interrupted:
        there = run.survey()
        plan = _plan(run, there, arguments, _chosen(interrupted))
        run.execute(plan)
    run.host.terminal.err(f"{plan.version} is selected.")
    return 0


def _chosen(interrupted: Journal | None) -> str | None:
    """What an interrupted rollback was on its way to: running it again goes there, not back."""
    if interrupted is None or interrupted.operation != "rollback":
        return None
    return interrupted.version


def _plan(run: Run, there: Installation, arguments: Namespace, to: str | None) -> Plan:
    if arguments.restore_backup:
        return plans.rollback_with_backup(there, to)
    try:
        return plans.rollback(there, to)
    except plans.NeedsBackup as refusal:
        if refusal.backup is None or arguments.yes or not run.host.terminal.is_interactive:
            raise  # other data under a running system is nothing to be agreed to in advance, but to be asked for
        run.host.terminal.err(f"{refusal.reason}.")
        taken = f"{refusal.backup.taken:%Y-%m-%d %H:%M} UTC"
        question = f"Put back the backup of {taken}, and set the present data aside?"
        if not run.host.terminal.confirm(question):
            raise
        return plans.rollback_with_backup(there, to)
