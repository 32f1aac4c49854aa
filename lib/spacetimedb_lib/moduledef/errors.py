"""What can be wrong with a module definition: always the module's fault, said in the public system's words.

Validation reports everything it finds at once. Errors are ordered by kind, in the order of `ErrorKind`, then
by what they name, and shown without duplicates.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from spacetimedb_lib.moduledef.records import VariantEnum

MAX_NAMESPACE_BYTES = 63


class ErrorKind(Enum):
    """The kinds of validation errors, in their order of rank; each with its text."""

    DuplicateName = "name `{name}` is used for multiple entities"
    DuplicateTypeName = "name `{name}` is used for multiple types"
    DuplicateLifecycle = "Multiple reducers defined for lifecycle event {lifecycle}"
    IdentifierError = "module contains invalid identifier: {error}"
    UnnamedColumn = "table `{table}` has unnamed column `{column}`, which is forbidden."
    TypeHasIncorrectOrdering = (
        "type `{type_name}` is not annotated with a custom ordering, but uses one: {bad_type}"
    )
    ColumnNotFound = "column `{column}` referenced by def {def_name} not found in table `{table}`"
    ColumnDefMalformed = (
        "table `{table}` column `{column}` type {type}"
        " does not match corresponding element at position {pos} in product type `{product_type}`"
    )
    RepeatedPrimaryKey = "table `{table}` has multiple primary key annotations"
    OneAutoInc = "Attempt to define table `{table}` column `{column}` with more than 1 auto_inc sequence"
    UniqueConstraintWithoutIndex = (
        "No index found to support unique constraint `{constraint}` for columns `{columns}`"
    )
    DirectIndexOnBadType = (
        "Direct index does not support type `{type}` in column `{column}` in index `{index}`"
    )
    DuplicateColumns = "def `{def_name}` has duplicate columns: {columns}"
    InvalidSequenceColumnType = (
        "invalid sequence column type: table `{table}` column `{column}` with type `{type}`"
        " in sequence `{sequence}`"
    )
    InvalidSequenceRange = (
        "invalid sequence range information: expected {min_value} <= {start} <= {max_value}"
        " in sequence `{sequence}`"
    )
    InvalidSequenceDefOption = (
        "sequence definition `{sequence}` specifies unsupported option `{option}`"
        " with value {value}, should be {expected}"
    )
    InvalidViewReturnType = "View {view} has invalid return type {type}"
    ViewPrimaryKeyViewNotFound = "View {view} referenced by primary key definition not found"
    RepeatedViewPrimaryKey = "View {view} has multiple primary key definitions"
    MultipleViewPrimaryKeyColumns = "View {view} has multiple primary key columns: {columns}"
    ViewPrimaryKeyColumnNotFound = "Primary key column {column} for view {view} not found"
    ViewPrimaryKeyWithParams = "View {view} has parameters and cannot have a primary key"
    ViewFloatParam = "View {view} parameter {param} has a floating point type, which is not allowed"
    InvalidProductTypeRef = "Table {table} has invalid product_type_ref &{ref}"
    InvalidTypeRef = "Type {type_name} has invalid ref: &{ref}"
    ScheduledIncorrectColumns = (
        "A scheduled table must have columns `scheduled_id: u64` and `scheduled_at: ScheduledAt`,"
        " but table `{table}` has columns {columns}"
    )
    ScheduledEventTable = "scheduled table {table} must not be an event table"
    ClientCodegenError = "error at {location}: {error}"
    MissingPrimaryKeyUniqueConstraint = (
        "table `{table}` column `{column}` is primary key but has no unique constraint"
    )
    MissingScheduledFunction = (
        "Schedule {schedule} refers to a scheduled reducer or procedure {function} that does not exist"
    )
    IncorrectScheduledFunctionParams = (
        "Scheduled {function_kind} {function} expected to have type {expected}, but has type {actual}"
    )
    TableNameReserved = "Table name is reserved for system use: {table}"
    ColumnDefaultValueMalformed = (
        "Failed to deserialize default value for table {table} column {column}: {error}"
    )
    MultipleColumnDefaultValues = "Multiple default values for table {table} column {column}"
    TableNotFound = "Table {table} not found"
    DuplicateFunctionName = "Name {name} is used for multiple reducers, procedures and/or views"
    DuplicateHttpHandlerName = "HTTP handler name {name} is used for multiple HTTP handlers"
    DuplicateHttpRoute = "HTTP route duplicates method {method} for path {path}"
    InvalidHttpRoutePath = (
        "HTTP route path `{path}` is invalid;"
        " allowed characters are ASCII lowercase letters, digits and `-_~/`"
    )
    MissingHttpHandler = "HTTP route refers to unknown HTTP handler `{handler}`"
    LifecycleWithoutReducer = "lifecycle event {lifecycle} without reducer"
    DuplicateSchedule = "table {table} is assigned in multiple schedules"
    MissingScheduleTable = "table {table} corresponding to schedule {schedule} not found"
    InvalidReducerReturnType = (
        "reducer {reducer} has invalid return type: found Result<{ok_type}, {err_type}>"
    )
    LifecycleInSubmodule = (
        "lifecycle event {lifecycle} is not permitted in submodule under namespace `{namespace}`;"
        " lifecycle reducers may only be declared in the root module"
    )
    NamespaceTooLong = (
        "submodule namespace `{namespace}` is {length} bytes, which exceeds the "
        f"{MAX_NAMESPACE_BYTES}-byte limit"
    )
    NamespaceNameConflict = (
        "name `{name}` is used for a submodule namespace and for another item of the module"
    )
    Environment = "invalid environment declaration: {error}"
    EnvironmentInSubmodule = 'submodule "{namespace}" cannot declare environment variables'
    MissingOutboxTable = "outbox table {table} not found"
    DuplicateOutbox = "table {table} is assigned in multiple outboxes"
    OutboxEventTable = "outbox table {table} must not be an event table"
    OutboxScheduledTable = "outbox table {table} must not be a scheduled table"
    OutboxMissingPrimaryKey = "outbox table {table} must have a primary key"
    OutboxInvalidPrimaryKey = "outbox table {table} must have a primary key of type u64"
    OutboxTargetColumnMissing = (
        "outbox table {table} must have exactly one non-primary-key identity target column"
    )
    OutboxArgumentColumnNotFound = "outbox table {table} has no column {column} to take an argument from"
    OutboxOnResultMustBeLocal = "outbox table {table} must name a reducer of its own module, not {reducer}"
    MissingOutboxOnResult = "outbox table {table} refers to a result reducer {reducer} that does not exist"
    IncorrectOutboxOnResultParams = (
        "result reducer {reducer} of outbox table {table} expected to have type {expected},"
        " but has type {actual}"
    )
    IndexWithoutSourceName = "an index of table `{table}` has no source name, which this format requires"
    InvalidConstraintV8 = (
        "constraint `{constraint}` of table `{table}` has an impossible set of attributes: {bits}"
    )


_RANK = {kind: rank for rank, kind in enumerate(ErrorKind)}


@dataclass(frozen=True, order=True)
class Ranked:
    """A part of an error's text that is ordered by something else than itself."""

    rank: tuple[Any, ...]
    text: str = field(compare=False)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class ValidationError:
    """One thing wrong with a definition.

    `inner` names the cause more closely for identifier and code generation errors.
    """

    kind: ErrorKind
    text: str
    inner: str | None = None
    rank: tuple[Any, ...] = ()
    """What orders errors of one kind: the parts of the text, in the order of their rank."""

    def __str__(self) -> str:
        return self.text


