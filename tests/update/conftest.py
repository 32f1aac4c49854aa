"""Fixtures for the version manager. Publishing takes a while, so the repository is made once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from .world import BASE, MemoryNet, Publisher, Tool

RELEASES = ("2.9.0", "2.10.0")


@pytest.fixture(scope="session")
def publisher(tmp_path_factory: pytest.TempPathFactory) -> Publisher:
    """A repository with the releases 2.9.0 and 2.10.0; not to be changed."""
    made = Publisher.create(tmp_path_factory.mktemp("published"))
    for version in RELEASES:
        made.release(version)
    return made


@pytest.fixture(scope="session")
def published(publisher: Publisher) -> dict[str, bytes]:
    """What the repository's web server serves."""
    return publisher.files()


@pytest.fixture
def net(published: dict[str, bytes]) -> MemoryNet:
    made = MemoryNet()
    made.serve(BASE, published)
    return made


@pytest.fixture
def tool(tmp_path: Path, net: MemoryNet, publisher: Publisher) -> Tool:
    """The tool with nothing installed."""
    return Tool(tmp_path / "root", net, publisher.anchor)


@pytest.fixture
def installed(tool: Tool) -> Callable[..., Tool]:
    """The tool with releases installed; the last one is selected."""

    def install(*versions: str) -> Tool:
        for version in versions:
            outcome = tool("install", version, "--use")
            assert outcome.exit == 0, outcome.err
        return tool

    return install
