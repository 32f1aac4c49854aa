"""Randomness as a port."""

from __future__ import annotations

import os
import random
from typing import Protocol


class Random(Protocol):
    def bytes(self, count: int) -> bytes:
        """This many unpredictable bytes."""
        ...


class SystemRandom:
    """The host's source, fit for keys and identities."""

    def bytes(self, count: int) -> bytes:
        return os.urandom(count)


class SeededRandom:
    """The same bytes for the same seed, for tests. Never for keys."""

    def __init__(self, seed: int) -> None:
        self._source = random.Random(seed)

    def bytes(self, count: int) -> bytes:
        return self._source.randbytes(count)
