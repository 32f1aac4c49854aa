"""`spacetime version uninstall`: remove a version that nothing needs."""

from __future__ import annotations

from argparse import Namespace

from spacetimedb_update.changes import plans
from spacetimedb_update.changes.journal import Journal
from spacetimedb_update.commands.run import Run
from spacetimedb_update.proxy.names import is_version_name


def run(run: Run, arguments: Namespace) -> int:
    name: str = arguments.version
    if not arguments.yes and not _agreed(run, name):
        return 0
    with run.change(f"spacetime version uninstall {name}") as interrupted:
        there = run.survey()
        if _was_under_way(interrupted, name) and there.find(name) is None:
            run.execute(plans.nothing("uninstall", name))
            return 0
        run.execute(plans.uninstall(there, name))
    return 0


def _agreed(run: Run, name: str) -> bool:
    """Ask, unless there is nothing to ask about: refusals come first."""
    plans.uninstall(run.survey(), name)
    return run.host.terminal.confirm(f"Uninstall v{name}?")


def _was_under_way(interrupted: Journal | None, name: str) -> bool:
    return (
        interrupted is not None
        and (interrupted.operation, interrupted.version) == ("uninstall", name)
        and is_version_name(name)
    )