def invalid(kind: ErrorKind, **parts: Any) -> Invalid:
    """An exception with one error; `parts` fill its text, those that rank first come first."""
    return Invalid([validation_error(kind, **parts)])


def validation_error(kind: ErrorKind, *, inner: str | None = None, **parts: Any) -> ValidationError:
    return ValidationError(kind, kind.value.format(**parts), inner, tuple(map(_rank, parts.values())))


def _rank(part: Any) -> Any:
    return part if isinstance(part, int | Ranked | VariantEnum) else str(part)


class Invalid(Exception):
    """Part of a definition cannot be built, for these reasons; raised and collected inside validation."""

    def __init__(self, errors: Iterable[ValidationError]) -> None:
        self.errors = tuple(errors)
        super().__init__(*map(str, self.errors))


class ModuleDefError(Exception):
    """A module described itself in a way that cannot be used."""


class ModuleDefDecodeError(ModuleDefError):
    """The description is not a well-formed value of any version of the format."""


class ValidationErrors(ModuleDefError):
    """The description is well-formed but does not make sense; `errors` says all that is wrong."""

    def __init__(self, errors: Iterable[ValidationError]) -> None:
        self.errors = tuple(sorted(set(errors), key=lambda error: (_RANK[error.kind], error.rank)))
        super().__init__(error_block(self.errors))


def error_block(errors: Iterable[object]) -> str:
    """Several errors as one text, the way the public system shows them."""
    return "Errors occurred:\n" + "".join(f"{error}\n\n" for error in errors)
