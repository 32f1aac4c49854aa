cimport cython
from spacetimedb_engine.foreign cimport (
    PyThread_acquire_lock, PyThread_acquire_lock_timed, PyThread_allocate_lock, PyThread_free_lock, PyThread_release_lock,
    PyThread_start_new_thread, PyThread_type_lock, as_pointer, as_tick, pointer, tick_fn)
from spacetimedb_engine.memory cimport borrow

cdef extern from *:
    """
    #define STDB_NO_THREAD ((unsigned long)-1)
    """
    unsigned long NO_THREAD "STDB_NO_THREAD"

@cython.final
cdef class Ticker:
    cdef tick_fn tick
    cdef pointer engine
    cdef long long interval
    cdef PyThread_type_lock halt
    cdef PyThread_type_lock done
    cdef readonly bint running
    cdef object thread

cdef void beat(Ticker me) noexcept nogil
