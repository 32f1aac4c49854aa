"""The process and its machine as the proxy sees them, in one object that tests replace."""

import os
import sys
import time

from spacetimedb_update.proxy.handover import PROGRAM, become, go_on_as, is_beside
from spacetimedb_update.version import VERSION


class System:
    """Arguments, environment, and the few things the proxy does to the world.

    `own_command` starts this program again; its applet is chosen by `applet.VARIABLE`.
    """

    def __init__(self, argv: list[str], env: "dict[str, str]", windows: bool) -> None:
        self.argv = argv
        self.env = env
        self.windows = windows
        self.version = VERSION

    @classmethod
    def current(cls, argv: list[str] | None = None) -> "System":
        """This process."""
        return cls(sys.argv if argv is None else argv, dict(os.environ), sys.platform == "win32")

    def working_directory(self) -> str | None:
        """None where it was deleted."""
        try:
            return os.getcwd()
        except OSError:
            return None

    def now(self) -> int:
        """Seconds since 1970."""
        return int(time.time())

    def say(self, text: str) -> None:
        """Print to standard error, as far as that takes it."""
        try:
            os.write(2, f"{text}\n".encode("utf-8", "replace"))
        except OSError:
            return  # standard error is closed: there is nobody to tell

    def shows_colors(self) -> bool:
        return os.isatty(2) and not self.env.get("NO_COLOR")

    def become(self, program: str, argv: list[str]) -> int:
        return become(program, argv)

    def is_beside(self, program: str) -> bool:
        return is_beside(program)

    def go_on_as(self, program: str, argv: list[str]) -> int:
        return go_on_as(program, argv)

    def read(self, path: str) -> str | None:
        """A small text file, None if it cannot be read."""
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except OSError:
            return None
        try:
            return os.read(descriptor, 1 << 16).decode("utf-8", "replace")
        except OSError:
            return None
        finally:
            os.close(descriptor)

    def write(self, path: str, text: str) -> bool:
        """Replace a small text file; False if that failed. No folder is made for it."""
        temporary = f"{path}.{os.getpid()}"
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
            try:
                os.write(descriptor, text.encode())
            finally:
                os.close(descriptor)
            os.replace(temporary, path)
        except OSError:
            return False
        return True

    def own_command(self) -> list[str]:
        program = sys._xoptions.get(PROGRAM)
        return [str(program)] if program else [sys.executable, "-m", "spacetimedb_update"]

    def program_folder(self) -> str:
        """Where this program lies, as its launcher tells; elsewhere what it was called by has to do."""
        program = sys._xoptions.get(PROGRAM) or os.path.realpath(self.argv[0])
        return os.path.dirname(str(program))

    def start_in_background(self, command: list[str], env: "dict[str, str]") -> None:
        """Start a process that is nobody's child and touches none of our streams; failure is no matter."""
        if self.windows:
            os.spawnve(os.P_DETACH, command[0], command, env)  # type: ignore[attr-defined,unused-ignore]
            return
        middle = os.fork()
        if middle:
            os.waitpid(middle, 0)
            return
        try:
            _leave_the_session()
            if os.fork() == 0:
                os.execve(command[0], command, env)
        finally:
            os._exit(0)


def _leave_the_session() -> None:
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    os.closerange(3, 256)
