"""What the trap of a host function says."""

import pytest

from spacetimedb_engine import traps


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (traps.NULL, b"null pointer passed to a spacetime function"),
        (traps.BOUNDS, b"out of bounds pointer passed to a spacetime function"),
        (traps.UTF8, b"invalid utf8 passed to a spacetime function"),
        (traps.COLUMN, b"ABI violation, a ColId must be a u16"),
        (traps.ASYNC_ONLY, b"datastore_insert_bsatn is only available in async instances"),
        (traps.TEXT, b"the guest's own"),
        (traps.NO_MEMORY, b"runtime error calling DatastoreInsertBsatn: the host has no memory left"),
        (
            traps.INTERNAL,
            b"runtime error calling DatastoreInsertBsatn: internal db error: the store could not carry this out",
        ),
    ],
)
def test_every_code_has_a_text(code: int, text: bytes) -> None:
    assert traps.text(code, "datastore_insert_bsatn", b"the guest's own") == text


def test_a_code_that_nobody_knows_is_the_stores_fault() -> None:
    assert traps.text(-77, "datastore_clear", b"").startswith(
        b"runtime error calling DatastoreClear: internal"
    )
