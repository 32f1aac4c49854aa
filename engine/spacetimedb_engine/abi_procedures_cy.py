"""Host functions for procedures: transactions of their own, sleep, HTTP. Bodies are as in `abi_bytes_cy`.

What may wait gives the call its whole time again when it is back: waiting is not running.
"""

from __future__ import annotations

import cython

if not cython.compiled:
    from spacetimedb_engine.abi_bytes_cy import give_source
    from spacetimedb_engine.abi_rare_cy import ABORT_TX, COMMIT_TX, HTTP, SLEEP, START_TX, ask, number, settle
    from spacetimedb_engine.foreign import arg, arg64, rawp
    from spacetimedb_engine.guest_cy import Guest
    from spacetimedb_engine.memory import get_bytes, st64


def waited(g: Guest) -> cython.void:
    """What a guest waits for does not count as its own time, unless everybody else waits for it meanwhile."""
    if not g.transaction:
        g.rearm()


def sleep_until(g: Guest, a: rawp) -> cython.longlong:
    """i64 wake time: the time now, both in microseconds"""
    e: cython.int
    if not g.may_wait:
        return -9
    e = ask(g, SLEEP, arg64(a, 0), 0, [])
    waited(g)
    return number(g) if e == 0 else e


def start_tx(g: Guest, a: rawp) -> cython.longlong:
    """out *i64 timestamp"""
    value: cython.longlong
    e: cython.int
    if g.transaction:
        return 17
    e = ask(g, START_TX, 0, 0, [])
    g.rearm()
    if e != 0:
        return e
    value = number(g)
    if value < 0:
        return value if value > -1000 else -1000 - value
    g.transaction = g.anonymous = True
    e = g.bad(arg(a, 0), 8)
    if e != 0:
        return e
    st64(g.mem, arg(a, 0), value)
    return 0


def commit_tx(g: Guest, a: rawp) -> cython.longlong:
    """nothing"""
    return end_tx(g, COMMIT_TX)


def abort_tx(g: Guest, a: rawp) -> cython.longlong:
    """nothing"""
    return end_tx(g, ABORT_TX)


def end_tx(g: Guest, op: cython.int) -> cython.longlong:
    """Commits or aborts the transaction that the guest opened itself. The guest may be called while it commits."""
    e: cython.int
    if not g.anonymous:
        return 18
    g.transaction = g.anonymous = False
    e = ask(g, op, 0, 0, [])
    g.rearm()
    return settle(g, e)


def http_request(g: Guest, a: rawp) -> cython.longlong:
    """request, its length, body, its length, out *[u32; 2] sources"""
    out: cython.size_t = arg(a, 4)
    e: cython.int = g.bad(arg(a, 0), arg(a, 1))
    if e == 0:
        e = g.bad(arg(a, 2), arg(a, 3))
    if e == 0:
        e = g.bad(out, 8)
    if e != 0:
        return e
    if not g.may_wait:
        return -9
    e = ask(
        g,
        HTTP,
        g.transaction,
        0,
        [get_bytes(g.mem, arg(a, 0), arg(a, 1)), get_bytes(g.mem, arg(a, 2), arg(a, 3))],
    )
    waited(g)
    if e != 0:
        return e
    if isinstance(g.answer, int):
        return settle(g, 0)
    return give_response(g, out)


def give_response(g: Guest, out: cython.size_t) -> cython.longlong:
    """[response, body] -> two sources; [message] -> one, and errno 21."""
    e: cython.longlong
    answer = g.answer
    g.answer = None
    if not isinstance(answer, list) or not 1 <= len(answer) <= 2:
        g.trap_text = b"the host's answer is no response"
        return -6
    e = give_source(g, answer[0], out)
    if e != 0:
        return e
    if len(answer) == 1:
        return 21
    return give_source(g, answer[1] or None, out + 4)
