"""`spacetime version list`: what is installed, or with `--all` what there is."""

from __future__ import annotations

import json
from argparse import Namespace
from typing import Any

from spacetimedb_update.commands.run import Run


def run(run: Run, arguments: Namespace) -> int:
    there = run.survey()
    installed = {version.name: version for version in there.versions}
    names = list(installed)
    if arguments.all:
        now = run.host.clock.now()
        names = [str(version) for version in run.releases().catalogue(now).versions()]
    if arguments.json:
        entries = [_entry(name, name == there.current, installed) for name in names]
        run.host.terminal.out(json.dumps(entries, indent=2, ensure_ascii=False))
        return 0
    for name in names:
        run.host.terminal.out(f"{name} (current)" if name == there.current else name)
    return 0


def _entry(name: str, is_current: bool, installed: dict[str, Any]) -> dict[str, Any]:
    entry: dict[str, Any] = {"version": name, "current": is_current, "installed": name in installed}
    link = installed[name].link if name in installed else None
    return {**entry, "link": link} if link is not None else entry
