"""`spacetime version upgrade`: the latest release, selected, with its own update program."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from spacetimedb_update.changes import plans
from spacetimedb_update.changes.arrival import Supply
from spacetimedb_update.commands.run import Run
from spacetimedb_update.proxy.semver import version_or_none
from spacetimedb_update.releases.repository import Releases


def run(run: Run, arguments: Namespace) -> int:
    with run.change("spacetime version upgrade"):
        releases = run.releases()
        latest = releases.catalogue(run.host.clock.now()).latest()
        current = version_or_none(run.survey().current or "")
        if current is not None and current > latest:
            run.host.terminal.err(
                f"v{current} is selected, which is newer than the latest release v{latest}: nothing to do"
            )
            return 0
        bring_up(run, releases, str(latest), not arguments.no_backup)
    run.host.terminal.err(f"Installing v{latest}: done!")
    return 0


def bring_up(
    run: Run, releases: Releases, version: str, with_backup: bool, archive_at_hand: Path | None = None
) -> None:
    """Install a release, select it and make `spacetime` its update program; within `Run.change`."""
    catalogue = releases.catalogue(run.host.clock.now())
    there = run.survey()
    artifact = run.artifact(catalogue, version)
    plan = plans.upgrade(there, artifact, run.is_damaged(there, version), with_backup)
    run.execute(plan, Supply(releases, catalogue.trusted.documents["targets"], archive_at_hand))
