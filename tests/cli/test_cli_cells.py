"""How a value of each type looks in a cell. The expected texts were seen at the public tool."""

import pytest

from spacetimedb_cli.render.cells import cell, timestamp_text
from spacetimedb_cli.render.table import plain, ruled
from spacetimedb_cli.sql.results import duration
from spacetimedb_lib.sats.types import (
    BOOL,
    BYTES,
    CONNECTION_ID,
    F32,
    F64,
    I256,
    IDENTITY,
    SCHEDULE_AT,
    STRING,
    TIME_DURATION,
    TIMESTAMP,
    U32,
    U128,
    U256,
    UNIT,
    UUID,
    Array,
    Element,
    Product,
    option,
    product,
    sum_of,
)

POINT = product(x=U32, y=F64)


@pytest.mark.parametrize(
    ("type_", "value", "text"),
    [
        (BOOL, True, "true"),
        (U32, 7, "7"),
        (U128, 2**128 - 1, "340282366920938463463374607431768211455"),
        (U256, "0xff", "255"),
        (I256, "-0x2a", "-42"),
        (F64, 2.5, "2.5"),
        (F64, -1.0, "-1"),
        (F64, 0.1, "0.1"),
        (F64, 1e-7, "0.0000001"),
        (F64, 1e16, "10000000000000000"),
        (F64, 1, "1"),
        (F64, None, "NaN"),
        (F32, 3.4028235e38, "340282350000000000000000000000000000000"),
        (STRING, 'say "x"', '"say "x""'),
        (BYTES, "0001feff", "0x0001feff"),
        (BYTES, "", "0x"),
        (BYTES, [1, 255], "0x01ff"),
        (IDENTITY, ["0x1"], "0x" + "1".zfill(64)),
        (CONNECTION_ID, [15], "0x" + "f".zfill(32)),
        (TIMESTAMP, [0], "1970-01-01T00:00:00+00:00"),
        (TIMESTAMP, [1600000000123456], "2020-09-13T12:26:40.123456+00:00"),
        (TIME_DURATION, [-1500000], "-1.500000"),
        (UUID, [88962710306127702866241727433142015], '"00112233-4455-6677-8899-aabbccddeeff"'),
        (UNIT, [], "()"),
        (POINT, [1, -1.0], "(x = 1, y = -1)"),
        (Product((Element(None, U32), Element("b", BOOL))), [1, False], "(col_0 = 1, b = false)"),
        (option(U32), [0, 7], "(some = 7)"),
        (option(U32), [1, []], "(none = ())"),
        (sum_of(dot=UNIT, circle=F64), [1, 2.5], "(circle = 2.5)"),
        (option(IDENTITY), [0, ["0x1"]], f"(some = (__identity__ = 0x{'1'.zfill(64)}))"),
        (SCHEDULE_AT, [0, [1]], "(Interval = (__time_duration_micros__ = +0.000001))"),
        (
            SCHEDULE_AT,
            [1, [1600000000000000]],
            "(Time = (__timestamp_micros_since_unix_epoch__ = 2020-09-13T12:26:40+00:00))",
        ),
        (Array(U32), [1, 2, 3], "123"),
        (Array(STRING), ["a", "b c"], '"a""b c"'),
        (Array(POINT), [[1, 2.0], [3, 4.0]], "(x = 1, y = 2)(x = 3, y = 4)"),
        (option(Array(option(BOOL))), [0, [[0, True], [1, []]]], "(some = (some = true)(none = ()))"),
        (option(Array(U32)), [0, []], "(some = )"),
    ],
)
def test_cells(type_, value, text):
    assert cell(type_, value) == text


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (-1, "1969-12-31T23:59:59.999999+00:00"),
        (1_500_000, "1970-01-01T00:00:01.500+00:00"),
        (9 * 10**18, "9000000000000000000"),  # a year that calendars do not reach
    ],
)
def test_timestamps(micros, text):
    assert timestamp_text(micros) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(2, "2.00s"), (0.0015, "1.50ms"), (0.0000025, "2.50µs"), (5e-8, "50.00ns")]
)
def test_how_long_it_took(seconds, text):
    assert duration(seconds) == text


def test_tables():
    assert ruled(["a", "bb"], [["1", "2"], ["333", "4"]]) == " a   | bb \n-----+----\n 1   | 2  \n 333 | 4  "
    assert ruled([], []) == ""
    assert plain([("D", "NAME"), ("***", "x")]) == "   D  NAME \n ***  x    "
