"""Every host function of the module ABI, versions 10.0 to 10.6, as a callback that WebAssembly can be linked to.

The runtime calls `thunk` with the address of an `Import` as its environment. Nothing may leave a thunk but a trap or
nothing: bodies give codes, and where a body needs Python it catches everything.
"""

from __future__ import annotations

import cython
from spacetimedb_engine import traps

if not cython.compiled:
    from spacetimedb_engine import abi_bytes_cy, abi_procedures_cy, abi_rare_cy, abi_rows_cy, abi_writes_cy
    from spacetimedb_engine.foreign import address_of_callback, callback, new_trap, raw_at, rawp
    from spacetimedb_engine.guest_cy import Guest
    from spacetimedb_engine.memory import nothing

    def guarded(env: Import, a: rawp) -> int:
        """Dispatch. Uncompiled an exception may come out of it, which ctypes would take for success."""
        try:
            return dispatch(env.guest, env.op, a)
        except BaseException as error:
            env.guest.cause = error
            env.guest.trap_text = f"the engine failed: {type(error).__name__}: {error}".encode()
            return -6

    def thunk_address(env: Import) -> int:
        return address_of_callback(env.callback)

    def env_address(env: Import) -> int:
        return 0


TABLE = [
    # module, name, parameters, results; i = i32, I = i64. The position is the operation's number in `dispatch`.
    ("spacetime_10.0", "table_id_from_name", "iii", "i"),
    ("spacetime_10.0", "index_id_from_name", "iii", "i"),
    ("spacetime_10.0", "datastore_table_row_count", "ii", "i"),
    ("spacetime_10.0", "datastore_table_scan_bsatn", "ii", "i"),
    ("spacetime_10.0", "row_iter_bsatn_advance", "iii", "i"),
    ("spacetime_10.0", "row_iter_bsatn_close", "i", "i"),
    ("spacetime_10.0", "datastore_insert_bsatn", "iii", "i"),
    ("spacetime_10.0", "datastore_update_bsatn", "iiii", "i"),
    ("spacetime_10.0", "datastore_delete_all_by_eq_bsatn", "iiii", "i"),
    ("spacetime_10.0", "bytes_source_read", "iii", "i"),
    ("spacetime_10.0", "bytes_sink_write", "iii", "i"),
    ("spacetime_10.0", "console_log", "iiiiiiii", ""),
    ("spacetime_10.0", "console_timer_start", "ii", "i"),
    ("spacetime_10.0", "console_timer_end", "i", "i"),
    ("spacetime_10.0", "datastore_index_scan_range_bsatn", "iiiiiiiii", "i"),
    ("spacetime_10.0", "datastore_delete_by_index_scan_range_bsatn", "iiiiiiiii", "i"),
    ("spacetime_10.0", "identity", "i", ""),
    ("spacetime_10.0", "volatile_nonatomic_schedule_immediate", "iiii", ""),
    ("spacetime_10.1", "bytes_source_remaining_length", "ii", "i"),
    ("spacetime_10.2", "get_jwt", "ii", "i"),
    ("spacetime_10.3", "procedure_sleep_until", "I", "I"),
    ("spacetime_10.3", "procedure_start_mut_tx", "i", "i"),
    ("spacetime_10.3", "procedure_commit_mut_tx", "", "i"),
    ("spacetime_10.3", "procedure_abort_mut_tx", "", "i"),
    ("spacetime_10.3", "procedure_http_request", "iiiii", "i"),
    ("spacetime_10.4", "datastore_index_scan_point_bsatn", "iiii", "i"),
    ("spacetime_10.4", "datastore_delete_by_index_scan_point_bsatn", "iiii", "i"),
    ("spacetime_10.5", "datastore_clear", "ii", "i"),
    ("spacetime_10.6", "env_get", "iii", "i"),
]
OLD_NAMES = {
    "datastore_btree_scan_bsatn": "datastore_index_scan_range_bsatn",
    "datastore_delete_by_btree_scan_bsatn": "datastore_delete_by_index_scan_range_bsatn",
}
"""Of `spacetime_10.0`: functions that modules from before 1.0 know by another name."""
KINDS = {"i": "i32", "I": "i64"}
NAMES = [
    (module, alias, op)
    for op, (module, name, _, _) in enumerate(TABLE)
    for alias in [name, *(old for old, new in OLD_NAMES.items() if new == name)]
]
SIGNATURES = {
    (module, name): ([KINDS[k] for k in TABLE[op][2]], [KINDS[k] for k in TABLE[op][3]])
    for module, name, op in NAMES
}
"""(module, name) of every host function to the kinds of its parameters and results."""


