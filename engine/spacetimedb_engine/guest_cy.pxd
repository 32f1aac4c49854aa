cimport cython
from spacetimedb_engine.buffer_cy cimport Buffer
from spacetimedb_engine.foreign cimport arg, as_pointer
from spacetimedb_engine.handles_cy cimport RowIters, Sinks, Sources
from spacetimedb_engine.linked_cy cimport Linked
from spacetimedb_engine.memory cimport bufp, get_bytes, ld32, ld64, u8p
from spacetimedb_engine.store_cy cimport Store

@cython.final
cdef class Guest(Linked):
    cdef readonly Store store
    cdef object rare
    cdef readonly bytes identity
    cdef public bytes function
    cdef object answer
    cdef bytes trap_text
    cdef bint transaction
    cdef bint anonymous
    cdef bint viewing
    cdef bint noting
    cdef Buffer lookups
    cdef list reads
    cdef unsigned int depth
    cdef size_t row_limit
    cdef Buffer notified
    cdef readonly Sources sources
    cdef readonly Sinks sinks
    cdef readonly RowIters iters
    cdef void leave(self, size_t table_mark, size_t heap_mark, unsigned int sink_mark) noexcept
    cdef int reducer(
        self, unsigned int id, u8p head, unsigned long long now, u8p args, size_t off, size_t n) noexcept
    cdef bint is_notified(self, unsigned int table_id) noexcept nogil
