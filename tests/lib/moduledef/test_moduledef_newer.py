"""What releases after 2.8 added to module definitions, and where they judge differently."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from spacetimedb_lib.moduledef import (
    Edition,
    MigrationErrors,
    ModuleDef,
    ValidationErrors,
    Visibility,
    decode,
    plan_migration,
    read_served_v10,
    serve_v10,
)
from spacetimedb_lib.moduledef.migrate import StepKind
from spacetimedb_lib.moduledef.raw_v10 import (
    RawEnvironmentVariable,
    RawOutboxDef,
    RawScheduleDefV10,
    RawSequenceDefV10,
    RawViewPrimaryKeyDefV10,
)
from spacetimedb_lib.moduledef.records import Tagged
from spacetimedb_lib.sats.types import (
    F32,
    IDENTITY,
    SCHEDULE_AT,
    STRING,
    U64,
    UNIT,
    Product,
    Ref,
    product,
    result,
)

DESCRIBED = Path(__file__).parents[1] / "vectors" / "described"
LETTER = product(id=U64, to=IDENTITY, text=STRING)
OUTCOME = product(letter=Ref(0), outcome=result(UNIT, STRING))


def kinds(caught: pytest.ExceptionInfo[ValidationErrors]) -> list[str]:
    return [error.kind.name for error in caught.value.errors]


def test_a_module_built_with_2_14_loads_in_every_edition() -> None:
    described = (DESCRIBED / "newest.bsatn").read_bytes()
    for edition in Edition:
        definition = decode(described, edition)
        assert [variable.name for variable in definition.environment or ()] == ["GREETING", "MOOD", "SWITCH"]
        outbox = definition.tables["letter"].outbox
        assert outbox is not None
        assert (outbox.remote_reducer, outbox.target_column, outbox.arg_columns) == ("receive", 2, (3, 1))
        assert definition.reducers["on_letter_result"].visibility is Visibility.PRIVATE


# --- environment ---


def variable(name: str, kind: str = "String", content: Any = ()) -> RawEnvironmentVariable:
    return RawEnvironmentVariable(name, Tagged(kind, content), optional=False)


def test_no_section_and_an_empty_one_are_different(make: Any) -> None:
    assert make.module().environment is None
    assert make.module(Environment=()).environment == ()


def test_unions_are_sorted_and_lose_repetitions(make: Any) -> None:
    definition = make.module(Environment=(variable("MODE", "Union", ("b", "a", "b")),))
    assert definition.environment == (variable("MODE", "Union", ("a", "b")),)


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        ([variable("a-b")], "invalid name"),
        ([variable("é")], "invalid name"),
        ([variable("A" * 257)], "invalid name"),
        ([variable(f"V{i}") for i in range(257)], "too many declarations"),
        ([variable("A"), variable("A")], 'environment key "A": duplicate declaration'),
        ([variable("A", "Union", ())], 'environment key "A": string union must not be empty'),
        (
            [variable("A", "Union", tuple(map(str, range(257))))],
            'environment key "A": string union has too many entries',
        ),
        (
            [variable("A", "StringLiteral", "é" * 4097)],
            'environment key "A": declared literal exceeds value size limit',
        ),
        (
            [variable(f"V{i}", "Union", tuple(f"{k}" * 8192 for k in range(10))) for i in range(26)],
            'environment key "V25": declaration schema exceeds size limit',
        ),
    ],
)
def test_declarations_have_limits(make: Any, declared: list[RawEnvironmentVariable], reason: str) -> None:
    with pytest.raises(ValidationErrors) as caught:
        make.module(Environment=tuple(declared))
    assert [error.text for error in caught.value.errors] == [f"invalid environment declaration: {reason}"]


def test_only_the_root_module_declares_variables(make: Any) -> None:
    inner = make.raw(Environment=(variable("A"),))
    with pytest.raises(ValidationErrors, match='submodule "lib" cannot declare environment variables'):
        make.module(Submodules=(make.submodule("lib", inner),))
    assert make.module(Submodules=(make.submodule("lib", make.raw(Environment=())),))


# --- outboxes ---


def outbox(**changes: Any) -> RawOutboxDef:
    fields: dict[str, Any] = {
        "table_name": "letter",
        "remote_reducer": "receive",
        "target_column": 1,
        "arg_columns": (2,),
        "on_result_reducer": None,
        "signature_hash": 1,
    }
    return RawOutboxDef(**(fields | changes))


def with_outbox(make: Any, *outboxes: RawOutboxDef, **sections: Any) -> ModuleDef:
    definition: ModuleDef = make.module(make.keyed("letter", LETTER), Outboxes=outboxes, **sections)
    return definition


def test_an_outbox_belongs_to_its_table_and_hides_the_callback(make: Any) -> None:
    definition = with_outbox(
        make,
        outbox(on_result_reducer="onResult"),
        Reducers=(make.reducer("onResult", **dict(named(OUTCOME))),),
    )
    kept = definition.tables["letter"].outbox
    assert kept is not None
    assert kept.on_result == "on_result"
    assert kept.signature_hash == b"\x01" + bytes(31)
    assert definition.reducers["on_result"].visibility is Visibility.PRIVATE
    again = read_served_v10(serve_v10(definition))
    assert again.tables["letter"].outbox == kept


def named(members: Product) -> list[tuple[str, Any]]:
    return [(str(element.name), element.type) for element in members.elements]


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"table_name": "parcel"}, "MissingOutboxTable"),
        ({"target_column": 0}, "OutboxTargetColumnMissing"),
        ({"target_column": 2}, "OutboxTargetColumnMissing"),
        ({"target_column": 9}, "OutboxTargetColumnMissing"),
        ({"arg_columns": (2, 3)}, "OutboxArgumentColumnNotFound"),
        ({"on_result_reducer": "other.done"}, "OutboxOnResultMustBeLocal"),
        ({"on_result_reducer": "nobody"}, "MissingOutboxOnResult"),
        ({"on_result_reducer": "done"}, "IncorrectOutboxOnResultParams"),
    ],
)
def test_an_outbox_must_fit_its_table(make: Any, changes: dict[str, Any], kind: str) -> None:
    with pytest.raises(ValidationErrors) as caught:
        with_outbox(make, outbox(**changes), Reducers=(make.reducer("done"),))
    assert kinds(caught) == [kind]


def test_a_table_has_one_outbox(make: Any) -> None:
    with pytest.raises(ValidationErrors) as caught:
        with_outbox(make, outbox(), outbox())
    assert kinds(caught) == ["DuplicateOutbox"]


def test_event_tables_and_tables_without_a_key_have_none(make: Any) -> None:
    for table, kind in [
        (make.keyed("letter", LETTER, is_event=True), "OutboxEventTable"),
        (make.table("letter", LETTER), "OutboxMissingPrimaryKey"),
        (make.keyed("letter", product(id=STRING, to=IDENTITY, text=STRING)), "OutboxInvalidPrimaryKey"),
    ]:
        with pytest.raises(ValidationErrors) as caught:
            make.module(table, Outboxes=(outbox(),))
        assert kinds(caught) == [kind]


def test_outboxes_come_and_go_only_by_hand(make: Any) -> None:
    without, with_one = with_outbox(make), with_outbox(make, outbox())
    with pytest.raises(MigrationErrors, match="Adding outbox metadata to table letter requires"):
        plan_migration(without, with_one)
    with pytest.raises(MigrationErrors, match="Removing outbox metadata from table letter requires"):
        plan_migration(with_one, without)
    (step,) = plan_migration(with_one, with_outbox(make, outbox(remote_reducer="other"))).steps
    assert (step.kind, step.full_name) == (StepKind.CHANGE_OUTBOX, "letter")


# --- namespaces ---


def test_a_namespace_is_converted_only_by_newer_rules(make: Any) -> None:
    inner = make.raw(make.table("Session", product(id=U64)))
    for edition, name in [(Edition.V2_8, "myAuth.session"), (Edition.V2_14, "my_auth.session")]:
        definition = make.module(Submodules=(make.submodule("myAuth", inner),), edition=edition)
        (table,) = definition.all_tables
        assert table.full_name == name
        assert table.full_accessor == "myAuth.Session"


@pytest.mark.parametrize("edition", Edition)
def test_an_explicit_namespace_counts_always(make: Any, edition: Edition) -> None:
    inner = make.raw(make.table("session", product(id=U64)))
    definition = make.module(
        Submodules=(make.submodule("myAuth", inner),),
        ExplicitNames=make.names(Namespace={"myAuth": "login"}),
        edition=edition,
    )
    assert [table.full_name for table in definition.all_tables] == ["login.session"]
    assert [table.full_name for table in read_served_v10(serve_v10(definition)).all_tables] == [
        "login.session"
    ]


def test_a_changed_accessor_of_a_namespace_only_rewrites_aliases(make: Any) -> None:
    inner = make.raw(make.keyed("session", product(id=U64)))

    def mounted(accessor: str) -> ModuleDef:
        definition: ModuleDef = make.module(
            Submodules=(make.submodule(accessor, inner),),
            ExplicitNames=make.names(Namespace={accessor: "login"}),
        )
        return definition

    steps = plan_migration(mounted("auth"), mounted("authentication")).steps
    assert [step.kind for step in steps] == [
        StepKind.CHANGE_INDEX_SOURCE_NAME,
        StepKind.CHANGE_TABLE_ACCESSOR_NAME,
    ]


def test_a_namespace_may_not_be_called_like_its_neighbours(make: Any) -> None:
    sections = {
        "Submodules": (make.submodule("auth", make.raw()),),
        "Reducers": (make.reducer("auth"),),
    }
    assert make.module(**sections)
    with pytest.raises(ValidationErrors) as caught:
        make.module(**sections, edition=Edition.V2_14)
    assert kinds(caught) == ["NamespaceNameConflict"]


# --- stricter rules ---


def test_newer_rules_refuse_what_was_accepted(make: Any) -> None:
    sequence = RawSequenceDefV10(None, 0, None, None, None, increment=2)
    row = product(id=U64, at=SCHEDULE_AT)
    cases: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
        ("InvalidSequenceDefOption", (make.table("t", product(id=U64), sequences=(sequence,)),), {}),
        ("ViewFloatParam", (make.table("t", row),), {"Views": (make.view("v", params=product(x=F32)),)}),
        (
            "ViewPrimaryKeyWithParams",
            (make.table("t", row),),
            {
                "Views": (make.view("v", params=product(x=U64)),),
                "ViewPrimaryKeys": (RawViewPrimaryKeyDefV10("v", ("id",)),),
            },
        ),
        (
            "ScheduledEventTable",
            (make.keyed("t", row, is_event=True),),
            {
                "Reducers": (make.reducer("run", t=Ref(0)),),
                "Schedules": (RawScheduleDefV10(None, "t", 1, "run"),),
            },
        ),
    ]
    for kind, tables, sections in cases:
        assert make.module(*tables, **sections)
        with pytest.raises(ValidationErrors) as caught:
            make.module(*tables, **sections, edition=Edition.V2_14)
        assert kinds(caught) == [kind]
