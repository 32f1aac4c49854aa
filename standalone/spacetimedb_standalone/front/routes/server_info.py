"""Routes about the server itself: is it there, is it well, what does it count."""

from __future__ import annotations

from spacetimedb_standalone.front.caller import Doorkeeper
from spacetimedb_standalone.front.http import Response, empty, json_response, text
from spacetimedb_standalone.front.metrics import Metrics
from spacetimedb_standalone.front.router import Call, Resource
from spacetimedb_standalone.version import VERSION


class ServerRoutes:
    def __init__(self, doorkeeper: Doorkeeper, metrics: Metrics):
        self._doorkeeper = doorkeeper
        self._metrics = metrics

    def resources(self) -> list[Resource]:
        return [
            Resource("/v1/ping", {"GET": self.ping}),
            Resource("/v1/health", {"GET": self.health}),
            Resource("/v1/metrics", {"GET": self.metrics}),
            Resource("/v1/prometheus/sd_config", {"GET": self.scrape_targets}),
            Resource("/internal/heap", {"GET": self.heap}),
            Resource("/internal/heap/settings", {"GET": self.heap_settings, "POST": self.heap_settings}),
        ]

    async def ping(self, call: Call) -> Response:
        await self._doorkeeper.known(call.request)
        return empty()

    async def health(self, call: Call) -> Response:
        return json_response(
            {
                "package_name": "spacetimedb-client-api",
                "version": VERSION,
                "nodes": [0],
                "schedulable": True,
            }
        )

    async def metrics(self, call: Call) -> Response:
        return text(await self._metrics.render())

    async def scrape_targets(self, call: Call) -> Response:
        return json_response([{"targets": ["node:80"], "labels": {}}])

    async def heap(self, call: Call) -> Response:
        return text("this server has no heap profiler", 403)

    async def heap_settings(self, call: Call) -> Response:
        return json_response({"enabled": False})
