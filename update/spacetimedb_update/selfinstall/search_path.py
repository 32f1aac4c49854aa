"""Getting a folder onto PATH, and off again: marked lines in start-up files, or the user's registry."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from spacetimedb_update.ports.file_trees import read_or_none, replace_file
from spacetimedb_update.ports.files import Files

BEGIN = "# >>> spacetime >>>"
END = "# <<< spacetime <<<"


def is_on_path(folder: Path, env: Mapping[str, str], windows: bool) -> bool:
    entries = env.get("PATH", "").split(";" if windows else ":")
    return str(folder) in (entry.rstrip("\\" if windows else "/") for entry in entries)


def advice(folder: Path, windows: bool) -> list[str]:
    """How to put the folder on PATH by hand, and how to have it done."""
    line = f'setx PATH "%PATH%;{folder}"' if windows else export(folder)
    return [
        "It seems like this folder is not on your PATH. Add it, for example by this line:",
        f"    {line}",
        "or run the installation again with --modify-path, which does that for you.",
    ]


def export(folder: Path) -> str:
    """The line for POSIX shells; what they would read in the folder's name is escaped."""
    escaped = re.sub(r'([\\"$`])', r"\\\1", str(folder))
    return f'export PATH="{escaped}:$PATH"'


def _fish(folder: Path) -> str:
    escaped = re.sub(r"([\\'])", r"\\\1", str(folder))
    return f"fish_add_path --path '{escaped}'"


@dataclass(frozen=True, slots=True)
class StartUpFile:
    """A file that shells read, and the line that puts a folder on PATH in its language."""

    path: Path
    line: str

    def add(self, files: Files) -> None:
        """Put the marked line at the end; one that is there is replaced."""
        text = without_mark(_text(files, self.path))
        if text and not text.endswith("\n"):
            text += "\n"
        _rewrite(files, self.path, f"{text}{BEGIN}\n{self.line}\n{END}\n")


def start_up_files(folder: Path, env: Mapping[str, str], home: Path) -> list[StartUpFile]:
    """The start-up files of the user's shell, by $SHELL."""
    shell = Path(env.get("SHELL", "")).name
    posix = export(folder)
    if shell == "fish":
        config = Path(env.get("XDG_CONFIG_HOME") or home / ".config")
        return [StartUpFile(config / "fish" / "conf.d" / "spacetime.fish", _fish(folder))]
    if shell == "zsh":
        return [StartUpFile(Path(env.get("ZDOTDIR") or home) / ".zshrc", posix)]
    if shell == "bash":
        return [StartUpFile(home / name, posix) for name in (".bashrc", ".profile")]
    return [StartUpFile(home / ".profile", posix)]


def remove_from(files: Files, path: Path) -> None:
    """Take the marked lines out of a start-up file; it goes if nothing else was in it (a link is never ours)."""
    if files.kind(path) is None:
        return
    text = _text(files, path)
    rest = without_mark(text)
    if rest == text:
        return
    if rest.strip() or files.kind(path) == "link":
        _rewrite(files, path, rest)
    else:
        files.remove_file(path)


def without_mark(text: str) -> str:
    """`text` without the lines between the marks."""
    before, found, rest = text.partition(f"{BEGIN}\n")
    _, ended, after = rest.partition(f"{END}\n")
    return before + after if found and ended else text


def _text(files: Files, path: Path) -> str:
    return (read_or_none(files, path) or b"").decode("utf-8", "surrogateescape")


def _rewrite(files: Files, path: Path, text: str) -> None:
    """Replace what a file holds. It stays where its links lead (people keep these files elsewhere), and as
    readable as it was; bytes that are no UTF-8 stay as they are."""
    target = Path(os.path.realpath(path))
    replace_file(files, target, text.encode("utf-8", "surrogateescape"), like_before=True)


class UserPath(Protocol):
    """The PATH of the current user on Windows."""

    def read(self) -> str: ...

    def write(self, value: str) -> None: ...


class RegistryPath:
    """It stands in the registry; running programs are told that it changed."""

    def read(self) -> str:
        if sys.platform != "win32":
            raise OSError("only Windows has a registry")
        import winreg

        try:
            with winreg.OpenKey(winreg.HKEY_CURRENT_USER, "Environment") as key:
                return str(winreg.QueryValueEx(key, "Path")[0])
        except FileNotFoundError:
            return ""

    def write(self, value: str) -> None:
        if sys.platform != "win32":
            raise OSError("only Windows has a registry")
        import ctypes
        import winreg

        with winreg.CreateKey(winreg.HKEY_CURRENT_USER, "Environment") as key:
            winreg.SetValueEx(key, "Path", 0, winreg.REG_EXPAND_SZ, value)
        broadcast, settings_changed = 0xFFFF, 0x1A
        ctypes.windll.user32.SendMessageTimeoutW(broadcast, settings_changed, 0, "Environment", 2, 5000, None)


def add_to_user_path(user_path: UserPath, folder: Path) -> None:
    entries = [entry for entry in user_path.read().split(";") if entry]
    if str(folder) not in entries:
        user_path.write(";".join([*entries, str(folder)]))


def remove_from_user_path(user_path: UserPath, folder: Path) -> None:
    entries = [entry for entry in user_path.read().split(";") if entry]
    if str(folder) in entries:
        user_path.write(";".join(entry for entry in entries if entry != str(folder)))
