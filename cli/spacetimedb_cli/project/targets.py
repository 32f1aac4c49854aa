"""The databases of a project: the tree of its configuration, spread out.

Every object of the tree is a target. A child takes what it does not say from its parent, except
`dev`, `generate` and `children`; and where it names a source of its own (`module-path`, `wasm-file`,
`js-file`), it takes none of the parent's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from spacetimedb_cli.errors import UserError

OWN_KEYS = ("dev", "generate", "children")
SOURCE_KEYS = ("module_path", "wasm_file", "js_file", "bin_path", "js_path")


@dataclass(frozen=True, slots=True)
class Target:
    """A database, and the server it is on (None: the default)."""

    database: str
    server: str | None


def spread(fields: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All targets, a node before its children, keys with `_` for `-`."""
    return list(_spread(fields, {}))


def databases(fields: Mapping[str, Any]) -> list[Target]:
    """The targets that name a database, each database once."""
    found: dict[str, Target] = {}
    for target in spread(fields):
        if "database" in target:
            name = text_of(target, "database")
            found.setdefault(name, Target(name, text_of(target, "server") if "server" in target else None))
    return list(found.values())


def text_of(target: Mapping[str, Any], key: str) -> str:
    """A value that must be a string. Raises `UserError` naming the key."""
    value = target[key]
    if not isinstance(value, str):
        raise UserError(f"Failed to convert config value for key '{key}' to type string")
    return value


def _spread(fields: Mapping[str, Any], inherited: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    own = {key.replace("-", "_"): value for key, value in fields.items()}
    has_source = any(key in own for key in SOURCE_KEYS)
    target = {key: value for key, value in inherited.items() if not (has_source and key in SOURCE_KEYS)} | {
        key: value for key, value in own.items() if key not in OWN_KEYS
    }
    yield target
    children = own.get("children", [])
    if not isinstance(children, list) or not all(isinstance(child, dict) for child in children):
        raise UserError("Failed to convert config value for key 'children' to type array of objects")
    for child in children:
        yield from _spread(child, target)
