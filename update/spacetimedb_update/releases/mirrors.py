"""Where releases come from: the base URLs of the release repository and its mirrors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from spacetimedb_update.errors import UserError
from spacetimedb_update.ports.file_trees import read_or_none
from spacetimedb_update.ports.files import Files

RELEASES_URL = "SPACETIME_UPDATE_RELEASES_URL"
DOWNLOAD_ROOT = "SPACETIME_DOWNLOAD_ROOT"
MIRRORS_FILE = "mirrors"
_BETWEEN_URLS = re.compile(r"[,\s]+(?=[a-z]+://)")


def mirrors(environment: Mapping[str, str], files: Files, program_folder: Path) -> tuple[str, ...]:
    """Base URLs in the order to try them.

    The environment variables come first, each a URL, a folder, or several URLs between commas or blanks;
    only where neither is set, the file `mirrors` beside the program (one URL in a line). Raises
    `UserError` where nothing is known.
    """
    found = [base for name in (RELEASES_URL, DOWNLOAD_ROOT) for base in base_urls(environment.get(name, ""))]
    if not found:
        text = read_or_none(files, program_folder / MIRRORS_FILE)
        found = [base for line in (text or b"").decode().splitlines() for base in base_urls(line)]
    if not found:
        raise UserError(
            f"no release repository is known to this installation: set {RELEASES_URL} to the base URL of one"
        )
    return tuple(dict.fromkeys(found))


def base_urls(text: str) -> list[str]:
    """The URLs in a setting; a plain path counts as a `file` URL. Raises `UserError` for other text."""
    text = text.strip()
    if not text or text.startswith("#"):
        return []
    if "://" not in text:
        return [Path(text).absolute().as_uri()]
    return [_checked(part).rstrip("/") for part in _BETWEEN_URLS.split(text)]


def _checked(url: str) -> str:
    if _is_address(url):
        return url
    raise UserError(
        f"`{url}` cannot be the address of a release repository: write for example https://releases.example.com, "
        f"or a folder, in {RELEASES_URL}"
    )


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme == "file" or (parts.scheme in ("http", "https") and bool(parts.hostname))
    except ValueError:
        return False
