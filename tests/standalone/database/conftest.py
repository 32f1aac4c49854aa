"""Databases with modules on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.standalone.database.published import Programs, Published

Publish = Callable[..., Published]


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Programs:
    return Programs(tmp_path_factory.mktemp("compiled"))


@pytest.fixture
def publish(programs: Programs) -> Iterator[Publish]:
    """`publish(module, ...)`: a database, closed at the end of the test."""
    opened: list[Published] = []

    def one(name: str, **settings: Any) -> Published:
        opened.append(programs.publish(name, **settings))
        return opened[-1]

    yield one
    for database in opened:
        database.close()
