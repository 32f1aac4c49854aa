"""Timers that a module starts and ends, and the lines they leave in its log."""

from spacetimedb_standalone.host.wasm.timers import MOST, ConsoleTimers, duration


def test_a_timer_is_ended_once() -> None:
    now = [10.0]
    timers = ConsoleTimers(lambda: now[0])
    first, second = timers.start("load"), timers.start('a "quoted"\nname')
    assert (first, second) == (1, 2)
    now[0] = 10.0015
    assert timers.end(first) == 'Timing span "load": 1.5ms'
    assert timers.end(first) is None
    assert timers.start("again") == first, "a freed number is used next"
    now[0] = 12.0
    assert timers.end(second) == 'Timing span "a \\"quoted\\"\\nname": 2s'


def test_a_module_that_ends_none_loses_the_oldest() -> None:
    timers = ConsoleTimers(lambda: 0.0)
    numbers = [timers.start(str(n)) for n in range(MOST + 2)]
    assert numbers[-2:] == [1, 2]
    assert timers.end(1) == f'Timing span "{MOST}": 0ns'
    assert timers.end(3) == 'Timing span "2": 0ns'


def test_durations_are_written_as_rust_does() -> None:
    assert [duration(n) for n in (0, 7, 15_200, 1_234_567, 2_000_000_000, 61_000_000_001)] == [
        "0ns", "7ns", "15.2µs", "1.234567ms", "2s", "61.000000001s",
    ]  # fmt: skip
