"""`spacetime version doctor`: what is wrong, and what mends it. Exit code 1 if anything is."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Callable, Iterator
from dataclasses import replace

from spacetimedb_update.commands.run import Run
from spacetimedb_update.doctor import links, state
from spacetimedb_update.doctor.finding import Finding
from spacetimedb_update.errors import UpdateError, disk_error
from spacetimedb_update.installation.survey import Installation

Check = Callable[[Run, Installation], Iterator[Finding]]

CHECKS: tuple[Check, ...] = (
    links.check_path,
    links.check_command,
    links.check_current,
    links.check_links,
    links.check_request,
    state.check_versions,
    state.check_interrupted,
    state.check_data,
    state.check_permissions,
    state.check_disk,
    state.check_metadata,
    state.check_clock,
    state.check_server,
    state.check_pid,
)


def run(run: Run, arguments: Namespace) -> int:
    findings = [replace(finding, mend=run.advised(finding.mend)) for finding in examine(run)]
    is_well = all(finding.status == "ok" for finding in findings)
    if arguments.json:
        table = {"ok": is_well, "findings": [finding.to_json() for finding in findings]}
        run.host.terminal.out(json.dumps(table, indent=2, ensure_ascii=False))
    else:
        for finding in findings:
            for line in finding.lines():
                run.host.terminal.out(line)
    return 0 if is_well else 1


def examine(run: Run) -> Iterator[Finding]:
    """All findings. A check that cannot be made is a finding itself, and the others go on."""
    try:
        there = run.survey()
    except (OSError, UpdateError) as error:
        yield _failed("installation", error)
        return
    for check in CHECKS:
        try:
            yield from check(run, there)
        except (OSError, UpdateError) as error:
            yield _failed(check.__name__.removeprefix("check_"), error)


def _failed(name: str, error: Exception) -> Finding:
    trouble = disk_error(error) if isinstance(error, OSError) else error
    return Finding(name, "problem", str(trouble), "mend that first, then ask again")
