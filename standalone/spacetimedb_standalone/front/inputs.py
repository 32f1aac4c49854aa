"""What routes take from a request besides its query: names and identities in paths, bodies of several kinds.

Everything here either gives a value or refuses the request with the answer of the public system.
"""

from __future__ import annotations

import json
from typing import Any, Final

from spacetimedb_lib.hex import HexError
from spacetimedb_lib.identity import Identity
from spacetimedb_lib.names import DatabaseNameError, check_database_name
from spacetimedb_standalone.front.http import BodyTooLarge, ClientGone, Refused, Request, empty, refuse
from spacetimedb_standalone.front.query import QueryError

BODY_LIMIT: Final = 2 << 20
"""Bytes that a body may have on most routes."""
EXPECTED_JSON: Final = "Expected request with `Content-Type: application/json`"

NameOrIdentity = Identity | str


def name_or_identity(text: str) -> NameOrIdentity:
    """What a path segment names. Refuses with 400 what can be neither."""
    try:
        return read_name_or_identity(text)
    except QueryError as error:
        raise refuse(f"Invalid URL: {error}", 400) from error


def read_name_or_identity(text: str) -> NameOrIdentity:
    """64 hex digits, with or without `0x`, are an identity; all else must be a name. Raises `QueryError`."""
    try:
        return Identity.from_hex(text)
    except HexError:
        pass  # then it is meant as a name
    try:
        check_database_name(text)
    except DatabaseNameError as error:
        raise QueryError(str(error)) from error
    return text


def path_identity(text: str) -> Identity:
    """A path segment that must be an identity: 64 hex digits without prefix. Refuses with 400."""
    try:
        return Identity.from_json(text)
    except HexError as error:
        raise refuse(f"Invalid URL: {error}", 400) from error


async def body(request: Request, limit: int | None = BODY_LIMIT) -> bytes:
    """The whole body. Refuses with 413 beyond `limit`."""
    try:
        return await request.body.read(limit)
    except BodyTooLarge as error:
        raise refuse("Failed to buffer the request body: length limit exceeded", 413) from error
    except ClientGone as error:
        raise Refused(empty(400)) from error


async def text_body(request: Request) -> str:
    """The body as text. Refuses with 400 what is no UTF-8."""
    data = await body(request)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise refuse(f"Request body didn't contain valid UTF-8: {utf8_complaint(error)}", 400) from error


def utf8_complaint(error: UnicodeDecodeError) -> str:
    if error.reason == "unexpected end of data":
        return f"incomplete utf-8 byte sequence from index {error.start}"
    return f"invalid utf-8 sequence of {error.end - error.start} bytes from index {error.start}"


async def json_body(request: Request) -> Any:
    """The body as JSON. Refuses with 415 another content type, with 400 what is no JSON."""
    if not _says_json(request.header("content-type")):
        raise refuse(EXPECTED_JSON, 415)
    data = await body(request)
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise refuse(f"Failed to parse the request body as JSON: {error}", 400) from error


def wrong_shape(complaint: str) -> Refused:
    """JSON that is not what the route is about."""
    return refuse(f"Failed to deserialize the JSON body into the target type: {complaint}", 422)


def _says_json(content_type: str | None) -> bool:
    kind = (content_type or "").partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
