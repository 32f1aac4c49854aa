"""Where a request carries its token."""

import pytest

from spacetimedb_standalone.tokens.credentials import MalformedCredentials, request_token


def test_the_header_wins_over_the_query() -> None:
    assert request_token("Bearer a", [("token", "b")]) == "a"
    assert request_token(None, [("x", "1"), ("token", "b")]) == "b"
    assert request_token(None, []) is None


def test_the_scheme_may_be_in_any_case() -> None:
    assert request_token("bEARER  a ", []) == "a"


@pytest.mark.parametrize(
    "value", ["", "Bearer", "Basic dXNlcjpwYXNz", "abc.def.ghi", "Bearer\tx", "Bearer ä", "Bearerx y"]
)
def test_any_other_header_is_malformed_whatever_the_query_says(value: str) -> None:
    with pytest.raises(MalformedCredentials, match=r"^Authorization is invalid: malformed token$"):
        request_token(value, [("token", "good")])
