"""The name of every file and directory below the four places."""

import json
import os
from datetime import date
from pathlib import PurePosixPath, PureWindowsPath

import pytest

from spacetimedb_paths.cli import BinDir, ConfigDir
from spacetimedb_paths.server import ModuleLogPath, ModuleLogsDir, ServerDataDir, SnapshotDirPath

DATA = ServerDataDir(PurePosixPath("/d"))
REPLICA = DATA.replica(7)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (DATA.config_toml(), "/d/config.toml"),
        (DATA.metadata_toml(), "/d/metadata.toml"),
        (DATA.logs(), "/d/logs"),
        (DATA.logs().server_log("standalone"), "/d/logs/spacetime-standalone.log"),
        (DATA.wasmtime_cache(), "/d/cache/wasmtime"),
        (DATA.control_db(), "/d/control-db"),
        (DATA.program_bytes().program("abcdef"), "/d/program-bytes/ab/cdef"),
        (DATA.pid_file(), "/d/spacetime.pid"),
        (DATA.replica(2**64 - 1), "/d/replicas/18446744073709551615"),
        (REPLICA.commit_log().segment(0), "/d/replicas/7/clog/00000000000000000000.stdb.log"),
        (REPLICA.commit_log().index(9), "/d/replicas/7/clog/00000000000000000009.stdb.ofs"),
        (REPLICA.module_logs().on(date(2026, 8, 2)), "/d/replicas/7/module_logs/2026-08-02.log"),
        (
            REPLICA.snapshots().snapshot_dir(123456),
            "/d/replicas/7/snapshots/00000000000000123456.snapshot_dir",
        ),
        (
            REPLICA.snapshots().snapshot_dir(5).snapshot_file(5),
            "/d/replicas/7/snapshots/00000000000000000005.snapshot_dir/00000000000000000005.snapshot_bsatn",
        ),
        (
            REPLICA.snapshots().snapshot_dir(5).objects(),
            "/d/replicas/7/snapshots/00000000000000000005.snapshot_dir/objects",
        ),
        (
            REPLICA.snapshots().archived_snapshot_dir(5),
            "/d/replicas/7/snapshots/00000000000000000005.archived_snapshot",
        ),
        (ConfigDir(PurePosixPath("/c")).jwt_priv_key(), "/c/id_ecdsa"),
        (ConfigDir(PurePosixPath("/c")).jwt_pub_key(), "/c/id_ecdsa.pub"),
        (ConfigDir(PurePosixPath("/c")).cli_toml(), "/c/cli.toml"),
        (ConfigDir(PurePosixPath("/c")).update_check_cache(), "/c/.update_check_cache"),
        (BinDir(PurePosixPath("/b")).version_dir("2.10.0").spacetimedb_cli(), "/b/2.10.0/spacetimedb-cli"),
        (BinDir(PurePosixPath("/b")).current_version_dir(), "/b/current"),
        (
            BinDir(PureWindowsPath("C:/b")).version_dir("1.0.0").spacetimedb_cli(),
            r"C:\b\1.0.0\spacetimedb-cli.exe",
        ),
    ],
    ids=str,
)
def test_names(path, name):
    assert str(path) == name == os.fspath(path)


@pytest.mark.parametrize(
    ("name", "offset"),
    [
        ("00000000000000123456.snapshot_dir", 123456),
        ("00000000000000000000.invalid_snapshot", 0),
        ("18446744073709551615.snapshot_dir", 2**64 - 1),
        ("18446744073709551616.snapshot_dir", None),
        ("x.snapshot_dir", None),
        ("-1.snapshot_dir", None),
        (".snapshot_dir", None),
    ],
)
def test_the_offset_in_a_snapshots_name(name, offset):
    assert SnapshotDirPath(PurePosixPath("/s") / name).tx_offset() == offset


def test_an_invalid_snapshot_moves_aside(tmp_path):
    snapshot = SnapshotDirPath(tmp_path / "00000000000000000003.snapshot_dir")
    snapshot.create()
    snapshot.rename_invalid()
    assert [p.name for p in tmp_path.iterdir()] == ["00000000000000000003.invalid_snapshot"]


def test_module_logs_by_day(tmp_path):
    logs = ModuleLogsDir(tmp_path / "module_logs")
    logs.create()
    assert logs.most_recent() is None
    for day in (date(2026, 1, 9), date(2026, 10, 1), date(2025, 12, 31)):
        logs.on(day).write(b"")
    assert logs.most_recent() == logs.on(date(2026, 10, 1))
    assert logs.most_recent().date() == date(2026, 10, 1)


def test_a_log_that_is_not_named_after_a_day():
    assert ModuleLogPath(PurePosixPath("/l/notes.log")).date() is None


def test_a_path_serialises_as_its_text():
    assert json.dumps(str(DATA.config_toml())) == '"/d/config.toml"'
    assert DATA.config_toml().display() == "/d/config.toml"
