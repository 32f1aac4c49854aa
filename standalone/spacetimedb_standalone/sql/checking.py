"""Looking names up and checking types: from forms to relations.

Tables are looked up as the caller may see them; a table that is hidden from them does not exist.
"""

from __future__ import annotations

from spacetimedb_lib.sats.resolve import is_bytes, is_connection_id, is_identity, is_timestamp, is_uuid
from spacetimedb_lib.sats.type_forms import type_text
from spacetimedb_lib.sats.types import BOOL, IDENTITY, STRING, AlgebraicType, Array, Kind, Primitive

from .conditions import Comparison, Condition, FieldName, Logic, Sender
from .errors import SqlTypeError, SqlUnsupported, duplicate_name, no_such_table, not_in_scope, unexpected_type
from .forms import Columns, Count, SelectForm, Source, Star
from .literals import limit_value, typed_literal
from .parsing.expression_tree import Literal, LiteralKind
from .relation import (
    Column,
    Compare,
    Constant,
    CountOf,
    Every,
    Fields,
    Joined,
    Parameter,
    Relation,
    Selection,
    Some,
    Typed,
    Variable,
    WholeRow,
    conjuncts,
)
from .schema import Caller, Catalog, TableDef, readable


def find_table(name: str, catalog: Catalog, caller: Caller) -> TableDef:
    """Raises SqlNameError if there is no such table for this caller."""
    table = catalog.table_named(name)
    if table is None or not readable(table, caller):
        raise no_such_table(name)
    return table


def check_select(form: SelectForm, catalog: Catalog, caller: Caller) -> Selection:
    """Raises SqlNameError or SqlTypeError, the first that a reader from left to right would meet."""
    scope = Scope()
    first = _variable(form.source, catalog, caller)
    scope.add(first)
    joins: list[Joined] = []
    for join in form.joins:
        if scope.knows(join.source.alias):
            raise duplicate_name(join.source.alias)
        variable = _variable(join.source, catalog, caller)
        scope.add(variable)
        joins.append(Joined(variable, None if join.on is None else _equated(scope, *join.on)))
    where = () if form.where is None else conjuncts(scope.condition(form.where))
    relation = Relation(first, tuple(joins), where)
    output = _output(form, scope, relation)
    return Selection(relation, output, None if form.limit is None else limit_value(form.limit))


def check_query(form: SelectForm, catalog: Catalog, caller: Caller) -> tuple[Relation, Variable]:
    """A query of the subscription language: it returns whole rows of one table."""
    selection = check_select(form, catalog, caller)
    if not isinstance(selection.output, WholeRow):
        raise SqlUnsupported(
            "Column projections are not supported in subscriptions; Subscriptions must return a table type"
        )
    return selection.relation, selection.output.variable


def check_filter(condition: Condition | None, alias: str, table: TableDef) -> Relation:
    """The rows that an UPDATE or DELETE speaks of."""
    scope = Scope()
    variable = Variable(alias, table)
    scope.add(variable)
    where = () if condition is None else conjuncts(scope.condition(condition))
    return Relation(variable, (), where)


def _variable(source: Source, catalog: Catalog, caller: Caller) -> Variable:
    return Variable(source.alias, find_table(source.table, catalog, caller))


def _equated(scope: Scope, left: FieldName, right: FieldName) -> tuple[Column, Column]:
    compared = scope.condition(Comparison(left, "=", right))
    assert isinstance(compared, Compare)
    assert isinstance(compared.left, Column)
    assert isinstance(compared.right, Column)
    return compared.left, compared.right


def _output(form: SelectForm, scope: Scope, relation: Relation) -> WholeRow | Fields | CountOf:
    match form.projection:
        case Star(None):
            if relation.joins:
                raise SqlUnsupported("SELECT * is not supported for joins")
            return WholeRow(relation.first)
        case Star(alias) if alias is not None:
            return WholeRow(scope.variable(alias))
        case Count(name):
            return CountOf(name)
        case Columns(items):
            seen: set[str] = set()
            columns: list[tuple[Column, str]] = []
            for field, name in items:
                if name in seen:
                    raise duplicate_name(name)
                seen.add(name)
                columns.append((scope.column(field), name))
            return Fields(tuple(columns))
    raise AssertionError(form.projection)


class Scope:
    """The tables that names may refer to at some place of a statement."""

    def __init__(self) -> None:
        self._variables: dict[str, Variable] = {}

    def add(self, variable: Variable) -> None:
        self._variables[variable.alias] = variable

    def knows(self, alias: str) -> bool:
        return alias in self._variables

    def variable(self, alias: str) -> Variable:
        if alias not in self._variables:
            raise not_in_scope(alias)
        return self._variables[alias]

    def column(self, field: FieldName) -> Column:
        # A bare name reaches this only where there is exactly one table: forms qualify or refuse it.
        assert field.table is not None
        table = self.variable(field.table).table
        position = table.position_of(field.column)
        if position is None:
            raise not_in_scope(field.column)
        return Column(field.table, position, table.columns[position].type)

    def condition(self, condition: Condition) -> Typed:
        """A condition that must be true or false."""
        return self._typed(condition, BOOL)[0]

    def _typed(self, condition: Condition, wanted: AlgebraicType | None) -> tuple[Typed, AlgebraicType]:
        match condition:
            case Literal():
                return self._literal(condition, wanted)
            case Sender():
                return self._sender(wanted)
            case FieldName():
                column = self.column(condition)
                _agree(column.type, wanted)
                return column, column.type
            case Logic(op, operands):
                _agree(BOOL, wanted)
                parts = tuple(self.condition(operand) for operand in operands)
                return (Every(parts) if op == "AND" else Some(parts)), BOOL
            case Comparison():
                _agree(BOOL, wanted)
                return self._comparison(condition), BOOL

    def _literal(self, literal: Literal, wanted: AlgebraicType | None) -> tuple[Constant, AlgebraicType]:
        if wanted is None:
            if literal.kind is not LiteralKind.BOOL:
                raise SqlTypeError("Cannot resolve type for literal expression")
            wanted = BOOL
        return Constant(wanted, typed_literal(literal, wanted)), wanted

    def _sender(self, wanted: AlgebraicType | None) -> tuple[Constant, AlgebraicType]:
        if wanted is not None and is_bytes(wanted):
            return Constant(wanted, Parameter.SENDER_BYTES), wanted
        _agree(IDENTITY, wanted)
        return Constant(IDENTITY, Parameter.SENDER_IDENTITY), IDENTITY

    def _comparison(self, comparison: Comparison) -> Compare:
        if isinstance(comparison.left, Literal | Sender):
            right, type_ = self._typed(comparison.right, None)
            left, _ = self._typed(comparison.left, type_)
        else:
            left, type_ = self._typed(comparison.left, None)
            right, _ = self._typed(comparison.right, type_)
        if not comparable(type_):
            raise SqlTypeError(f"Invalid binary operator `{comparison.op}` for type `{type_text(type_)}`")
        return Compare(left, comparison.op, right, type_)


def _agree(found: AlgebraicType, wanted: AlgebraicType | None) -> None:
    if wanted is not None and found != wanted:
        raise unexpected_type(type_text(found), type_text(wanted))


def comparable(type_: AlgebraicType) -> bool:
    """Whether values of the type have an order that conditions may use."""
    if isinstance(type_, Primitive):
        return type_ == STRING or type_.kind >= Kind.BOOL
    if isinstance(type_, Array):
        return is_bytes(type_)
    return is_identity(type_) or is_connection_id(type_) or is_timestamp(type_) or is_uuid(type_)
