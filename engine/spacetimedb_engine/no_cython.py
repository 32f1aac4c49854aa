"""Stands in for the `cython` module when the engine runs uncompiled and Cython is not installed.

The annotations of the engine's sources are never evaluated; what is left of Cython at run time is here.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

_T = TypeVar("_T")

compiled = False
bint = bool
int = builtins.int
char = uchar = short = ushort = uint = long = ulong = longlong = ulonglong = size_t = Py_ssize_t = int
double = float
p_void = object
void = None
nogil: AbstractContextManager[None] = nullcontext()
gil: AbstractContextManager[None] = nullcontext()


def cast(kind: object, value: _T) -> _T:
    """Compiled: the same bits as another type."""
    return value


def declare(kind: object, value: _T) -> _T:
    """Compiled: a C variable."""
    return value


def _as_it_is(thing: _T) -> _T:
    return thing


cclass = cfunc = final = inline = ccall = _as_it_is


def exceptval(*args: Any, **kwargs: Any) -> Callable[[_T], _T]:
    """Compiled: how a C function tells that an exception is on its way."""
    return _as_it_is
