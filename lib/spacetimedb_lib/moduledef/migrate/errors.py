"""Why a migration cannot be planned, in the public system's words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from spacetimedb_lib.moduledef.errors import ModuleDefError, error_block

_TEXTS = {
    "AddColumn": "Adding a column {column} to table {table} requires a default value annotation",
    "RemoveColumn": "Removing a column {column} from table {table} requires a manual migration",
    "ReorderTable": "Reordering table {table} requires a manual migration",
    "ChangeUniqueConstraint": "Changing a unique constraint {constraint} requires a manual migration",
    "ChangeTableType": (
        "Changing the table type of table {table} from {old} to {new} requires a manual migration"
    ),
    "ChangeTableEventFlag": "Changing the event flag of table {table} requires a manual migration",
    "ChangeIndexAccessor": (
        "Changing the accessor name on index {index} from {old} to {new} requires a manual migration"
    ),
    "ChangeOutboxTargetColumn": (
        "Changing the target column of outbox table {table} from {old} to {new} requires a manual migration"
    ),
    "ChangeOutboxPrimaryKey": (
        "Changing the primary key of outbox table {table} from {old} to {new} requires a manual migration"
    ),
    "AddOutbox": "Adding outbox metadata to table {table} requires a manual migration",
    "RemoveOutbox": "Removing outbox metadata from table {table} requires a manual migration",
    "UnstorableColumnType": "Column {column} of table {table} has a type that cannot be stored: {error}",
}


@dataclass(frozen=True)
class MigrationError:
    """One thing that stands in the way. `kind` is the public system's name for it."""

    kind: str
    text: str

    def __str__(self) -> str:
        return self.text


def migration_error(kind: str, **parts: Any) -> MigrationError:
    return MigrationError(kind, _TEXTS[kind].format(**parts))


class MigrationErrors(ModuleDefError):
    """The new definition cannot take the old one's place; `errors` are all the reasons."""

    def __init__(self, errors: Iterable[MigrationError]) -> None:
        self.errors = tuple(errors)
        super().__init__(error_block(self.errors))


class PlanFormatError(ModuleDefError):
    """A plan that can be carried out but not printed."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Failed to format migration plan: {reason}")


class MigrationPolicyError(ModuleDefError):
    """The publisher's policy does not allow the plan."""
