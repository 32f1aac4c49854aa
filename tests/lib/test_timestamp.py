"""Timestamps and durations as text, and when a schedule runs next."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacetimedb_lib import schedule_at
from spacetimedb_lib.timestamp import TimeDuration, Timestamp, TimestampFormatError, TimestampRangeError

LINES = (Path(__file__).parent / "vectors" / "format.jsonl").read_text(encoding="utf-8").splitlines()


def cases(kind: str) -> list[Any]:
    return [pytest.param(case, id=case["id"]) for case in map(json.loads, LINES) if case["kind"] == kind]


@pytest.mark.parametrize("case", cases("timestamp"))
def test_a_timestamp_is_shown_as_a_date(case: dict[str, Any]) -> None:
    if "rfc3339_error" in case:
        with pytest.raises(TimestampRangeError) as caught:
            str(Timestamp(case["micros"]))
        assert str(caught.value) == case["rfc3339_error"]
    else:
        assert str(Timestamp(case["micros"])) == case["display"] == case["rfc3339"]


@pytest.mark.parametrize("case", cases("time-duration"))
def test_a_duration_has_two_texts(case: dict[str, Any]) -> None:
    duration = TimeDuration(case["micros"])
    assert duration.iso8601() == case["iso8601"]
    # For the very smallest duration the public system has no text; ours follows the rule.
    assert str(duration) == case.get("display", "-9223372036854.775808")


@pytest.mark.parametrize("case", cases("timestamp-parse"))
def test_reading_a_date(case: dict[str, Any]) -> None:
    if case["ok"]:
        assert Timestamp.parse(case["text"]).micros == case["micros"]
    else:
        with pytest.raises(TimestampFormatError) as caught:
            Timestamp.parse(case["text"])
        assert str(caught.value) == case["error"]
        assert f"{caught.value}: {caught.value.reason}" == case["error_chain"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2025-02-10T15:45:30Zx", "trailing input"),
        ("2025-02-10T15:45:30.Z", "input contains invalid characters"),
        ("2025-02-10T15:45:30.", "premature end of input"),
        ("2025-13-10T15:45:30Z", "input is out of range"),
        ("2025-02-10T15:45:61Z", "input is out of range"),
        ("2025-02-10T15:45:30+24:00", "input is out of range"),
    ],
)
def test_the_first_fault_of_a_date_is_named(text: str, reason: str) -> None:
    with pytest.raises(TimestampFormatError) as caught:
        Timestamp.parse(text)
    assert caught.value.reason == reason


EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


@given(st.datetimes(timezones=st.just(datetime.UTC)))
def test_dates_agree_with_the_calendar_of_python(when: datetime.datetime) -> None:
    micros = (when - EPOCH) // datetime.timedelta(microseconds=1)
    assert str(Timestamp(micros))[:19] == when.replace(microsecond=0).isoformat()[:19]
    assert Timestamp.parse(when.isoformat()) == Timestamp(micros)


@given(st.integers(-62_167_219_200_000_000, 253_402_300_799_999_999))
def test_dates_read_back(micros: int) -> None:
    assert Timestamp.parse(str(Timestamp(micros))).micros == micros


def test_a_schedule_runs_after_its_interval_or_at_its_time() -> None:
    now = Timestamp(1_000)
    assert schedule_at.next_run(schedule_at.interval(TimeDuration(50)), now) == Timestamp(1_050)
    assert schedule_at.next_run(schedule_at.interval(TimeDuration(-50)), now) == Timestamp(1_050)
    assert schedule_at.next_run(schedule_at.at(Timestamp(2_000)), now) == Timestamp(2_000)
    assert schedule_at.next_run(schedule_at.at(Timestamp(5)), now) == now
    assert schedule_at.interval(TimeDuration(7)) == (0, (7,))
    assert schedule_at.parse(schedule_at.at(Timestamp(7))) == Timestamp(7)
