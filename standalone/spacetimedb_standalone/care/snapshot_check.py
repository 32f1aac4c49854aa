"""Every digest of every snapshot of a database."""

from __future__ import annotations

from pathlib import Path

from spacetimedb_standalone.care.findings import Findings
from spacetimedb_standalone.ports import Files
from spacetimedb_standalone.snapshots import (
    Shelf,
    SnapshotDamage,
    SnapshotFile,
    SnapshotTooNew,
    verify_snapshot,
)
from spacetimedb_standalone.snapshots.shelf import ASIDE, SUFFIX, UNFINISHED

_SPARE = (
    "the next start puts it aside and takes an older one, or the log from its beginning; "
    "take a backup of the log now"
)


def check_snapshots(
    files: Files, directory: Path, database_identity: bytes | None, findings: Findings
) -> list[SnapshotFile]:
    """The good ones, newest first. `database_identity` (32 bytes, as in BSATN): whose they should be, if known."""
    good = []
    for snapshot in Shelf(files, directory).newest_first():
        findings.count("snapshots")
        try:
            head = verify_snapshot(files, snapshot.path)
        except SnapshotDamage as damage:
            findings.damage(snapshot.path, str(damage), _SPARE, damage.position)
        except SnapshotTooNew as error:
            findings.warning(snapshot.path, str(error), "nothing of it was checked")
        else:
            if head.next_offset != snapshot.next_offset:
                text = f"its name says transaction {snapshot.offset}, its head {head.next_offset - 1}"
                findings.damage(snapshot.path, text, "give it the name that it had")
            elif database_identity not in (None, head.database_identity):
                text = f"it is of another database, {head.database_identity[::-1].hex()}"
                findings.damage(snapshot.path, text, "put it where it belongs")
            else:
                good.append(snapshot)
    _note_left_over(files, directory, findings)
    return good


def _note_left_over(files: Files, directory: Path, findings: Findings) -> None:
    for name in sorted(files.names(directory)):
        if name.endswith(SUFFIX + ASIDE):
            what = "a start found this snapshot damaged and put it aside"
            findings.warning(directory / name, what, "delete it once nobody wants to look at it")
        elif name.endswith(SUFFIX + UNFINISHED):
            what = "a snapshot that was never finished"
            findings.note(directory / name, what, "the next start removes it")
