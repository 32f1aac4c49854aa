cimport cython
from spacetimedb_engine.foreign cimport (
    as_call, as_data, as_deadline, as_pointer, as_size, as_trap, call_fn, data_fn, deadline_fn, pointer, run, size_fn, trap_fn)
from spacetimedb_engine.memory cimport u8p

cdef class Linked:
    cdef object explain
    cdef readonly bytes text
    cdef readonly object cause
    cdef readonly bint dead
    cdef bint may_wait
    cdef unsigned long long ticks
    cdef call_fn f_call
    cdef trap_fn f_trap
    cdef size_fn f_size
    cdef data_fn f_data
    cdef deadline_fn f_deadline
    cdef pointer context
    cdef pointer memory
    cdef pointer reducer_func
    cdef u8p mem
    cdef size_t mem_len
    cdef unsigned long long[32] raw
    cdef void refresh(self) noexcept nogil
    cdef int bad(self, size_t p, size_t n) noexcept nogil
    cdef void rearm(self) noexcept nogil
    cdef int enter(self, pointer func, size_t n) noexcept
    cdef int failed(self) noexcept
