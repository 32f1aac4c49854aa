"""Row-level rules: what a caller who is not the owner may see of a protected table.

A table with rules is, to them, the union of what each of its rules returns, duplicates included. A query
becomes one relation for every choice of one rule per protected table in it; tables inside a rule are
protected in turn, except the one that the rule is about.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .checking import check_query
from .errors import SqlForbidden, SqlPlanError
from .parsing import parse
from .relation import Column, Compare, Joined, Relation, Variable, renamed
from .restriction import query_form
from .schema import Caller, Catalog, TableDef


def visible_parts(relation: Relation, catalog: Catalog, caller: Caller) -> list[Relation]:
    """The relations whose results together are what the caller may see.

    The aliases of the given relation keep their meaning. Raises SqlPlanError if rules depend on each other
    in a circle, and whatever checking a rule with the eyes of this caller raises.
    """
    if caller.is_owner:
        return [relation]
    taken = {variable.alias for variable in relation.variables}
    return _Expansion(catalog, caller, taken).expand(relation, None, ())


def ruled_table(text: str, catalog: Catalog) -> TableDef:
    """The table that a rule protects: the one whose rows it returns.

    Raises SqlError if it is no rule. It is read with an owner's eyes; whoever it is applied to reads it with theirs.
    """
    owner = Caller(bytes(32), is_owner=True)
    _, returned = check_query(query_form(parse(text)), catalog, owner)
    if not returned.table.public:
        raise SqlForbidden(
            f"Cannot define RLS rule on private table: {returned.table.name}. "
            "Please make table public if you wish to restrict access using RLS."
        )
    return returned.table


@dataclass
class _Expansion:
    catalog: Catalog
    caller: Caller
    taken: set[str]
    _count: int = field(default=0)

    def expand(self, relation: Relation, about: TableDef | None, open_: tuple[int, ...]) -> list[Relation]:
        """`about` is the table whose rule this relation is; `open_` are the tables being expanded already."""
        references = [
            variable
            for variable in reversed(relation.variables)
            if about is None or variable.table.id != about.id
        ]
        for variable in references:
            if variable.table.id in open_:
                raise SqlPlanError(
                    "Discovered cyclic dependency when resolving RLS rules for table id "
                    f"`{variable.table.id}`"
                )
        results = [relation]
        for variable in references:
            rules = self._rules_of(variable, open_)
            if rules:
                results = [_replaced(result, variable.alias, rule) for result in results for rule in rules]
        return results

    def _rules_of(self, variable: Variable, open_: tuple[int, ...]) -> list[Relation]:
        found: list[Relation] = []
        table = variable.table
        for text in self.catalog.rules(table.id):
            rule, returned = check_query(query_form(parse(text)), self.catalog, self.caller)
            for part in self.expand(rule, table, (*open_, table.id)):
                found.append(self._named_after(part, returned.alias, variable.alias))
        return found

    def _named_after(self, part: Relation, returned: str, alias: str) -> Relation:
        """The rule under the alias that the protected table has; its other tables get names of their own."""
        self._count += 1
        names = {
            variable.alias: alias if variable.alias == returned else self._fresh(variable.alias)
            for variable in part.variables
        }
        return Relation(
            _renamed_variable(part.first, names),
            tuple(
                Joined(_renamed_variable(join.variable, names), _renamed_columns(join.on, names))
                for join in part.joins
            ),
            tuple(renamed(condition, names) for condition in part.where),
        )

    def _fresh(self, alias: str) -> str:
        name = f"{alias}_{self._count}"
        while name in self.taken:
            name += "_"
        self.taken.add(name)
        return name


def _renamed_variable(variable: Variable, names: dict[str, str]) -> Variable:
    return Variable(names[variable.alias], variable.table)


def _renamed_columns(on: tuple[Column, Column] | None, names: dict[str, str]) -> tuple[Column, Column] | None:
    if on is None:
        return None
    left, right = (Column(names[column.alias], column.position, column.type) for column in on)
    return left, right


def _replaced(relation: Relation, alias: str, rule: Relation) -> Relation:
    """The relation with one of its tables replaced by a rule's result, still left-deep."""
    if relation.first.alias == alias:
        return Relation(rule.first, rule.joins + relation.joins, rule.where + relation.where)
    at = next(i for i, join in enumerate(relation.joins) if join.variable.alias == alias)
    on = relation.joins[at].on
    matched = () if on is None else (Compare(on[0], "=", on[1], on[0].type),)
    joins = (
        *relation.joins[:at],
        Joined(rule.first, None),
        *rule.joins,
        *relation.joins[at + 1 :],
    )
    return Relation(relation.first, joins, rule.where + relation.where + matched)
