"""Which file this tool is, and what its answers that must be instant have in common: they load nothing."""

# Plain strings and `os.path`: `pathlib` takes longer to load than the interpreter takes to start.
# ruff: noqa: PTH100

from __future__ import annotations

import os
import sys

PLACES = ("--root-dir", "--config-path")


def started_program() -> str:
    """The path of this tool, absolute: a release's launcher says where it is, else what it was started by.

    What a launcher was called by does not tell: the proxy starts it under the name `spacetime`.
    """
    return os.path.abspath(str(sys._xoptions.get("spacetime-program") or sys.argv[0]))


def without_places(arguments: list[str]) -> list[str]:
    """The arguments after the options that say where files are: neither help nor version depends on them.

    All of them if such an option lacks its value, which the parser will complain of.
    """
    at = 0
    while at < len(arguments):
        name, mark, _ = arguments[at].partition("=")
        if name not in PLACES:
            break
        at += 1 if mark else 2
    return arguments[at:] if at <= len(arguments) else arguments
