"""What one run of `publish` shall do: the project's targets with the command line laid over them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

from spacetimedb_cli.errors import UserError
from spacetimedb_cli.project.files import Project
from spacetimedb_cli.project.targets import spread, text_of

HostType = Literal["Wasm", "Js"]
ClearMode = Literal["always", "on-conflict", "never"]

TEXTS = (
    "database",
    "server",
    "module_path",
    "wasm_file",
    "js_file",
    "build_options",
    "parent",
    "organization",
)
FLAGS = ("break_clients", "anon_identity", "native_aot")
OTHERS = ("num_replicas", "dotnet_version")
KNOWN_KEYS = (*TEXTS, *FLAGS, *OTHERS)
RENAMED = {"bin_path": "wasm-file", "js_path": "js-file", "anonymous": "anon-identity"}
SOURCES = ("module_path", "wasm_file", "js_file")
# What belongs to one module: with several targets these cannot be meant for all of them.
MODULE_OPTIONS = {
    "module_path": "--module-path",
    "build_options": "--build-options",
    "wasm_file": "--bin-path",
    "js_file": "--js-path",
    "num_replicas": "--num-replicas",
    "native_aot": "--native-aot",
    "dotnet_version": "--dotnet-version",
}


@dataclass(frozen=True, slots=True)
class Source:
    """A built program, or (without one) the folder of a module."""

    program: Path | None
    host_type: HostType
    folder: Path


@dataclass(frozen=True, slots=True)
class PublishRequest:
    """One database to create or update. A name with a slash is `parent/child`."""

    database: str | None
    server: str | None
    source: Source
    anonymous: bool = False
    break_clients: bool = False
    num_replicas: int | None = None
    parent: str | None = None
    organization: str | None = None


def without_project(given: Mapping[str, Any], working_directory: Path) -> PublishRequest:
    """The request that the command line alone describes; `given` holds what it says, by config key."""
    return _request(given, working_directory / "spacetimedb", working_directory)


def of_project(project: Project, given: Mapping[str, Any], working_directory: Path) -> list[PublishRequest]:
    """The requests that a project describes, as far as the name on the command line selects them.

    Raises `UserError` for keys or values that are wrong, and for a name that no target has.
    """
    targets = spread(project.fields)
    name = given.get("database")
    chosen = [target for target in targets if name is None or _matches(target, name)]
    if not chosen:
        if len(targets) > 1:
            known = ", ".join(text_of(target, "database") for target in targets if "database" in target)
            raise UserError(f"No database target matches '{name}'. Available databases: {known}")
        chosen = targets
    specific = [option for key, option in MODULE_OPTIONS.items() if key in given]
    if len(chosen) > 1 and specific:
        raise UserError(
            f"Cannot use module-specific arguments ({', '.join(specific)}) when publishing to multiple "
            f"targets. Please specify the database name or identity to select a single target, or remove "
            f"these arguments."
        )
    return [_of_target(project, target, given, working_directory) for target in chosen]


def _of_target(
    project: Project, target: Mapping[str, Any], given: Mapping[str, Any], working_directory: Path
) -> PublishRequest:
    _check(target)
    if any(key in given for key in SOURCES):
        target = {key: value for key, value in target.items() if key not in SOURCES}
    merged = {**target, **given}
    if "database" in target and _is_pattern(merged["database"]):
        merged["database"] = target["database"]  # a pattern selects, it is nobody's name
    if "database" not in merged:
        raise UserError("Required key 'database' is missing from the config file or CLI")
    request = _request(merged, project.directory / "spacetimedb", working_directory)
    if "module_path" in target:
        folder = project.directory / text_of(target, "module_path")
        return replace(request, source=replace(request.source, folder=folder))
    return request


def _request(fields: Mapping[str, Any], default_folder: Path, working_directory: Path) -> PublishRequest:
    if not default_folder.is_dir():
        default_folder = default_folder.parent
    folder = Path(fields["module_path"]) if "module_path" in fields else default_folder
    wasm, js = fields.get("wasm_file"), fields.get("js_file")
    program = wasm if wasm is not None else js
    return PublishRequest(
        database=fields.get("database"),
        server=fields.get("server"),
        source=Source(
            None if program is None else Path(program),
            "Js" if wasm is None and js is not None else "Wasm",
            working_directory / folder,
        ),
        anonymous=bool(fields.get("anon_identity")),
        break_clients=bool(fields.get("break_clients")),
        num_replicas=fields.get("num_replicas"),
        parent=fields.get("parent"),
        organization=fields.get("organization"),
    )


def _check(target: Mapping[str, Any]) -> None:
    for key, value in target.items():
        if key not in KNOWN_KEYS:
            hint = f" (write `{RENAMED[key]}` for it)" if key in RENAMED else ""
            raise UserError(
                f"Config key '{key}' is not supported in the config file{hint}. "
                f"Available keys: {', '.join(KNOWN_KEYS)}"
            )
        if key in TEXTS or key == "dotnet_version":
            text_of(target, key)
        elif key in FLAGS and not isinstance(value, bool):
            raise UserError(f"Failed to convert config value for key '{key}' to type bool")
        elif key == "num_replicas" and not (type(value) is int and 0 <= value <= 255):
            raise UserError(f"Failed to convert config value for key '{key}' to type u8")


def _matches(target: Mapping[str, Any], name: str) -> bool:
    return "database" in target and fnmatchcase(text_of(target, "database"), name)


def _is_pattern(name: str) -> bool:
    return any(character in name for character in "*?[")
