"""What the private routes answer when something goes wrong inside."""

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from spacetimedb_standalone.commitlog import LogFailed
from spacetimedb_standalone.worker.http_app import answer_faults


async def answer(error: Exception) -> web.Response:
    async def handler(request: web.Request) -> web.Response:
        raise error

    answered = await answer_faults(make_mocked_request("POST", "/sql"), handler)
    assert isinstance(answered, web.Response)
    return answered


async def test_a_disk_that_takes_no_more_is_the_disks_fault(caplog: pytest.LogCaptureFixture) -> None:
    answered = await answer(LogFailed("the disk refused a write"))
    assert answered.status == 503
    assert answered.text == "the database ends, for its log cannot be written: the disk refused a write"
    assert not caplog.records, "the log tells it already"


async def test_everything_else_is_the_servers(caplog: pytest.LogCaptureFixture) -> None:
    answered = await answer(ZeroDivisionError("a secret of the program"))
    assert answered.status == 500
    assert answered.text == "the server made a mistake here; its log says which, please report it"
    assert "a secret of the program" in caplog.text
