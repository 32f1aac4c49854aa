"""`config.toml`: defaults, every kind of key, and what is said about wrong ones."""

from pathlib import Path, PurePath

import pytest

from spacetimedb_paths.server import ConfigToml
from spacetimedb_standalone.config.config_file import default_config_text, load_config
from spacetimedb_standalone.config.readers import ConfigError
from spacetimedb_standalone.config.settings import ServerConfig


def load(tmp_path: Path, text: str) -> ServerConfig:
    path = tmp_path / "config.toml"
    path.write_text(text)
    return load_config(ConfigToml(PurePath(path)))


def test_a_missing_file_is_written_from_the_default_and_means_the_defaults(tmp_path: Path) -> None:
    path = ConfigToml(PurePath(tmp_path / "config.toml"))
    config = load_config(path)
    assert path.read_to_string() == default_config_text()
    assert config.websocket == ServerConfig().websocket
    assert "spacetimedb_standalone=debug" in config.logs.directives


def test_values_of_every_kind(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        """
        [certificate-authority]
        jwt-priv-key-path = "/keys/a"
        jwt-pub-key-path = "/keys/b"
        [logs]
        level = "WARN"
        [websocket]
        ping-interval = "1min"
        incoming-queue-length = 7
        [commitlog]
        offset-interval-bytes = 512
        preallocate-segments = true
        [v8-heap-policy]
        heap-check-time-interval = 9
        heap-retire-fraction = 1
        [wasm]
        procedure-instance-pool-size = 3
        [something-newer]
        unknown = 1
        """,
    )
    assert config.certificate_authority.jwt_priv_key_path == Path("/keys/a")
    assert config.logs.level == "warn"
    assert (config.websocket.ping_interval, config.websocket.incoming_queue_length) == (60.0, 7)
    assert (config.commitlog.offset_index_interval_bytes, config.commitlog.preallocate_segments) == (
        512,
        True,
    )
    assert config.v8_heap_policy.heap_check_time_interval == 9.0
    assert config.wasm.pool_size() == 3
    assert config.websocket.idle_timeout == 30.0, "what is not given keeps its default"


def test_a_pool_without_a_size_has_one_instance_per_core(tmp_path: Path) -> None:
    assert load(tmp_path, "").wasm.pool_size() >= 1


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            "[websocket]\nincoming-queue-length = 0",
            "`websocket.incoming-queue-length`: value must be greater than 0",
        ),
        ("[websocket]\nping-interval = 15", "`websocket.ping-interval`: expected a duration"),
        ('[websocket]\nping-interval = "15"', "time unit needed, for example 15sec or 15ms"),
        ("[v8-heap-policy]\nheap-retire-fraction = 1.5", "expected a fraction between 0.0 and 1.0, got 1.5"),
        ('[logs]\nlevel = "loud"', "expected one of off, error, warn, info, debug, trace"),
        (
            '[certificate-authority]\njwt-pub-key-path = "x"',
            "`certificate-authority` needs `jwt-priv-key-path`",
        ),
        ("[commitlog]\noffset-interval-bytes = 1\noffset-index-interval-bytes = 2", "is given twice"),
        ("websocket = 3", "`websocket` must be a table"),
        ("commitlog = [", "invalid TOML syntax in "),
    ],
)
def test_a_wrong_value_is_named_with_its_key_and_file(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert complaint in str(caught.value)
    assert str(tmp_path / "config.toml") in str(caught.value)
