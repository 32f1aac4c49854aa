"""The machine that a run talks to, as a value: tests pass another one."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from spacetimedb_cli.program import started_program
from spacetimedb_cli.terminal import Terminal
from spacetimedb_paths import Platform

if TYPE_CHECKING:
    import httpx


def replace_process(command: Sequence[str], argv0: str | None = None) -> NoReturn:
    """Become another program, which takes over terminal, process id and exit code.

    `argv0` is what the program shall take for its name. Windows cannot replace a process: there it
    runs as a child whose exit code is handed on. Raises `OSError` if it cannot be started.
    """
    if sys.platform == "win32":
        environment = {**os.environ}
        if argv0 is not None:
            environment["SPACETIMEDB_UPDATE_MULTICALL_APPLET"] = argv0
        with subprocess.Popen(list(command), env=environment) as child:
            while True:
                try:
                    sys.exit(child.wait())
                except KeyboardInterrupt:
                    continue  # it was sent to the child as well, which decides what it means
    os.execv(command[0], [argv0 or command[0], *command[1:]])


def open_browser(url: str) -> bool:
    """Show a page in the user's browser; False if there is none."""
    import webbrowser

    try:
        return webbrowser.open(url)
    except (webbrowser.Error, OSError):
        return False


@dataclass(frozen=True, slots=True)
class Host:
    """Everything outside the process that commands use.

    `transport` replaces the network of HTTP requests; None is the real one.
    """

    terminal: Terminal = field(default_factory=Terminal)
    platform: Platform = field(default_factory=Platform.current)
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    working_directory: Path = field(default_factory=Path.cwd)
    program: Path = field(default_factory=lambda: Path(started_program()))
    replace_process: Callable[..., NoReturn] = replace_process
    open_browser: Callable[[str], bool] = open_browser
    sleep: Callable[[float], None] = time.sleep
    transport: httpx.BaseTransport | None = None
