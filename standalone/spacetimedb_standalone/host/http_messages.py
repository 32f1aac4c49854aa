"""HTTP requests and responses as modules read and write them: heads in BSATN, bodies apart.

Types of the public module ABI, versions 10.3 and later:

    HttpRequest   method: sum of the nine methods and Extension(string), headers, timeout: option<TimeDuration>,
                  uri: string, version: sum of five
    HttpResponse  headers, version, code: u16
    headers       (entries: array<(name: string, value: array<u8>)>)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from spacetimedb_lib.sats.bsatn import codec
from spacetimedb_lib.sats.types import (
    BYTES,
    STRING,
    TIME_DURATION,
    U16,
    UNIT,
    Array,
    SumValue,
    option,
    product,
    sum_of,
)

Headers: TypeAlias = tuple[tuple[str, bytes], ...]
"""Names and values in their order; a name may come several times."""

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH")
"""In the order of their tags; every other method is an extension."""
VERSIONS = ("HTTP/0.9", "HTTP/1.0", "HTTP/1.1", "HTTP/2", "HTTP/3")

_METHOD = sum_of(
    Get=UNIT,
    Head=UNIT,
    Post=UNIT,
    Put=UNIT,
    Delete=UNIT,
    Connect=UNIT,
    Options=UNIT,
    Trace=UNIT,
    Patch=UNIT,
    Extension=STRING,
)
_VERSION = sum_of(Http09=UNIT, Http10=UNIT, Http11=UNIT, Http2=UNIT, Http3=UNIT)
_HEADERS = product(entries=Array(product(name=STRING, value=BYTES)))
_REQUEST = codec(
    product(method=_METHOD, headers=_HEADERS, timeout=option(TIME_DURATION), uri=STRING, version=_VERSION)
)
_RESPONSE = codec(product(headers=_HEADERS, version=_VERSION, code=U16))


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """`timeout` in microseconds; None: the sender did not say."""

    method: str
    uri: str
    headers: Headers = ()
    version: str = "HTTP/1.1"
    timeout: int | None = None


@dataclass(frozen=True, slots=True)
class HttpResponse:
    status: int
    headers: Headers = ()
    version: str = "HTTP/1.1"


def encode_request(request: HttpRequest) -> bytes:
    """The request's head. A version nobody knows counts as 1.1."""
    tag = METHODS.index(request.method) if request.method in METHODS else len(METHODS)
    method = SumValue(tag, () if tag < len(METHODS) else request.method)
    timeout = SumValue(1, ()) if request.timeout is None else SumValue(0, (request.timeout,))
    return _REQUEST.encode(
        (method, (list(request.headers),), timeout, request.uri, _version(request.version))
    )


def decode_request(data: bytes) -> HttpRequest:
    """Raises `DecodeError`."""
    (method, (entries,), timeout, uri, version), _ = _REQUEST.decode(data)
    return HttpRequest(
        method=METHODS[method.tag] if method.tag < len(METHODS) else method.value,
        uri=uri,
        headers=tuple(entries),
        version=VERSIONS[version.tag],
        timeout=timeout.value[0] if timeout.tag == 0 else None,
    )


def encode_response(response: HttpResponse) -> bytes:
    return _RESPONSE.encode(((list(response.headers),), _version(response.version), response.status))


def decode_response(data: bytes) -> HttpResponse:
    """Raises `DecodeError`."""
    ((entries,), version, code), _ = _RESPONSE.decode(data)
    return HttpResponse(code, tuple(entries), VERSIONS[version.tag])


def _version(text: str) -> SumValue:
    return SumValue(VERSIONS.index(text) if text in VERSIONS else VERSIONS.index("HTTP/1.1"), ())
