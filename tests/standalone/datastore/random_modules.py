"""Module definitions drawn at random: tables of any columns, down to none, with every kind of index and sequence."""

from __future__ import annotations

import random
from collections.abc import Iterator

from spacetimedb_lib.moduledef import ModuleDef
from tests.standalone.datastore.busy import module_of
from tests.standalone.datastore.json_modules import Json, named, table

UNIT: Json = {"Product": {"elements": []}}
BITS = {f"{sign}{bits}": bits for bits in (8, 16, 32, 64, 128, 256) for sign in "IU"}
DIRECT = ("U8", "U16", "U32", "U64")


def primitive(name: str) -> Json:
    return {name: []}


def product(**elements: Json) -> Json:
    return {"Product": {"elements": _members(elements)}}


def sum_of(**variants: Json) -> Json:
    return {"Sum": {"variants": _members(variants)}}


def _members(types: dict[str, Json]) -> list[Json]:
    return [named(name, type_) for name, type_ in types.items()]


OWN = {
    "Nothing": UNIT,
    "Plain": sum_of(A=UNIT, B=UNIT, C=UNIT),
    "Mixed": sum_of(A=UNIT, B=primitive("U32"), C=primitive("String")),
    "Pair": product(a=primitive("U8"), b=primitive("String")),
    "OfNothing": product(n={"Ref": 0}, p={"Ref": 1}),
}
"""Types of the module's own that columns may have, in the order of their slots."""
SPECIAL = (
    product(__identity__=primitive("U256")),
    product(__connection_id__=primitive("U128")),
    product(__timestamp_micros_since_unix_epoch__=primitive("I64")),
)


def random_module(choice: random.Random) -> ModuleDef:
    """One to four tables `t0`, `t1` ..."""
    rows = [_columns(choice) for _ in range(choice.randint(1, 4))]
    types = [*OWN.values(), *(product(**columns) for columns in rows)]
    names = [*OWN, *(f"T{number}" for number in range(len(rows)))]
    tables = [_table(choice, f"t{number}", len(OWN) + number, row) for number, row in enumerate(rows)]
    definitions = [
        {"source_name": {"scope": [], "source_name": name}, "ty": slot, "custom_ordering": True}
        for slot, name in enumerate(names)
    ]
    return module_of([{"Typespace": {"types": types}}, {"Types": definitions}, {"Tables": tables}])


def _columns(choice: random.Random) -> dict[str, Json]:
    return {f"c{number}": _type(choice) for number in range(choice.choice((0, 1, 1, 2, 3, 4, 6)))}


def _type(choice: random.Random, depth: int = 0) -> Json:
    kind = choice.random()
    if kind < 0.5 or depth == 2:
        return primitive(choice.choice(tuple(BITS)))
    if kind < 0.7:
        return primitive(choice.choice(("Bool", "F32", "F64", "String", "String")))
    if kind < 0.85:
        return {"Ref": choice.randrange(len(OWN))}
    if kind < 0.9:
        return {"Array": _type(choice, depth + 1)}
    if kind < 0.95:
        return sum_of(some=_type(choice, depth + 1), none=UNIT)
    return choice.choice(SPECIAL)


def _table(choice: random.Random, name: str, slot: int, columns: dict[str, Json]) -> Json:
    types = list(columns.values())
    indexes = dict(_indexes(choice, types))
    unique = {
        tuple(sorted(at)) for (kind, at) in indexes.values() if kind == "Direct" or choice.random() < 0.5
    }
    keys = [list(at) for at in sorted(unique) if len(at) == 1 and choice.random() < 0.5]
    return table(
        name,
        slot,
        primary_key=keys[0] if keys else [],
        indexes=[
            {
                "source_name": {"some": f"{name}_{accessor}_idx"},
                "accessor_name": {"some": accessor},
                "algorithm": {kind: at[0] if kind == "Direct" else list(at)},
            }
            for accessor, (kind, at) in indexes.items()
        ],
        constraints=[
            {"source_name": {"none": []}, "data": {"Unique": {"columns": list(at)}}} for at in sorted(unique)
        ],
        sequences=list(_sequences(choice, types)),
        is_event=choice.random() < 0.15,
    )


def _indexes(choice: random.Random, types: list[Json]) -> Iterator[tuple[str, tuple[str, tuple[int, ...]]]]:
    """By accessor: the algorithm, and the columns in their order."""
    seen = set()
    for number in range(choice.randint(0, min(3, len(types)))):
        kind = choice.choice(("BTree", "BTree", "Hash", "Direct"))
        at = tuple(choice.sample(range(len(types)), choice.randint(1, min(3, len(types)))))
        if kind == "Direct":
            type_ = types[at[0]]
            kind, at = (
                ("Direct", at[:1]) if next(iter(type_)) in DIRECT or type_ == {"Ref": 1} else ("BTree", at)
            )
        if (kind, at) not in seen:
            seen.add((kind, at))
            yield f"i{number}", (kind, at)


def _sequences(choice: random.Random, types: list[Json]) -> Iterator[Json]:
    """Of some of the whole numbers; often of few numbers, so that they come round."""
    for column, type_ in enumerate(types):
        (name,) = type_
        if name not in BITS or choice.random() < 0.6:
            continue
        bits = min(BITS[name], 62)  # JSON of definitions has no larger numbers
        least, most = (-(1 << bits - 1), (1 << bits - 1) - 1) if name[0] == "I" else (0, (1 << bits) - 1)
        low = max(least, choice.choice((least, -3, 0, 1, 5)))
        high = choice.choice((most, low + 9, low + 30))
        yield {
            "source_name": {"none": []},
            "column": column,
            "start": {"some": choice.choice((low, high, (low + high) // 2))},
            "min_value": {"some": low},
            "max_value": {"some": high},
            "increment": choice.choice((1, 1, 2, 7, -1, -3)),
        }
