"""What a view may return."""

import pytest

from spacetimedb_standalone.host.interface import Status
from spacetimedb_standalone.host.wasm.views import outcome

ROWS = b"\2\0\0\0\5\7"


def test_rows_with_and_without_a_header() -> None:
    assert outcome(0, ROWS, ()).rows == ROWS
    assert outcome(2, b"\0" + ROWS, ()).rows == ROWS


def test_a_query() -> None:
    assert outcome(2, b"\1\x0f\0\0\0SELECT * FROM t", ()).sql == "SELECT * FROM t"


def test_an_error_of_the_module() -> None:
    failed = outcome(1, b"no", ())
    assert (failed.status, failed.text) == (Status.FAILED, "no")


@pytest.mark.parametrize("data", [b"", b"\2", b"\1\5\0\0\0SEL", b"\1\1\0\0\0\xff"])
def test_a_header_that_cannot_be_read(data: bytes) -> None:
    assert outcome(2, data, ()).status == Status.BAD_CODE


def test_an_unknown_code() -> None:
    assert outcome(3, b"", ()).status == Status.BAD_CODE
