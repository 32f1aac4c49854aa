"""Parts of module definitions, as JSON."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def named(name: str, type_: Json) -> Json:
    """An element of a product, a variant of a sum."""
    return {"name": {"some": name}, "algebraic_type": type_}


def table(name: str, type_ref: int, **changes: Any) -> Json:
    """A public table without keys, but for `changes`."""
    plain: Json = {
        "source_name": name,
        "product_type_ref": type_ref,
        "primary_key": [],
        "indexes": [],
        "constraints": [],
        "sequences": [],
        "table_type": {"User": []},
        "table_access": {"Public": []},
        "default_values": [],
        "is_event": False,
    }
    return plain | changes
