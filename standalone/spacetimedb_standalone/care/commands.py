"""The commands that care for a data directory, as a person at a terminal sees them."""

from __future__ import annotations

import sys

from spacetimedb_standalone.care.copying import Copied
from spacetimedb_standalone.care.doctor import diagnose
from spacetimedb_standalone.care.importing import Imported, Refused, import_data
from spacetimedb_standalone.care.repairing import Proposal, repair
from spacetimedb_standalone.care.replaying import replay
from spacetimedb_standalone.care.report import as_json, as_text
from spacetimedb_standalone.config.care_options import (
    CareOptions,
    DoctorOptions,
    ImportOptions,
    RepairOptions,
    ReplayOptions,
)
from spacetimedb_standalone.ports import SystemClock

DAMAGED = 3
"""The exit status of `doctor` for a directory that is damaged."""


def run(options: CareOptions) -> int:
    """The exit status: 0 done, 1 not all of it, `DAMAGED`. Raises the errors of the parts, one sentence each."""
    match options:
        case DoctorOptions():
            return _doctor(options)
        case ReplayOptions():
            return _replay(options)
        case RepairOptions():
            return _repair(options)
        case ImportOptions():
            return _import(options)


def _doctor(options: DoctorOptions) -> int:
    diagnosis = diagnose(options.data_dir, replay=options.replay)
    sys.stdout.write(as_json(diagnosis) if options.json else as_text(diagnosis))
    return DAMAGED if diagnosis.findings.is_damaged else 0


def _replay(options: ReplayOptions) -> int:
    copied = replay(options.data_dir, options.database, options.to_offset, options.into, SystemClock())
    print(f"{options.into} holds {options.database} {_state(copied)}.")
    print(f"Start it with: spacetime start --data-dir {options.into}")
    return 0


def _repair(options: RepairOptions) -> int:
    def agreed(proposal: Proposal) -> bool:
        print(f"After the repair {proposal}.")
        return options.yes or _asked("Repair it? [y/N] ")

    repaired = repair(options.data_dir, options.database, agreed, SystemClock())
    if repaired is None:
        print("Nothing was changed.")
        return 1
    print(f"{options.database} is {_state(repaired.copied)}, and lies in {repaired.replica}.")
    print(f"The damaged files are still in {repaired.aside}: delete them once nobody wants to look at them.")
    return 0


def _import(options: ImportOptions) -> int:
    outcomes = import_data(options.source, options.data_dir, dict(options.databases), SystemClock())
    refused = [outcome for outcome in outcomes if isinstance(outcome, Refused)]
    imported = [outcome for outcome in outcomes if isinstance(outcome, Imported)]
    for done in imported:
        print(f"Imported {done.identity}{f' as {done.name}' if done.name else ''} {_state(done.copied)}.")
        if done.torn:
            print(
                "    Its log ended with a commit that was not whole, as a power loss leaves it; it was left out."
            )
    for left in refused:
        print(f"Not imported: {left.source}: {left.reason}", file=sys.stderr)
    if any(done.name is None for done in imported):
        print(
            "Names cannot be read from an official server. Give one with: spacetime rename --to NAME IDENTITY"
        )
    return 1 if refused or not imported else 0


def _state(copied: Copied) -> str:
    rows = f"{copied.rows} rows in {copied.tables} tables"
    return f"as it was behind transaction {copied.end - 1}, with {rows}"


def _asked(question: str) -> bool:
    """No answer, as from a closed standard input, is a no."""
    try:
        return input(question).strip().lower() in ("y", "yes")
    except EOFError:
        return False
