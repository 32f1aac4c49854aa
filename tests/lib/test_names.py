"""Identifiers, case conversion, database and domain names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from spacetimedb_lib.names import (
    DatabaseNameError,
    DomainNameError,
    IdentifierError,
    camel_case,
    check_database_name,
    check_identifier,
    is_identity,
    pascal_case,
    snake_case,
    split_domain,
    words,
)

LINES = (Path(__file__).parent / "vectors" / "name-rules.jsonl").read_text(encoding="utf-8").splitlines()


def cases(kind: str) -> list[Any]:
    return [pytest.param(case, id=case["id"]) for case in map(json.loads, LINES) if case["kind"] == kind]


@pytest.mark.parametrize("case", cases("database-name"))
def test_database_names(case: dict[str, Any]) -> None:
    if case["ok"]:
        check_database_name(case["text"])
    else:
        with pytest.raises(DatabaseNameError) as caught:
            check_database_name(case["text"])
        assert (caught.value.kind, str(caught.value)) == (case["error_kind"], case["error"])


@pytest.mark.parametrize("case", cases("domain-name"))
def test_domain_names(case: dict[str, Any]) -> None:
    if case["ok"]:
        assert split_domain(case["text"]) == (case["tld"], case.get("sub_domain"))
        assert case["text"].lower() == case["lowercase"]
    else:
        with pytest.raises(DomainNameError) as caught:
            split_domain(case["text"])
        assert str(caught.value) == case["error"]


@pytest.mark.parametrize("case", cases("identifier"))
def test_identifiers(case: dict[str, Any]) -> None:
    if case["ok"]:
        check_identifier(case["text"])
    else:
        with pytest.raises(IdentifierError) as caught:
            check_identifier(case["text"])
        assert caught.value.kind == case["error_kind"]
        assert f"module contains invalid identifier: {caught.value}" == case["error"]


@pytest.mark.parametrize("case", cases("case"))
@pytest.mark.parametrize(
    ("column", "convert"), [("snake", snake_case), ("camel", camel_case), ("pascal", pascal_case)]
)
def test_case_conversion(case: dict[str, Any], column: str, convert: Any) -> None:
    """What a table, an enum variant or a type of this name is called in the database.

    For a table the name in the source must be an identifier too; variants are not checked.
    """
    source, converted = case["text"], convert(case["text"])
    if f"{column}_error" in case:
        with pytest.raises(IdentifierError) as caught:
            check_identifier(converted)
            check_identifier(source)
        assert caught.value.kind == case[f"{column}_error"]
    else:
        assert converted == case[column]


def test_words_keep_their_letters() -> None:
    assert words("HTTPServer2go_now") == ["HTTP", "Server", "2", "go", "now"]
    assert words("___") == []


def test_identities_in_hex_are_told_from_names() -> None:
    assert is_identity("0x" + "aB" * 32)
    assert not is_identity("ab" * 31)
