"""The server's own log: which lines, and what they look like."""

import errno
import io
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from spacetimedb_standalone.config.server_log import Levels, configure_logging
from spacetimedb_standalone.config.settings import LogSettings


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_longest_directive_decides_and_bad_ones_are_ignored() -> None:
    levels = Levels.of(LogSettings("error", ("mine=debug,mine::inner=warn", "nonsense", "other=loud")))
    assert levels.of_logger("mine.outer") == logging.DEBUG
    assert levels.of_logger("mine.inner.deep") == logging.WARNING
    assert levels.of_logger("other") == logging.ERROR


def test_a_directive_without_a_target_is_the_level_of_everything() -> None:
    assert Levels.of(LogSettings("error", ("info",))).of_logger("any") == logging.INFO


def test_lines_go_to_console_and_file_with_time_level_and_place(tmp_path: Path) -> None:
    console, file = io.StringIO(), tmp_path / "logs" / "server.log"
    configure_logging(LogSettings("error", ("mine=info",)), file, console, {})
    logging.getLogger("mine").info("hello %s", "there")
    logging.getLogger("mine").debug("too much")
    logging.getLogger("other").warning("not asked for")
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z  INFO \S*test_server_log\.py:\d+: hello there\n",
        console.getvalue(),
    )
    assert file.read_text() == console.getvalue()


def test_colours_are_for_terminals_that_want_them(tmp_path: Path) -> None:
    for env, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
        console = Terminal()
        configure_logging(LogSettings("info"), tmp_path / "log", console, env)
        logging.getLogger("any").info("x")
        assert ("\x1b[" in console.getvalue()) is coloured
    assert "\x1b[" not in (tmp_path / "log").read_text()


def test_configuring_again_replaces_what_was_there() -> None:
    first, second = io.StringIO(), io.StringIO()
    configure_logging(LogSettings("info"), None, first, {})
    configure_logging(LogSettings("info"), None, second, {})
    logging.getLogger("any").info("x")
    assert (first.getvalue(), second.getvalue().count("x\n")) == ("", 1)


class Full(io.StringIO):
    """Takes nothing while it is full."""

    full = True

    def flush(self) -> None:
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")


def test_a_place_that_takes_nothing_is_named_once_at_the_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    console, file = Full(), tmp_path / "server.log"
    configure_logging(LogSettings("info"), file, console, {})
    for text in ("one", "two"):
        logging.getLogger("any").info(text)
    console.full = False
    logging.getLogger("any").info("three")
    console.full = True
    logging.getLogger("any").info("four")
    said = [line.partition(": ")[2] for line in file.read_text().splitlines()]
    trouble = "the log cannot be written to the console for now: [Errno 28] No space left on device"
    assert said == [trouble, "one", "two", "three", trouble, "four"]
    assert capsys.readouterr().err == "", "no traceback of the logging library"


def test_two_places_that_take_nothing_stop_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    full_disk = Path("/dev/full")
    if not full_disk.exists():
        pytest.skip("there is no device that is always full here")
    configure_logging(LogSettings("info"), full_disk, Full(), {})
    logging.getLogger("any").info("lost")
    logging.getLogger("any").info("lost")
    assert capsys.readouterr().err == ""
