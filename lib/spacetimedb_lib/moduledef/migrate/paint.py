"""The two looks of a printed plan: plain text, and text with colours for a terminal."""

from __future__ import annotations

from enum import Enum
from typing import Protocol

_RESET = "\x1b[0m"
_BOLD = "\x1b[1m"


class Style(Enum):
    NO_COLOR = "NoColor"
    ANSI_COLOR = "AnsiColor"


class Paint(Enum):
    """What a span of text is; the value is its colour and whether it is bold."""

    TITLE = ("\x1b[34m", True)
    CREATED = ("\x1b[32m", True)
    REMOVED = ("\x1b[31m", True)
    CHANGED = ("\x1b[33m", True)
    NAME = ("\x1b[36m", True)
    COLUMN = ("\x1b[35m", True)
    TYPE = ("\x1b[35m", False)
    HEADER = ("\x1b[34m", True)
    ACCESS = ("\x1b[32m", False)
    SQL = ("\x1b[34m", False)
    WARNING = ("\x1b[41m", True)


class Painter(Protocol):
    def __call__(self, paint: Paint, text: str) -> str: ...


def plain(paint: Paint, text: str) -> str:
    return text


def coloured(paint: Paint, text: str) -> str:
    colour, bold = paint.value
    return f"{_RESET}{_BOLD if bold else ''}{colour}{text}{_RESET}"


PAINTERS: dict[Style, Painter] = {Style.NO_COLOR: plain, Style.ANSI_COLOR: coloured}
