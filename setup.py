"""Compiles every `*_cy.py` of the engine as it stands.

STDB_COMPILED=0 never compiles, =1 fails where it cannot; unset: compile, else install the same
source uncompiled (the server says at start which form runs).
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
    compiler = os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc"
    return sys.platform == "win32" or shutil.which(compiler.split()[0]) is not None


def extensions() -> list[Extension]:
    if MODE == "0" or sys.implementation.name != "cpython":
        return []
    if MODE != "1" and not has_compiler():
        print("no C compiler: the engine is installed uncompiled", file=sys.stderr)
        return []
    try:
        from Cython.Build import cythonize
    except ImportError:
        if MODE == "1":
            raise
        return []
    flags = ["-O1", "-g", "-fsanitize=address,undefined", "-fno-omit-frame-pointer"] if SANITIZE else ["-O2"]
    if sys.platform == "win32":
        flags = ["/O2"]
    found = [
        Extension(
            ".".join(path.relative_to(ROOT).with_suffix("").parts),
            [str(path)],
            extra_compile_args=flags,
            extra_link_args=["-fsanitize=address,undefined"] if SANITIZE else [],
        )
        for path in sorted(ROOT.glob("spacetimedb_engine/*_cy.py"))
    ]
    built: list[Extension] = cythonize(
        found, include_path=[str(ROOT)], compiler_directives=DIRECTIVES, build_dir="build", force=SANITIZE
    )
    for extension in built:  # cythonize() drops the flag
        extension.optional = MODE != "1"
    return built


setup(ext_modules=extensions(), cmdclass={"build_ext": build_ext})
