"""The functions a WebAssembly module must or may export, and the check of their types.

Public module ABI, versions 10.0 to 10.6.
"""

from collections.abc import Mapping, Sequence

from spacetimedb_standalone.host.interface import ModuleError

Signature = tuple[Sequence[str], Sequence[str]]
"""Kinds of the parameters and of the results: `i32`, `i64`, ..."""

I32, I64 = "i32", "i64"
CALL: Signature = ((I32, *[I64] * 7, I32, I32), (I32,))
REQUIRED: Mapping[str, Signature] = {
    "__call_reducer__": CALL,
    "__describe_module__": ((I32,), ()),
}
OPTIONAL: Mapping[str, tuple[Signature, ...]] = {
    "__setup__": (((I32,), (I32,)),),
    "__call_view__": (((I32, *[I64] * 4, I32, I32), (I32,)),),
    "__call_view_anon__": (((I32, I32, I32), (I32,)),),
    "__call_procedure__": (CALL,),
    "__call_http_handler__": (
        ((I32, *[I64] * 4, I32, I64, *[I32] * 4), (I32,)),
        ((I32, I64, *[I32] * 4), (I32,)),
    ),
}
"""`__call_http_handler__` has two forms: with the sender (version 2.14 on) and without."""
PREINIT_PREFIX = "__preinit__"
PREINIT: Signature = ((), ())
MEMORY = "memory"


def text(signature: Signature) -> str:
    """`(func (param i32 i64) (result i32))`"""
    params, results = signature
    parts = ["func"]
    if params:
        parts.append(f"(param {' '.join(params)})")
    if results:
        parts.append(f"(result {' '.join(results)})")
    return f"({' '.join(parts)})"


def check(functions: Mapping[str, Signature], has_memory: bool) -> None:
    """Raises `ModuleError` for a missing export or one of a wrong type."""
    if not has_memory:
        raise ModuleError(f'there should be a memory export called "{MEMORY}" but it does not exist')
    for name, signature in functions.items():
        if name.startswith(PREINIT_PREFIX):
            _match("preinit", name, signature, (PREINIT,))
    for name, expected in REQUIRED.items():
        if name not in functions:
            raise ModuleError(f'there should be a function called "{name}" but it does not exist')
        _match(name.strip("_"), name, functions[name], (expected,))
    for name, accepted in OPTIONAL.items():
        if name in functions:
            _match(name.strip("_"), name, functions[name], accepted)


def _match(kind: str, name: str, got: Signature, accepted: Sequence[Signature]) -> None:
    if not any(list(got[0]) == list(one[0]) and list(got[1]) == list(one[1]) for one in accepted):
        raise ModuleError(f'bad {kind} signature for "{name}"; expected {text(accepted[0])} got {text(got)}')
