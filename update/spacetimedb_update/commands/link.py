"""`spacetime version link`: programs elsewhere, such as a development tree, under a name of their own."""

from __future__ import annotations

import os
from argparse import Namespace
from pathlib import Path

from spacetimedb_update.changes import plans
from spacetimedb_update.commands.run import Run
from spacetimedb_update.errors import UserError
from spacetimedb_update.installation.site import CLI
from spacetimedb_update.proxy.names import program_name

NEARBY = (".venv/bin", ".venv/Scripts", "bin", "target/debug", "target/release")


def run(run: Run, arguments: Namespace) -> int:
    target = Path(os.path.normpath(run.absolute(arguments.path)))
    with run.change(f"spacetime version link {arguments.name}"):
        plan = plans.link(run.survey(), arguments.name, str(target), arguments.use)
        _check(run, target)
        run.execute(plan)
    return 0


def _check(run: Run, target: Path) -> None:
    """A link that leads to no programs would only fail later."""
    cli = program_name(CLI, run.site.windows)
    if run.host.files.is_executable(target / cli):
        return
    problem = UserError(f"{target} has no program {cli}: name the folder that has it, or build it first")
    for folder in NEARBY:
        if run.host.files.is_executable(target / folder / cli):
            problem = UserError(f"{target} has no program {cli}: did you mean {target / folder}?")
            break
    raise UserError("could not link custom version") from problem
