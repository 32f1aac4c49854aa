"""Host functions that the engine does not carry out itself: it checks and copies their arguments, asks the host
(`Guest.rare`, operations of `status.Rare`) and hands its answer to the guest. Bodies are as in `abi_bytes_cy`.
"""

from __future__ import annotations

from typing import Any

import cython
from spacetimedb_engine.status import GuestTrap

if not cython.compiled:
    from spacetimedb_engine.abi_bytes_cy import give_source
    from spacetimedb_engine.foreign import arg, rawp
    from spacetimedb_engine.guest_cy import Guest
    from spacetimedb_engine.memory import get_bytes, st32, utf8_valid
    from spacetimedb_engine.store_cy import Store

    (TABLE_ID, INDEX_ID, CONSOLE_LOG, TIMER_START, TIMER_END, SCHEDULE_NOW, JWT) = range(7)
    (SLEEP, START_TX, COMMIT_TX, ABORT_TX, HTTP, ENV, ROW_WRITTEN) = range(7, 14)

MAX_KEY = 256
"""Bytes of the name of an environment variable; also how many sources may be unread when one is read."""


def ask(g: Guest, op: cython.int, x: cython.longlong, y: cython.longlong, parts: Any) -> cython.int:
    """The host's answer, in `g.answer`: 0, or -6 with the text of a trap."""
    try:
        g.answer = g.rare(op, x, y, parts)
    except GuestTrap as trap:
        g.trap_text = str(trap).encode()
        return -6
    except BaseException as error:
        g.cause = error
        g.trap_text = f"the host failed: {type(error).__name__}: {error}".encode()
        return -6
    return 0


def number(g: Guest) -> cython.longlong:
    """The host's answer as a number; its kinds of failure are given as -1000 - errno."""
    value: cython.longlong
    answer: Any = g.answer
    g.answer = None
    try:
        value = answer
    except BaseException as error:
        g.cause = error
        g.trap_text = b"the host's answer is no number"
        return -6
    return value if value >= 0 else value - 1000


def name_id(g: Guest, op: cython.int, a: rawp) -> cython.longlong:
    """name, its length, out *u32"""
    p: cython.size_t = arg(a, 0)
    n: cython.size_t = arg(a, 1)
    value: cython.longlong
    e: cython.int = g.bad(p, n)
    if e != 0:
        return e
    if not utf8_valid(g.mem, p, n):
        return -3
    if not g.transaction:
        return 2
    e = ask(g, op, 0, 0, [get_bytes(g.mem, p, n)])
    if e != 0:
        return e
    value = number(g)
    if value < 0:
        return value if value > -1000 else -1000 - value
    e = g.bad(arg(a, 2), 4)
    if e != 0:
        return e
    st32(g.mem, arg(a, 2), value)
    return 0


def table_id(g: Guest, a: rawp) -> cython.longlong:
    return name_id(g, TABLE_ID, a)


def index_id(g: Guest, a: rawp) -> cython.longlong:
    return name_id(g, INDEX_ID, a)


def console_log(g: Guest, a: rawp) -> cython.longlong:
    """level, target, length, filename, length, line, message, length; with a bad pointer nothing is logged"""
    parts: list[bytes | None] = []
    line: cython.longlong = arg(a, 5)
    k: cython.int
    for k in (1, 3, 6):
        if k != 6 and arg(a, k) == 0:
            parts.append(None)
        elif g.bad(arg(a, k), arg(a, k + 1)) != 0:
            return 0
        else:
            parts.append(get_bytes(g.mem, arg(a, k), arg(a, k + 1)))
    if line == 0xFFFFFFFF:
        line = -1
    return ask(g, CONSOLE_LOG, arg(a, 0) & 0xFF, line, parts)


def timer_start(g: Guest, a: rawp) -> cython.longlong:
    """name, its length: a timer"""
    e: cython.int = g.bad(arg(a, 0), arg(a, 1))
    if e == 0:
        e = ask(g, TIMER_START, 0, 0, [get_bytes(g.mem, arg(a, 0), arg(a, 1))])
    return number(g) if e == 0 else e


def timer_end(g: Guest, a: rawp) -> cython.longlong:
    """timer"""
    return settle(g, ask(g, TIMER_END, arg(a, 0), 0, []))


def settle(g: Guest, e: cython.int) -> cython.longlong:
    """The errno that the host answered, after `ask` returned e."""
    value: cython.longlong
    if e != 0:
        return e
    value = number(g)
    return -1000 - value if value <= -1000 else value


def schedule_now(g: Guest, a: rawp) -> cython.longlong:
    """function name, its length, arguments, their length"""
    e: cython.int = g.bad(arg(a, 0), arg(a, 1))
    if e == 0:
        e = g.bad(arg(a, 2), arg(a, 3))
    if e != 0:
        return e
    if not utf8_valid(g.mem, arg(a, 0), arg(a, 1)):
        return -3
    parts: list[bytes | None] = [
        get_bytes(g.mem, arg(a, 0), arg(a, 1)),
        get_bytes(g.mem, arg(a, 2), arg(a, 3)),
    ]
    return settle(g, ask(g, SCHEDULE_NOW, 0, 0, parts))


def jwt(g: Guest, a: rawp) -> cython.longlong:
    """connection id (16 bytes), out *u32 source"""
    e: cython.int = g.bad(arg(a, 0), 16)
    if e != 0:
        return e
    if not g.transaction:
        return 2
    e = ask(g, JWT, 0, 0, [get_bytes(g.mem, arg(a, 0), 16)])
    return give_answer(g, arg(a, 1)) if e == 0 else e


def give_answer(g: Guest, out: cython.size_t) -> cython.longlong:
    """The host's answer of bytes, as a source; None: no source."""
    answer = g.answer
    g.answer = None
    if answer is not None and not isinstance(answer, bytes):
        g.trap_text = b"the host's answer is no bytes"
        return -6
    return give_source(g, answer, out)


def env_get(g: Guest, a: rawp) -> cython.longlong:
    """key, its length, out *u32 source (0: no value)"""
    p: cython.size_t = arg(a, 0)
    n: cython.size_t = arg(a, 1)
    e: cython.int
    if n == 0 or n > MAX_KEY:
        return 1
    e = g.bad(p, n)
    if e != 0:
        return e
    if not utf8_valid(g.mem, p, n):
        return -3
    key = get_bytes(g.mem, p, n)
    if not is_identifier(key):
        return 1
    if g.sources.unread >= MAX_KEY:
        return 9
    e = ask(g, ENV, 0, 0, [key])
    if e == 0 and isinstance(g.answer, int):
        return settle(g, 0)
    return give_answer(g, arg(a, 2)) if e == 0 else e


def is_identifier(key: bytes) -> bool:
    """Letters, digits and underscores, no digit first; ASCII only."""
    return key.isascii() and key.replace(b"_", b"a").isalnum() and not key[:1].isdigit()


def row_written(g: Guest, table: cython.uint, inserted: cython.bint) -> cython.longlong:
    """The row that the store has just written, into a table that the host wants to know of: 0 or an errno."""
    store: Store = g.store
    row = get_bytes(store.at, store.start, store.end - store.start)
    return settle(g, ask(g, ROW_WRITTEN, table, inserted, [row]))
