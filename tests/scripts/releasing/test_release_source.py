"""A release is made of one commit: not of the work tree, and not of programs that report different versions."""

import subprocess

import pytest

from scripts.releasing.commands import BuildError, run
from scripts.releasing.source import VERSION_FILES, export, read_version, uncommitted

WHEN = "2026-01-02T03:04:05+00:00"
EPOCH = 1767323045


def git(folder, *arguments):
    who = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com"]
    subprocess.run(
        ["git", "-C", str(folder), *who, *arguments],
        check=True,
        capture_output=True,
        env={
            "PATH": "/usr/bin:/bin",
            "GIT_COMMITTER_DATE": WHEN,
            "GIT_AUTHOR_DATE": WHEN,
            "HOME": str(folder),
        },
    )


@pytest.fixture
def repository(tmp_path):
    made = tmp_path / "repository"
    for name in VERSION_FILES:
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_text('"""Text."""\n\nVERSION = "2.10.0"\n')
    (made / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "2.10.0"\n')
    (made / "standalone/spacetimedb_standalone/version.py").write_text('VERSION: Final = "2.10.0"\n')
    git(tmp_path, "init", "-q", str(made))
    git(made, "add", ".")
    git(made, "commit", "-q", "-m", "first")
    return made


def test_a_commit_is_exported_with_its_time(repository, tmp_path):
    source = export(repository, "HEAD", tmp_path / "out", run)
    assert (source.version, source.epoch) == ("2.10.0", EPOCH)
    assert len(source.commit) == 40
    assert (source.path / "pyproject.toml").is_file()
    assert not (source.path / ".git").exists()


def test_the_work_tree_is_not_part_of_it(repository, tmp_path):
    (repository / "new.txt").write_text("not committed")
    (repository / "pyproject.toml").write_text("changed")
    source = export(repository, "HEAD", tmp_path / "out", run)
    assert not (source.path / "new.txt").exists()
    assert source.version == "2.10.0"
    assert uncommitted(repository, run) == ["pyproject.toml"]


def test_an_unknown_commit(repository, tmp_path):
    with pytest.raises(BuildError, match="rev-parse"):
        export(repository, "no-such-branch", tmp_path / "out", run)


def test_all_programs_must_report_the_same_version(repository):
    (repository / "cli/spacetimedb_cli/version.py").write_text('VERSION = "2.9.0"\n')
    with pytest.raises(BuildError, match=r"cli/.*version.py says version 2.9.0, pyproject.toml says 2.10.0"):
        read_version(repository)


def test_a_rehearsal_under_another_version(repository, tmp_path):
    source = export(repository, "HEAD", tmp_path / "out", run, "2.11.0-rc.1")
    assert source.version == read_version(source.path) == "2.11.0-rc.1"
    assert (
        'VERSION: Final = "2.11.0-rc.1"'
        in (source.path / "standalone/spacetimedb_standalone/version.py").read_text()
    )
    assert read_version(repository) == "2.10.0"


def test_a_rehearsal_needs_a_version(repository, tmp_path):
    with pytest.raises(BuildError, match="'next' is no version"):
        export(repository, "HEAD", tmp_path / "out", run, "next")


def test_this_repository_can_be_released():
    from pathlib import Path

    assert read_version(Path(__file__).parents[3])
