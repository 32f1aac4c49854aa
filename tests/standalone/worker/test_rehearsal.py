"""What is done in the template for all workers: nothing of it may be felt by a process that is forked afterwards."""

from pathlib import Path

import pytest

from spacetimedb_standalone.worker.rehearsal import rehearse

PROC = Path("/proc/self")


@pytest.mark.skipif(not (PROC / "fd").exists(), reason="files and threads are counted where Linux tells them")
def test_it_leaves_no_thread_and_no_open_file_behind() -> None:
    def held() -> tuple[int, int]:
        return len(list((PROC / "fd").iterdir())), len(list((PROC / "task").iterdir()))

    before = held()
    rehearse()
    assert held() == before
