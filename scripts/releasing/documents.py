"""What a release says about itself and brings to read: `release.json`, default settings, trust, help pages.

`release.json`::

    {"commit": "…40 hex digits…", "glibc": "2.35", "target": "x86_64-unknown-linux-gnu", "version": "2.10.0"}

`glibc` is the oldest that its files run with, null on other systems.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from scripts.releasing.commands import Run
from scripts.releasing.source import Source
from scripts.releasing.target import Target

DEFAULT_SETTINGS = {
    "cli.default.toml": "import sys; from spacetimedb_cli.config.toml_form import default_text as text",
    "config.default.toml": (
        "import sys; from spacetimedb_standalone.config.config_file import default_config_text as text"
    ),
}
"""Each file and how the programs tell its text."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a release finds newer ones: the root metadata that it trusts, and base URLs of repositories."""

    root: bytes | None = None
    mirrors: tuple[str, ...] = ()


def write_documents(folder: Path, source: Source, target: Target, glibc: str | None, origin: Origin) -> None:
    """Write the files that lie beside the programs; the folder's interpreter must be there already."""
    about = {"commit": source.commit, "glibc": glibc, "target": target.triple, "version": source.version}
    (folder / "release.json").write_text(json.dumps(about, sort_keys=True) + "\n", encoding="utf-8")
    shutil.copyfile(source.path / "LICENSE", folder / "LICENSE")
    if origin.root is not None:
        (folder / "root.json").write_bytes(origin.root)
    if origin.mirrors:
        (folder / "mirrors").write_text("".join(f"{url}\n" for url in origin.mirrors), encoding="utf-8")


def write_texts(folder: Path, packages: Path, target: Target, run: Run) -> None:
    """Let the folder's own interpreter write default settings and help pages: they come from the programs."""
    python = folder / "runtime" / target.program("python")
    for name, statement in DEFAULT_SETTINGS.items():
        text = run([python, "-c", f"{statement}; sys.stdout.write(text())"])
        (folder / name).write_text(text, encoding="utf-8")
    run([python, "-m", "spacetimedb_cli.render.help_pages", packages / "spacetimedb_cli" / "pages"])


def write_commit(packages: Path, source: Source) -> None:
    """Put the commit where `spacetime --version` reads it without git."""
    (packages / "spacetimedb_cli" / "commit.txt").write_text(f"{source.commit}\n", encoding="ascii")
