"""Writing a bundle: verified metadata, and the files of a release as they were signed."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from spacetimedb_update.ports.file_trees import TEMPORARY, remove_if_there
from spacetimedb_update.ports.files import Files
from spacetimedb_update.releases.layout import METADATA, TARGETS, versioned
from spacetimedb_update.releases.trusted import Trusted


def write_bundle(files: Files, path: Path, trusted: Trusted, targets: Iterable[tuple[str, Path]]) -> None:
    """Write `path`, whole or not at all. `targets` are names in the repository and where each lies here."""
    temporary = path.with_name(path.name + TEMPORARY)
    remove_if_there(files, temporary)
    try:
        with files.open_new(temporary) as file:
            with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
                for name, data in metadata_files(trusted):
                    _add(archive, f"{METADATA}/{name}", io.BytesIO(data), len(data))
                for name, place in targets:
                    with files.open_read(place) as content:
                        _add(archive, f"{TARGETS}/{name}", content, files.size(place))
            files.sync(file)
        files.rename(temporary, path)
    except BaseException:
        remove_if_there(files, temporary)
        raise


def metadata_files(trusted: Trusted) -> list[tuple[str, bytes]]:
    """The metadata under the names that a repository has it by."""
    documents = trusted.documents
    names = {
        versioned("snapshot", trusted.versions["snapshot"]): documents["snapshot"],
        versioned("targets", trusted.versions["targets"]): documents["targets"],
        "timestamp.json": documents["timestamp"],
    }
    return sorted({**trusted.roots, **names}.items())


def _add(archive: tarfile.TarFile, name: str, content: IO[bytes], size: int) -> None:
    info = tarfile.TarInfo(name)
    info.size = size
    info.mode = 0o644
    archive.addfile(info, content)
