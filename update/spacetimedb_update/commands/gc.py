"""`spacetime version gc`: remove what nothing selects."""

from __future__ import annotations

from argparse import Namespace

from spacetimedb_update.changes import plans
from spacetimedb_update.changes.steps import DeleteBackup, Plan, Withdraw
from spacetimedb_update.commands.run import Run
from spacetimedb_update.installation.survey import Installation
from spacetimedb_update.proxy.failure import Failure
from spacetimedb_update.proxy.pins import nearest_pin
from spacetimedb_update.proxy.selection import VARIABLE


def run(run: Run, arguments: Namespace) -> int:
    there = run.survey()
    plan = plans.gc(there, _wanted_elsewhere(run))
    removed = [step for step in plan.steps if isinstance(step, Withdraw | DeleteBackup)]
    _explain(run, there, plan)
    if arguments.dry_run:
        return 0
    if removed and not arguments.yes and not run.host.terminal.confirm("Go on?"):
        return 0
    with run.change("spacetime version gc"):
        run.execute(plans.gc(run.survey(), _wanted_elsewhere(run)))
    return 0


def _wanted_elsewhere(run: Run) -> frozenset[str]:
    """What the environment and the project around here ask for; other projects' pins cannot be known."""
    names = {run.host.environment.get(VARIABLE, "")}
    try:
        pin = nearest_pin(str(run.host.working_directory))
    except Failure:
        pin = None  # unreadable: it selects nothing
    if pin is not None:
        names.add(pin[0])
    return frozenset(names)


def _explain(run: Run, there: Installation, plan: Plan) -> None:
    steps = [str(step) for step in plan.steps if isinstance(step, Withdraw | DeleteBackup)]
    for line in steps or ["No version and no backup is left over."]:
        run.host.terminal.out(line)
    for version in there.versions:
        if version.link is None and not version.is_release and version.name != there.current:
            removal = run.advised(f"spacetime version uninstall {version.name}")
            run.host.terminal.err(f"{version.name} was placed by hand and stays: `{removal}` removes it")
