"""Metrics in the Prometheus text format: the front's own totals, and what every running worker counts.

A worker reports `{"families": [{"name", "type", "help", "samples": [{"suffix", "labels", "value"}]}]}` as
JSON. Families of the same name are printed as one. A worker that does not answer in time is left out.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp

from spacetimedb_standalone.front.worker_http import WorkerHttp
from spacetimedb_standalone.supervisor.process import WorkerProcess

_ANSWER_WITHIN: Final = 2.0
_ESCAPES: Final = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Family:
    """Samples under one name; a sample is (suffix, labels, value)."""

    name: str
    kind: str
    help: str
    samples: list[tuple[str, Mapping[str, str], float]] = field(default_factory=list)

    def add(self, value: float, suffix: str = "", **labels: str) -> None:
        self.samples.append((suffix, labels, value))


class Metrics:
    """`running` gives the ready workers, `databases` the number of databases, `engine_is_compiled` the
    build.
    """

    def __init__(
        self,
        workers: WorkerHttp,
        running: Callable[[], list[WorkerProcess]],
        databases: Callable[[], int],
        engine_is_compiled: Callable[[], bool],
    ):
        self._workers = workers
        self._running = running
        self._databases = databases
        self._engine_is_compiled = engine_is_compiled
        self.sockets_passed = 0
        self.requests = 0

    async def render(self) -> str:
        running = self._running()
        reports = await asyncio.gather(*(self._ask(worker) for worker in running))
        families = {family.name: family for family in self._own(len(running))}
        for reported in (family for report in reports for family in report):
            name = reported["name"]
            family = families.setdefault(name, Family(name, reported["type"], reported.get("help", "")))
            family.samples += [
                (sample.get("suffix", ""), sample["labels"], sample["value"])
                for sample in reported["samples"]
            ]
        return render_families(families.values())

    def _own(self, running: int) -> list[Family]:
        facts = [
            ("spacetime_databases", "gauge", "Databases that exist.", self._databases()),
            ("spacetime_workers_running", "gauge", "Databases whose process is running.", running),
            ("spacetime_websockets_passed_total", "counter", "WebSockets opened.", self.sockets_passed),
            ("spacetime_http_requests_total", "counter", "HTTP requests received.", self.requests),
            (
                "spacetime_engine_compiled",
                "gauge",
                "Whether the engine runs compiled (1) or as plain Python (0).",
                int(self._engine_is_compiled()),
            ),
        ]
        families = []
        for name, kind, help_text, value in facts:
            family = Family(name, kind, help_text)
            family.add(value)
            families.append(family)
        return families

    async def _ask(self, worker: WorkerProcess) -> list[Any]:
        try:
            report = await self._workers.json(worker, "/stats", _ANSWER_WITHIN)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            _log.debug("database %s reports no metrics: %s", worker.boot.database_identity, error)
            return []
        return list(report["families"])


def render_families(families: Iterable[Family]) -> str:
    """The text exposition format, families in the order of their names."""
    lines = []
    for family in sorted(families, key=lambda family: family.name):
        if family.help:
            lines.append(f"# HELP {family.name} {family.help.translate(_ESCAPES)}")
        lines.append(f"# TYPE {family.name} {family.kind}")
        for suffix, labels, value in family.samples:
            lines.append(f"{family.name}{suffix}{_labels(labels)} {_number(value)}")
    return "".join(f"{line}\n" for line in lines)


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    inner = ",".join(f'{name}="{str(value).translate(_ESCAPES)}"' for name, value in labels.items())
    return f"{{{inner}}}"


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))
