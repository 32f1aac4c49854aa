"""Compiled modules of a release, made once, when it is built.

They are of the kind that is never compared with its source (unchecked hash): loading one asks for no time stamp, and
no second build differs by the minute it ran in. Installed files never change, so there is nothing to compare.
"""

from __future__ import annotations

import sys
from pathlib import Path

from scripts.releasing.commands import Run


def compile_modules(folders: list[Path], root: Path, run: Run) -> None:
    """Compile every module below `folders`; paths in tracebacks begin below `root`."""
    # one process and a fixed seed: the order in which objects are first seen is part of the result
    options: list[str | Path] = ["-q", "-f", "-j", "1", "--invalidation-mode", "unchecked-hash", "-s", root]
    run([sys.executable, "-m", "compileall", *options, *folders], more_env={"PYTHONHASHSEED": "0"})
