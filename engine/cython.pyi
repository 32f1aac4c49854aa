"""What mypy sees of `import cython` in the engine: C types are Python's, directives do nothing."""

import builtins
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeAlias, TypeVar

_T = TypeVar("_T")
_F = TypeVar("_F", bound=Callable[..., Any])

compiled: bool
NULL: Any

bint: TypeAlias = builtins.bool
char: TypeAlias = builtins.int
uchar: TypeAlias = builtins.int
short: TypeAlias = builtins.int
ushort: TypeAlias = builtins.int
int: TypeAlias = builtins.int
uint: TypeAlias = builtins.int
long: TypeAlias = builtins.int
ulong: TypeAlias = builtins.int
longlong: TypeAlias = builtins.int
ulonglong: TypeAlias = builtins.int
size_t: TypeAlias = builtins.int
Py_ssize_t: TypeAlias = builtins.int
double: TypeAlias = builtins.float
void: TypeAlias = None
p_void: TypeAlias = Any

nogil: AbstractContextManager[None]
gil: AbstractContextManager[None]

def cast(t: type[_T], v: Any) -> _T: ...
def declare(t: Any, v: _T) -> _T: ...
def cclass(c: type[_T]) -> type[_T]: ...
def final(c: type[_T]) -> type[_T]: ...
def cfunc(f: _F) -> _F: ...
def inline(f: _F) -> _F: ...
def exceptval(v: Any = ..., *, check: builtins.bool = ...) -> Callable[[_F], _F]: ...
