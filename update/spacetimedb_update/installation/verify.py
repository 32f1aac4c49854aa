"""Comparing an installed version with the signed list of its files.

The list lies in the version's receipt, with the metadata that signs it as it was when the version was
installed; that metadata must be signed by keys that are trusted today.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from spacetimedb_update.errors import DamageError
from spacetimedb_update.installation.site import FILES_JSON, RECEIPT, TARGETS_JSON, Site
from spacetimedb_update.ports.file_trees import read_or_none, sha256_of, walk
from spacetimedb_update.ports.files import Files
from spacetimedb_update.releases.file_list import FileList, ListedFile, differences
from spacetimedb_update.releases.layout import FILE_LIST_SUFFIX, version_of

if TYPE_CHECKING:
    from spacetimedb_update.releases.tuf_roles import Root


def problems(site: Site, files: Files, version: str, root: Root) -> list[str]:
    """What is wrong with an installed release, a line each. Raises `DamageError` for a bad receipt."""
    wanted = signed_list(files, site.receipt(version), version, root)
    return differences(wanted.files, found_files(files, site.version_dir(version)), modes=not site.windows)


def found_files(files: Files, folder: Path) -> dict[str, ListedFile]:
    """The files of a version as they are now, without its receipt."""
    found: dict[str, ListedFile] = {}
    for path, kind in walk(files, folder):
        place = folder / path
        if path.startswith(f"{RECEIPT}/"):
            continue
        if kind == "link":
            found[path] = ListedFile(link=files.link_text(place))
        elif kind == "file":
            found[path] = ListedFile(sha256_of(files, place), files.size(place), files.is_executable(place))
        else:
            found[path] = ListedFile()
    return found


def signed_list(files: Files, receipt: Path, version: str, root: Root) -> FileList:
    """The list in a receipt, proved by the signatures beside it. Raises `DamageError`."""
    from tuf.api.exceptions import RepositoryError, UnsignedMetadataError

    from spacetimedb_update.releases.tuf_roles import Metadata, Targets

    again = f"`spacetime version install {version}` installs it again"
    listed, document = (read_or_none(files, receipt / name) for name in (FILES_JSON, TARGETS_JSON))
    if listed is None or document is None:
        raise DamageError(f"the receipt of v{version} is incomplete: {again}")
    try:
        metadata = Metadata[Targets].from_bytes(document)
        root.verify_delegate("targets", metadata.signed_bytes, metadata.signatures)
    except UnsignedMetadataError:
        raise DamageError(
            f"the list of files of v{version} is not signed by keys that are trusted today: {again}"
        ) from None
    except RepositoryError as error:
        raise DamageError(f"the receipt of v{version} is damaged ({error}): {again}") from None
    digest = hashlib.sha256(listed).hexdigest()
    for path, target in metadata.signed.targets.items():
        if (
            version_of(path) == version
            and path.endswith(FILE_LIST_SUFFIX)
            and target.hashes.get("sha256") == digest
        ):
            return FileList.from_json(listed)
    raise DamageError(f"the list of files of v{version} is not the one that was signed: {again}")
