"""`ModuleDef`: what a module consists of, checked and with all names worked out.

One `ModuleDef` is one module: the root, or a library mounted as a submodule. Mappings are keyed by canonical
local names and keep the order of declaration (functions: the order of their ids). `walk` goes through the
whole tree, and the `all_*` methods gather from it what the database sees under qualified names such as
`inventory.item`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import TypeVar

from spacetimedb_lib.moduledef.functions import (
    HttpHandlerDef,
    HttpRouteDef,
    ProcedureDef,
    ReducerDef,
    ViewDef,
)
from spacetimedb_lib.moduledef.raw_common import Lifecycle
from spacetimedb_lib.moduledef.raw_v10 import RawEnvironmentVariable
from spacetimedb_lib.moduledef.rules import Edition, RawVersion
from spacetimedb_lib.moduledef.tables import Namespace, TableDef
from spacetimedb_lib.sats.types import Typespace

T = TypeVar("T")


@dataclass(frozen=True, order=True)
class TypeName:
    """The name of a type: `Scope::Name`."""

    scope: tuple[str, ...]
    name: str

    def __str__(self) -> str:
        return "::".join((*self.scope, self.name))


@dataclass(frozen=True)
class TypeDef:
    """A name for a slot of the typespace."""

    name: TypeName
    ref: int
    custom_ordering: bool


@dataclass(frozen=True)
class ModuleDef:
    """A validated module. `typespace` has the canonical names, `source_typespace` those of the source.

    `environment` is None when the module declares no need of environment variables at all.
    `warnings` are for the publisher's eyes.
    """

    namespace: Namespace
    raw_version: RawVersion
    edition: Edition
    typespace: Typespace
    source_typespace: Typespace
    types: Mapping[TypeName, TypeDef]
    tables: Mapping[str, TableDef]
    reducers: Mapping[str, ReducerDef]
    procedures: Mapping[str, ProcedureDef]
    views: Mapping[str, ViewDef]
    http_handlers: Mapping[str, HttpHandlerDef]
    http_routes: tuple[HttpRouteDef, ...]
    row_level_security: tuple[str, ...]
    submodules: Mapping[str, ModuleDef]
    environment: tuple[RawEnvironmentVariable, ...] | None
    warnings: tuple[str, ...]

    @cached_property
    def lifecycle(self) -> Mapping[Lifecycle, ReducerDef]:
        """The reducers that run at events of the database; only the root module has any."""
        return {
            reducer.lifecycle: reducer for reducer in self.reducers.values() if reducer.lifecycle is not None
        }

    def walk(self) -> Iterator[ModuleDef]:
        """This module and all below it, depth first, in the order in which ids are given."""
        yield self
        for submodule in self.submodules.values():
            yield from submodule.walk()

    def _gather(self, items: Callable[[ModuleDef], Iterable[T]]) -> tuple[T, ...]:
        return tuple(chain.from_iterable(items(module) for module in self.walk()))

    @cached_property
    def all_tables(self) -> tuple[TableDef, ...]:
        return self._gather(lambda module: module.tables.values())

    @cached_property
    def all_views(self) -> tuple[ViewDef, ...]:
        return self._gather(lambda module: module.views.values())

    @cached_property
    def all_reducers(self) -> tuple[ReducerDef, ...]:
        """All reducers; the position is the id."""
        return self._gather(lambda module: module.reducers.values())

    @cached_property
    def all_procedures(self) -> tuple[ProcedureDef, ...]:
        """All procedures; the position is the id."""
        return self._gather(lambda module: module.procedures.values())

    @cached_property
    def all_http_handlers(self) -> tuple[HttpHandlerDef, ...]:
        """All HTTP handlers; the position is the id."""
        return self._gather(lambda module: module.http_handlers.values())

    @cached_property
    def _by_name(self) -> Mapping[str, TableDef | ViewDef | ReducerDef | ProcedureDef]:
        """Tables and views by name, reducers and procedures by name after a slash: the two may overlap."""
        found: dict[str, TableDef | ViewDef | ReducerDef | ProcedureDef] = {}
        found.update((item.full_name, item) for item in self.all_tables)
        found.update((item.full_name, item) for item in self.all_views)
        found.update((f"/{item.full_name}", item) for item in self.all_reducers)
        found.update((f"/{item.full_name}", item) for item in self.all_procedures)
        return found

    def find_table(self, full_name: str) -> TableDef | None:
        """The table of this qualified canonical name, anywhere in the tree."""
        found = self._by_name.get(full_name)
        return found if isinstance(found, TableDef) else None

    def find_view(self, full_name: str) -> ViewDef | None:
        found = self._by_name.get(full_name)
        return found if isinstance(found, ViewDef) else None

    def find_reducer(self, full_name: str) -> ReducerDef | None:
        found = self._by_name.get(f"/{full_name}")
        return found if isinstance(found, ReducerDef) else None

    def find_procedure(self, full_name: str) -> ProcedureDef | None:
        found = self._by_name.get(f"/{full_name}")
        return found if isinstance(found, ProcedureDef) else None

    def module_of(self, namespace: Namespace) -> ModuleDef:
        """The module that a definition of this tree belongs to. Raises `KeyError` for a foreign namespace."""
        module = self
        for name in namespace.path[len(self.namespace.path) :]:
            module = module.submodules[name]
        return module
