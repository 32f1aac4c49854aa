cimport cython
from spacetimedb_engine.keys_cy cimport Key
from spacetimedb_engine.memory cimport alloc, is_null, ld32, null, release, same, st32, u8p
from spacetimedb_engine.rows_cy cimport Rows


@cython.final
cdef class HashIndex:
    cdef Rows rows
    cdef Key key
    cdef u8p slots
    cdef size_t mask
    cdef readonly size_t count
    cdef long long seek(self, u8p buf, size_t off, size_t end) noexcept nogil
    cdef long long seek_row(self, u8p buf, size_t off, size_t end) noexcept nogil
    cdef long long seek_same(self, u8p buf, size_t off, size_t end) noexcept nogil
    cdef int reserve(self, size_t extra) noexcept nogil
    cdef int resize(self, size_t cap) noexcept nogil
    cdef int add(self, unsigned int slot) noexcept nogil
    cdef void place(self, unsigned int slot) noexcept nogil
    cdef bint remove(self, unsigned int slot) noexcept nogil
    cdef void clear(self) noexcept nogil
    cdef void settle(self) noexcept nogil
    cdef size_t home(self, unsigned int slot) noexcept nogil
    cdef size_t in_use(self) noexcept nogil
