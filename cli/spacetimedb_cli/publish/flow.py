"""Publishing one database, from the request to the last line of output."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from spacetimedb_cli.auth.token import identity_of
from spacetimedb_cli.client.api import Api
from spacetimedb_cli.client.databases import parse_identity
from spacetimedb_cli.client.publishing import (
    AutoMigration,
    PermissionDenied,
    Published,
    pre_publish,
    publish,
)
from spacetimedb_cli.errors import CliError, HostError, UserError
from spacetimedb_cli.invocation import Invocation
from spacetimedb_cli.publish.consent import Consent
from spacetimedb_cli.publish.requests import ClearMode, PublishRequest, Source
from spacetimedb_lib.names import DatabaseNameError, check_database_name

MAINCLOUD = "maincloud.spacetimedb.com"
SUGGESTED_NAME_LENGTH = 12


def publish_one(invocation: Invocation, request: PublishRequest, clear: ClearMode, consent: Consent) -> None:
    """Check, ask, upload, report. Raises `CliError` where anything stops it."""
    terminal, values = invocation.terminal, invocation.settings.values
    values.server_url(request.server)  # a server that nobody knows is told of before a login is made
    api = invocation.server(
        request.server, request.anonymous, interactive="skip-login" not in consent.answered
    )
    request = named(request)
    program = read_program(invocation, request.source)
    consent.to_publish_on(urlsplit(api.url).hostname or "")
    terminal.out(f"Uploading to {request.server or values.default_server or '<default>'} => {api.url}")
    query = _agreed_query(invocation, api, request, program, clear, consent)
    if request.num_replicas is not None:
        terminal.err("WARNING: Use of unstable option `--num-replicas`.")
        query["num_replicas"] = str(request.num_replicas)
    for key, value in (("parent", request.parent), ("org", request.organization)):
        if value is not None:
            query[key] = value
    query["host_type"] = request.source.host_type
    terminal.out("Publishing module...")
    _tell(invocation, api, publish(api, request.database, program, query))


def named(request: PublishRequest) -> PublishRequest:
    """The request with `parent/child` taken apart and its names checked. Raises `UserError`."""
    name, parent = request.database, request.parent
    if name is None or parse_identity(name):
        return request
    above, slash, child = name.rpartition("/")
    if slash:
        if parent not in (None, above):
            raise UserError("cannot specify both --parent and <parent>/<child>")
        name, parent = child, above
    try:
        check_database_name(name)
    except DatabaseNameError as error:
        raise UserError(str(error)) from None
    if parent is not None and not parse_identity(parent):
        try:
            check_database_name(parent)
        except DatabaseNameError as error:
            raise UserError(f"invalid parent database name `{parent}`") from error
    return replace(request, database=name, parent=parent)


def read_program(invocation: Invocation, source: Source) -> bytes:
    """The bytes to publish. Raises `HostError` where the file cannot be read."""
    if source.program is None:
        if not source.folder.is_dir():
            raise UserError(f"Project path does not exist: {source.folder}")
        raise UserError(
            f"this version does not build modules: build the one in {source.folder} with its own tools "
            f"(Rust: `cargo build --release --target wasm32-unknown-unknown`) and pass --bin-path"
        )
    kind = source.host_type.upper()
    invocation.terminal.out(f"({kind}) Skipping build. Instead we are publishing {source.program}")
    try:
        return Path(invocation.host.working_directory, source.program).read_bytes()
    except OSError as error:
        raise HostError(f"could not read {source.program}: check the path") from error


def _agreed_query(
    invocation: Invocation,
    api: Api,
    request: PublishRequest,
    program: bytes,
    clear: ClearMode,
    consent: Consent,
) -> dict[str, str]:
    """The options that say what was agreed to: a migration, or the end of all data."""
    name = request.database
    if name is None:
        return {}
    if clear != "always":
        invocation.terminal.out("Checking for breaking changes...")
        colors = invocation.terminal.shows_colors and "NO_COLOR" not in invocation.host.environment
        migration = pre_publish(api, name, program, request.source.host_type, colors)
        if migration is None:
            return {}
        if isinstance(migration, AutoMigration):
            consent.to_migrate(migration, request.break_clients)
            return {"token": migration.token, "policy": "BreakClients"}
        consent.to_clear_instead(migration, clear)
    consent.to_destroy(name)
    return {"clear": "true"}


def _tell(invocation: Invocation, api: Api, result: Published | PermissionDenied) -> None:
    if isinstance(result, PermissionDenied):
        raise _denied(api, result.name)
    done = "Created new" if result.created else "Updated"
    if result.domain is None:
        invocation.terminal.out(f"{done} database with identity: {result.identity}")
        return
    invocation.terminal.out(f"{done} database with name: {result.domain}, identity: {result.identity}")
    if urlsplit(api.url).hostname == MAINCLOUD:
        invocation.terminal.out(f"Dashboard: https://spacetimedb.com/{result.domain}")


def _denied(api: Api, name: str) -> CliError:
    if api.token is None:
        return UserError(f"You need to be logged in as the owner of {name} to publish to {name}")
    return UserError(
        f"The database {name} is not registered to the identity you provided.\n"
        f"We suggest you push to either a domain owned by you, or a new domain like:\n"
        f"\tspacetime publish {identity_of(api.token)[:SUGGESTED_NAME_LENGTH]}"
    )
