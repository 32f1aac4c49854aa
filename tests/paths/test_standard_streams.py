"""A program whose standard streams are closed by whoever starts it."""

import subprocess
import sys
from pathlib import Path

import pytest

CODE = """
import os, sys
from spacetimedb_paths.standard_streams import fill_standard_streams
fill_standard_streams()
assert os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY) > 2
print("to the terminal", file=sys.stdout, flush=True)
print("to the terminal", file=sys.stderr, flush=True)
sys.exit(0 if sys.stdin.read() == "" else 9)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell closes them")
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_nothing_that_is_opened_takes_their_place(tmp_path: Path, closed: str) -> None:
    file = tmp_path / "file"
    shell = f'exec "$0" -c "$1" "$2" {closed}'
    done = subprocess.run(
        ["sh", "-c", shell, sys.executable, CODE, str(file)],
        env={"PYTHONPATH": ":".join(sys.path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert file.read_bytes() == b""
