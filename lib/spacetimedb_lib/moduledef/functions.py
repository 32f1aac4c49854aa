"""Validated functions of a module: reducers, procedures, views and HTTP handlers.

Ids are global: they count through the root module and then its submodules, depth first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from spacetimedb_lib.moduledef.raw_common import Lifecycle
from spacetimedb_lib.moduledef.raw_v10 import Visibility
from spacetimedb_lib.moduledef.records import Tagged
from spacetimedb_lib.moduledef.tables import ColumnDef, Namespace
from spacetimedb_lib.sats.resolve import resolve
from spacetimedb_lib.sats.types import AlgebraicType, Product, Typespace


@dataclass(frozen=True)
class _Function:
    """What all functions have."""

    namespace: Namespace
    id: int
    name: str
    accessor: str

    @property
    def full_name(self) -> str:
        """The name that callers use: `add`, `inventory.add`."""
        return self.namespace.qualify(self.name)

    @property
    def full_accessor(self) -> str:
        return self.namespace.qualify_accessor(self.accessor)


@dataclass(frozen=True)
class _Callable(_Function):
    """A function with parameters, whose types may hold references into `typespace`.

    `params` keep the names of the source, as calls with named arguments use them; `param_names` are the
    canonical ones, as generated clients show them.
    """

    params: Product
    param_names: tuple[str, ...]
    typespace: Typespace = field(repr=False, compare=False)

    @cached_property
    def resolved_params(self) -> tuple[AlgebraicType, ...]:
        """The types of the parameters with references inlined. Raises `TypeRefError` for recursive types."""
        return tuple(resolve(element.type, self.typespace) for element in self.params.elements)


@dataclass(frozen=True)
class ReducerDef(_Callable):
    visibility: Visibility
    lifecycle: Lifecycle | None


@dataclass(frozen=True)
class ProcedureDef(_Callable):
    return_type: AlgebraicType
    visibility: Visibility


@dataclass(frozen=True)
class ViewDef(_Callable):
    """A view. `id` counts the views of its kind only: anonymous ones and those that see their caller.

    `index` is the same count within the view's own module.

    `return_type` is what the module declared: `option<row>`, `Array<row>` or `(__query__: row)`, the row
    being a reference to `product_type_ref`.
    """

    index: int
    is_public: bool
    is_anonymous: bool
    return_type: AlgebraicType
    product_type_ref: int
    columns: tuple[ColumnDef, ...]
    primary_key: int | None
    returns_query: bool


@dataclass(frozen=True)
class HttpHandlerDef(_Function):
    pass


@dataclass(frozen=True)
class HttpRouteDef:
    """`method` is `Tagged("Any")` or `Tagged("Method", Tagged("Get"))`; `handler` a canonical name."""

    handler: str
    method: Tagged
    path: str
