cimport cython
from spacetimedb_engine.memory cimport alloc, bufp, copy, get_bytes, grow, is_null, move, null, release, st8, st32, st64, u8p

@cython.final
cdef class Buffer:
    cdef u8p data
    cdef size_t n
    cdef size_t cap
    cdef int reserve(self, size_t extra) noexcept nogil
    cdef int append(self, u8p src, size_t off, size_t n) noexcept nogil
    cdef int put8(self, unsigned int v) noexcept nogil
    cdef int put32(self, unsigned int v) noexcept nogil
    cdef int put64(self, unsigned long long v) noexcept nogil
    cdef int put_varint(self, unsigned long long v) noexcept nogil
    cdef void clear(self) noexcept nogil
    cdef void drop_front(self, size_t k) noexcept nogil
    cdef void shrink(self, size_t limit) noexcept nogil
    cdef bytes take(self)
