"""Compiles every `*_cy.py` of the engine as it stands.

STDB_COMPILED=0 never compiles, =1 fails where it cannot; unset: compile, else install the same source
uncompiled (the server says at start which form runs).
STDB_SANITIZE=1 builds with AddressSanitizer and UndefinedBehaviorSanitizer.
"""

import os
import shutil
import sys
import sysconfig
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

MODE = os.environ.get("STDB_COMPILED", "auto")
SANITIZE = os.environ.get("STDB_SANITIZE") == "1"
ROOT = Path("engine")
DIRECTIVES = {
    "language_level": 3,
    "boundscheck": False,
    "wraparound": False,
    "initializedcheck": False,
    "cdivision": True,
}


def has_compiler() -> bool:
    """Is the C compiler that this Python would call on PATH?"""
    if sys.platform == "win32":
        return True
    command = os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc"
    return shutil.which(command.split()[0]) is not None


def flags() -> list[str]:
    if sys.platform == "win32":
        return ["/O2"]
    if SANITIZE:
        return ["-O1", "-g", "-fsanitize=address,undefined", "-fno-omit-frame-pointer"]
    return ["-O3", "-g0"]  # a tenth faster a transaction than -O2


def declarations_changed() -> bool:
    """Is a `.pxd` newer than any translation? Cython follows those that a `.py` names, not those that its `.pxd` does."""
    translated = [path.stat().st_mtime for path in Path("build", ROOT).glob("spacetimedb_engine/*.c")]
    declared = [path.stat().st_mtime for path in ROOT.glob("spacetimedb_engine/*.pxd")]
    return bool(translated) and max(declared) > min(translated)


def extensions() -> list[Extension]:
    """The modules to compile, as Python sources; none where the uncompiled form is what is wanted or possible."""
    if MODE == "0" or sys.implementation.name != "cpython":
        return []
    if MODE != "1" and not has_compiler():
        print("no C compiler: the engine is installed uncompiled", file=sys.stderr)
        return []
    return [
        Extension(
            ".".join(path.relative_to(ROOT).with_suffix("").parts),
            [str(path)],
            extra_compile_args=flags(),
            extra_link_args=["-fsanitize=address,undefined"] if SANITIZE else [],
            optional=MODE != "1",
        )
        for path in sorted(ROOT.glob("spacetimedb_engine/*_cy.py"))
    ]


class BuildEngine(build_ext):
    """Translates to C only when something is really built, and compiles on all cores.

    pip asks a project three times what it consists of before it builds; translating each time is wasted.
    """

    def finalize_options(self) -> None:
        if self.distribution.ext_modules:
            self.distribution.ext_modules = self._translated(self.distribution.ext_modules)
        super().finalize_options()
        self.parallel = self.parallel or os.cpu_count()

    def _translated(self, modules: list[Extension]) -> list[Extension]:
        try:
            from Cython.Build import cythonize
        except ImportError:
            if MODE == "1":
                raise
            return []
        built: list[Extension] = cythonize(
            modules,
            include_path=[str(ROOT)],
            compiler_directives=DIRECTIVES,
            build_dir="build",
            force=SANITIZE or declarations_changed(),
            nthreads=os.cpu_count() or 1,
            quiet=True,
        )
        for extension in built:  # cythonize() drops the flag
            extension.optional = MODE != "1"
        return built


setup(ext_modules=extensions(), cmdclass={"build_ext": BuildEngine})
