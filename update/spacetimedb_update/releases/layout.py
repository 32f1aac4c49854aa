"""The names of files in a release repository."""

from __future__ import annotations

METADATA = "metadata"
TARGETS = "targets"
LATEST_VERSION = "latest-version"
CHECKSUMS = "SHA256SUMS"
FILE_LIST_SUFFIX = ".files.json"
ARCHIVE_SUFFIXES = (".tar.gz", ".zip")


def target_path(version: str, name: str) -> str:
    """The path of a release's file below `targets/`, which is also its name in the signed metadata."""
    return f"{version}/{name}"


def version_of(target: str) -> str:
    """The version that a target path belongs to."""
    return target.partition("/")[0]


def versioned(role: str, version: int) -> str:
    """The name of one version of a role's metadata."""
    return f"{version}.{role}.json"


def url(base: str, *parts: str) -> str:
    """A URL below a repository's base URL."""
    from urllib.parse import quote

    return "/".join([base.rstrip("/"), *(quote(part) for part in parts)])
