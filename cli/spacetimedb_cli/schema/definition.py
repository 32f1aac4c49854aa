"""A module's definition as the schema route serves it, reduced to what commands need.

Both versions of the JSON (`RawModuleDefV10` and `RawModuleDefV9`) become the same `Definition`. All
names are the ones that a client uses: canonical, and with the namespace of a submodule before a dot.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from spacetimedb_cli.errors import PeerError
from spacetimedb_lib.sats.errors import SatsError
from spacetimedb_lib.sats.resolve import option_inner, query_view_row, resolve
from spacetimedb_lib.sats.type_forms import product_from_json, type_from_json, typespace_from_json
from spacetimedb_lib.sats.types import AlgebraicType, Array, Product, Typespace

FunctionKind = Literal["reducer", "procedure"]


@dataclass(frozen=True, slots=True)
class Function:
    """A reducer or procedure; the types of its parameters refer to `typespace`."""

    name: str
    kind: FunctionKind
    params: Product
    typespace: Typespace
    is_lifecycle: bool = False


@dataclass(frozen=True, slots=True)
class Entity:
    """A reducer or table as the server wrote it."""

    name: str
    kind: Literal["reducer", "table"]
    json: Any


@dataclass(frozen=True, slots=True)
class Definition:
    """`row_types` has the type of a row, without references, for every table and view."""

    functions: tuple[Function, ...]
    row_types: Mapping[str, Product]
    entities: tuple[Entity, ...]

    def function(self, name: str) -> Function | None:
        """The reducer of this name, else the procedure."""
        found = [function for function in self.functions if function.name == name]
        return min(found, key=lambda function: function.kind != "reducer", default=None)

    def named(self, kind: FunctionKind) -> list[str]:
        """The functions of a kind that can be called: not the ones that the server calls itself."""
        return [f.name for f in self.functions if f.kind == kind and not f.is_lifecycle]

    def entity(self, kind: str, name: str) -> Any | None:
        """The JSON of a reducer or table."""
        return next((e.json for e in self.entities if e.kind == kind and e.name == name), None)


def read_definition(version: int, json: Any) -> Definition:
    """Raises `PeerError` where the JSON is not what its version promises."""
    try:
        reader = _Reader()
        if version == 9:
            reader.read_v9(json)
        else:
            reader.read_v10(json, "")
    except (SatsError, AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
        raise PeerError(
            f"the server describes its module in a form this tool does not know ({error}): "
            f"`spacetime version upgrade` brings a newer one"
        ) from None
    return Definition(tuple(reader.functions), reader.row_types, tuple(reader.entities))


class _Reader:
    def __init__(self) -> None:
        self.functions: list[Function] = []
        self.row_types: dict[str, Product] = {}
        self.entities: list[Entity] = []

    def read_v10(self, json: Any, namespace: str) -> None:
        sections: dict[str, Any] = {}
        for section in json["sections"]:
            ((kind, content),) = section.items()
            sections.setdefault(kind, content)
        typespace = typespace_from_json(sections.get("Typespace", {"types": []}))
        canonical = dict(_explicit_names(sections.get("ExplicitNames", {"entries": []})))
        called_by_server = {entry["function_name"] for entry in sections.get("LifeCycleReducers", [])}

        def name_of(kind: str, source: str) -> str:
            return namespace + canonical.get((kind, source), source)

        for table in sections.get("Tables", []):
            name = name_of("Table", table["source_name"])
            self._add_table(name, table, table["product_type_ref"], typespace)
        for view in sections.get("Views", []):
            rows = _rows_of_view(type_from_json(view["return_type"]), typespace)
            if rows is not None:
                self.row_types[name_of("Function", view["source_name"])] = rows
        for reducer in sections.get("Reducers", []):
            name = name_of("Function", reducer["source_name"])
            is_lifecycle = bool({name, reducer["source_name"]} & called_by_server)
            self._add_function(name, "reducer", reducer, typespace, is_lifecycle)
        for procedure in sections.get("Procedures", []):
            name = name_of("Function", procedure["source_name"])
            self._add_function(name, "procedure", procedure, typespace)
        for submodule in sections.get("Submodules", []):
            self.read_v10(submodule["module"], f"{namespace}{submodule['namespace']}.")

    def read_v9(self, json: Any) -> None:
        typespace = typespace_from_json(json["typespace"])
        for table in json["tables"]:
            self._add_table(table["name"], table, table["product_type_ref"], typespace)
        for reducer in json["reducers"]:
            self._add_function(reducer["name"], "reducer", reducer, typespace, "some" in reducer["lifecycle"])
        for export in json.get("misc_exports", []):
            ((kind, content),) = export.items()
            if kind == "Procedure":
                self._add_function(content["name"], "procedure", content, typespace)
            elif kind == "View":
                rows = _rows_of_view(type_from_json(content["return_type"]), typespace)
                if rows is not None:
                    self.row_types[content["name"]] = rows

    def _add_table(self, name: str, json: Any, type_ref: int, typespace: Typespace) -> None:
        self.entities.append(Entity(name, "table", json))
        row_type = resolve(typespace[type_ref], typespace)
        if isinstance(row_type, Product):
            self.row_types[name] = row_type

    def _add_function(
        self, name: str, kind: FunctionKind, json: Any, typespace: Typespace, is_lifecycle: bool = False
    ) -> None:
        params = product_from_json(json["params"])
        self.functions.append(Function(name, kind, params, typespace, is_lifecycle))
        if kind == "reducer":
            self.entities.append(Entity(name, "reducer", json))


def _explicit_names(section: Any) -> Iterator[tuple[tuple[str, str], str]]:
    for entry in section["entries"]:
        ((kind, mapping),) = entry.items()
        yield (kind, mapping["source_name"]), mapping["canonical_name"]


def _rows_of_view(returned: AlgebraicType, typespace: Typespace) -> Product | None:
    """The row type of a view, which returns many rows, at most one, or a query."""
    if isinstance(returned, Array):
        row = returned.element
    else:
        row = query_view_row(returned) or option_inner(returned) or returned
    resolved = resolve(row, typespace)
    return resolved if isinstance(resolved, Product) else None
