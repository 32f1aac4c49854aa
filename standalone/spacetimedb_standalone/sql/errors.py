"""What can be wrong with a statement. The texts are those that clients of the public server see."""

from __future__ import annotations


class SqlError(Exception):
    """The statement cannot be run, and its sender is told why; ``str()`` is the whole message."""


class SqlSyntaxError(SqlError):
    """The text is no SQL; `detail` says what stood where."""

    def __init__(self, detail: str) -> None:
        super().__init__(f"sql parser error: {detail}")


class SqlUnsupported(SqlError):
    """SQL, but not of the language spoken here."""


class SqlNameError(SqlError):
    """A table, column or variable that does not exist or may not be seen."""


class SqlTypeError(SqlError):
    """Operands, literals or row widths that do not fit together."""


class SqlPlanError(SqlError):
    """A sound query that is not allowed in the form it would have to run in."""


class SqlForbidden(SqlError):
    """The caller may not do this."""


class SqlConstraintError(SqlError):
    """Rows that contradict the rows already there."""


def no_such_table(name: str) -> SqlNameError:
    return SqlNameError(f"no such table: `{name}`. If the table exists, it may be marked private.")


def not_in_scope(name: str) -> SqlNameError:
    return SqlNameError(f"`{name}` is not in scope")


def duplicate_name(name: str) -> SqlNameError:
    return SqlNameError(f"Duplicate name `{name}`")


def bad_literal(text: str, type_text: str) -> SqlTypeError:
    return SqlTypeError(f"The literal expression `{text}` cannot be parsed as type `{type_text}`")


def unexpected_type(found: str, wanted: str) -> SqlTypeError:
    return SqlTypeError(f"Unexpected type: (expected) {found} != {wanted} (inferred)")
