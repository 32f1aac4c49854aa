cimport cython
from spacetimedb_engine.buffer_cy cimport Buffer
from spacetimedb_engine.foreign cimport (
    arg, as_call, as_data, as_deadline, as_pointer, as_size, as_trap, call_fn, data_fn, deadline_fn, pointer, rawp, run, size_fn,
    trap_fn)
from spacetimedb_engine.handles_cy cimport RowIters, Sinks, Sources
from spacetimedb_engine.memory cimport bufp, get_bytes, ld32, ld64, u8p
from spacetimedb_engine.store_cy cimport Store

@cython.final
cdef class Guest:
    cdef readonly Store store
    cdef object rare
    cdef object explain
    cdef readonly bytes identity
    cdef public bytes function
    cdef readonly bytes text
    cdef readonly object cause
    cdef readonly bint dead
    cdef object answer
    cdef bytes trap_text
    cdef bint transaction
    cdef bint anonymous
    cdef bint viewing
    cdef bint may_wait
    cdef list reads
    cdef unsigned int depth
    cdef unsigned long long ticks
    cdef size_t row_limit
    cdef Buffer notified
    cdef readonly Sources sources
    cdef readonly Sinks sinks
    cdef readonly RowIters iters
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
    cdef void leave(self, size_t table_mark, size_t heap_mark, unsigned int sink_mark) noexcept
    cdef int reducer(
        self, unsigned int id, u8p head, unsigned long long now, u8p args, size_t off, size_t n) noexcept
    cdef bint is_notified(self, unsigned int table_id) noexcept nogil
