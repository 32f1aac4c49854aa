"""From SQL text to a tree of what was written."""

from .statements import MAX_LENGTH, parse

__all__ = ["MAX_LENGTH", "parse"]
