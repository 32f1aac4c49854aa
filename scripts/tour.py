"""The tour behind `scripts/quickstart`: a compiled module, served end to end, by the product's own commands.

Every line marked `$` is a command of the product, run as a process of its own; below it stands what it
printed. The server, its data and its configuration live in a temporary folder; nothing is left running.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

MODULE = Path(__file__).parents[1] / "templates" / "chat-rust" / "chat.wasm"
WAIT_SECONDS = 30.0
MESSAGES = ("hello from Ann", "good to see you, Ann")
QUERY = "SELECT text FROM message WHERE room = 1"


class TourError(Exception):
    """A step did not do what it should."""


class Tour:
    """One run: a root of its own, a server on a free port."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.server: subprocess.Popen[bytes] | None = None

    def command(self, *arguments: str, shown: Sequence[str] | None = None) -> str:
        """Run `spacetime ...` to its end and show both; its standard output comes back."""
        print(f"\n$ spacetime {' '.join(shown or arguments)}", flush=True)
        done = subprocess.run(
            self._argv(*arguments), capture_output=True, text=True, timeout=WAIT_SECONDS * 4, check=False
        )
        for line in done.stdout.rstrip().splitlines():
            print(f"  {line}", flush=True)
        if done.returncode:
            raise TourError(f"that ended with exit code {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def start_server(self) -> None:
        print(f"\n$ spacetime start --listen-addr 127.0.0.1:{self.port}", flush=True)
        log = (self.root / "server.log").open("ab")
        listen = f"127.0.0.1:{self.port}"
        self.server = subprocess.Popen(
            self._argv("start", "--listen-addr", listen, "--non-interactive"),
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        began = time.monotonic()
        while not self._answers():
            if self.server.poll() is not None or time.monotonic() - began > WAIT_SECONDS:
                text = (self.root / "server.log").read_text(errors="replace")
                raise TourError(f"the server did not start: {text.strip()[-2000:]}")
            time.sleep(0.05)
        print(f"  the server answers (process {self.server.pid})", flush=True)

    def kill_server(self) -> None:
        """What a power cut looks like to the processes: all of them, at once, without a word."""
        assert self.server is not None
        os.killpg(self.server.pid, signal.SIGKILL)
        self.server.wait()
        self.server = None

    def stop_server(self) -> None:
        if self.server is None:
            return
        self.server.terminate()
        try:
            self.server.wait(WAIT_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill_server()

    def _argv(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "spacetimedb_cli", f"--root-dir={self.root}", *arguments]

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/v1/ping", timeout=1) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    @contextmanager
    def watcher(self, name: str) -> Iterator[Watcher]:
        """A client of its own identity that subscribes to the messages, for as long as the block lasts."""
        query = "SELECT * FROM message"
        argv = self._argv("subscribe", "chat", query, "--anonymous", "--print-initial-update", "--no-config")
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        watcher = Watcher(name, process)
        try:
            yield watcher
        finally:
            process.terminate()
            process.wait()


class Watcher:
    """Prints each row that a subscribed client is told of, and counts them."""

    def __init__(self, name: str, process: subprocess.Popen[str]) -> None:
        self.name, self._process = name, process
        self.lines = self.rows = 0
        self._news = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def wait_for(self, *, lines: int = 0, rows: int = 0) -> None:
        with self._news:
            if not self._news.wait_for(lambda: self.lines >= lines and self.rows >= rows, WAIT_SECONDS):
                raise TourError(f"{self.name} was told of {self.rows} rows, {rows} were due")

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            rows = [row for update in json.loads(line).values() for row in update["inserts"]]
            with self._news:
                for row in rows:
                    print(f"  {self.name} sees: {row['text']!r} in room {row['room']}", flush=True)
                self.lines += 1
                self.rows += len(rows)
                self._news.notify_all()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def run(tour: Tour) -> None:
    tour.start_server()
    tour.command("server", "add", "tour", "--url", tour.url, "--default", "--no-fingerprint")
    tour.command("login", "--server-issued-login", "tour")
    path = str(MODULE.relative_to(MODULE.parents[2]))
    tour.command(
        "publish", "chat", "--bin-path", str(MODULE), "--yes", shown=("publish", "chat", "--bin-path", path)
    )
    print("\nTwo clients subscribe: SELECT * FROM message", flush=True)
    with tour.watcher("Bea") as bea, tour.watcher("Cal") as cal:
        for watcher in (bea, cal):
            watcher.wait_for(lines=1)
        for count, message in enumerate(MESSAGES, 1):
            tour.command("call", "chat", "say", "1", message)
            for watcher in (bea, cal):
                watcher.wait_for(rows=count)
    before = tour.command("sql", "chat", QUERY)
    print("\n$ kill -9 (the server, all of its processes, without warning)", flush=True)
    tour.kill_server()
    tour.start_server()
    after = tour.command("sql", "chat", QUERY)
    if before != after or not all(message in after for message in MESSAGES):
        raise TourError("the rows before and after the kill are not the same")
    print("\nEvery row is still there. Next: README.md, or templates/chat-rust for the module.", flush=True)


def main() -> int:
    root = Path(tempfile.mkdtemp(prefix="spacetime-tour-"))
    tour = Tour(root)
    began = time.monotonic()
    try:
        run(tour)
    except (TourError, subprocess.TimeoutExpired) as error:
        print(f"\nThe tour ended early: {error}", file=sys.stderr)
        return 1
    finally:
        tour.stop_server()
        shutil.rmtree(root, ignore_errors=True)
    print(f"({time.monotonic() - began:.1f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
