"""What worker processes are told besides what the server was."""

from spacetimedb_standalone.supervisor.large_pages import worker_environment


def test_memory_comes_in_large_pages() -> None:
    told = worker_environment({"HOME": "/home/ann"})
    assert told == {"HOME": "/home/ann", "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}


def test_what_the_user_says_comes_last() -> None:
    told = worker_environment({"GLIBC_TUNABLES": "glibc.malloc.hugetlb=0"})
    assert told == {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1:glibc.malloc.hugetlb=0"}
