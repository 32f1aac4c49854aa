"""Which examples the tests with random ones try: the same on the same code, unless STDB_SEED asks for others.

    STDB_SEED=N          examples by this seed, and every other seed of tests moved by it; N again does the same again
    STDB_EXAMPLES=N      so many times as many
    STDB_MODEL_STEPS=N   so many steps of the model tests

`scripts/test-nightly` sets all three. Without them a run says of a change what it said the last time: nobody sees a
failure who broke nothing, and the search for what nobody thought of goes on at night.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers

SEED = int(os.environ["STDB_SEED"]) if os.environ.get("STDB_SEED") else None
BASE = SEED or 0
"""Added to the seeds of tests that draw by themselves. Seeds are in the tests' names."""
_TIMES = int(os.environ.get("STDB_EXAMPLES", "1"))


def examples(number: int) -> int:
    """`number`, or as many times as many as this run wants: for `settings(max_examples=...)`."""
    return number * _TIMES


def model_steps(number: int) -> int:
    """Of a model: `number`, or as many as this run wants."""
    return int(os.environ.get("STDB_MODEL_STEPS", number))


def load_profile() -> None:
    """What all settings that are made from now on inherit. Nothing may depend on how fast this machine is, or on what
    an earlier run left behind."""
    name = "the same each time" if SEED is None else "by seed"
    settings.register_profile(
        name,
        derandomize=SEED is None,
        max_examples=examples(100),
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile(name)
    # Constants of the modules that this process happens to have loaded would be among the examples.
    setattr(providers, "_get_local_constants", lambda: providers._local_constants)  # noqa: B010
