"""Passing over commits: up to the end of the sound ones, and not a byte further."""

from pathlib import Path

import pytest

from spacetimedb_engine import pass_commits, whole_commits

LOG = (Path(__file__).parents[1] / "vectors" / "database.stdb.log").read_bytes()[10:]
HEADER, CHECKSUM, LENGTH = 22, 4, slice(18, 22)


def boundaries() -> list[int]:
    """Where commits begin in the log, and its end."""
    at = [0]
    while at[-1] < len(LOG):
        length = int.from_bytes(LOG[at[-1] :][LENGTH], "little")
        at.append(at[-1] + HEADER + length + CHECKSUM)
    return at


AT = boundaries()


def test_a_whole_log_is_passed_from_its_first_transaction_to_its_last() -> None:
    assert pass_commits(LOG, 0) == (len(LOG), len(AT) - 1)


def test_nothing_is_passed_where_there_is_nothing() -> None:
    assert pass_commits(b"", 7) == (0, 7)


def test_a_log_goes_on_from_any_commit() -> None:
    for number, at in enumerate(AT):
        assert pass_commits(LOG[at:], number) == (len(LOG) - at, len(AT) - 1)


def test_a_commit_out_of_turn_is_not_passed() -> None:
    assert pass_commits(LOG, 1) == (0, 1)
    gap = LOG[: AT[1]] + LOG[AT[2] :]
    assert pass_commits(gap, 0) == (AT[1], 1)


@pytest.mark.parametrize("cut", [1, HEADER - 1, HEADER, HEADER + 1])
def test_a_commit_that_is_cut_off_is_not_passed(cut: int) -> None:
    assert pass_commits(LOG[: AT[2] + cut], 0) == (AT[2], 2)
    assert pass_commits(LOG[: AT[3] - cut], 0) == (AT[2], 2)


def test_a_commit_with_a_flipped_bit_is_not_passed() -> None:
    for place in range(AT[1], AT[2]):
        damaged = bytearray(LOG)
        damaged[place] ^= 0x10
        assert pass_commits(bytes(damaged), 0) == (AT[1], 1)


def test_whole_commits_are_counted_by_their_lengths_alone() -> None:
    for cut in range(len(LOG) + 1):
        assert whole_commits(LOG[:cut]) == max(at for at in AT if at <= cut)


def test_damage_inside_a_commit_does_not_keep_it_from_being_whole() -> None:
    damaged = bytearray(LOG)
    damaged[AT[1] - 1] ^= 1
    assert whole_commits(bytes(damaged)) == len(LOG)
