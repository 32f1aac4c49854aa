"""How much of the fault injection runs: a short form with all tests, a long one for `scripts/durability-report`."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

Tally = Callable[[str, str, str], None]
"""The fixture `tally`: `tally(fault, step, result)` says that one state was tried."""
LONG = os.environ.get("STDB_DURABILITY") == "long"
long = pytest.mark.skipif(not LONG, reason="STDB_DURABILITY=long runs it: minutes")
short = pytest.mark.skipif(LONG, reason="the long form has all of it")
