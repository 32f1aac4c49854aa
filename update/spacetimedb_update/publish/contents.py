"""The list of an archive's files, read with the same care as when it is installed."""

from __future__ import annotations

import hashlib
from pathlib import Path

from spacetimedb_update.archive.members import MAX_TOTAL_BYTES, Gate
from spacetimedb_update.archive.tar import open_tar
from spacetimedb_update.archive.zip import open_zip
from spacetimedb_update.releases.file_list import FileList, ListedFile

CHUNK_BYTES = 1 << 18


def list_archive(archive: Path, version: str, target: str) -> FileList:
    """What an archive unpacks to. Raises `BadArchive` for one that no client would unpack."""
    gate = Gate(fold_case=True)
    open_archive = open_zip if archive.name.endswith(".zip") else open_tar
    found: dict[str, ListedFile] = {}
    with archive.open("rb") as file, open_archive(file, MAX_TOTAL_BYTES) as reader:
        for member, content in reader.members():
            if member.path in (".", "./"):
                continue
            path = gate.admit(member)
            if member.kind == "link":
                found[path] = ListedFile(link=member.link)
            elif content is not None:
                digest = hashlib.sha256()
                while chunk := content.read(CHUNK_BYTES):
                    digest.update(chunk)
                found[path] = ListedFile(digest.hexdigest(), member.size, member.executable)
    return FileList(version, target, found)
