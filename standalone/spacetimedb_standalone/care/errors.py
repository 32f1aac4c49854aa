"""Why the care of a data directory stops."""

from __future__ import annotations


class CareError(Exception):
    """What was asked for cannot be done; nothing was changed. One sentence: the cause, and what to do."""
