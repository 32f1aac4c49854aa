"""What the tests of the version manager stand on: a release repository in memory, a clock that stands still,
file operations that fail when they are told to, and the tool itself, run in this process."""

from __future__ import annotations

import io
import os
import shutil
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from spacetimedb_paths import Platform, SpacetimePaths
from spacetimedb_update.commands.app import run
from spacetimedb_update.host import Host
from spacetimedb_update.installation.site import Site
from spacetimedb_update.ports.crash_points import CrashPoints, NoCrashPoints
from spacetimedb_update.ports.files import Files, RealFiles
from spacetimedb_update.ports.machine import Machine, archive_name
from spacetimedb_update.ports.net import Answer, NetError, NotFound
from spacetimedb_update.ports.terminal import Terminal
from spacetimedb_update.publish import KeyRing, Policy, ReleasedArchive, ReleaseRepository

LINUX = "x86_64-unknown-linux-gnu"
WINDOWS = "x86_64-pc-windows-msvc"
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
BASE = "https://releases.test/stdb"
MIRROR = "https://mirror.test/stdb"


class FakeClock:
    """Stands still but for `sleep` and `advance`."""

    def __init__(self, now: datetime = NOW) -> None:
        self._now = now
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return (self._now - NOW).total_seconds()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._now += timedelta(seconds=seconds)

    def advance(self, **span: float) -> None:
        self._now += timedelta(**span)


class MemoryNet:
    """Hosts as dictionaries from URL to content.

    `down` are URL prefixes that do not answer; `cuts` is how many bytes each coming request brings before
    it breaks off (None: all of them); `whole_files_only` ignores from where a client wants to go on.
    """

    def __init__(self, files: Mapping[str, bytes] | None = None) -> None:
        self.files = dict(files or {})
        self.requests: list[tuple[str, int]] = []
        self.down: set[str] = set()
        self.cuts: list[int | None] = []
        self.whole_files_only = False

    def serve(self, base: str, files: Mapping[str, bytes]) -> None:
        self.files |= {f"{base}/{name}": data for name, data in files.items()}

    @contextmanager
    def get(self, url: str, start: int = 0) -> Iterator[Answer]:
        self.requests.append((url, start))
        if any(url.startswith(prefix) for prefix in self.down):
            raise NetError(f"{url} cannot be reached: no route to host")
        if url not in self.files:
            raise NotFound(url)
        start = 0 if self.whole_files_only else start
        cut = self.cuts.pop(0) if self.cuts else None
        yield Answer(start, self._chunks(url, self.files[url][start:], cut))

    @staticmethod
    def _chunks(url: str, data: bytes, cut: int | None) -> Iterator[bytes]:
        end = len(data) if cut is None else min(cut, len(data))
        for at in range(0, end, 1000):
            yield data[at : min(at + 1000, end)]
        if cut is not None:
            raise NetError(f"{url} broke off")

    def asked(self) -> list[str]:
        return [url.rpartition("/")[2] for url, _ in self.requests]


class QuickFiles(RealFiles):
    """The file system without waiting for the disk: no test cuts the power."""

    def sync(self, file: BinaryIO) -> None:
        file.flush()

    def sync_directory(self, path: Path) -> None:
        return None

    def begin_sync(self) -> None:
        return None


class FakeProcesses:
    """Process ids and the command each of them runs."""

    def __init__(self, commands: Mapping[int, str] | None = None) -> None:
        self.commands = dict(commands or {})

    def is_alive(self, pid: int) -> bool:
        return pid in self.commands

    def command_of(self, pid: int) -> str | None:
        return self.commands.get(pid)


# --- releases ---


def programs(version: str, windows: bool = False) -> dict[str, bytes]:
    """The three programs of a release: scripts that say who they are and what they were given."""
    suffix = ".exe" if windows else ""
    return {
        f"{name}{suffix}": f'#!/bin/sh\necho "{name} {version} as $0:" "$@"\nexit 7\n'.encode()
        for name in ("spacetimedb-update", "spacetimedb-cli", "spacetimedb-standalone")
    }


def release_files(version: str, windows: bool = False) -> dict[str, bytes]:
    """A release as unpacked, without its link."""
    return {
        **programs(version, windows),
        "cli.default.toml": b"# nothing\n",
        "config.default.toml": f"# defaults of {version}\n".encode(),
        "runtime/lib/numbers.bin": bytes(range(256)) * 12,
        "runtime/lib/text.py": f"VERSION = {version!r}\n".encode(),
    }


