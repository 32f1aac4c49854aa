"""What a procedure gets of its requests, and when they may be sent at all."""

from __future__ import annotations

from spacetimedb_standalone.host.http_messages import HttpRequest, HttpResponse
from spacetimedb_standalone.host.interface import HttpFailed
from spacetimedb_standalone.outgoing.http import OutgoingHttp
from tests.standalone.database.conftest import Publish


class Answering(OutgoingHttp):
    """A world that answers everything, and remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[HttpRequest, bytes]] = []

    def send(self, request: HttpRequest, body: bytes) -> tuple[HttpResponse, bytes]:
        self.asked.append((request, body))
        if request.method == "DELETE":
            raise HttpFailed("no")
        return HttpResponse(418), b"answer"


def test_the_request_goes_out_as_the_module_made_it(publish: Publish) -> None:
    world = Answering()
    module = publish("waiting", outgoing=world)
    assert module.json("fetch", '["PUT", "http://example.org/a?b=c", 1500]') == '[0,"418 answer"]'
    (request, body) = world.asked[0]
    assert (request.method, request.uri, body) == ("PUT", "http://example.org/a?b=c", b"question")
    assert (request.headers, request.timeout) == ((("x-mine", b"yes"),), 1_500_000)


def test_a_failure_is_a_value_for_the_module(publish: Publish) -> None:
    assert publish("waiting", outgoing=Answering()).json("fetch", '["DELETE", "http://h/", 1]') == '[1,"no"]'


def test_special_addresses(publish: Publish) -> None:
    told = publish("waiting").json("fetch", '["GET", "http://127.0.0.1:9/", 1000]')
    assert told == '[1,"refusing to connect to private or special-purpose addresses"]'


def test_nothing_is_sent_before_the_last_commit_is_durable(publish: Publish) -> None:
    """Else the world would know of something that a power cut undoes."""
    world = Answering()
    module = publish("waiting", outgoing=world)
    module.durable = lambda offset: False
    result = module.run("fetch", '["GET", "http://example.org/", 1000]')
    assert "outcome unknown" in result.text
    assert world.asked == []
