"""The command line behind `scripts/release`."""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from scripts.releasing import compare, smoke, source
from scripts.releasing.archive import pack
from scripts.releasing.commands import BuildError, run
from scripts.releasing.documents import Origin
from scripts.releasing.folder import Built, build_folder
from scripts.releasing.publish import Publisher, make_keys
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
    top.add_argument(
        "--publish",
        type=Path,
        metavar="FOLDER",
        help="add it to this release repository, which is made if missing",
    )
    top.add_argument("--keys", type=Path, metavar="FOLDER", help="the keys that sign for the repository")
    top.add_argument("--make-keys", action="store_true", help="make a new set of keys there first")
    top.add_argument("--policy", type=Path, metavar="FILE", help="keys, thresholds and expiry by role (TOML)")
    top.add_argument("--renew", action="store_true", help="build nothing: sign anew what would expire")
    top.add_argument(
        "--mirror",
        action="append",
        default=[],
        metavar="URL",
        help="the address of the repository, and of copies of it; may be repeated",
    )
    top.add_argument("--twice", action="store_true", help="build again and compare, byte for byte")
    top.add_argument("--no-smoke", action="store_true", help="do not try the result")
    return top


def say(text: str) -> None:
    print(f"release: {text}", file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: built; 1: could not be built, or does not work; 2: usage; 3: the second build was another."""
    options = parser()
    chosen = options.parse_args(arguments)
    if (chosen.publish is None) != (chosen.keys is None):
        options.error("--publish and --keys go together")
    if (chosen.renew or chosen.make_keys) and chosen.publish is None:
        options.error("--renew and --make-keys need --publish and --keys")
    try:
        publisher = _publisher(chosen)
        if chosen.renew and publisher is not None:
            if (still_to_do := publisher.renew(now())) is not None:
                say(still_to_do)
            return 0
        return _release(chosen, publisher)
    except BuildError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1


def now() -> datetime:
    return datetime.now(UTC)


def _publisher(chosen: argparse.Namespace) -> Publisher | None:
    if chosen.publish is None:
        return None
    if chosen.make_keys:
        make_keys(chosen.keys, chosen.policy)
    url = chosen.mirror[0] if chosen.mirror else ""
    return Publisher.open(chosen.publish, chosen.keys, chosen.policy, REPOSITORY / "scripts", url)


def _release(chosen: argparse.Namespace, publisher: Publisher | None) -> int:
    target = Target.here()
    if changed := source.uncommitted(REPOSITORY, run):
        say(f"{len(changed)} changed files of the work tree are not part of it, only what is committed")
    root = publisher.root_metadata(now()) if publisher is not None else None
    origin = Origin(root, tuple(chosen.mirror))
    with tempfile.TemporaryDirectory(prefix="spacetime-release-", ignore_cleanup_errors=True) as temporary:
        work = Path(temporary).resolve()
        archive, built = _build(chosen, origin, target, work / "first")
        if not chosen.no_smoke:
            for line in smoke.try_archive(archive, built, work, run):
                say(line)
        differing = []
        if chosen.twice:
            say("building once more")
            differing = compare.differences(archive, _build(chosen, origin, target, work / "the-other")[0])
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
    if differing:
        return 3
    if publisher is not None:
        publisher.publish(built.source.version, result, target.triple, built.glibc, now())
        say(f"published in {chosen.publish}")
    return 0


def _build(chosen: argparse.Namespace, origin: Origin, target: Target, work: Path) -> tuple[Path, Built]:
    work.mkdir()
    exported = source.export(REPOSITORY, chosen.commit, work / "source", run, chosen.version)
    say(f"version {exported.version} for {target.triple} from commit {exported.commit[:12]}")
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
