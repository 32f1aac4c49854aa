"""A replay looks at commits before they are verified, to fetch what they will touch. Damage changes nothing but the error.

Uncompiled, every access is checked against its buffer: a look beyond the bytes would raise IndexError here.
"""

import pytest

from spacetimedb_engine import ReplayError, Store
from spacetimedb_lib.sats.bsatn import codec
from spacetimedb_lib.sats.type_codec import encode_type
from spacetimedb_lib.sats.types import F64, I64, STRING, U32, product

FIXED, VARIABLE = product(id=U32, balance=I64), product(weight=F64, name=STRING)
TYPES = {1: FIXED, 2: VARIABLE}


def empty() -> Store:
    store = Store()
    for table_id, type_ in TYPES.items():
        store.create_table(table_id, encode_type(type_))
    return store


def two_commits() -> tuple[bytes, bytes]:
    """The second one updates rows of both tables that the first has made."""
    store = empty()
    store.create_index(1, 1, 0, True, [0])
    store.begin()
    for key in range(3):
        store.insert(1, codec(FIXED).encode((key, 5)))
        store.insert(2, codec(VARIABLE).encode((float(key), "a" * key)))
    store.commit(b"\1f")
    first = store.take_log()
    store.begin()
    store.update(1, 1, codec(FIXED).encode((1, 7)))
    store.delete(2, codec(VARIABLE).encode((2.0, "aa")))
    store.insert(2, codec(VARIABLE).encode((9.0, "new")))
    store.commit(b"\1f")
    return first, store.take_log()


def with_indexes() -> Store:
    """Rows are found through a hash of the key in one table, through an order in the other."""
    store = empty()
    store.create_index(1, 1, 0, True, [0])
    store.create_index(2, 2, 0, True, [0])
    return store


@pytest.mark.parametrize("make", [empty, with_indexes])
def test_whatever_is_cut_off_the_second_commit_the_first_is_applied(make: object) -> None:
    first, second = two_commits()
    for size in range(1, len(second)):
        store = make()  # type: ignore[operator]  # either of two functions
        with pytest.raises(ReplayError):
            store.replay(first + second[:size])
        assert (store.next_offset, store.count(1), store.count(2)) == (1, 3, 3)


@pytest.mark.parametrize("make", [empty, with_indexes])
def test_whatever_byte_of_the_second_commit_is_changed_the_first_is_applied(make: object) -> None:
    first, second = two_commits()
    for at in range(len(second)):
        for value in (0x00, 0x7F, 0xFF):
            damaged = (
                second[:at] + bytes([second[at] ^ 0x80 if second[at] == value else value]) + second[at + 1 :]
            )
            store = make()  # type: ignore[operator]  # either of two functions
            with pytest.raises(ReplayError):
                store.replay(first + damaged)
            assert (store.next_offset, store.count(1), store.count(2)) == (1, 3, 3)


@pytest.mark.parametrize("make", [empty, with_indexes])
def test_both_are_applied_when_nothing_is_wrong(make: object) -> None:
    store = make()  # type: ignore[operator]  # either of two functions
    assert store.replay(b"".join(two_commits())) == 2
    assert sorted(store.scan(1)) == sorted(
        codec(FIXED).encode((key, 7 if key == 1 else 5)) for key in range(3)
    )
    names = sorted(codec(VARIABLE).decode(row)[0] for row in store.scan(2))
    assert names == [(0.0, ""), (1.0, "a"), (9.0, "new")]
