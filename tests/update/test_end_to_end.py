"""The whole way, with nothing made up: a web server on this machine, real files, real processes, the real
clock; the root has blanks and other letters in its name.

The releases here hold the proxy and the version manager of this source tree, and a command line that
prints what it was given.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import spacetimedb_paths
import spacetimedb_update
from spacetimedb_update.ports.machine import Machine
from spacetimedb_update.ports.net import NetError, NotFound, RealNet

from .world import Publisher, release_files, tar_gz

pytestmark = pytest.mark.slow

SOURCES = [str(Path(package.__file__).parents[1]) for package in (spacetimedb_update, spacetimedb_paths)]
SITE = next(path for path in sys.path if path.endswith("site-packages"))
TARGET = Machine.current().triple

UPDATE = f"""\
#!{sys.executable} -IS
import sys
sys.path[:0] = {[*SOURCES, SITE]!r}
sys._xoptions["spacetime-program"] = __import__("os").path.realpath(__file__)
from spacetimedb_update.proxy.main import main
main()
"""

CLI = """\
#!/bin/sh
if [ "$1" = trap ]; then trap 'exit 5' INT; echo ready; while :; do sleep 0.05; done; fi
if [ "$1" = pipe ]; then grep SigIgn /proc/self/status; exit; fi
echo "cli {version} $0" "$@"
exit 7
"""


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder with ranges; breaks off the first answer for each archive in the middle."""

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            return self.send_error(404)
        data = path.read_bytes()
        start = int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").rstrip("-"))
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        body = data[start:]
        if self.path.endswith(".tar.gz") and self.path not in self.server.broken:  # type: ignore[attr-defined]
            self.server.broken.add(self.path)  # type: ignore[attr-defined]
            body = body[: len(body) // 2]
        self.wfile.write(body)
        self.server.served.append((self.path, start))  # type: ignore[attr-defined]
        self.close_connection = True
        return None

    def log_message(self, *_: object) -> None:
        return None


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Publisher]]:
    """A release repository on a web server: its URL, and its publisher."""
    publisher = Publisher.create(tmp_path_factory.mktemp("web"), now=datetime.now(UTC))
    for version in ("2.9.0", "2.10.0"):
        _release(publisher, version)
    server = ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(Handler, directory=str(publisher.folder / "repository"))
    )
    server.broken, server.served = set(), []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", publisher
    server.shutdown()
    server.server_close()


def _release(publisher: Publisher, version: str) -> None:
    programs = {
        "spacetimedb-update": UPDATE.encode(),
        "spacetimedb-cli": CLI.replace("{version}", version).encode(),
        "root.json": publisher.anchor,
    }
    archive = tar_gz({**release_files(version), **programs})
    publisher.release(version, archive, TARGET, now=datetime.now(UTC))


