"""A snapshot is due by bytes, by transactions or by time, whichever comes first."""

from spacetimedb_standalone.config.settings import SnapshotSettings
from spacetimedb_standalone.snapshots import Progress

LIMITS = SnapshotSettings(every_bytes=1000, every_transactions=10, every=60.0)


def test_nothing_is_due_before_anything_was_logged() -> None:
    assert not Progress(LIMITS).is_due(1e9)


def test_each_limit_counts_alone() -> None:
    for size, transactions, later, due in (
        (999, 9, 59.0, False),
        (1000, 1, 0.0, True),
        (1, 10, 0.0, True),
        (1, 1, 60.0, True),
    ):
        progress = Progress(LIMITS)
        progress.logged(size, transactions, 100.0)
        assert progress.is_due(100.0 + later) is due, (size, transactions, later)


def test_amounts_add_up_and_time_runs_from_the_first() -> None:
    progress = Progress(LIMITS)
    progress.logged(600, 1, 100.0)
    progress.logged(399, 1, 150.0)
    assert not progress.is_due(159.0) and progress.is_due(160.0)
    progress.logged(1, 1, 151.0)
    assert progress.is_due(151.0)
    progress.restart()
    assert not progress.is_due(1e9)


def test_a_limit_of_zero_is_none_and_the_switch_turns_all_off() -> None:
    progress = Progress(SnapshotSettings(every_bytes=0, every_transactions=0, every=0.0))
    progress.logged(1 << 60, 1 << 60, 0.0)
    assert not progress.is_due(1e9)
    progress = Progress(SnapshotSettings(enabled=False))
    progress.logged(1 << 60, 1 << 60, 0.0)
    assert not progress.is_due(1e9)
