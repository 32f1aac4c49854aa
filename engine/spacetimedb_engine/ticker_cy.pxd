cimport cython
from spacetimedb_engine.foreign cimport as_pointer, as_tick, free_lock, give_lock, lock, new_lock, no_lock, pointer, start_thread
from spacetimedb_engine.foreign cimport take_lock, tick_fn, wait_lock

@cython.final
cdef class Ticker:
    cdef tick_fn tick
    cdef pointer engine
    cdef long long interval
    cdef lock halt
    cdef lock done
    cdef readonly bint running

cdef void beat(Ticker me) noexcept nogil

cdef inline bint begin(Ticker ticker) noexcept:
    return start_thread(<void*>beat, <void*>ticker)
