"""`spacetime version use`: select an installed version. Says nothing when all went well."""

from __future__ import annotations

from argparse import Namespace

from spacetimedb_update.changes import plans
from spacetimedb_update.commands.run import Run
from spacetimedb_update.errors import ArgumentError


def run(run: Run, arguments: Namespace) -> int:
    name = _checked(run, arguments)
    with run.change(f"spacetime version use {name}"):
        run.execute(plans.use(run.survey(), name))
    return 0


def _checked(run: Run, arguments: Namespace) -> str:
    try:
        name: str = arguments.parser.parse_version(arguments.version)
    except ArgumentError as error:
        found = run.survey().find(arguments.version)
        if found is None or found.link is None:
            raise
        raise ArgumentError(
            f"{error}\n\n  tip: a link is selected where it is made: "
            f"`spacetime version link {found.name} {found.link} --use`, or for one command by +{found.name}"
        ) from None
    return name
