"""Definitions of a small module, as a server serves them in both versions."""

from typing import Any


def named(name: str, type_: Any) -> dict[str, Any]:
    return {"name": {"some": name}, "algebraic_type": type_}


def params(**fields: Any) -> dict[str, Any]:
    return {"elements": [named(name, type_) for name, type_ in fields.items()]}


STRING: dict[str, Any] = {"String": []}
U32: dict[str, Any] = {"U32": []}
IDENTITY = {"Product": params(__identity__={"U256": []})}
UNIT = {"Product": {"elements": []}}
ITEM = {"Product": params(id=U32, name=STRING)}


def reducer(name: str, /, **fields: Any) -> dict[str, Any]:
    return {
        "source_name": name,
        "params": params(**fields),
        "visibility": {"ClientCallable": []},
        "ok_return_type": UNIT,
        "err_return_type": STRING,
    }


def table(name: str, ref: int) -> dict[str, Any]:
    return {
        "source_name": name,
        "product_type_ref": ref,
        "primary_key": [],
        "indexes": [],
        "constraints": [],
        "sequences": [],
        "table_type": {"User": []},
        "table_access": {"Public": []},
        "default_values": [],
        "is_event": False,
    }


def canonical(kind: str, source: str, name: str) -> dict[str, Any]:
    return {kind: {"source_name": source, "canonical_name": name}}


V10 = {
    "sections": [
        {"Typespace": {"types": [ITEM, IDENTITY, {"Product": params(next={"Ref": 2})}]}},
        {"Tables": [table("item", 0), table("bigItem", 0)]},
        {
            "Reducers": [
                reducer("start_up"),
                reducer("addItem", name=STRING, owner={"Ref": 1}, count=U32),
                reducer("say", text=STRING),
                reducer("odd", deep={"Ref": 2}, many={"Array": {"Sum": {"variants": [named("a", UNIT)]}}}),
            ]
        },
        {
            "Procedures": [
                {
                    "source_name": "sum",
                    "params": params(a=U32, b=U32),
                    "return_type": U32,
                    "visibility": {"ClientCallable": []},
                }
            ]
        },
        {
            "Views": [
                {
                    "source_name": "mine",
                    "index": 0,
                    "is_public": True,
                    "is_anonymous": False,
                    "params": {"elements": []},
                    "return_type": {"Array": {"Ref": 0}},
                }
            ]
        },
        {"LifeCycleReducers": [{"lifecycle_spec": {"Init": []}, "function_name": "start_up"}]},
        {
            "ExplicitNames": {
                "entries": [
                    canonical("Table", "bigItem", "big_item"),
                    canonical("Function", "addItem", "add_item"),
                ]
            }
        },
        {
            "Submodules": [
                {
                    "namespace": "auth",
                    "module": {
                        "sections": [
                            {"Typespace": {"types": [{"Product": params(key=STRING)}]}},
                            {"Tables": [table("session", 0)]},
                            {"Reducers": [reducer("sign_out", key=STRING)]},
                        ]
                    },
                }
            ]
        },
    ]
}

V9 = {
    "typespace": {"types": [ITEM]},
    "tables": [{"name": "item", "product_type_ref": 0}],
    "reducers": [
        {"name": "say", "params": params(text=STRING), "lifecycle": {"none": []}},
        {"name": "start_up", "params": params(), "lifecycle": {"some": {"Init": []}}},
    ],
    "types": [],
    "misc_exports": [
        {"Procedure": {"name": "sum", "params": params(a=U32), "return_type": U32}},
        {
            "View": {
                "name": "first",
                "return_type": {"Sum": {"variants": [named("some", {"Ref": 0}), named("none", UNIT)]}},
            }
        },
        {"ColumnDefaultValue": {"table": "item", "col_id": 1, "value": "00"}},
    ],
    "row_level_security": [],
}
