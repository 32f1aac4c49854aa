"""The command line behind `scripts/release`."""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from scripts.releasing import compare, smoke, source
from scripts.releasing.archive import pack
from scripts.releasing.commands import BuildError, run
from scripts.releasing.documents import Origin
from scripts.releasing.folder import Built, build_folder
from scripts.releasing.target import Target

REPOSITORY = Path(__file__).parents[2]


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="scripts/release", description="Build the release of a commit for the platform this runs on."
    )
    top.add_argument("--commit", default="HEAD", help="what to build; default: HEAD")
    top.add_argument(
        "--out", type=Path, default=REPOSITORY / "dist", help="where the archive goes; default: dist/"
    )
    top.add_argument("--version", help="call it by another version, to rehearse an upgrade")
    top.add_argument("--root", type=Path, help="the root metadata (root.json) that the release shall trust")
    top.add_argument(
        "--mirror",
        action="append",
        default=[],
        metavar="URL",
        help="a base URL where newer releases are; may be repeated",
    )
    top.add_argument("--twice", action="store_true", help="build again and compare, byte for byte")
    top.add_argument("--no-smoke", action="store_true", help="do not try the result")
    return top


def say(text: str) -> None:
    print(f"release: {text}", file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: built; 1: could not be built, or does not work; 3: the second build was another one."""
    chosen = parser().parse_args(arguments)
    try:
        return _release(chosen)
    except BuildError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1


def _release(chosen: argparse.Namespace) -> int:
    target = Target.here()
    if changed := source.uncommitted(REPOSITORY, run):
        say(f"{len(changed)} changed files of the work tree are not part of it, only what is committed")
    with tempfile.TemporaryDirectory(prefix="spacetime-release-", ignore_cleanup_errors=True) as temporary:
        work = Path(temporary).resolve()
        archive, built = _build(chosen, target, work / "first")
        if not chosen.no_smoke:
            for line in smoke.try_archive(archive, built, work, run):
                say(line)
        differing = []
        if chosen.twice:
            say("building once more")
            differing = compare.differences(archive, _build(chosen, target, work / "the second")[0])
        result = chosen.out / built.source.version / target.archive_name
        result.parent.mkdir(parents=True, exist_ok=True)
        result.write_bytes(archive.read_bytes())
    _report(result, built)
    if chosen.twice:
        say(
            "\n  ".join(["the second build differs:", *differing])
            if differing
            else "the second build is equal"
        )
    return 3 if differing else 0


def _build(chosen: argparse.Namespace, target: Target, work: Path) -> tuple[Path, Built]:
    work.mkdir()
    exported = source.export(REPOSITORY, chosen.commit, work / "source", run, chosen.version)
    say(f"version {exported.version} for {target.triple} from commit {exported.commit[:12]}")
    origin = Origin(chosen.root, tuple(chosen.mirror))
    built = build_folder(exported, target, work, origin, run, say)
    archive = work / target.archive_name
    say("packing")
    pack(built.folder, archive, exported.epoch)
    return archive, built


def _report(result: Path, built: Built) -> None:
    data = result.read_bytes()
    say(
        f"{len(data) / 1e6:.1f} MB; needs glibc {built.glibc}" if built.glibc else f"{len(data) / 1e6:.1f} MB"
    )
    if built.unlicensed:
        say(f"without a licence text: {', '.join(built.unlicensed)}; add them by hand")
    print(f"{hashlib.sha256(data).hexdigest()}  {result}")


if __name__ == "__main__":
    sys.exit(main())
