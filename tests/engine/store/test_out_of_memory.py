"""When the machine has no more memory an operation fails, and nothing has changed.

Only the uncompiled form lets a test take memory away; the code is the same.
"""

from collections.abc import Callable

import pytest

from spacetimedb_engine import Store, is_compiled, memory
from spacetimedb_lib.sats.bsatn import codec
from spacetimedb_lib.sats.type_codec import encode_type
from spacetimedb_lib.sats.types import STRING, U32, product

NAMED = product(id=U32, name=STRING)

pytestmark = pytest.mark.skipif(
    is_compiled(), reason="only the uncompiled engine can be told that memory is gone"
)


def named(id_: int, name: str) -> bytes:
    return codec(NAMED).encode((id_, name))


class Memory:
    """Counts allocations, and refuses them from the n-th on."""

    def __init__(self) -> None:
        self.left = -1
        self.taken = 0

    def __call__(self, n: int) -> bytearray:
        self.taken += 1
        if self.left == 0:
            raise MemoryError
        self.left -= 1
        return bytearray(n)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Memory:
    memory_ = Memory()
    monkeypatch.setattr(memory, "bytearray", memory_, raising=False)
    return memory_


def filled() -> Store:
    store = Store()
    store.create_table(1, encode_type(NAMED))
    store.create_index(1, 1, 0, True, [0])
    store.create_index(2, 1, 0, False, [1])
    store.create_index(3, 1, 1, True, [1])
    store.create_table(2, encode_type(product(id=U32, n=U32)))
    store.create_index(4, 2, 0, False, [1])
    store.watch(1, True)
    store.begin()
    for i in range(30):
        store.insert(1, named(i, f"name {i}" * (1 + i % 4)))
        store.insert(2, bytes([i, 0, 0, 0, i % 5, 0, 0, 0]))
    store.commit()
    store.take_log()
    store.take_delta()
    return store


def everything(store: Store) -> list[object]:
    every = b"\2"
    return [
        sorted(store.scan(1)),
        sorted(store.scan(2)),
        *(store.range(index_id, b"", 0, every, every) for index_id in (1, 2, 4)),
        [store.seek(1, i.to_bytes(4, "little")) for i in range(40)],
        store.count(1),
    ]


OPERATIONS: dict[str, Callable[[Store], object]] = {
    "insert": lambda store: store.insert(1, named(99, "a new name that is quite long")),
    "insert large": lambda store: store.insert(1, named(99, "x" * 9000)),
    "insert many": lambda store: [store.insert(2, (i << 3).to_bytes(8, "little")) for i in range(300)],
    "update": lambda store: store.update(1, 1, named(3, "another name for number three")),
    "update fixed": lambda store: store.create_index(9, 2, 0, True, [0]),
    "delete": lambda store: store.delete(1, named(3, "name 3" * 4)),
    "clear": lambda store: store.clear(1),
    "delete range": lambda store: store.delete_range(1, b"", 0, b"\2", b"\2"),
    "create table": lambda store: store.create_table(9, encode_type(NAMED)),
    "create index": lambda store: store.create_index(9, 1, 0, False, [1, 0]),
    "drop index": lambda store: store.drop_index(3),
    "drop table": lambda store: store.drop_table(1),
    "alter": lambda store: store.alter_table(2, encode_type(product(id=U32, m=U32))),
    "read": lambda store: store.range(1, b"", 0, b"\2", b"\2"),
}


NEEDS_NONE = ("delete", "drop table", "drop index", "delete range", "clear", "read")
"""Operations that may find all the memory they need."""


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_that_fails_changes_nothing(machine: Memory, name: str) -> None:
    """It is tried with one allocation, two, three ... until it succeeds; each time it is then rolled back."""
    failures = 0
    for allowed in range(200):
        store = filled()
        before = everything(store)
        store.begin()
        store.insert(1, named(50, "before"))
        during = everything(store)
        machine.left = allowed
        try:
            OPERATIONS[name](store)
        except MemoryError:
            machine.left = -1
            failures += 1
            if name not in ("clear", "delete range", "insert many"):
                assert everything(store) == during
        else:
            machine.left = -1
            break
        store.rollback()
        assert everything(store) == before
    else:
        pytest.fail("it never succeeded")
    store.rollback()
    assert everything(store) == before
    assert failures or name in NEEDS_NONE


def test_a_commit_that_fails_is_rolled_back(machine: Memory) -> None:
    failures = 0
    for allowed in range(100):
        store = filled()
        before = everything(store)
        store.begin()
        store.delete(1, named(2, "name 2" * 3))
        store.insert(1, named(51, "y" * 3000))
        store.update(1, 1, named(4, "changed"))
        machine.left = allowed
        try:
            store.commit(b"\1f" + bytes(2000))
        except MemoryError:
            machine.left = -1
            failures += 1
            assert not store.in_transaction
            assert everything(store) == before
            assert store.take_log() == b""
        else:
            machine.left = -1
            break
    assert failures
    assert len(store.take_log()) > 3000


def test_a_rollback_needs_no_memory(machine: Memory) -> None:
    store = filled()
    before = everything(store)
    store.begin()
    for i in range(20):
        store.update(1, 1, named(i, f"changed {i}" * 9))
        store.update(1, 3, named(i + 100, f"changed {i}" * 9))
    for i in range(30):
        store.delete(2, bytes([i, 0, 0, 0, i % 5, 0, 0, 0]))
    for i in range(600):
        store.insert(2, (i * 7).to_bytes(8, "little"))
    store.drop_index(2)
    store.clear(1)
    machine.left = 0
    store.rollback()
    machine.left = -1
    assert everything(store) == before
