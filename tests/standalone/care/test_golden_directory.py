"""A data directory that is kept as it was written once: it opens for ever, and is written alike today."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from spacetimedb_paths.metadata import MetadataFile
from spacetimedb_paths.pidfile import PidFile
from spacetimedb_standalone.care.doctor import diagnose
from spacetimedb_standalone.care.findings import Severity
from spacetimedb_standalone.commitlog import read_commits
from spacetimedb_standalone.commitlog.format import SEGMENT_HEADER_SIZE
from spacetimedb_standalone.commitlog.sealed import ZSTD_MAGIC
from spacetimedb_standalone.commitlog.segment import Segment
from spacetimedb_standalone.config.config_file import load_config
from spacetimedb_standalone.config.settings import LogSettings, ServerConfig
from spacetimedb_standalone.control.schema import FORMAT_VERSION
from spacetimedb_standalone.ports import DiskFiles
from spacetimedb_standalone.snapshots import SnapshotReader
from tests.standalone.care.golden import DATA, STATE, write_directory
from tests.standalone.care.made import Made

FILES = DiskFiles()


@pytest.fixture
def golden(tmp_path: Path) -> Made:
    """A copy to work on."""
    shutil.copytree(DATA, tmp_path / "golden")
    return Made(tmp_path / "golden")


@pytest.fixture(scope="module")
def today(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return write_directory(tmp_path_factory.mktemp("today") / "data")


def expected() -> tuple[int, dict[int, list[bytes]]]:
    document = json.loads(gzip.decompress(STATE.read_bytes()))
    rows = {int(table): [bytes.fromhex(row) for row in found] for table, found in document["rows"].items()}
    return document["last"], rows


def test_it_opens_with_every_row(golden: Made) -> None:
    assert golden.state() == expected()


def test_it_opens_without_its_snapshot_too(golden: Made) -> None:
    shutil.rmtree(Path(golden.replica.snapshots()))
    assert golden.state() == expected()


def test_its_checksums_hold(golden: Made) -> None:
    found = diagnose(golden.path, replay=True).findings.found
    assert [(finding.severity, finding.path.name) for finding in found] == [(Severity.NOTE, "spacetime.pid")]


def test_the_same_files_are_written_today(today: Made) -> None:
    def names(root: Path) -> list[str]:
        return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())

    assert names(today.path) == names(DATA)


@pytest.mark.parametrize(
    "name",
    [
        "metadata.toml",
        "replicas/1/module_logs/2023-11-14.log",
        *(str(path.relative_to(DATA)) for path in sorted(DATA.glob("replicas/1/clog/*.ofs"))),
        *(str(path.relative_to(DATA)) for path in sorted(DATA.glob("program-bytes/*/*"))),
    ],
)
def test_these_files_are_the_same_to_the_byte(today: Made, name: str) -> None:
    assert (today.path / name).read_bytes() == (DATA / name).read_bytes()


@pytest.mark.parametrize("name", sorted(path.name for path in DATA.glob("replicas/1/clog/*.log")))
def test_segments_are_the_same_once_they_are_uncompressed(today: Made, name: str) -> None:
    then, now = DATA / "replicas/1/clog" / name, today.log / name
    assert then.read_bytes().startswith(ZSTD_MAGIC) == now.read_bytes().startswith(ZSTD_MAGIC)
    if not then.read_bytes().startswith(ZSTD_MAGIC):
        assert then.read_bytes() == now.read_bytes()
    with Segment.open(FILES, then) as one, Segment.open(FILES, now) as other:
        size = one.source.size()
        assert one.source.read_at(0, size) == other.source.read_at(0, size) and size == other.source.size()
        assert one.source.read_at(0, SEGMENT_HEADER_SIZE) == b"(ds)^2\1\0\0\0"


def test_some_segments_are_sealed_and_one_is_open() -> None:
    sealed = [path.read_bytes().startswith(ZSTD_MAGIC) for path in sorted(DATA.glob("replicas/1/clog/*.log"))]
    assert sealed.count(True) >= 2 and sealed[-1] is False
    assert len(list(read_commits(FILES, DATA / "replicas/1/clog"))) == expected()[0] + 1


def test_the_snapshot_has_the_same_rows(today: Made) -> None:
    (then,), (now,) = sorted(DATA.glob("replicas/1/snapshots/*.snap")), today.snapshots
    assert then.name == now.name

    def content(path: Path) -> Any:
        with SnapshotReader.open(FILES, path) as reader:
            return reader.head, list(reader.pieces())

    assert content(then) == content(now)


def test_control_state_has_the_same_tables_and_rows(today: Made, golden: Made) -> None:
    def content(directory: Made) -> tuple[int, list[str]]:
        path = directory.place.control_db().path / "control.sqlite3"
        with sqlite3.connect(path) as connection:
            return connection.execute("PRAGMA user_version").fetchone()[0], list(connection.iterdump())

    assert content(golden) == content(today)
    assert content(golden)[0] == FORMAT_VERSION == 1


def test_its_settings_are_understood(golden: Made) -> None:
    """What stands there is in force; what is commented there has the defaults of whoever reads it."""
    config = load_config(golden.place.config_toml())
    parts = ("", "_client_api", "_lib", "_standalone", "_commitlog", "_durability")
    levels = ("debug", "debug", "debug", "debug", "info", "info")
    directives = [f"spacetimedb{part}={level}" for part, level in zip(parts, levels, strict=True)]
    assert config.logs == LogSettings("error", (*directives, "axum::rejection=trace"))
    assert replace(config, logs=LogSettings()) == ServerConfig()


OTHERWISE: dict[str, tuple[str, object]] = {
    "certificate-authority.jwt-priv-key-path": ('"/keys/a"', Path("/keys/a")),
    "certificate-authority.jwt-pub-key-path": ('"/keys/b"', Path("/keys/b")),
    "module-http.enabled": ("false", False),
    "logs.level": ('"warn"', "warn"),
    "logs.directives": ('["a=b"]', ("a=b",)),
    "wasm.procedure-instance-pool-size": ("3", 3),
    "wasm.call-timeout": ('"2min"', 120.0),
    "wasm.memory-limit-mb": ("64", 64),
    "v8.procedure-instance-pool-size": ("5", 5),
    "v8-heap-policy.heap-check-request-interval": ("7", 7),
    "v8-heap-policy.heap-check-time-interval": ('"8s"', 8.0),
    "v8-heap-policy.heap-gc-trigger-fraction": ("0.5", 0.5),
    "v8-heap-policy.heap-retire-fraction": ("0.6", 0.6),
    "v8-heap-policy.heap-limit-mb": ("512", 512),
    "commitlog.log-format-version": ("0", 0),
    "commitlog.max-segment-size": ("5000", 5000),
    "commitlog.offset-index-interval-bytes": ("256", 256),
    "commitlog.offset-index-require-segment-fsync": ("false", False),
    "commitlog.preallocate-segments": ("true", True),
    "commitlog.write-buffer-size": ("4096", 4096),
    "commitlog.retention": ("false", False),
    "commitlog.compress-segments": ("false", False),
    "snapshots.enabled": ("false", False),
    "snapshots.every-bytes": ("1000", 1000),
    "snapshots.every-transactions": ("20", 20),
    "snapshots.every": ('"2h"', 7200.0),
    "websocket.ping-interval": ('"16s"', 16.0),
    "websocket.idle-timeout": ('"40s"', 40.0),
    "websocket.close-handshake-timeout": ('"500ms"', 0.5),
    "websocket.incoming-queue-length": ("9", 9),
}
"""Every key that the file of then names, with a value that is nobody's default, and what that means."""


