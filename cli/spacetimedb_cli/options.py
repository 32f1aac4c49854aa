"""Arguments that several commands share."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

Server = Annotated[
    str | None,
    typer.Option("--server", "-s", metavar="<SERVER>", help="The nickname, host name or URL of the server"),
]
Anonymous = Annotated[
    bool, typer.Option("--anonymous", help="Perform this action with an anonymous identity")
]
Yes = Annotated[
    bool,
    typer.Option("--yes", "-y", help="Run non-interactively wherever possible, answering yes"),
]
NoConfig = Annotated[bool, typer.Option("--no-config", help="Ignore spacetime.json")]
Confirmed = Annotated[
    Literal["true", "false"] | None,
    typer.Option("--confirmed", help="Whether to wait until what is read is on disk"),
]
Database = Annotated[
    str | None, typer.Argument(metavar="[database]", help="The name or identity of the database")
]
