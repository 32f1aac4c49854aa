cimport cython
from spacetimedb_engine.keys_cy cimport Key
from spacetimedb_engine.memory cimport alloc, is_null, ld8, ld16, ld32, lowest, match12, null, prefetch, release, same, st8, st16, st32, to_line, u8p
from spacetimedb_engine.rows_cy cimport Rows

@cython.final
cdef class HashIndex:
    cdef Rows rows
    cdef Key key
    cdef u8p memory
    cdef size_t base
    cdef size_t buckets
    cdef readonly size_t count
    cdef long long seek(self, u8p buf, size_t off, size_t end) noexcept nogil
    cdef long long seek_row(self, u8p buf, size_t off, size_t end) noexcept nogil
    cdef long long seek_same(self, u8p buf, size_t off, size_t end) noexcept nogil
    cdef long long probe(self, unsigned long long h, u8p buf, size_t off, size_t end, unsigned int how) noexcept nogil
    cdef bint is_it(self, u8p buf, size_t off, size_t end, unsigned int how) noexcept nogil
    cdef int reserve(self, size_t extra) noexcept nogil
    cdef int resize(self, size_t buckets) noexcept nogil
    cdef int add(self, unsigned int slot) noexcept nogil
    cdef int add_hashed(self, unsigned int slot, unsigned long long h) noexcept nogil
    cdef void place(self, unsigned int slot, unsigned long long h) noexcept nogil
    cdef bint remove(self, unsigned int slot) noexcept nogil
    cdef bint remove_hashed(self, unsigned int slot, unsigned long long h) noexcept nogil
    cdef void expect(self, unsigned long long h) noexcept nogil
    cdef void expect_row(self, unsigned long long h) noexcept nogil
    cdef unsigned int place_of(self, size_t o, unsigned int tag, unsigned int slot) noexcept nogil
    cdef void forget(self, unsigned long long h, size_t passed) noexcept nogil
    cdef void clear(self) noexcept nogil
    cdef void settle(self) noexcept nogil
    cdef unsigned long long hash_of(self, unsigned int slot) noexcept nogil
    cdef size_t in_use(self) noexcept nogil

cdef unsigned int tag_of(unsigned long long h) noexcept nogil

cdef enum:
    BY_POINT = 0
    BY_ROW = 1
    BY_ALL = 2
