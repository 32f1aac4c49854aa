"""Finding and layering the configuration files of a project.

The nearest `spacetime.json` at or above the start directory wins; its folder is the project's. Over
it are laid, if they exist: `spacetime.local.json`, `spacetime.{env}.json`, `spacetime.{env}.local.json`
(the last two only where an environment is named). A layer replaces whole values, except `children`,
which are merged one by one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spacetimedb_cli.errors import UserError

NAME = "spacetime.json"


@dataclass(frozen=True, slots=True)
class Project:
    """A project's configuration: its folder, the files read (lowest layer first), what they say."""

    directory: Path
    files: tuple[Path, ...]
    fields: dict[str, Any]


def find(start: Path, environment: str | None = None) -> Project | None:
    """The project around `start`, None outside of any. Raises `UserError` naming a file that is wrong."""
    for directory in (start, *start.parents):
        if (directory / NAME).is_file():
            return _load(directory, environment)
    return None


def _load(directory: Path, environment: str | None) -> Project:
    names = [NAME, "spacetime.local.json"]
    if environment is not None:
        names += [f"spacetime.{environment}.json", f"spacetime.{environment}.local.json"]
    files = tuple(directory / name for name in names if (directory / name).is_file())
    fields: dict[str, Any] = {}
    for file in files:
        fields = _laid_over(fields, _read(file))
    return Project(directory, files, fields)


def _read(file: Path) -> dict[str, Any]:
    """The object in a file: JSON with comments, trailing commas and bare keys (JSON5)."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"Failed to read config file {file}") from error
    try:
        value = json.loads(text)
    except ValueError:
        value = _read_json5(file, text)
    if not isinstance(value, dict):
        raise UserError(f"Failed to parse config file {file}: it must hold one object: {{ … }}")
    return value


def _read_json5(file: Path, text: str) -> Any:
    import json5

    try:
        return json5.loads(text)
    except (ValueError, RecursionError) as error:
        reason = str(error).removeprefix("<string>:")
        raise UserError(f"Failed to parse config file {file}: line {reason}") from None


def _laid_over(base: dict[str, Any], layer: dict[str, Any]) -> dict[str, Any]:
    merged = {**base, **layer}
    below, above = base.get("children"), layer.get("children")
    if isinstance(below, list) and isinstance(above, list):
        merged["children"] = [
            _laid_over(old, above[index])
            if index < len(above) and isinstance(old, dict) and isinstance(above[index], dict)
            else (above[index] if index < len(above) else old)
            for index, old in enumerate(below)
        ]
    return merged
