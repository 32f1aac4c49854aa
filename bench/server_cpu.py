"""What a server costs: CPU seconds and memory of the process tree that listens on a port, from /proc."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_LISTENING = "0A"


@dataclass(frozen=True)
class Usage:
    """Seconds of CPU, reaped children included, and resident bytes (shared pages count in each process)."""

    user: float
    system: float
    resident: int

    @property
    def total(self) -> float:
        return self.user + self.system


def is_measurable() -> bool:
    """Does this platform tell about other processes as Linux does?"""
    return (_PROC / "net/tcp").exists()


def listeners(port: int) -> list[int]:
    """Processes of this machine that listen on the TCP port; of a parent and its children, the parent."""
    inodes = _listening_inodes(port)
    found = {pid for pid in _processes() if _holds(pid, inodes)}
    below = {child for pid in found for child in process_tree([pid]) if child != pid}
    return sorted(found - below)


def process_tree(roots: list[int]) -> list[int]:
    """The processes given and everything below them."""
    children: dict[int, list[int]] = {}
    for pid in _processes():
        if fields := _stat(pid):
            children.setdefault(int(fields[1]), []).append(pid)
    found, waiting = [], list(roots)
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting += children.get(pid, [])
    return found


def usage(roots: list[int]) -> Usage:
    ticks = os.sysconf("SC_CLK_TCK")
    page = os.sysconf("SC_PAGE_SIZE")
    user = system = resident = 0
    for pid in process_tree(roots):
        if fields := _stat(pid):
            user += int(fields[11]) + int(fields[13])
            system += int(fields[12]) + int(fields[14])
            resident += int(fields[21]) * page
    return Usage(user / ticks, system / ticks, resident)


def _processes() -> list[int]:
    return [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()]


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the command, the first being the state; empty if it is gone."""
    try:
        return (_PROC / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return []


def _listening_inodes(port: int) -> set[str]:
    inodes = set()
    for table in ("tcp", "tcp6"):
        for line in (_PROC / "net" / table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == _LISTENING and int(fields[1].rsplit(":", 1)[1], 16) == port:
                inodes.add(f"socket:[{fields[9]}]")
    return inodes


def _holds(pid: int, inodes: set[str]) -> bool:
    try:
        return any(str(link.readlink()) in inodes for link in (_PROC / str(pid) / "fd").iterdir())
    except OSError:  # gone meanwhile, or another user's
        return False
