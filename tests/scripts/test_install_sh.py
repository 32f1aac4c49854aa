"""`install.sh`, run by a real shell against a real web server, with releases that only pretend.

The pretended archive holds a `spacetimedb-update` that writes down how it was called. Machines that cannot be had are
pretended as well: by other commands `uname`, `getconf` and `ldd`.
"""

import functools
import hashlib
import http.server
import io
import os
import shutil
import subprocess
import tarfile
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "install.sh"
TARGET = "x86_64-unknown-linux-gnu"
NAME = f"spacetime-{TARGET}.tar.gz"
TOOLS = ("awk", "cat", "cp", "cut", "gzip", "mkdir", "mktemp", "rm", "sed", "sha256sum", "tar")
PROGRAM = """#!/bin/sh
{ echo "$SPACETIMEDB_UPDATE_MULTICALL_APPLET"; echo "$SPACETIME_DOWNLOAD_ROOT"; printf '%s\\n' "$@"; } >"$WRITE_TO"
[ -f "$4" ] || exit 70
exit ${EXIT_WITH:-0}
"""
SHELLS = [name for name in ("dash", "sh", "bash") if shutil.which(name)]

pytestmark = pytest.mark.skipif(os.name == "nt", reason="a script for Unix shells")


def archive(runs: bool = True) -> bytes:
    """A release that writes down its arguments; one that does not run at all if not `runs`."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        python = "#!/bin/sh\n" if runs else "#!/bin/sh\necho Permission denied >&2; exit 126\n"
        for name, text in (("runtime/python", python), ("spacetimedb-update", PROGRAM)):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text), 0o755
            tar.addfile(entry, io.BytesIO(text.encode()))
    return packed.getvalue()


@dataclass
class Machine:
    """A folder of commands that is all of PATH, and a repository behind a web server."""

    folder: Path
    url: str
    repository: Path
    lines: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    shell: str = "sh"

    @property
    def bin(self) -> Path:
        return self.folder / "commands"

    def has(self, *names: str) -> None:
        for name in names:
            found = shutil.which(name)
            if found is None:
                pytest.skip(f"there is no {name} here")
            (self.bin / name).symlink_to(found)

    def pretends(self, name: str, text: str) -> None:
        (self.bin / name).unlink(missing_ok=True)
        (self.bin / name).write_text(f"#!/bin/sh\n{text}\n")
        (self.bin / name).chmod(0o755)

    def publishes(
        self, version: str, data: bytes | None = None, *, glibc: str = "2.31", sha: str = ""
    ) -> None:
        data = archive() if data is None else data
        place = self.repository / "targets" / version / NAME
        place.parent.mkdir(parents=True)
        place.write_bytes(data)
        self.lines.append(f"{version} {TARGET} {sha or hashlib.sha256(data).hexdigest()} {glibc}")

    def installs(self, *arguments: str) -> "Outcome":
        """`curl … | sh -s -- arguments`, with the script as its repository would publish it."""
        script = SCRIPT.read_text()
        if self.lines:
            script = script.replace("@RELEASES@", "\n".join(self.lines)).replace("@BASE@", self.url)
        calls = self.folder / "calls"
        calls.unlink(missing_ok=True)
        temporary = self.folder / "it's temporary"
        temporary.mkdir(exist_ok=True)
        done = subprocess.run(
            [str(self.bin / self.shell), "-s", "--", *arguments],
            input=script,
            capture_output=True,
            text=True,
            timeout=60,
            env={
                "PATH": str(self.bin),
                "TMPDIR": str(temporary),
                "WRITE_TO": str(calls),
                **self.environment,
            },
            start_new_session=True,  # no terminal to ask on
            check=False,
        )
        assert list(temporary.iterdir()) == [], "nothing may be left behind"
        return Outcome(
            done.returncode,
            done.stdout,
            done.stderr,
            calls.read_text().splitlines() if calls.exists() else None,
        )


@dataclass
class Outcome:
    """How the script ended; `called` is the applet, the base URL and the arguments that the installer was given."""

    code: int
    out: str
    err: str
    called: list[str] | None

    def refuses(self, text: str) -> None:
        assert self.code == 1
        assert text in self.err
        assert self.err.splitlines()[-1].startswith("Error: ")
        assert self.called is None, "the installer must not have run"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def machine(tmp_path):
    repository = tmp_path / "repository"
    repository.mkdir()
    handler = functools.partial(Quiet, directory=str(repository))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        pretended = Machine(tmp_path, f"http://127.0.0.1:{server.server_port}", repository)
        pretended.bin.mkdir()
        pretended.has(*TOOLS, *SHELLS)
        pretended.pretends("uname", "case $1 in -s) echo Linux ;; *) echo x86_64 ;; esac")
        pretended.pretends("getconf", "case $1 in LONG_BIT) echo 64 ;; *) echo glibc 2.36 ;; esac")
        pretended.pretends("ldd", "echo 'ldd (GNU libc) 2.36'")
        yield pretended
        server.shutdown()


@pytest.fixture
def published(machine):
    machine.has("curl")
    machine.publishes("2.11.0-rc.1")
    machine.publishes("2.10.1")
    machine.publishes("2.10.0")
    return machine


@pytest.mark.parametrize("shell", SHELLS)
def test_the_newest_release_is_fetched_checked_and_its_installer_run(published, shell):
    published.shell = shell
    done = published.installs("--yes")
    assert (done.code, done.out) == (0, "")
    assert done.err == "Downloading installer...\n"
    applet, base, *arguments = done.called
    assert applet == "spacetime-install"
    assert base == published.url
    assert arguments[:3] == ["--version", "2.10.1", "--archive"]
    assert arguments[3].endswith(f"/{NAME}")
    assert arguments[4:] == ["--yes"]


@pytest.mark.parametrize("tool", ["curl", "wget"])
def test_curl_or_wget_will_do(machine, tool):
    machine.has(tool)
    machine.publishes("2.10.0")
    assert machine.installs("-y").code == 0


@pytest.mark.parametrize("tool", ["sha256sum", "shasum", "openssl"])
def test_anything_that_computes_the_hash_will_do(published, tool):
    (published.bin / "sha256sum").unlink()
    published.has(tool)
    if tool == "shasum":
        published.has("perl")
    assert published.installs("-y").code == 0
    published.lines = [f"2.10.0 {TARGET} {'0' * 64} 2.31"]
    published.installs("-y").refuses("is not what was released")


def test_another_version_into_a_place_of_its_own(published):
    done = published.installs("--version", "2.10.0", "--root-dir", "/srv/a b/ü", "--modify-path", "-y")
    assert done.called[2:4] == ["--version", "2.10.0"]
    assert done.called[6:] == ["--root-dir", "/srv/a b/ü", "--modify-path", "--yes"]
    assert published.installs("--version=2.11.0-rc.1", "--root-dir=x", "-y").called[3] == "2.11.0-rc.1"


def test_the_installers_exit_code_is_the_scripts(published):
    published.environment["EXIT_WITH"] = "7"
    assert published.installs("--yes").code == 7


@pytest.mark.parametrize("variable", ["SPACETIME_DOWNLOAD_ROOT", "SPACETIME_UPDATE_RELEASES_URL"])
@pytest.mark.parametrize("form", ["{}", "{}/", "{},http://127.0.0.1:1"])
def test_a_mirror(published, variable, form):
    mirror, published.url = published.url, "http://127.0.0.1:1"
    published.environment[variable] = form.format(mirror)
    assert published.installs("--yes").code == 0


def test_a_folder_is_a_mirror_and_needs_no_network_tool(machine):
    machine.publishes("2.10.0")
    machine.environment["SPACETIME_DOWNLOAD_ROOT"] = str(machine.repository)
    assert machine.installs("--yes").code == 0


@pytest.mark.parametrize("name", ["with a blank", "a,b"])
def test_a_folder_may_be_called_anything(machine, name):
    machine.publishes("2.10.0")
    machine.repository = machine.repository.rename(machine.repository.with_name(name))
    machine.environment["SPACETIME_DOWNLOAD_ROOT"] = str(machine.repository)
    assert machine.installs("-y").code == 0


@pytest.mark.parametrize("between", [",", " ", ", "])
def test_the_first_of_several_mirrors(published, between):
    published.environment["SPACETIME_DOWNLOAD_ROOT"] = f"{published.url}{between}http://other.test"
    assert published.installs("-y").code == 0


def test_what_was_not_released_is_not_unpacked(machine):
    machine.has("curl")
    machine.publishes("2.10.0", sha="f" * 64)
    (machine.bin / "tar").unlink()
    machine.pretends("tar", "echo unpacked >&2; exit 1")
    done = machine.installs("--yes")
    done.refuses("nothing was installed; try another mirror")
    assert "unpacked" not in done.err


def test_a_truncated_download(published):
    place = published.repository / "targets/2.10.1" / NAME
    place.write_bytes(place.read_bytes()[:-9])
    published.installs("--yes").refuses("is not what was released")


def test_a_missing_archive(published):
    shutil.rmtree(published.repository / "targets")
    published.installs("--yes").refuses(
        "could not be downloaded: check the network, or let SPACETIME_DOWNLOAD_ROOT"
    )


def test_a_version_that_was_never_released(published):
    published.installs("--version", "9.9.9", "-y").refuses(
        f"there is no release 9.9.9 for {TARGET}; there are: 2.11.0-rc.1 2.10.1 2.10.0"
    )


def test_a_disk_that_allows_no_programs(machine):
    machine.has("curl")
    machine.publishes("2.10.0", archive(runs=False))
    machine.installs("--yes").refuses("let TMPDIR name a folder on a disk that allows programs")


def test_without_a_terminal_nobody_can_answer(published):
    published.installs().refuses("there is no terminal to ask on: run this again with --yes")


def test_a_copy_of_the_script_that_was_not_published(machine):
    machine.has("curl")
    machine.installs("--yes").refuses("take the one that a release repository publishes")


@pytest.mark.parametrize(
    ("system", "processor", "message"),
    [
        ("Linux", "i686", "no releases for 32-bit systems (i686)"),
        ("Linux", "armv7l", "no releases for 32-bit systems (armv7l)"),
        ("Linux", "riscv64", "no releases for riscv64 processors"),
        ("FreeBSD", "amd64", "no releases for FreeBSD"),
        ("MINGW64_NT-10.0", "x86_64", "run install.ps1 in PowerShell"),
        ("Linux", "aarch64", "no releases for aarch64-unknown-linux-gnu"),
        ("Darwin", "x86_64", "no releases for x86_64-apple-darwin"),
    ],
)
def test_machines_without_a_release(published, system, processor, message):
    published.pretends("uname", f"case $1 in -s) echo {system} ;; *) echo {processor} ;; esac")
    published.pretends("sysctl", "exit 1")
    published.installs("--yes").refuses(message)


def test_a_mac_under_rosetta_gets_the_programs_of_its_processor(published):
    published.pretends("uname", "case $1 in -s) echo Darwin ;; *) echo x86_64 ;; esac")
    published.pretends("sysctl", "echo 1")
    published.installs("--yes").refuses("no releases for aarch64-apple-darwin")


def test_32_bit_programs_on_a_64_bit_kernel(published):
    published.pretends("getconf", "echo 32")
    published.installs("--yes").refuses("this one runs 32-bit programs")


def test_musl(published):
    published.pretends("ldd", "echo 'musl libc (x86_64)' >&2; exit 1")
    published.installs("--yes").refuses("no releases for musl systems such as Alpine")


@pytest.mark.parametrize(
    ("needed", "has", "runs"),
    [
        ("2.31", "2.36", True),
        ("2.36", "2.36", True),
        ("2.9", "2.36", True),
        ("-", "2.5", True),
        ("2.37", "2.36", False),
        ("2.36", "2.9", False),
        ("3.0", "2.99", False),
    ],
)
@pytest.mark.parametrize("told_by", ["getconf", "ldd"])
def test_glibc_must_be_new_enough(machine, needed, has, runs, told_by):
    machine.has("curl")
    machine.publishes("2.10.0", glibc=needed)
    if told_by == "getconf":
        machine.pretends("getconf", f"case $1 in LONG_BIT) echo 64 ;; *) echo glibc {has} ;; esac")
    else:
        (machine.bin / "getconf").unlink()
        machine.pretends("ldd", f"echo 'ldd (Debian GLIBC {has}-9+deb12u14) {has}'")
    done = machine.installs("--yes")
    if runs:
        assert done.code == 0
    else:
        done.refuses(f"this system has glibc {has}, release 2.10.0 needs {needed} or newer")


@pytest.mark.parametrize("tool", ["tar", "mktemp", "sed"])
def test_a_missing_tool(published, tool):
    (published.bin / tool).unlink()
    published.installs("--yes").refuses(f"the command {tool} is missing: install it")


def test_no_tool_to_download_with(machine):
    machine.publishes("2.10.0")
    machine.installs("--yes").refuses("neither curl nor wget is here")


def test_no_tool_to_check_with(published):
    (published.bin / "sha256sum").unlink()
    published.installs("--yes").refuses("nothing here computes a SHA-256")


def test_help(published):
    done = published.installs("--help")
    assert done.code == 0
    assert "Usage: spacetime-install [OPTIONS]" in done.out
    assert done.called is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--quick"], "unexpected argument '--quick'"),
        (["root"], "unexpected argument 'root'"),
        (["--root-dir"], "a value is required for '--root-dir'"),
        (["--yes", "--version"], "a value is required for '--version'"),
    ],
)
def test_wrong_arguments(published, arguments, message):
    done = published.installs(*arguments)
    assert done.code == 2
    assert done.err.startswith(f"Error: {message}")
    assert done.called is None
