"""Operations on the disk as steps of a report."""

from __future__ import annotations

KINDS = {
    ".stdb.log": "log segment",
    ".stdb.log.tmp": "new log segment",
    ".stdb.log.torn": "torn log segment",
    ".stdb.ofs": "log index",
    ".stdb.snap": "snapshot",
    ".stdb.snap.tmp": "new snapshot",
    ".stdb.snap.invalid": "bad snapshot",
    "": "directory",
}


def step_of(operation: str) -> str:
    """ "append 0...0.stdb.log" as "append, log segment"."""
    verb, _, name = operation.rpartition(" ")
    return f"{verb}, {kind_of(name)}"


def kind_of(name: str) -> str:
    """ "0...0.stdb.log" as "log segment"."""
    return KINDS[name.lstrip("0123456789") if name[:1].isdigit() else ""]
