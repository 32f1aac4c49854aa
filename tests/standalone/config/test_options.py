"""The command line of the server."""

from pathlib import Path

import pytest

from spacetimedb_standalone.config.options import (
    ExtractSchemaOptions,
    StartOptions,
    parse_command_line,
)


def start(*arguments: str) -> StartOptions:
    options = parse_command_line(["start", "--data-dir", "/d", *arguments])
    assert isinstance(options, StartOptions)
    return options


def test_what_is_not_given_has_a_default() -> None:
    options = start()
    assert (options.listen_addr, options.data_dir) == ("0.0.0.0:3000", Path("/d"))
    assert (options.in_memory, options.pg_port, options.worker_memory_limit) == (False, None, None)


def test_a_repeated_option_overrides_the_earlier_one() -> None:
    assert start("-l", "a:1", "--listen-addr", "b:2").listen_addr == "b:2"


@pytest.mark.parametrize(
    ("text", "size"), [("64k", 65536), ("64KiB", 65536), ("512MiB", 512 << 20), ("2g", 2 << 30), ("77", 77)]
)
def test_sizes_count_in_binary_units(text: str, size: int) -> None:
    assert start("--worker-memory-limit", text).worker_memory_limit == size
    assert start("--page_pool_max_size", text).page_pool_max_size == size


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--jwt-pub-key-path", "x"], "require each other"),
        (["--pg-port", "80"], "not in 1024..65534"),
        (["--page_pool_max_size", "much"], "unrecognized format in `page_pool_max_size`"),
        (["--worker-hang-timeout", "long"], "expected number at 0"),
    ],
)
def test_wrong_usage_ends_with_status_2(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        start(*arguments)
    assert left.value.code == 2
    assert complaint in capsys.readouterr().err


def test_no_arguments_show_the_help_and_are_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        parse_command_line([])
    assert left.value.code == 2
    assert "extract-schema" in capsys.readouterr().out


def test_version_and_help_end_well(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--version"], ["-V"], ["help"], ["start", "--help"]):
        with pytest.raises(SystemExit) as left:
            parse_command_line(arguments)
        assert left.value.code == 0
    assert "spacetimedb tool version 2.10.0; spacetimedb-lib version 2.10.0;" in capsys.readouterr().out


def test_the_kind_of_a_module_may_be_given() -> None:
    given = parse_command_line(["extract-schema", "m.bin", "--host-type", "js"])
    assert given == ExtractSchemaOptions(Path("m.bin"), "js")
