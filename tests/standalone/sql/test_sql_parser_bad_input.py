"""Whatever a client sends as SQL, it gets a refusal or an answer, and soon."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spacetimedb_standalone.sql import SqlError, prepare
from spacetimedb_standalone.sql.parsing import MAX_LENGTH
from tests.examples import examples

from .sample import OWNER, Sample

SOUP = """
    SELECT * FROM player WHERE id = 1 AND name <> 'ann' OR ( ) , . ; COUNT(*) AS n LIMIT ALL 5 x'0a' 0x :sender
    JOIN item i ON p.id CROSS NOT IN BETWEEN LIKE IS NULL CASE WHEN THEN ELSE END CAST :: [ ] INSERT INTO VALUES
    UPDATE SET DELETE USING ORDER BY GROUP HAVING UNION WITH RECURSIVE TOP FETCH FIRST ROWS ONLY DISTINCT ANY - +
    SHOW row_limit TO CREATE TABLE EXPLAIN $1 ? -- /* */ $$ " ' EXISTS INTERVAL TIMESTAMP OVER ARRAY OFFSET FOR
"""
WORDS = SOUP.split()
BRICKS = [
    *("(", "NOT ", "- ", "f(", "[", "CASE ", "CASE WHEN ", "a IN (", "a.", "CAST("),
    *(
        "EXISTS (SELECT ",
        "EXISTS (SELECT * FROM (",
        "EXISTS (WITH a AS (",
        "a = ANY (",
        "a[",
        "(SELECT 1 UNION ",
    ),
]
SAMPLE = Sample()


def answered(text: str) -> str | None:
    """None, or why it was refused."""
    try:
        prepare(text, OWNER, SAMPLE.catalog)
    except SqlError as error:
        return str(error)
    return None


@settings(max_examples=examples(200))
@example("SELECT * FROM player WHERE a = E'")
@given(st.one_of(st.lists(st.sampled_from(WORDS), max_size=20).map(" ".join), st.text(max_size=40)))
def test_any_words(text: str) -> None:
    answered(text)
    answered(f"SELECT * FROM player WHERE {text}")


@pytest.mark.parametrize("brick", BRICKS)
def test_bricks_piled_up(brick: str) -> None:
    pile = f"SELECT * FROM player WHERE {brick * 4000}"[:MAX_LENGTH]
    assert answered(pile)


@pytest.mark.parametrize("brick", ["(", "(SELECT * FROM ", "a JOIN (", "LATERAL ("])
def test_bricks_piled_up_behind_from(brick: str) -> None:
    assert answered(f"SELECT * FROM {brick * 4000}"[:MAX_LENGTH])


@pytest.mark.parametrize(
    ("joint", "told"),
    [
        (" OR id = 1", "Recursion limit exceeded, `sql-parser::parse_expr`"),
        (" = true", "Recursion limit exceeded, `sql-parser::parse_expr`"),
        (" + 1", "Recursion limit exceeded, `sql-parser::parse_expr`"),
        (" AND id = 1 OR id = 2", "Recursion limit exceeded, `sql-parser::parse_expr`"),
        (", id", "sql parser error: Expected end of statement, found: , at Line: 1, Column 34"),
    ],
)
def test_long_chains(joint: str, told: str) -> None:
    began = time.monotonic()
    assert answered(f"SELECT * FROM player WHERE id = 1{joint * 1601}") == told
    assert time.monotonic() - began < 30


def test_the_longest_chain_there_may_be() -> None:
    chain = " OR ".join(["id = 7"] * 1600)
    assert answered(f"SELECT * FROM player WHERE {chain}") is None
    assert answered(f"SELECT * FROM player WHERE {chain} OR id = 7") is not None


def test_brackets_within_brackets() -> None:
    def nested(depth: int) -> str | None:
        return answered(f"SELECT * FROM player WHERE {'(' * depth}id = 1{')' * depth}")

    assert nested(47) is None
    assert nested(48) == "sql parser error: recursion limit exceeded"


def test_length_is_counted_in_bytes() -> None:
    start = "SELECT * FROM player -- "
    assert answered(start + "x" * (MAX_LENGTH - len(start))) is None
    told = answered(start + "é" * (MAX_LENGTH // 2))
    assert told == f'SQL query exceeds maximum allowed length: "{start}{"é" * (120 - len(start))}..."'


def test_numbers_beyond_all_ranges() -> None:
    for number in ("1e999999999", "1e-999999999", "9" * 40_000, "0." + "0" * 40_000 + "1"):
        told = answered(f"SELECT * FROM player WHERE id = {number}")
        assert told == f"The literal expression `{number}` cannot be parsed as type `U32`"
