"""`sql`: tables of rows, JSON, and the shell."""

import json

import pytest

from .conftest import DATABASE, SERVER, WARNING
from .schemas import STRING, U32, named

SQL = f"POST /v1/database/{DATABASE}/sql"


def result(columns, rows, **stats):
    counts = {"rows_inserted": 0, "rows_deleted": 0, "rows_updated": 0, **stats}
    schema = {"elements": [named(name, type_) for name, type_ in columns.items()]}
    return {"schema": schema, "rows": rows, "total_duration_micros": 1500, "stats": counts}


ITEMS = result({"id": U32, "name": STRING}, [[1, "anvil"], [20, "pin"]])


@pytest.fixture
def db(logged_in, server):
    server.on(SQL, [ITEMS])
    return logged_in


def test_a_table(db):
    outcome = db("sql", "db", "SELECT * FROM item")
    assert (outcome.exit, outcome.err) == (0, WARNING)
    assert outcome.out == (' id | name    \n----+---------\n 1  | "anvil" \n 20 | "pin"   \n')
    assert db.server.last.content == b"SELECT * FROM item"


def test_several_words_are_one_statement(db):
    db("sql", "db", "SELECT", "COUNT(*)", "AS", "n", "FROM", "item")
    assert db.server.last.content == b"SELECT COUNT(*) AS n FROM item"


def test_json_is_passed_on_as_it_is(db):
    raw = '[{"schema":{"elements":[]},   "rows":[]}]'
    db.server.on(SQL, raw)
    assert db("sql", "db", "SELECT 1", "--format", "json").out == raw + "\n"


def test_no_rows_is_a_header(db):
    db.server.on(SQL, [result({"text": STRING}, [])])
    assert db("sql", "db", "SELECT").out == " text \n------\n"


def test_a_change_prints_an_empty_line(db):
    db.server.on(SQL, [result({}, [], rows_inserted=1)])
    assert db("sql", "db", "INSERT").out == "\n"


def test_an_unnamed_column(db):
    unnamed = {"elements": [{"name": {"none": []}, "algebraic_type": U32}]}
    db.server.on(SQL, [{"schema": unnamed, "rows": [[7]]}])
    assert db("sql", "db", "SELECT").out == " column 0 \n----------\n 7        \n"


def test_several_results_have_a_blank_line_between(db):
    one = result({"n": U32}, [[1]])
    db.server.on(SQL, [one, one])
    assert db("sql", "db", "SELECT").out == " n \n---\n 1 \n\n n \n---\n 1 \n"


@pytest.mark.parametrize(
    ("given", "sent"), [(["--confirmed", "true"], "true"), (["--confirmed", "false"], "false")]
)
def test_confirmed(db, given, sent):
    db("sql", "db", "SELECT", *given)
    assert db.server.last.url.params["confirmed"] == sent


def test_a_statement_that_is_wrong(db):
    db.server.on(SQL, "no such table: `nothing`.", status=400)
    outcome = db("sql", "db", "SELECT * FROM nothing")
    assert (outcome.exit, outcome.out) == (1, "")
    assert outcome.err == (
        f"{WARNING}Error: no such table: `nothing`.\n\n"
        "Caused by:\n"
        f"    HTTP status client error (400 Bad Request) for url ({SERVER}/v1/database/{DATABASE}/sql)\n"
    )


@pytest.mark.parametrize("answer", ["<html>", {"rows": []}, [{"schema": 3, "rows": []}], [{"rows": []}]])
def test_an_answer_that_is_no_result(db, answer):
    db.server.on(SQL, answer)
    outcome = db("sql", "db", "SELECT")
    assert (outcome.exit, "try --format json" in outcome.err) == (1, True)


def test_rows_that_do_not_fit_their_columns(db):
    db.server.on(SQL, [result({"id": U32}, [[1, 2]])])
    assert "the server's rows do not fit their types" in db("sql", "db", "SELECT").err


def test_the_project_names_database_and_server(db):
    db.project(json.dumps({"database": "db", "server": SERVER}))
    db.toml.write_text(db.toml.read_text().replace('default_server = "fake"', 'default_server = "nowhere"'))
    assert db("sql", "SELECT 1").exit == 0
    assert db("sql", "--no-config", "SELECT 1").exit == 1


# --- the shell ---


def test_the_shell(db):
    outcome = db("sql", "db", "--interactive", stdin="SELECT * FROM item\n\n.clear\n.exit\nnever\n")
    assert outcome.exit == 0
    assert outcome.err == f"{WARNING}No previous history.\n"
    lines = outcome.out.splitlines()
    assert lines[0].startswith("┌──")
    assert lines[7:11] == [" id | name    ", "----+---------", ' 1  | "anvil" ', ' 20 | "pin"   ']
    assert lines[11] == "(2 rows) [server: 1.50ms]"
    assert lines[12].startswith("Roundtrip time: ")
    assert len(db.server.requests) == 2  # the name, one statement


def test_an_error_does_not_end_the_shell(db):
    db.server.on(SQL, "no such table", status=400)
    outcome = db("sql", "db", "--interactive", stdin="SELECT 1\nSELECT 2\n")
    assert outcome.exit == 0
    assert outcome.err.count("Error: no such table") == 2
    assert outcome.out.endswith("Aborted!\n")  # the input ended without `.exit`


def test_the_shell_counts_changes(db):
    db.server.on(SQL, [result({}, [], rows_inserted=3, rows_updated=1)])
    outcome = db("sql", "db", "--interactive", stdin="INSERT\n.exit\n")
    assert "(0 rows) [inserted: 3, updated: 1, server: 1.50ms]\n" in outcome.out


def test_the_shell_takes_a_database_alone(db):
    outcome = db("sql", "db", "SELECT 1", "--interactive")
    assert outcome.exit == 1
    assert "Too many positional arguments for interactive mode." in outcome.err