def tar_gz(entries: Mapping[str, bytes | tarfile.TarInfo], compress: int = 6) -> bytes:
    """A `.tar.gz`; programs are executable, a `TarInfo` is taken as it is."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=compress) as archive:
        for name, content in entries.items():
            if isinstance(content, tarfile.TarInfo):
                archive.addfile(content)
                continue
            info = tarfile.TarInfo(name)
            info.size = len(content)
            info.mode = 0o755 if content.startswith((b"#!", b"\x7fELF")) else 0o644
            archive.addfile(info, io.BytesIO(content))
    return packed.getvalue()


def link_entry(name: str, target: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = tarfile.SYMTYPE, target
    return info


def release_archive(version: str) -> bytes:
    return tar_gz(
        {**release_files(version), "runtime/lib/link": link_entry("runtime/lib/link", "numbers.bin")}
    )


@dataclass
class Publisher:
    """A release repository on the way of being filled, with throw-away keys."""

    folder: Path
    policy: Policy
    keys: KeyRing
    repository: ReleaseRepository

    @classmethod
    def create(cls, folder: Path, policy: Policy | None = None, now: datetime = NOW) -> Publisher:
        policy = policy or Policy.default()
        keys = KeyRing.create(folder / "keys", policy)
        repository = ReleaseRepository(folder / "repository", policy)
        repository.create(keys, now)
        return cls(folder, policy, keys, repository)

    def release(
        self,
        version: str,
        archive: bytes | None = None,
        target: str = LINUX,
        glibc: str | None = None,
        now: datetime = NOW,
    ) -> None:
        place = self.folder / archive_name(target)
        place.write_bytes(archive if archive is not None else release_archive(version))
        self.repository.add(version, [ReleasedArchive(place, target, glibc)], self.keys, now)

    def files(self) -> dict[str, bytes]:
        """Everything a web server would serve, by its path."""
        top = self.folder / "repository"
        return {
            path.relative_to(top).as_posix(): path.read_bytes() for path in top.rglob("*") if path.is_file()
        }

    @property
    def anchor(self) -> bytes:
        return (self.folder / "repository" / "metadata" / "1.root.json").read_bytes()


# --- the tool ---


@dataclass
class Outcome:
    """What was printed, with the commands in it as for the default installation: `told` has them as they are."""

    exit: int
    out: str
    err: str
    told: str


@dataclass
class Tool:
    """`spacetime --root-dir ROOT version …`, run in this process on a machine made up for the test."""

    root: Path
    net: MemoryNet
    anchor: bytes
    clock: FakeClock = field(default_factory=FakeClock)
    environment: dict[str, str] = field(default_factory=dict)
    files: Files = field(default_factory=QuickFiles)
    crash_points: CrashPoints = field(default_factory=NoCrashPoints)
    processes: FakeProcesses = field(default_factory=FakeProcesses)
    machine: Machine = field(default_factory=lambda: linux())
    directory: Path | None = None
    is_interactive: bool = False

    def program(self) -> Path:
        """What runs: released with the root metadata beside it."""
        folder = self.root.parent / "program"
        if not folder.exists():
            folder.mkdir(parents=True)
            (folder / "root.json").write_bytes(self.anchor)
        return folder / "spacetimedb-update"

    def __call__(self, *arguments: str, stdin: str = "") -> Outcome:
        return self.raw("--root-dir", str(self.root), "version", *arguments, stdin=stdin)

    def raw(self, *arguments: str, stdin: str = "") -> Outcome:
        out, err = io.StringIO(), io.StringIO()
        terminal = (
            _Tty(io.StringIO(stdin), out, err)
            if self.is_interactive
            else Terminal(io.StringIO(stdin), out, err)
        )
        code = run(arguments, replace(self.host, terminal=terminal))
        told = out.getvalue() + err.getvalue()
        option = f"spacetime --root-dir {self.root} "
        plain_out, plain_err = (text.getvalue().replace(option, "spacetime ") for text in (out, err))
        return Outcome(code, plain_out, plain_err.replace(str(self.root), "{root}"), told)

    @property
    def host(self) -> Host:
        return Host(
            files=self.files,
            net=self.net,
            clock=self.clock,
            processes=self.processes,
            machine=self.machine,
            terminal=Terminal(io.StringIO(), io.StringIO(), io.StringIO()),
            crash_points=self.crash_points,
            environment={"SPACETIME_UPDATE_RELEASES_URL": BASE, **self.environment},
            working_directory=self.directory or self.root.parent,
            program=self.program(),
            version="2.10.0",
        )

    @property
    def site(self) -> Site:
        return Site(SpacetimePaths.from_root_dir(self.root, self.machine.platform), self.machine.is_windows)

    @property
    def bin(self) -> Path:
        return self.root / "bin"

    def current(self) -> str | None:
        link = self.bin / "current"
        return str(link.readlink()) if link.is_symlink() else None

    def put(self, version: str, content: Mapping[str, bytes] | None = None) -> Path:
        """Place a version by hand."""
        folder = self.bin / version
        for name, data in (content or programs(version)).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
            (folder / name).chmod(0o755)
        return folder

    def has_whole(self, version: str) -> bool:
        """Is everything of a release there, byte for byte?"""
        folder = self.bin / version
        wanted = release_files(version)
        found = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file() and not path.is_symlink() and ".release" not in path.parts
        }
        runs = all(os.access(folder / name, os.X_OK) for name in programs(version))
        return found == wanted and runs and str((folder / "runtime/lib/link").readlink()) == "numbers.bin"

    def leftovers(self) -> list[str]:
        """What no finished run leaves behind."""
        update = self.root / "update"
        found = [str(path) for name in ("staging", "trash", "downloads") for path in _entries(update / name)]
        found += [str(path) for path in self.root.rglob("*.new") if ".release" not in path.parts]
        return found + ([str(update / "journal.json")] if (update / "journal.json").exists() else [])


class _Tty(Terminal):
    is_interactive = True  # type: ignore[assignment]


def _entries(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def linux(architecture: str = "x86_64", **more: object) -> Machine:
    platform = Platform("linux", {}, PurePosixPath("/home/ann"))
    return Machine(platform, architecture, **{"libc": "gnu", "libc_version": (2, 36), **more})  # type: ignore[arg-type]


def copy_root(source: Path, destination: Path) -> None:
    shutil.copytree(source, destination, symlinks=True)
