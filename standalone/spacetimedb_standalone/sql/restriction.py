"""From a parsed tree to a form of the language, or to what is not supported about it."""

from __future__ import annotations

from .conditions import FieldName, Translator, as_literal
from .errors import SqlUnsupported
from .forms import (
    Columns,
    Count,
    DeleteForm,
    InsertForm,
    JoinForm,
    SelectForm,
    SetForm,
    ShowForm,
    Source,
    Star,
    StatementForm,
    UpdateForm,
)
from .parsing.expression_tree import Call, Literal, LiteralKind, Name
from .parsing.tree import (
    Delete,
    FromItem,
    Insert,
    Item,
    JoinKind,
    Query,
    Select,
    SetVariable,
    ShowVariable,
    Statement,
    TableRef,
    Update,
    Values,
    Wildcard,
)


def statement_form(statement: Statement) -> StatementForm:
    """A statement of SQL. Raises SqlUnsupported."""
    match statement:
        case Query():
            return _select(statement)
        case Insert():
            return _insert(statement)
        case Update():
            return _update(statement)
        case Delete():
            return _delete(statement)
        case SetVariable():
            return _set(statement)
        case ShowVariable(words):
            return ShowForm(" ".join(word.value for word in words))
        case _:
            raise _unsupported(statement)


def query_form(statement: Statement) -> SelectForm:
    """A query of the subscription language: no LIMIT; what it may select is judged later."""
    if not isinstance(statement, Query):
        raise SqlUnsupported("Unsupported: Non-SELECT queries")
    if not statement.is_plain or statement.limit is not None:
        raise _unsupported(statement)
    if not isinstance(statement.body, Select):
        raise SqlUnsupported(f"Unsupported set operation: {statement.body}")
    if not statement.body.is_plain:
        raise SqlUnsupported(f"Unsupported SELECT: {statement.body}")
    return _block(statement.body, None)


def _unsupported(what: object) -> SqlUnsupported:
    return SqlUnsupported(f"Unsupported: {what}")


def _select(query: Query) -> SelectForm:
    limit = query.limit
    if limit is not None and not (isinstance(limit, Literal) and limit.kind is LiteralKind.NUMBER):
        raise _unsupported(query)
    if not query.is_plain:
        raise _unsupported(query)
    if not isinstance(query.body, Select):
        raise _unsupported(query)
    if not query.body.is_plain:
        raise _unsupported(query.body)
    return _block(query.body, limit)


def _block(select: Select, limit: Literal | None) -> SelectForm:
    alone = _sole_table(select)
    translator = Translator(alone)
    projection = _projection(select.projection, translator)
    source, joins = _sources(select.sources, translator)
    where = None if select.where is None else translator.condition(select.where)
    if joins and translator.met_bare_name:
        raise SqlUnsupported("Names must be qualified when using joins")
    return SelectForm(projection, source, joins, where, limit)


def _sole_table(select: Select) -> str | None:
    """The alias that bare names belong to; None where there is a join, and they are not allowed."""
    if len(select.sources) == 1 and not select.sources[0].joins:
        table = select.sources[0].table
        if isinstance(table, TableRef):
            return _source(table).alias
    return None


def _source(table: object) -> Source:
    if not isinstance(table, TableRef) or table.extra:
        raise SqlUnsupported(f"Unsupported FROM expression: {table}")
    name = table.name.value
    return Source(name, name if table.alias is None else table.alias.value)


def _sources(items: tuple[FromItem, ...], translator: Translator) -> tuple[Source, tuple[JoinForm, ...]]:
    if not items:
        raise SqlUnsupported("A FROM clause is required")
    if len(items) > 1:
        raise SqlUnsupported("Implicit joins are not supported")
    source = _source(items[0].table)
    joins: list[JoinForm] = []
    for join in items[0].joins:
        joined = _source(join.table)
        on = None if join.on is None else translator.equated(join.on)
        if join.kind is JoinKind.OTHER or (join.on is not None and on is None):
            raise SqlUnsupported("Non-inner joins are not supported")
        joins.append(JoinForm(joined, on))
    return source, tuple(joins)


def _projection(items: tuple[Wildcard | Item, ...], translator: Translator) -> Star | Columns | Count:
    if len(items) == 1:
        only = items[0]
        if isinstance(only, Wildcard):
            return Star(None if only.of is None else only.of.value)
        if isinstance(only.expr, Call):
            return _count(only)
    fields: list[tuple[FieldName, str]] = []
    for item in items:
        if isinstance(item, Wildcard):
            raise SqlUnsupported("Mixed wildcard projections are not supported")
        if not isinstance(item.expr, Name):
            raise SqlUnsupported(f"Unsupported projection expression: {item.expr}")
        field = translator.field(item.expr)
        fields.append((field, field.column if item.alias is None else item.alias.value))
    return Columns(tuple(fields))


def _count(item: Item) -> Count:
    if item.alias is None:
        raise SqlUnsupported("Aggregate expressions must have column aliases")
    call = item.expr
    if not (isinstance(call, Call) and call.name.upper() == "COUNT" and call.arguments == "*"):
        raise SqlUnsupported(f"Unsupported aggregate function: {call}")
    return Count(item.alias.value)


def _insert(insert: Insert) -> InsertForm:
    if insert.rest:
        raise _unsupported(insert)
    source = insert.source
    if not source.is_plain or source.limit is not None or not isinstance(source.body, Values):
        raise SqlUnsupported(f"Unsupported INSERT expression: {source}")
    rows = tuple(tuple(as_literal(value, "INSERT value") for value in row) for row in source.body.rows)
    return InsertForm(insert.table.value, len(insert.columns), rows)


def _update(update: Update) -> UpdateForm:
    table = update.table.table
    plain = isinstance(table, TableRef) and table.alias is None and not table.extra and not update.table.joins
    if not isinstance(table, TableRef) or not plain or update.source or update.rest:
        raise _unsupported(update)
    name = table.name.value
    changes = tuple((change.target.value, _assigned(change.value)) for change in update.assignments)
    where = None if update.where is None else Translator(name).condition(update.where)
    return UpdateForm(name, changes, where)


def _delete(delete: Delete) -> DeleteForm:
    if delete.tables or delete.using or delete.rest:
        raise _unsupported(delete)
    if len(delete.sources) != 1:
        raise SqlUnsupported("Multi-table DELETE is not supported")
    source = delete.sources[0]
    table = source.table
    if not isinstance(table, TableRef) or table.alias is not None or table.extra or source.joins:
        raise SqlUnsupported(f"Unsupported table expression in DELETE: {source}")
    name = table.name.value
    where = None if delete.where is None else Translator(name).condition(delete.where)
    return DeleteForm(name, where)


def _set(statement: SetVariable) -> SetForm:
    if statement.scope or len(statement.values) != 1:
        raise _unsupported(statement)
    return SetForm(statement.variable.value, _assigned(statement.values[0]))


def _assigned(value: object) -> Literal:
    return as_literal(value, "column/variable assignment expression")
