"""Which database a command means, from its positional arguments and the project around it.

With one database in the project its name may be left out; with several it may not. Without a project
the first argument is the database.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from spacetimedb_cli.errors import UserError
from spacetimedb_cli.project.files import find
from spacetimedb_cli.project.targets import Target, databases

LEGACY = "(or --no-config for legacy behavior)"
USAGES = {
    "call": f"spacetime call [database] <function_name> <arguments>... {LEGACY}",
    "subscribe": f"spacetime subscribe [database] <query> [query...] {LEGACY}",
    "sql": "spacetime sql [database] <query> [--no-config]",
    "sql --interactive": "spacetime sql [database] --interactive [--no-config]",
    "describe": "spacetime describe [database] [entity_type entity_name] --json [--no-config]",
    "logs": "spacetime logs [database] [--no-config]",
    "delete": "spacetime delete [database] [--no-config]",
    "lock": "spacetime lock [database] [--no-config]",
    "unlock": "spacetime unlock [database] [--no-config]",
}


class MissingArgument(UserError):
    """An argument that could have been left out elsewhere."""

    def __init__(self, argument: str, command: str):
        super().__init__(
            f"the following required arguments were not provided:\n  <{argument}>\n\nUsage: {USAGES[command]}"
        )


def project_databases(start: Path, no_config: bool) -> list[Target]:
    """The databases of the project around `start`; none where configuration is to be ignored."""
    project = None if no_config else find(start)
    return [] if project is None else databases(project.fields)


def the_database(command: str, targets: Sequence[Target], name: str | None) -> Target:
    """For commands whose only argument is the database. An unknown name is taken as it is."""
    if name is None:
        if len(targets) != 1:
            raise MissingArgument("database", command)
        return targets[0]
    return _known(targets, name) or Target(name, None)


def database_and_rest(
    command: str, targets: Sequence[Target], parts: Sequence[str], required: str
) -> tuple[Target, list[str]]:
    """For commands that need at least one argument (`required`) after the database."""
    target, rest = database_and_optional(command, targets, parts)
    if not rest:
        raise MissingArgument(required, command)
    return target, rest


def database_and_optional(
    command: str, targets: Sequence[Target], parts: Sequence[str]
) -> tuple[Target, list[str]]:
    """For commands whose arguments after the database may all be left out."""
    if len(targets) == 1:
        (target,) = targets
        return target, list(parts[1:] if parts and parts[0] == target.database else parts)
    if not parts:
        raise MissingArgument("database", command)
    name, *rest = parts
    if not targets:
        return Target(name, None), rest
    known = _known(targets, name)
    if known is None:
        raise UserError(
            f"Multiple databases found in config: {_names(targets)}. Please specify which database to use, "
            f"or pass --no-config to use '{name}' directly."
        )
    return known, rest


def database_and_query(targets: Sequence[Target], parts: Sequence[str]) -> tuple[Target, str]:
    """For `sql`: the words of the query are joined; a database the project does not know is fine."""
    try:
        target, words = database_and_rest("sql", targets, parts, "query")
    except UserError:
        if len(parts) >= 2:
            return Target(parts[0], None), " ".join(parts[1:])
        if len(parts) == 1 and " " in parts[0]:
            raise UserError(
                f"Multiple databases found in config: {_names(targets)}. Please specify which database to "
                f'query:\n  spacetime sql <database> "{parts[0]}"'
            ) from None
        raise
    return target, " ".join(words)


def _known(targets: Sequence[Target], name: str) -> Target | None:
    return next((target for target in targets if target.database == name), None)


def _names(targets: Sequence[Target]) -> str:
    return ", ".join(target.database for target in targets)
