"""What runs before every command stays small, and knows the same places as everybody else."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest

import spacetimedb_update
from spacetimedb_paths import Platform, SpacetimePaths
from spacetimedb_update.proxy.flat_json import members
from spacetimedb_update.proxy.places import places
from spacetimedb_update.proxy.semver import Version

SOURCE = Path(spacetimedb_update.__file__).parent
ALLOWED = {"os", "sys", "time", "_signal"}

SHOW_IMPORTS = """
import sys
sys.path.insert(0, {source!r})
import os, time
before = set(sys.modules)
from spacetimedb_update.proxy.main import run
from spacetimedb_update.proxy.system import System
class Last(System):
    def become(self, program, argv):
        print(*sorted(set(sys.modules) - before))
        return 0
run(Last(["spacetime", "--root-dir", {root!r}, "list"], {{}}, False))
"""


def test_a_run_of_the_proxy_imports_nothing_but_itself(tmp_path):
    """With a pin in JSON and an update notice to read, that is, everything it can have to do."""
    (tmp_path / "spacetime.json").write_text('{"spacetime-version": "2.9.0"}')
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / ".update_check_cache").write_text(
        '{"last_check_secs": 1, "latest_version": "9.9.9"}'
    )
    code = SHOW_IMPORTS.format(source=str(SOURCE.parent), root=str(tmp_path))
    command = [sys.executable, "-I", "-S", "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    foreign = [name for name in done.stdout.split() if not name.startswith("spacetimedb_update")]
    assert foreign in ([], ["_signal"])
    assert "A new version of SpacetimeDB is available: v9.9.9" in done.stderr


def test_no_module_of_the_proxy_names_anything_else():
    for path in (SOURCE / "proxy").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                own = name.startswith(("spacetimedb_update.proxy", "spacetimedb_update.version"))
                manager = (path.name, name) == ("main.py", "spacetimedb_update.commands.app")
                assert own or manager or name in ALLOWED, f"{path.name} imports {name}"


@pytest.mark.parametrize(
    "env",
    [
        {"HOME": "/home/ann"},
        {"HOME": "/home/ann", "XDG_DATA_HOME": "/data", "XDG_CONFIG_HOME": "/etc/ann"},
        {"HOME": "/home/ann", "XDG_DATA_HOME": "relative", "XDG_CONFIG_HOME": ""},
    ],
)
def test_the_proxy_looks_in_the_same_places_as_everybody_else(env):
    paths = SpacetimePaths.from_platform(Platform("linux", env, PurePosixPath(env["HOME"])))
    found = places(None, env, windows=False)
    assert found.bin_dir == str(paths.cli_bin_dir)
    assert found.update_check_cache() == str(paths.cli_config_dir.update_check_cache())


@pytest.mark.parametrize("root", ["/r", "r", "./r", "/with blank", "/ü"])
def test_a_root_is_taken_as_it_is(root):
    paths = SpacetimePaths.from_root_dir(root, Platform("linux"))
    found = places(root, {}, windows=False)
    assert os.path.normpath(found.bin_dir) == str(paths.cli_bin_dir)
    assert os.path.normpath(found.config_dir) == str(paths.cli_config_dir)


def test_versions_are_ordered_by_precedence():
    """The order of semver.org, section 11."""
    ordered = [
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
    ]
    ordered += ["1.0.0-rc.1", "1.0.0", "2.0.0", "2.1.0", "2.1.1", "2.10.0"]
    assert [str(version) for version in sorted(map(Version, reversed(ordered)))] == ordered


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{}", {}),
        (
            '{"a": "b", "n": 12, "x": true, "y": null, "z": 1.5}',
            {"a": "b", "n": 12, "x": None, "y": None, "z": None},
        ),
        ('{"a": {"b": "c", "d": ["}", {"e": 1}]}, "f": "g"}', {"a": None, "f": "g"}),
        ("{a: 'b', // why\n /* c */ \"d\": 'e',}", {"a": "b", "d": "e"}),
        (r'{"a": "\u00fc\n\"\\ \x41"}', {"a": 'ü\n"\\ A'}),
    ],
)
def test_flat_json_reads_scalars_of_the_outermost_object(text, found):
    assert members(text) == found


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"a"}', '{"a": }', '{"a": "b}', '{"a": 1 "b": 2}', "{/*", '{"a":"\\u12"}']
)
def test_flat_json_says_where_it_does_not_understand(text):
    with pytest.raises(ValueError, match=r"^line 1: "):
        members(text)
