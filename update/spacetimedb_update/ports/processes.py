"""Other processes: is one alive, and which program does it run."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Protocol


class Processes(Protocol):
    def is_alive(self, pid: int) -> bool: ...

    def command_of(self, pid: int) -> str | None:
        """The program and arguments of a process, None where the system does not tell."""
        ...


class RealProcesses:
    def is_alive(self, pid: int) -> bool:
        if sys.platform == "win32":
            return _is_alive_on_windows(pid)
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True  # somebody else's
        return True

    def command_of(self, pid: int) -> str | None:
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            program = str(Path(f"/proc/{pid}/exe").readlink())
        except OSError:
            return None
        return " ".join([program, *(word.decode(errors="replace") for word in words if word)])


def _is_alive_on_windows(pid: int) -> bool:
    if sys.platform != "win32":
        return False
    import ctypes

    kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    handle = kernel.OpenProcess(0x1000, False, pid)  # PROCESS_QUERY_LIMITED_INFORMATION
    if not handle:
        return False
    code = ctypes.c_ulong()
    known = kernel.GetExitCodeProcess(handle, ctypes.byref(code))
    kernel.CloseHandle(handle)
    return bool(known) and code.value == 259  # STILL_ACTIVE
