"""What the tool reads out of a module's definition."""

import pytest

from spacetimedb_cli.errors import PeerError
from spacetimedb_cli.schema.definition import read_definition
from spacetimedb_lib.sats.types import STRING, U32, product

from .schemas import V9, V10

ITEM = product(id=U32, name=STRING)


def test_version_10():
    definition = read_definition(10, V10)
    assert definition.named("reducer") == ["add_item", "say", "odd", "auth.sign_out"]
    assert definition.named("procedure") == ["sum"]
    assert definition.row_types == {
        "item": ITEM,
        "big_item": ITEM,
        "mine": ITEM,
        "auth.session": product(key=STRING),
    }


def test_version_9():
    definition = read_definition(9, V9)
    assert definition.named("reducer") == ["say"]
    assert definition.named("procedure") == ["sum"]
    assert definition.row_types == {"item": ITEM, "first": ITEM}


def test_lifecycle_reducers_exist_but_are_not_offered():
    definition = read_definition(10, V10)
    assert definition.function("start_up").is_lifecycle
    assert "start_up" not in definition.named("reducer")


def test_a_function_goes_by_its_canonical_name():
    definition = read_definition(10, V10)
    assert definition.function("add_item").kind == "reducer"
    assert definition.function("addItem") is None


def test_only_the_first_section_of_a_kind_counts():
    twice = {"sections": [*V10["sections"], {"Tables": [{"source_name": "late", "product_type_ref": 0}]}]}
    assert "late" not in read_definition(10, twice).row_types


@pytest.mark.parametrize(
    "json", [None, [], {}, {"sections": [3]}, {"sections": [{"Typespace": {"types": ["x"]}}]}]
)
def test_a_definition_in_another_form(json):
    with pytest.raises(PeerError, match="in a form this tool does not know"):
        read_definition(10, json)
