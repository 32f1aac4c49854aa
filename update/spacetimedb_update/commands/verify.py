"""`spacetime version verify`: every installed file against the signed list."""

from __future__ import annotations

from argparse import Namespace

from spacetimedb_update.commands.run import Run
from spacetimedb_update.errors import DamageError, UserError
from spacetimedb_update.installation.survey import Installed
from spacetimedb_update.installation.verify import problems


def run(run: Run, arguments: Namespace) -> int:
    there = run.survey()
    if arguments.version is None:
        chosen = list(there.versions)
        if not chosen:
            raise UserError("no version is installed: `spacetime version upgrade` installs the latest")
    else:
        found = there.find(arguments.version)
        if found is None:
            raise UserError(f"v{arguments.version} is not installed")
        chosen = [found]
    wrong = [version.name for version in chosen if not _is_sound(run, version)]
    if wrong:
        raise DamageError(
            f"damaged: {', '.join(wrong)}. `spacetime version install {wrong[0]}` installs it again"
        )
    return 0


def _is_sound(run: Run, version: Installed) -> bool:
    """Print what there is to say about one version; what no release stands behind is not judged."""
    terminal = run.host.terminal
    if version.link is not None:
        terminal.out(f"{version.name}: a link to {version.link}, nothing to compare with")
        return True
    if not version.is_release:
        terminal.out(f"{version.name}: placed by hand, nothing to compare with")
        return True
    try:
        wrong = problems(run.site, run.host.files, version.name, run.trusted_root())
    except DamageError as error:
        wrong = [str(error)]
    for line in wrong:
        terminal.out(f"{version.name}: {line}")
    if not wrong:
        terminal.out(f"{version.name}: ok")
    return not wrong
