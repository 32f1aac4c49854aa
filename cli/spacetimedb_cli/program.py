"""Which file this tool is. Nothing heavy may be imported here: `--version` must be instant."""

from __future__ import annotations

import sys
from pathlib import Path


def started_program() -> Path:
    """The file of this tool, absolute: a release's launcher says where it is, else what it was started by.

    What a launcher was called by does not tell: the proxy starts it under the name `spacetime`.
    """
    return Path(str(sys._xoptions.get("spacetime-program") or sys.argv[0])).absolute()
