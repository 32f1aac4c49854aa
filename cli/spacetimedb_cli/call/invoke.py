"""One call of a function, and what its failures mean to the caller."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from spacetimedb_cli.call.arguments import arguments_json
from spacetimedb_cli.call.signature import signature
from spacetimedb_cli.call.suggestions import no_such_function
from spacetimedb_cli.client.api import Api, StatusError, failure, segment
from spacetimedb_cli.client.databases import DatabaseRef, schema
from spacetimedb_cli.errors import CliError, PeerError, UserError
from spacetimedb_cli.schema.definition import Definition, Function, read_definition

COUNTS = re.compile(r"invalid length (\d+), expected .* with (\d+) elements")


def call(api: Api, database: DatabaseRef, name: str, words: Sequence[str]) -> str:
    """Call a reducer, or else a procedure. Returns a procedure's result as JSON text, "" for a reducer.

    Raises `UserError` for a function that does not exist or arguments that do not fit it, `PeerError`
    with the function's own words where it refused.
    """
    definition = read_definition(*schema(api, database))
    function = definition.function(name)
    if function is None:
        raise no_such_function(name, database, definition)
    response = api.ask(
        "POST",
        f"{database.path}/call/{segment(name)}",
        body=arguments_json(function, words).encode(),
        content_type="application/json",
    )
    if not response.is_success:
        raise _failed(response, function, database, definition)
    return response.text if function.kind == "procedure" else ""


def _failed(response: Any, function: Function, database: DatabaseRef, definition: Definition) -> CliError:
    text = response.text
    if text.lower().startswith(("no such reducer", "no such procedure")):
        return no_such_function(function.name, database, definition)
    if not text.startswith("invalid arguments"):
        return failure(response, f"Response text: {text}")
    words = [
        f"Invalid arguments provided for {function.kind} `{function.name}` for database "
        f"`{database.name}` resolving to identity `{database.identity}`."
    ]
    if counts := COUNTS.search(text):
        words.append(f"{counts[2]} parameters were expected, but {counts[1]} were provided.")
    words.append(f"The {function.kind} has the following signature:\n\t{signature(function)}")
    error = UserError("\n\n".join(words))
    error.__cause__ = PeerError(f"Response text: {text}")
    error.__cause__.__cause__ = StatusError(response)
    return error
