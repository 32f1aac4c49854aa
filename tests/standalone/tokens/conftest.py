"""Keys made once, and a clock that tests turn by hand."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from spacetimedb_standalone.tokens.keys import KeyFiles, KeyPair, load_or_create_keys


@dataclass
class TokenClock:
    """Unix seconds."""

    now: float = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> TokenClock:
    return TokenClock()


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> KeyPair:
    directory: Path = tmp_path_factory.mktemp("keys")
    return load_or_create_keys(KeyFiles(directory / "id_ecdsa", directory / "id_ecdsa.pub"))
