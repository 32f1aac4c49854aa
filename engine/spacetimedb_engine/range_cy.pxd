cimport cython
from spacetimedb_engine.buffer_cy cimport Buffer
from spacetimedb_engine.index_cy cimport Index
from spacetimedb_engine.memory cimport ld8, u8p

@cython.final
cdef class Range:
    cdef Buffer low
    cdef Buffer high
    cdef unsigned int low_cols
    cdef unsigned int high_cols
    cdef bint low_beyond
    cdef bint high_beyond
    cdef size_t end
    cdef int set_point(self, Index index, u8p buf, size_t off, size_t n) noexcept nogil
    cdef int set_bounds(self, Index index, u8p pre, size_t po, size_t pn, unsigned int prefix_elems,
                        u8p sb, size_t so, size_t sn, u8p eb, size_t eo, size_t en) noexcept nogil
    cdef int set_bound(self, Index index, Buffer out, u8p buf, size_t off, size_t n, unsigned int elems) noexcept nogil
    cdef int enter(self, Index index) noexcept nogil
