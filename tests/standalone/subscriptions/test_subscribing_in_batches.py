"""Several sets subscribed by one request: each all or none, answered together."""

from __future__ import annotations

from ..sql.sample import P2
from .client import Client, Stage

LEVEL_7 = "SELECT * FROM player WHERE level = 7"


def test_each_set_is_applied_or_refused_by_itself() -> None:
    stage, client = Stage(), Client()
    sets = [(1, [LEVEL_7]), (2, ["SELECT * FROM kv", "SELECT * FROM nowhere"]), (3, []), (1, [LEVEL_7])]
    stage.subscriptions.subscribe_batch(client, 9, sets, 42)
    assert client.offsets == [42]
    ((kind, request_id, results),) = client.take()
    assert (kind, request_id, [set_id for set_id, _ in results]) == ("batch", 9, [1, 2, 3, 1])
    outcomes = [outcome for _, outcome in results]
    assert outcomes[0] == [("player", [P2])]
    assert outcomes[1].endswith("executing: `SELECT * FROM nowhere`")
    assert outcomes[2] == []
    assert outcomes[3].startswith("Subscription with id QuerySetId { id: 1 } already exists")


def test_sets_live_on_as_if_subscribed_singly() -> None:
    stage, client = Stage(), Client()
    stage.subscriptions.subscribe_batch(client, 9, [(1, [LEVEL_7]), (2, ["SELECT * FROM nowhere"])], 0)
    client.take()
    stage.commit([("player", (4, "dan", 7, True, 0.0))])
    assert stage.heard(client) == ([(4, "dan", 7, True, 0.0)], [])
    assert stage.ask(client, LEVEL_7, set_id=2)[0] == "applied", "the id of a refused set is free"


def test_no_sets() -> None:
    stage, client = Stage(), Client()
    stage.subscriptions.subscribe_batch(client, 9, [], 0)
    assert client.take() == [("batch", 9, [])]
