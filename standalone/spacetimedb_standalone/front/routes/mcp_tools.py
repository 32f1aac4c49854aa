"""The tools that models are offered, as the protocol describes them: name, purpose, JSON schema of the
arguments.
"""

from __future__ import annotations

from typing import Any, Final

SERVER_INSTRUCTIONS: Final = (
    "Tools for the databases on this SpacetimeDB server. Those that touch data want the name or identity of "
    "a database: list_databases shows your own. Look at get_schema before you write SQL or call a reducer; "
    "change data by reducers where there is one, since SQL that writes is the owner's alone."
)
DATABASE_INSTRUCTIONS: Final = (
    "Tools for one SpacetimeDB database. Look at get_schema before you write SQL or call a reducer; change "
    "data by reducers where there is one, since SQL that writes is the owner's alone."
)

_DATABASE: Final = {"type": "string", "description": "Name or identity of the database."}


def tool_list(server: bool) -> list[dict[str, Any]]:
    """The tools of the server's endpoint, or of a database's, which need not be told which one."""
    listed = [] if not server else [_tool("list_databases", "List the databases that you own.", {}, [])]
    listed.append(
        _tool(
            "ping",
            "See whether the server answers.",
            {"message": {"type": "string", "description": "Comes back with the answer."}},
            [],
        )
    )
    return listed + [_with_database(tool) if server else tool for tool in _data_tools()]


def _data_tools() -> list[dict[str, Any]]:
    return [
        _tool("get_schema", "Show tables, types and reducers of the database as JSON.", {}, []),
        _tool(
            "sql",
            "Run one SQL statement and return its rows as JSON.",
            {
                "sql": {"type": "string", "description": "The statement."},
                "confirmed": {
                    "type": "boolean",
                    "description": "Wait until what was read or written is on disk (the default).",
                },
            },
            ["sql"],
        ),
        _tool(
            "call",
            "Call a reducer.",
            {
                "reducer": {"type": "string", "description": "Its name."},
                "args": {"type": "array", "description": "Its arguments in order.", "items": {}},
            },
            ["reducer"],
        ),
    ]


def _tool(name: str, purpose: str, properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, "required": required}
    return {"name": name, "description": purpose, "inputSchema": schema}


def _with_database(tool: dict[str, Any]) -> dict[str, Any]:
    schema = tool["inputSchema"]
    wider = {
        **schema,
        "properties": {"database": _DATABASE, **schema["properties"]},
        "required": ["database", *schema["required"]],
    }
    return {**tool, "inputSchema": wider}
