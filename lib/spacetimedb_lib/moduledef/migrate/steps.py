"""What an automatic migration consists of: steps in the order in which they are carried out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, TypeAlias

from spacetimedb_lib.moduledef.definition import ModuleDef
from spacetimedb_lib.moduledef.functions import ViewDef
from spacetimedb_lib.moduledef.rules import RawVersion
from spacetimedb_lib.moduledef.tables import (
    ROOT,
    IndexDef,
    Namespace,
    ScheduleDef,
    SequenceDef,
    TableDef,
    UniqueConstraintDef,
)
from spacetimedb_lib.sats.layout import saturate

_MAX_SEQUENCE = (1 << 127) - 1

Definition: TypeAlias = TableDef | ViewDef | IndexDef | UniqueConstraintDef | SequenceDef | ScheduleDef


class StepKind(Enum):
    """The kinds of steps, in their order: what is removed goes before what is added."""

    REMOVE_INDEX = "RemoveIndex"
    REMOVE_CONSTRAINT = "RemoveConstraint"
    REMOVE_SEQUENCE = "RemoveSequence"
    REMOVE_SCHEDULE = "RemoveSchedule"
    REMOVE_VIEW = "RemoveView"
    REMOVE_ROW_LEVEL_SECURITY = "RemoveRowLevelSecurity"
    REMOVE_TABLE = "RemoveTable"
    CHANGE_COLUMNS = "ChangeColumns"
    RESCHEMA_EVENT_TABLE = "ReschemaEventTable"
    ADD_COLUMNS = "AddColumns"
    CHANGE_INDEX_SOURCE_NAME = "ChangeIndexSourceName"
    CHANGE_TABLE_ACCESSOR_NAME = "ChangeTableAccessorName"
    CHANGE_OUTBOX = "ChangeOutbox"
    CHANGE_COLUMN_ACCESSOR_NAME = "ChangeColumnAccessorName"
    ADD_TABLE = "AddTable"
    ADD_INDEX = "AddIndex"
    ADD_CONSTRAINT = "AddConstraint"
    ADD_SEQUENCE = "AddSequence"
    ADD_SCHEDULE = "AddSchedule"
    ADD_VIEW = "AddView"
    ADD_ROW_LEVEL_SECURITY = "AddRowLevelSecurity"
    CHANGE_ACCESS = "ChangeAccess"
    CHANGE_PRIMARY_KEY = "ChangePrimaryKey"
    UPDATE_VIEW = "UpdateView"
    DISCONNECT_ALL_USERS = "DisconnectAllUsers"


_RANK = {kind: rank for rank, kind in enumerate(StepKind)}


@dataclass(frozen=True)
class Step:
    """One step. What it is about depends on its kind:

    `old` and `new` are the definitions before and after, None where there is none: of a table, view, index,
    constraint, sequence or schedule. `table` is the table that an index, constraint, sequence or schedule
    belongs to, as it is before a removal and after an addition. `column` is the canonical name of the column
    whose accessor changes. For row level security `name` is the SQL text.
    """

    kind: StepKind
    name: str = ""
    namespace: Namespace = ROOT
    old: Definition | None = None
    new: Definition | None = None
    table: TableDef | None = None
    column: str | None = None

    @property
    def full_name(self) -> str:
        """The name that the database knows, `inventory.item`, or the SQL text."""
        return self.namespace.qualify(self.name)

    @property
    def rank(self) -> tuple[int, tuple[str, ...], str, str]:
        """Steps are carried out in this order."""
        return _RANK[self.kind], self.namespace.path, self.name, self.column or ""


@dataclass(frozen=True)
class Precheck:
    """To make sure of before the first step: no row of `table` has a number that `sequence` may give."""

    table: TableDef
    sequence: SequenceDef

    kind: ClassVar[str] = "CheckAddSequenceRangeValid"

    @property
    def full_name(self) -> str:
        return self.sequence.full_name

    @property
    def taken_range(self) -> tuple[int, int]:
        """The lowest and the highest number that no row may have in the sequence's column."""
        type_ = self.table.columns[self.sequence.column].type
        low = 1 if self.sequence.min_value is None else self.sequence.min_value
        high = _MAX_SEQUENCE if self.sequence.max_value is None else self.sequence.max_value
        return saturate(type_, low), saturate(type_, high)


@dataclass(frozen=True)
class Plan:
    """How to get a database from `old` to `new`; steps and prechecks are in order."""

    old: ModuleDef
    new: ModuleDef
    steps: tuple[Step, ...]
    prechecks: tuple[Precheck, ...]

    @property
    def breaks_clients(self) -> bool:
        """Clients that know the old definition cannot go on; they are disconnected."""
        return any(step.kind is StepKind.DISCONNECT_ALL_USERS for step in self.steps)

    @property
    def major_version_upgrade(self) -> bool:
        """The old module was built with libraries of 1.x or earlier, the new one was not."""
        return (self.old.raw_version, self.new.raw_version) == (RawVersion.V9_OR_EARLIER, RawVersion.V10)
