"""`call`: words become arguments, failures become advice."""

import json

import pytest

from spacetimedb_cli.call.suggestions import edit_distance, most_similar

from .conftest import DATABASE, SERVER, WARNING
from .schemas import V9, V10

CALL = f"POST /v1/database/{DATABASE}/call"
WHERE = f"for database `db` resolving to identity `{DATABASE}`."


@pytest.fixture
def db(logged_in, server):
    server.on(f"GET /v1/database/{DATABASE}/schema", V10)
    for name in ("say", "add_item", "odd", "sum", "start_up"):
        server.on(f"{CALL}/{name}", "")
    return logged_in


def body_of(cli):
    return cli.server.last.content.decode()


def test_a_reducer_prints_nothing(db):
    outcome = db("call", "db", "say", "hello")
    assert (outcome.exit, outcome.out, outcome.err) == (0, "", WARNING)
    assert body_of(db) == '["hello"]'
    request = db.server.last
    assert request.headers["content-type"] == "application/json"
    assert request.headers["authorization"].startswith("Bearer ")
    assert request.headers["user-agent"] == "spacetimedb-cli/2.10.0"


def test_a_procedure_prints_what_it_returns(db):
    db.server.on(f"{CALL}/sum", "42")
    assert db("call", "db", "sum", "40", "2").out == "42\n"
    assert body_of(db) == "[40, 2]"


@pytest.mark.parametrize(
    ("word", "fragment"),
    [
        ("several words", '"several words"'),
        ('"quoted"', '"quoted"'),
        ('"', '"""'),
        ('half "quoted', '"half "quoted"'),  # nothing is escaped
        ("", '""'),
    ],
)
def test_a_string_needs_no_quotes(db, word, fragment):
    db("call", "db", "say", word)
    assert body_of(db) == f"[{fragment}]"


@pytest.mark.parametrize(
    ("word", "fragment"),
    [
        ("0xabc", '["0xabc"]'),
        ('"0xabc"', '["0xabc"]'),
        ("c200ff", '["0xc200ff"]'),
        ('{"__identity__": "0x1"}', '{"__identity__": "0x1"}'),
    ],
)
def test_an_identity_needs_no_brackets(db, word, fragment):
    db("call", "db", "add_item", "pin", word, "1")
    assert body_of(db) == f'["pin", {fragment}, 1]'


def test_surplus_words_are_left_out_and_missing_ones_missing(db):
    db("call", "db", "say", "hello", "surplus")
    assert body_of(db) == '["hello"]'
    db("call", "db", "say")
    assert body_of(db) == "[]"


def test_negative_numbers_come_after_two_dashes(db):
    db("call", "db", "sum", "--", "-1", "2")
    assert body_of(db) == "[-1, 2]"


def test_anonymously(db):
    db("call", "db", "say", "x", "--anonymous")
    assert "authorization" not in db.server.last.headers


def test_by_identity_nothing_is_looked_up(db):
    assert db("call", DATABASE, "say", "x").exit == 0
    assert "GET /v1/database/db/identity" not in db.server.asked()


def test_an_older_server_describes_itself_in_version_9(db):
    import httpx

    def schema(request):
        wants = request.url.params["version"]
        return httpx.Response(400) if wants == "10" else httpx.Response(200, json=V9)

    db.server.on(f"GET /v1/database/{DATABASE}/schema", schema)
    assert db("call", "db", "say", "x").exit == 0


def test_from_a_project(db):
    db.project('{"database": "db"}')
    assert db("call", "say", "hello").exit == 0
    assert body_of(db) == '["hello"]'


def test_an_unknown_database(db):
    outcome = db("call", "nowhere", "say", "x")
    assert (outcome.exit, outcome.err) == (1, f"{WARNING}Error: failed to find database `nowhere`.\n")


def test_a_misspelt_reducer(db):
    outcome = db("call", "db", "ad_item")
    assert outcome.exit == 1
    assert outcome.err == (
        f"{WARNING}Error: No such reducer OR procedure `ad_item` {WHERE}\n\n"
        "A reducer with a similar name exists: `add_item`\n"
    )