def keys_of_then() -> set[str]:
    keys, section = set(), ""
    for line in (DATA / "config.toml").read_text().splitlines():
        if title := re.fullmatch(r"(?:# )?\[([a-z0-9-]+)\]", line):
            section = title[1]
        elif key := re.match(r"(?:# )?([a-z0-9-]+) = ", line):
            keys.add(f"{section}.{key[1]}")
    return keys


def test_every_key_of_then_means_what_it_meant(golden: Made) -> None:
    """Other values than the defaults: a key that nobody knows any more would be ignored without a word."""
    assert set(OTHERWISE) == keys_of_then()
    path = golden.place.config_toml()
    path.write("".join(f"{key} = {text}\n" for key, (text, _) in OTHERWISE.items()))
    config, usual = load_config(path), ServerConfig()
    for key, (_, meaning) in OTHERWISE.items():
        section, name = key.replace("-", "_").split(".")
        assert getattr(getattr(config, section), name) == meaning != getattr(getattr(usual, section), name), (
            key
        )


def test_the_stamp(golden: Made) -> None:
    assert MetadataFile.read(golden.place.metadata_toml()) == MetadataFile("2.10.0", "standalone")


def test_locks_say_who_has_them(golden: Made) -> None:
    """Both formats are for people: a number, and two values."""
    with PidFile.take(golden.place):
        assert Path(golden.place.pid_file()).read_text().isdecimal()
    assert (DATA / "spacetime.pid").read_text() == "12345"
    form = re.compile(r"pid=\d+;timestamp_utc=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
    golden.state()
    for directory in (DATA, golden.path):
        assert form.fullmatch((directory / "replicas/1/db.lock").read_text())