class Machine_:
    """One user's machine: a folder with a root in it, and an environment."""

    def __init__(self, folder: Path, url: str, publisher: Publisher) -> None:
        self.root = folder / "Wurzel mit Leerzeichen 名"
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.env = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "SPACETIME_UPDATE_RELEASES_URL": url}
        self.installer = folder / "downloaded" / "spacetimedb-update"
        self.installer.parent.mkdir(exist_ok=True)
        self.installer.write_text(UPDATE)
        self.installer.chmod(0o755)
        (self.installer.parent / "root.json").write_bytes(publisher.anchor)

    def run(self, *command: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command, cwd=self.folder, env=self.env, capture_output=True, text=True, stdin=subprocess.DEVNULL
        )
        assert done.returncode == code, f"{command}: {done.stdout}{done.stderr}"
        return done

    def install(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        self.env["SPACETIMEDB_UPDATE_MULTICALL_APPLET"] = "spacetime-install"
        try:
            return self.run(str(self.installer), "--root-dir", str(self.root), "-y", *arguments)
        finally:
            del self.env["SPACETIMEDB_UPDATE_MULTICALL_APPLET"]

    def version(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        update = (self.root / "spacetime").resolve()
        return self.run(str(update), "--root-dir", str(self.root), "version", *arguments, code=code)

    def spacetime(self, *arguments: str) -> str:
        """What the command line prints, which ends with code 7."""
        plus, rest = (arguments[:1], arguments[1:]) if arguments[0].startswith("+") else ((), arguments)
        return self.run(str(self.root / "spacetime"), *plus, f"--root-dir={self.root}", *rest, code=7).stdout


@pytest.fixture
def user(tmp_path: Path, web: tuple[str, Publisher]) -> Machine_:
    return Machine_(tmp_path / "user", *web)


@pytest.fixture(scope="module")
def installed_root(web: tuple[str, Publisher], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation to copy: 2.9.0 from the web."""
    made = Machine_(tmp_path_factory.mktemp("template"), *web)
    made.install("--version", "2.9.0")
    return made.root


@pytest.fixture
def owner(user: Machine_, installed_root: Path) -> Machine_:
    """A user who has 2.9.0, and whose default places lead to the same root."""
    shutil.copytree(installed_root, user.root, symlinks=True)
    user.env["XDG_DATA_HOME"] = str(user.folder)
    (user.folder / "spacetime").symlink_to(user.root)
    return user


def test_from_nothing_to_a_second_version_and_back_and_away(user):
    installed = user.install("--version", "2.9.0")
    assert f"installed as {user.root}/spacetime" in installed.stderr

    assert (
        user.spacetime("list", "x y")
        == f"cli 2.9.0 {user.root}/bin/current/spacetimedb-cli --root-dir={user.root} list x y\n"
    )
    assert user.version("list", "--all").stdout == "2.10.0\n2.9.0 (current)\n"
    user.version("install", "2.10.0")
    assert user.spacetime("+2.10.0", "list").startswith("cli 2.10.0")
    assert user.spacetime("list").startswith("cli 2.9.0")
    user.version("use", "2.10.0")
    assert user.spacetime("list").startswith("cli 2.10.0")
    user.version("use", "2.9.0")
    user.version("upgrade")
    assert os.readlink(user.root / "spacetime") == "bin/2.10.0/spacetimedb-update"
    user.version("rollback")
    assert user.spacetime("list").startswith("cli 2.9.0")
    assert user.version("verify").stdout == "2.10.0: ok\n2.9.0: ok\n"
    refused = user.version("uninstall", "2.9.0", "-y", code=1)
    assert refused.stderr == "Error: cannot uninstall currently used version\n"
    user.version("use", "2.10.0")
    user.version("uninstall", "2.9.0", "-y")
    assert user.version("list").stdout == "2.10.0 (current)\n"

    (user.folder / ".spacetime-version").write_text("2.9.0\n")
    missing = user.run(str(user.root / "spacetime"), f"--root-dir={user.root}", "list", code=1)
    assert missing.stderr == (
        f"Error: version 2.9.0 is not installed, but {user.folder}/.spacetime-version asks for it: "
        f"`spacetime --root-dir '{user.root}' version install 2.9.0` installs it\n"
    )
    (user.folder / ".spacetime-version").unlink()

    update = str(user.root / "bin" / "2.10.0" / "spacetimedb-update")
    user.run(update, "--root-dir", str(user.root), "self-uninstall", "-y")
    assert not (user.root / "spacetime").exists() and not (user.root / "bin").exists()


def test_a_bundle_carries_a_release_to_a_machine_without_a_network(owner, web, tmp_path):
    bundle = owner.folder / "Bündel mit Leerzeichen.tar"
    owner.version("bundle", "export", str(bundle), "2.9.0")
    island = Machine_(tmp_path / "island", "http://127.0.0.1:9", web[1])
    island.install("--bundle", str(bundle))
    assert island.spacetime("list").startswith("cli 2.9.0")
    unreachable = island.version("upgrade", code=1)
    assert "the release repository cannot be reached" in unreachable.stderr
    assert island.spacetime("list").startswith("cli 2.9.0")


def test_any_folder_can_be_a_mirror(owner, web, tmp_path):
    mirror = tmp_path / "mirror with blanks"
    shutil.copytree(web[1].folder / "repository", mirror)
    owner.env["SPACETIME_UPDATE_RELEASES_URL"] = str(mirror)
    owner.version("upgrade")
    assert owner.spacetime("list").startswith("cli 2.10.0")


def test_a_source_build_placed_by_hand_is_selected_and_a_tree_is_linked(owner):
    build = owner.root / "bin" / "2.11.0-dev"
    build.mkdir()
    (build / "spacetimedb-cli").write_text(CLI.replace("{version}", "built here"))
    (build / "spacetimedb-cli").chmod(0o755)
    owner.version("use", "2.11.0-dev")
    assert owner.spacetime("list").startswith("cli built here")
    tree = owner.folder / "my tree"
    build.rename(tree)
    owner.run(str(owner.root / "spacetime"), "version", "link", "dev", "my tree", "--use")
    assert owner.spacetime("list").startswith("cli built here")
    assert owner.spacetime("+2.9.0", "list").startswith("cli 2.9.0")


def test_ctrl_c_belongs_to_the_command_line(owner):
    with subprocess.Popen(
        [str(owner.root / "spacetime"), "trap"], env=owner.env, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 5


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_command_line_inherits_no_ignored_signals(owner):
    """The interpreter ignores SIGPIPE for itself; what it hands over to must not."""
    direct = owner.run("/bin/sh", "-c", f"'{owner.root}/bin/current/spacetimedb-cli' pipe").stdout
    assert owner.run(str(owner.root / "spacetime"), "pipe").stdout == direct


@pytest.mark.slow
def test_the_check_for_a_newer_version_runs_in_the_background(owner):
    cache = owner.root / "config" / ".update_check_cache"
    command = (str(owner.root / "spacetime"), f"--root-dir={owner.root}")

    def wrote(seconds: float) -> bool:
        until = time.monotonic() + seconds
        while not (found := cache.exists() and '"2.10.0"' in cache.read_text()) and time.monotonic() < until:
            time.sleep(0.02)
        return found

    for _ in range(12):  # a check that gets no answer within two seconds leaves it at that until tomorrow
        cache.unlink(missing_ok=True)
        assert owner.run(*command, "list", code=7).stdout.startswith("cli 2.9.0")
        if wrote(10):
            break
    else:
        pytest.fail("the check did not write what it found")
    cache.write_text(cache.read_text().replace('"2.10.0"', '"2.99.0"'))
    done = owner.run(*command, "list", code=7)
    assert done.stderr.startswith("A new version of SpacetimeDB is available: v2.99.0 (current: v")
    assert done.stdout.startswith("cli 2.9.0")


# --- the real network ---


def test_the_real_network_resumes_and_tells_what_is_missing(web, tmp_path):
    url, publisher = web
    net = RealNet()
    with net.get(f"{url}/latest-version") as answer:
        assert b"".join(answer.chunks) == b"2.10.0\n"
    with net.get(f"{url}/latest-version", 2) as answer:
        assert (answer.start, b"".join(answer.chunks)) == (2, b"10.0\n")
    with pytest.raises(NotFound), net.get(f"{url}/nothing"):
        pass
    with pytest.raises(NetError), net.get("http://127.0.0.1:9/x"):
        pass
    with pytest.raises(NetError), net.get("ftp://127.0.0.1/x"):
        pass
    place = tmp_path / "ä b.txt"
    place.write_text("hello")
    with net.get(place.as_uri(), 1) as answer:
        assert b"".join(answer.chunks) == b"ello"
    for missing in (tmp_path / "no", tmp_path):
        with pytest.raises(NotFound), net.get(missing.as_uri()):
            pass
    assert publisher.repository.versions()[0].text == "2.10.0"
