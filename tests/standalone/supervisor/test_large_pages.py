"""How processes that hold tables come to large pages of memory."""

import os
import subprocess
import sys

import pytest

from spacetimedb_standalone.supervisor.large_pages import begin_again, worker_environment


def test_memory_comes_in_large_pages() -> None:
    told = worker_environment({"HOME": "/home/ann"})
    assert told == {"HOME": "/home/ann", "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}


def test_what_the_user_says_comes_last() -> None:
    told = worker_environment({"GLIBC_TUNABLES": "glibc.malloc.hugetlb=0"})
    assert told == {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1:glibc.malloc.hugetlb=0"}


def test_what_has_them_already_is_told_nothing_more() -> None:
    told = {"GLIBC_TUNABLES": "glibc.malloc.check=1:glibc.malloc.hugetlb=1"}
    assert worker_environment(told) == told
    begin_again(told, ["/no/such/program"])


@pytest.mark.skipif("CS_GNU_LIBC_VERSION" not in os.confstr_names, reason="there is no glibc")
def test_a_program_that_begins_again_is_the_same_process_with_the_same_arguments() -> None:
    code = """
import os, sys
from spacetimedb_standalone.supervisor.large_pages import begin_again
print(os.getpid(), flush=True)
begin_again(os.environ, sys.orig_argv)
print(os.environ["GLIBC_TUNABLES"], *sys.argv[1:])
"""
    environment = {name: value for name, value in os.environ.items() if name != "GLIBC_TUNABLES"}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    command = [sys.executable, "-c", code, "a b", "--é"]
    program = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    said = program.communicate(timeout=60)[0].splitlines()
    assert said == [str(program.pid)] * 2 + ["glibc.malloc.hugetlb=1 a b --é"]