def test_a_misspelt_procedure(db):
    assert "A procedure with a similar name exists: `sum`" in db("call", "db", "Sum").err


def test_a_name_like_no_other_lists_what_there_is(db):
    outcome = db("call", "db", "nothing_like_it_at_all")
    assert outcome.err.endswith(
        "Here are some existing reducers:\n- auth.sign_out\n- add_item\n- say\n- odd\n\n"
        "Here are some existing procedures:\n- sum\n"
    )


def test_long_lists_are_cut(db):
    many = [{"source_name": f"reducer_{n}", "params": {"elements": []}} for n in range(13)]
    db.server.on(f"GET /v1/database/{DATABASE}/schema", {"sections": [{"Reducers": many}]})
    error = db("call", "db", "xyzzy").err
    assert error.count("\n- reducer_") == 10
    assert error.endswith("... (3 reducers not shown)\n\nThe database has no procedures.\n")


def test_the_server_may_know_better(db):
    import httpx

    db.server.on(f"{CALL}/say", lambda _: httpx.Response(404, text="No such procedure"))
    assert f"No such reducer OR procedure `say` {WHERE}" in db("call", "db", "say", "x").err


def test_arguments_that_do_not_fit(db):
    text = "invalid arguments for reducer add_item: [2]: expected value at line 1 column 9"
    db.server.on(f"{CALL}/add_item", text, status=400)
    outcome = db("call", "db", "add_item", "pin", "0x1", "one")
    assert outcome.exit == 1
    assert outcome.err == (
        f"{WARNING}Error: Invalid arguments provided for reducer `add_item` {WHERE}\n\n"
        "The reducer has the following signature:\n"
        "\tadd_item(name: String, owner: Identity, count: u32)\n\n"
        "Caused by:\n"
        f"    0: Response text: {text}\n"
        f"    1: HTTP status client error (400 Bad Request) for url "
        f"({SERVER}/v1/database/{DATABASE}/call/add_item)\n"
    )


def test_the_signature_of_compound_types(db):
    db.server.on(f"{CALL}/odd", "invalid arguments for reducer odd: x", status=400)
    assert "\todd(deep: { next: ... }, many: Vec<enum { a: () }>)\n" in db("call", "db", "odd").err


def test_too_few_arguments_are_counted(db):
    text = "invalid arguments for reducer say: .: invalid length 0, expected reducer args with 1 elements"
    db.server.on(f"{CALL}/say", text, status=400)
    assert "\n\n1 parameters were expected, but 0 were provided.\n\n" in db("call", "db", "say").err


def test_a_reducer_that_refuses(db):
    db.server.on(f"{CALL}/say", "say something", status=530)
    outcome = db("call", "db", "say", "")
    assert outcome.exit == 1
    assert outcome.err == (
        f"{WARNING}Error: Response text: say something\n\n"
        "Caused by:\n"
        f"    HTTP status server error (530 <none>) for url ({SERVER}/v1/database/{DATABASE}/call/say)\n"
    )


@pytest.mark.parametrize(
    ("name", "known", "expected"),
    [
        ("SEND", ["send"], "send"),
        ("send_mesage", ["set_name", "send_message"], "send_message"),
        ("message_send", ["send_message"], "send_message"),
        ("xy", ["abcdef"], None),
        ("ab", ["ba"], "ba"),
        ("x", [], None),
    ],
)
def test_the_most_similar_name(name, known, expected):
    assert most_similar(name, known) == expected


@pytest.mark.parametrize(
    ("left", "right", "distance"),
    [("", "", 0), ("", "abc", 3), ("ca", "abc", 3), ("kitten", "sitting", 3), ("abcd", "acbd", 1)],
)
def test_edit_distance(left, right, distance):
    assert edit_distance(left, right) == edit_distance(right, left) == distance


def test_bodies_are_valid_json_for_plain_words(db):
    db("call", "db", "add_item", "grüße", "0x1", "5")
    assert json.loads(body_of(db)) == ["grüße", ["0x1"], 5]
