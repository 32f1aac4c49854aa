"""Where a request carries its token: the `Authorization` header, else the `token` parameter of the query."""

from __future__ import annotations

from collections.abc import Sequence

_SCHEME = "bearer"


class MalformedCredentials(Exception):
    """There is an `Authorization` header that is no bearer token."""

    def __init__(self) -> None:
        super().__init__("Authorization is invalid: malformed token")


def request_token(authorization: str | None, query: Sequence[tuple[str, str]]) -> str | None:
    """The token presented, None for an anonymous request. A header wins over the query even if it is bad.

    `authorization` is the header's value, `query` the decoded pairs. Raises `MalformedCredentials`.
    """
    if authorization is not None:
        return _bearer(authorization)
    return next((value for name, value in query if name == "token"), None)


def _bearer(value: str) -> str:
    scheme, blank, token = (
        value[: len(_SCHEME)],
        value[len(_SCHEME) : len(_SCHEME) + 1],
        value[len(_SCHEME) + 1 :],
    )
    if scheme.lower() != _SCHEME or blank != " " or not all(" " <= char <= "~" for char in token):
        raise MalformedCredentials()
    return token.strip()
