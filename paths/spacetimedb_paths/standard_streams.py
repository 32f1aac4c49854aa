"""Standard input, output and error, for a program that was started without some of them.

A file that is opened later would get the number of one that is missing, and a line meant for a terminal would end up in
a database.
"""

from __future__ import annotations

import os
import sys


def fill_standard_streams() -> None:
    """Puts the null device where one of the three is closed."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: those below are not
            os.set_inheritable(opened, True)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115  # it stays open
