"""Which version of the module ABI a WebAssembly module wants, told from the names it imports."""

from collections.abc import Iterable

from spacetimedb_standalone.host.interface import ModuleError

HOST_ABI = (10, 6)
PREFIX = "spacetime_"


def parse(import_module: str) -> tuple[int, int]:
    """`spacetime_10.4` to (10, 4)."""
    major, dot, minor = import_module.removeprefix(PREFIX).partition(".")
    if not (dot and _is_u16(major) and _is_u16(minor)):
        raise ModuleError(f'import module "{import_module}" has malformed version string')
    return int(major), int(minor)


def required(import_modules: Iterable[str]) -> tuple[int, int]:
    """The version that all imports together need: their one major, their largest minor."""
    wanted: tuple[int, int] | None = None
    for name in import_modules:
        if not name.startswith(PREFIX):
            continue
        version = parse(name)
        if wanted is None:
            wanted = version
        elif wanted[0] != version[0]:
            raise ModuleError(
                f"module cannot depend on both major version {wanted[0]} and major version {version[0]}"
            )
        wanted = max(wanted, version)
    if wanted is None:
        raise ModuleError("unable to determine ABI of module (may be on an spacetime version < 0.8)")
    return wanted


def check(import_modules: Iterable[str]) -> None:
    """Raises `ModuleError` unless this host speaks the version that the module needs."""
    major, minor = required(import_modules)
    if major != HOST_ABI[0] or minor > HOST_ABI[1]:
        host = f"{HOST_ABI[0]}.{HOST_ABI[1]}"
        raise ModuleError(f"abi version {major}.{minor} is not supported (host implements {host})")


def _is_u16(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text) < 1 << 16
