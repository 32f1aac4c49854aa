"""The data directory that is kept in `golden/`, file formats and all; `python -m tests.standalone.care.golden` wrote it.

It is written once for each set of format versions and never again: what a released server wrote must open for
ever. A test writes it anew elsewhere and compares.
"""

from __future__ import annotations

import gzip
import json
import random
import sys
from pathlib import Path

from spacetimedb_standalone.config.settings import CommitLogSettings
from spacetimedb_standalone.datastore.snapshotting import take_snapshot
from spacetimedb_standalone.module_logs import Level, ModuleLog
from spacetimedb_standalone.ports import DiskFiles, ManualClock
from tests.standalone.care.made import Made, open_replica, register
from tests.standalone.datastore.busy import change, initialize, state, story_module

GOLDEN = Path(__file__).parent / "golden"
DATA = GOLDEN / "data"
STATE = GOLDEN / "state.json.gz"
SETTINGS = CommitLogSettings(max_segment_size=4000, offset_index_interval_bytes=256, retention=False)
CHANGES, SNAPSHOT_AFTER = 24, 18


def write_directory(path: Path) -> Made:
    """Segments of which the older ones are sealed, indexes, a snapshot, module logs, control state, stamp, program."""
    directory, choice = Made(path), random.Random(2026)
    datastore = open_replica(directory.replica, SETTINGS)
    initialize(datastore, story_module())
    for number in range(1, CHANGES + 1):
        change(datastore, choice)
        if number == SNAPSHOT_AFTER:
            take_snapshot(datastore, ManualClock())
    directory.states[datastore.store.next_offset - 1] = state(datastore)
    datastore.close()
    register(directory)
    (Path(directory.replica.module_logs()) / "2026-08-22.log").unlink()
    log = ModuleLog.open(
        Path(directory.replica.module_logs()), DiskFiles(), ManualClock(1_700_000_000_000_000)
    )
    log.system(Level.INFO, "Database initialized")
    log.reducer_error("say", "nobody listens", 1_700_000_000_500_000)
    Path(directory.place.pid_file()).write_text("12345")
    return directory


def main() -> None:
    if DATA.exists():
        sys.exit(f"{DATA} is there, and it is what older servers wrote: a new format gets a new directory")
    directory = write_directory(DATA)
    rows = {table: [row.hex() for row in found] for table, found in directory.states[directory.last].items()}
    STATE.write_bytes(gzip.compress(json.dumps({"last": directory.last, "rows": rows}).encode(), mtime=0))


if __name__ == "__main__":
    main()
