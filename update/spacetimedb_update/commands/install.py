"""`spacetime version install`: bring a release in."""

from __future__ import annotations

from argparse import Namespace

from spacetimedb_update.changes import plans
from spacetimedb_update.changes.arrival import Supply
from spacetimedb_update.commands.run import Run
from spacetimedb_update.errors import UserError

EDITIONS = ["standalone"]


def run(run: Run, arguments: Namespace) -> int:
    version: str = arguments.parser.parse_version(arguments.version)
    if arguments.edition.split(",") != EDITIONS:
        raise UserError("can only install spacetimedb-standalone at the moment")
    with run.change(f"spacetime version install {version}"):
        there = run.survey()
        supply = None
        if there.find(version) is not None and not run.is_damaged(there, version):
            plan = plans.already_installed(there, version, arguments.use)
        else:
            releases = run.releases()
            catalogue = releases.catalogue(run.host.clock.now())
            artifact = run.artifact(catalogue, version, arguments.artifact_name)
            plan = plans.install(there, artifact, True, arguments.use)
            supply = Supply(releases, catalogue.trusted.documents["targets"])
        if arguments.plan:
            run.host.terminal.out("\n".join(plan.lines()) or "nothing is left to do")
            return 0
        run.execute(plan, supply)
    run.host.terminal.err(f"Installing v{version}: done!")
    return 0
