"""Paths of the command line: its configuration, its keys, and the installed versions."""

from __future__ import annotations

from pathlib import Path, PurePath

from spacetimedb_paths.links import LinkError, Links, system_links
from spacetimedb_paths.typed import TypedDir, TypedFile

CURRENT = "current"


class RootDir(TypedDir):
    """The value of `--root-dir`: taken as it is, neither made absolute nor resolved."""

    __slots__ = ()


class PrivKeyPath(TypedFile):
    """The private key that signs tokens (PKCS#8 PEM)."""

    __slots__ = ()


class PubKeyPath(TypedFile):
    """The public key that verifies tokens (SPKI PEM)."""

    __slots__ = ()


class CliTomlPath(TypedFile):
    """The configuration of the command line."""

    __slots__ = ()


class ConfigDir(TypedDir):
    __slots__ = ()

    def jwt_priv_key(self) -> PrivKeyPath:
        return PrivKeyPath(self.pure / "id_ecdsa")

    def jwt_pub_key(self) -> PubKeyPath:
        return PubKeyPath(self.pure / "id_ecdsa.pub")

    def cli_toml(self) -> CliTomlPath:
        return CliTomlPath(self.pure / "cli.toml")

    def update_check_cache(self) -> TypedFile:
        """What the last look for a newer version found (JSON)."""
        return TypedFile(self.pure / ".update_check_cache")


class BinFile(TypedFile):
    """The `spacetime` command itself."""

    __slots__ = ()


class SpacetimedbCliBin(TypedFile):
    """`spacetimedb-cli` of one installed version."""

    __slots__ = ()


class VersionBinDir(TypedDir):
    """The programs of one installed version, or the link to the current one."""

    __slots__ = ()

    def spacetimedb_cli(self) -> SpacetimedbCliBin:
        return SpacetimedbCliBin(self.executable("spacetimedb-cli"))

    def create_custom(self, target: PurePath, links: Links | None = None) -> None:
        """Make this version a link to a directory elsewhere; a link that is there is replaced.

        Raises `LinkError` (`version already exists`) where a real directory is.
        """
        links = links or system_links()
        if self.is_dir() and not links.is_link(self.path):
            raise LinkError("version already exists")
        links.point(self.path, Path(target))


class BinDir(TypedDir):
    """One directory per installed version, and the link `current`."""

    __slots__ = ()

    def version_dir(self, version: str) -> VersionBinDir:
        return VersionBinDir(self.pure / version)

    def current_version_dir(self) -> VersionBinDir:
        return self.version_dir(CURRENT)

    def current_version(self, links: Links | None = None) -> str | None:
        """The text of the link `current`, None without one. Old installs hold an absolute path there."""
        return (links or system_links()).target(self.path / CURRENT)

    def set_current_version(self, version: str, links: Links | None = None) -> None:
        """Point `current` at `version`, whether or not that is installed."""
        (links or system_links()).point(self.path / CURRENT, self.path / version)

    def installed_versions(self) -> list[str]:
        """The name of every entry but `current`; names that are not UTF-8 are left out."""
        names = [entry.name for entry in self.read_dir()]
        return [name for name in names if name != CURRENT and _is_utf8(name)]


def _is_utf8(name: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in name)
