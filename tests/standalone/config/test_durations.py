"""Durations in settings and query strings."""

import pytest

from spacetimedb_standalone.config.durations import DurationError, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("15s", 15.0),
        ("250ms", 0.25),
        ("1min", 60.0),
        ("5 min", 300.0),
        ("1h 30m", 5400.0),
        ("1m30s", 90.0),
        ("2days", 172800.0),
        ("10us", 1e-5),
        (" 3 s ", 3.0),
        ("1 0s", 10.0),
    ],
)
def test_numbers_with_units_add_up(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "value was empty"),
        ("soon", "expected number at 0"),
        ("5", "time unit needed, for example 5sec or 5ms"),
        ("5 parsecs", 'unknown time unit "parsecs", supported units: ns, us, ms, sec, min, hours, days, '),
        ("5s!", "invalid character at 2"),
        ("1s x", "expected number at 3"),
    ],
)
def test_what_is_no_duration_is_said(text: str, complaint: str) -> None:
    with pytest.raises(DurationError) as caught:
        parse_duration(text)
    assert str(caught.value).startswith(complaint)
