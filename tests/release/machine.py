"""A machine without Python, as far as one process tree can be one; and the web server it installs from."""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

COMMANDS = (
    *(
        "awk",
        "cat",
        "chmod",
        "cp",
        "curl",
        "wget",
        "cut",
        "env",
        "getconf",
        "grep",
        "gzip",
        "ldd",
        "ls",
        "mkdir",
    ),
    *("mktemp", "rm", "sed", "sh", "sha256sum", "tar", "uname", "bash"),
)
"""All that PATH leads to."""

WAIT_SECONDS = 120.0
HIDE = 'mount=$1; shift; while [ "$1" != -- ]; do "$mount" -t tmpfs none "$1" || exit 99; shift; done; shift; exec "$@"'


class Mirror(http.server.ThreadingHTTPServer):
    """Serves a folder, which may be exchanged for another while it runs; remembers what was asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), functools.partial(_Handler))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(http.server.SimpleHTTPRequestHandler):
    server: Mirror

    def translate_path(self, path: str) -> str:
        self.server.asked.append(path)
        return str(self.server.folder / path.lstrip("/"))

    def log_message(self, *_: object) -> None:
        """The test says what matters."""


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str

    def __str__(self) -> str:
        return f"exit code {self.code}\n--- out\n{self.out}\n--- err\n{self.err}"


@dataclass
class Machine:
    """`home` has blanks and letters of other scripts in its name, and so has everything below it."""

    folder: Path
    mirror: str
    chat_module: Path
    hidden: list[str]
    server: subprocess.Popen[bytes] | None = None
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.root = self.folder / "ein Ort für 名 Ω"
        self.bin = self.folder / "commands"
        for path in (self.bin, self.folder / "home", self.folder / "tmp dir"):
            path.mkdir(parents=True)
        for name in COMMANDS:
            if found := shutil.which(name):
                (self.bin / name).symlink_to(found)
        self.environment |= {
            "PATH": str(self.bin),
            "HOME": str(self.folder / "home"),
            "TMPDIR": str(self.folder / "tmp dir"),
            "SPACETIME_UPDATE_RELEASES_URL": self.mirror,
        }

    # --- commands ---

    def run(
        self, *argv: str, given: str | None = None, expect: int | None = 0, **environment: str
    ) -> Outcome:
        """Run a command to its end; it must end with the code that is expected."""
        done = subprocess.run(
            self._argv(argv),
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            text=True,
            timeout=WAIT_SECONDS * 3,
            env=self.environment | environment,
            cwd=self.folder / "home",
            check=False,
        )
        outcome = Outcome(done.returncode, done.stdout, done.stderr)
        assert expect in (None, outcome.code), f"{argv}: {outcome}"
        return outcome

    def lacks(self, name: str) -> None:
        """Take a command away."""
        (self.bin / name).unlink()

    def install(self, *arguments: str, expect: int = 0, fetch: tuple[str, ...] = ("curl", "-sSf")) -> Outcome:
        """`curl -sSf …/install.sh | sh -s -- --yes --root-dir …`"""
        fetched = self.run(*fetch, f"{self.mirror}/install.sh").out
        options = ["--yes", "--root-dir", str(self.root), *arguments]
        return self.run("sh", "-s", "--", *options, given=fetched, expect=expect)

    def spacetime(self, *arguments: str, expect: int | None = 0, **environment: str) -> Outcome:
        return self.run(str(self.root / "spacetime"), *self._rooted(arguments), expect=expect, **environment)

    def version(self, *arguments: str, expect: int | None = 0, **environment: str) -> Outcome:
        """`spacetime version …`, spoken to the version manager itself."""
        return self.spacetime("version", *arguments, expect=expect, **environment)

    def _rooted(self, arguments: tuple[str, ...]) -> list[str]:
        return [f"--root-dir={self.root}", *arguments]

    def _argv(self, argv: tuple[str, ...]) -> list[str]:
        if not self.hidden:
            return list(argv)
        unshare, mount = shutil.which("unshare"), shutil.which("mount")
        assert unshare and mount
        return [unshare, "--mount", "/bin/sh", "-c", HIDE, "sh", mount, *self.hidden, "--", *argv]

    # --- what is there ---

    @property
    def current(self) -> str:
        return os.readlink(self.root / "bin" / "current")

    @property
    def installed(self) -> list[str]:
        return sorted(path.name for path in (self.root / "bin").iterdir() if path.name != "current")

    # --- the server ---

    def start_server(self) -> str:
        """`spacetime start`; gives the URL once it answers."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{probe.getsockname()[1]}"
        log = self.folder / "server.log"
        options = self._rooted(("start", "--listen-addr", address, "--non-interactive"))
        with log.open("ab") as output:
            self.server = subprocess.Popen(
                self._argv((str(self.root / "spacetime"), *options)),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self.environment,
                cwd=self.folder / "home",
                start_new_session=True,
            )
        give_up = time.monotonic() + WAIT_SECONDS
        while not _answers(f"http://{address}/v1/ping"):
            assert self.server.poll() is None, log.read_text(errors="replace")
            assert time.monotonic() < give_up, "the server did not answer in time"
            time.sleep(0.05)
        return f"http://{address}"

    def stop_server(self) -> int:
        """SIGTERM to the process that `spacetime start` became; its exit code."""
        if self.server is None:
            return 0
        self.server.terminate()
        try:
            code = self.server.wait(WAIT_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.server.pid, signal.SIGKILL)
            code = self.server.wait()
        self.server = None
        return code


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
