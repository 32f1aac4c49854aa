"""Everything outside of the process that commands use, as one value: tests pass another one."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from spacetimedb_update.ports.clock import Clock, RealClock
from spacetimedb_update.ports.crash_points import CrashPoints, NoCrashPoints
from spacetimedb_update.ports.files import Files, RealFiles
from spacetimedb_update.ports.machine import Machine
from spacetimedb_update.ports.net import Net, RealNet
from spacetimedb_update.ports.processes import Processes, RealProcesses
from spacetimedb_update.ports.terminal import Terminal
from spacetimedb_update.version import VERSION


def own_program() -> Path:
    """The file that this process runs, its links followed: its neighbours belong to the same version.

    A released program is told by its launcher; what it was called by may be a bare name.
    """
    return Path(str(sys._xoptions.get("spacetime-program") or sys.argv[0])).resolve()


@dataclass(frozen=True)
class Host:
    """The machine that a run works on."""

    files: Files = field(default_factory=RealFiles)
    net: Net = field(default_factory=RealNet)
    clock: Clock = field(default_factory=RealClock)
    processes: Processes = field(default_factory=RealProcesses)
    machine: Machine = field(default_factory=Machine.current)
    terminal: Terminal = field(default_factory=Terminal)
    crash_points: CrashPoints = field(default_factory=NoCrashPoints)
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    working_directory: Path = field(default_factory=Path.cwd)
    program: Path = field(default_factory=own_program)
    version: str = VERSION
    pid: int = field(default_factory=os.getpid)
