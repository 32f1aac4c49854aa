"""Fixtures for tests against a real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.running_server import Api, RunningServer

ROOT = Path(__file__).parents[2]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    running = RunningServer(tmp_path / "data", tmp_path / "keys")
    running.start()
    try:
        yield running
    finally:
        running.end()


@pytest.fixture
def owner(server: RunningServer) -> Api:
    return Api.anonymous(server.url)


@pytest.fixture(scope="session")
def chat() -> bytes:
    return (ROOT / "templates/chat-rust/chat.wasm").read_bytes()


@pytest.fixture(scope="session")
def transfer() -> bytes:
    return (ROOT / "bench/transfer-module/transfer.wasm").read_bytes()