def dispatch(g: Guest, op: cython.int, a: rawp) -> cython.longlong:
    """Runs the body of a host function, the most frequent first."""
    if op == 25:
        return abi_rows_cy.point_scan(g, a)
    elif op == 4:
        return abi_rows_cy.advance(g, a)
    elif op == 7:
        return abi_writes_cy.update(g, a)
    elif op == 18:
        return abi_bytes_cy.source_remaining(g, a)
    elif op == 9:
        return abi_bytes_cy.source_read(g, a)
    elif op == 6:
        return abi_writes_cy.insert(g, a)
    elif op == 0:
        return abi_rare_cy.table_id(g, a)
    elif op == 1:
        return abi_rare_cy.index_id(g, a)
    elif op == 2:
        return abi_rows_cy.row_count(g, a)
    elif op == 3:
        return abi_rows_cy.table_scan(g, a)
    elif op == 5:
        return abi_rows_cy.close(g, a)
    elif op == 8:
        return abi_writes_cy.delete_equal(g, a)
    elif op == 10:
        return abi_bytes_cy.sink_write(g, a)
    elif op == 11:
        return abi_rare_cy.console_log(g, a)
    elif op == 12:
        return abi_rare_cy.timer_start(g, a)
    elif op == 13:
        return abi_rare_cy.timer_end(g, a)
    elif op == 14:
        return abi_rows_cy.range_scan(g, a)
    elif op == 15:
        return abi_writes_cy.delete_range(g, a)
    elif op == 16:
        return abi_bytes_cy.identity(g, a)
    elif op == 17:
        return abi_rare_cy.schedule_now(g, a)
    elif op == 19:
        return abi_rare_cy.jwt(g, a)
    elif op == 20:
        return abi_procedures_cy.sleep_until(g, a)
    elif op == 21:
        return abi_procedures_cy.start_tx(g, a)
    elif op == 22:
        return abi_procedures_cy.commit_tx(g, a)
    elif op == 23:
        return abi_procedures_cy.abort_tx(g, a)
    elif op == 24:
        return abi_procedures_cy.http_request(g, a)
    elif op == 26:
        return abi_writes_cy.delete_point(g, a)
    elif op == 27:
        return abi_writes_cy.clear(g, a)
    elif op == 28:
        return abi_rare_cy.env_get(g, a)
    return -5


class Import:
    """One host function of one guest: the environment of its callback. It must live as long as the instance."""

    def __init__(self, guest: Guest, op: cython.int, name: str) -> None:
        self.guest = guest
        self.op = op
        self.name = name
        if not cython.compiled:
            self.callback = callback(lambda env, caller, args, n: thunk(self, caller, raw_at(args), n))

    def trap(self, code: cython.longlong) -> cython.p_void:
        """A trap of the runtime's, which then owns it."""
        text = traps.text(code, self.name, self.guest.trap_text)
        return new_trap(self.guest.f_trap, text)

    def addresses(self) -> tuple[int, int]:
        """Of the callback and of its environment."""
        return thunk_address(self), env_address(self)


def thunk(env: Import, caller: cython.p_void, a: rawp, n: cython.size_t) -> cython.p_void:
    """The callback. Compiled, the interpreter lock is held: by whoever called the guest, or for guests that may wait
    by the thunk around this one."""
    result: cython.longlong = guarded(env, a)
    if result >= 0:
        a[0] = result
        return nothing()
    return env.trap(result)


class Imports:
    """All host functions for one guest. Keep it as long as the guest's instance."""

    def __init__(self, guest: Guest) -> None:
        self._imports = {(module, name): Import(guest, op, name) for module, name, op in NAMES}

    def addresses(self, module: str, name: str) -> tuple[int, int]:
        """Of the callback and of its environment. KeyError: no such function."""
        return self._imports[module, name].addresses()
