"""Running other programs during a build."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

LAST_LINES = 30


class BuildError(Exception):
    """The release cannot be built; the text says what is wrong and what to do."""


class Run(Protocol):
    """Runs one program to its end.

    Gives what it printed to standard output; raises `BuildError` if it fails or is not there. `env` replaces
    the environment, `more_env` adds to it.
    """

    def __call__(
        self,
        argv: Sequence[str | Path],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        more_env: Mapping[str, str] | None = None,
    ) -> str: ...


def run(
    argv: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    more_env: Mapping[str, str] | None = None,
) -> str:
    """`Run`, for real."""
    words = [str(word) for word in argv]
    try:
        done = subprocess.run(
            words,
            cwd=cwd,
            env={**(os.environ if env is None else env), **(more_env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise BuildError(f"cannot run {words[0]}: {error.strerror}; install it or put it on PATH") from error
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).splitlines()[-LAST_LINES:])
        raise BuildError(f"`{' '.join(words)}` failed with exit code {done.returncode}:\n{said}")
    return done.stdout
