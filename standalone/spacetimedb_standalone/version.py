"""The version this server reports, everywhere it reports one."""

from __future__ import annotations

from typing import Final

VERSION: Final = "2.10.0"
"""The same as the distribution's; a version that data directories are stamped with."""
