cimport cython
from spacetimedb_engine.order_cy cimport Order
from spacetimedb_engine.memory cimport (alloc, copy, grow, grow_ptrs, is_no_ptrs, is_null, ld32, ld64, move, move_ptrs, no_ptrs, null, ptrs,
    release, release_ptrs, st32, st64, u8p)
from spacetimedb_engine.rows_cy cimport Rows

ctypedef unsigned long long u64

@cython.final
cdef class Ordered:
    cdef Rows rows
    cdef Order order
    cdef ptrs leaves
    cdef u8p heads
    cdef size_t n
    cdef size_t spares
    cdef size_t room
    cdef readonly size_t count
    cdef size_t leaf
    cdef unsigned int index
    cdef int against_row(self, u64 k, unsigned int slot, u64 prefix, long long other, u8p p, size_t o, size_t e) noexcept nogil
    cdef int against_point(self, u64 k, unsigned int slot, u64 prefix, u8p p, size_t o, size_t e, unsigned int m) noexcept nogil
    cdef void find(self, u64 prefix, long long slot, u8p p, size_t o, size_t e) noexcept nogil
    cdef int add(self, unsigned int slot) noexcept nogil
    cdef int make_room(self) noexcept nogil
    cdef int new_leaf(self, size_t at) noexcept nogil
    cdef bint remove(self, unsigned int slot) noexcept nogil
    cdef void drop_leaf(self, size_t at) noexcept nogil
    cdef void set_head(self, size_t at) noexcept nogil
    cdef void lower(self, u8p buf, size_t off, size_t end, unsigned int m, bint beyond) noexcept nogil
    cdef bint is_at(self, size_t leaf, unsigned int index) noexcept nogil
    cdef unsigned int current(self) noexcept nogil
    cdef void advance(self) noexcept nogil
    cdef void settle(self) noexcept nogil
    cdef void merge(self) noexcept nogil
    cdef void clear(self) noexcept nogil
    cdef size_t in_use(self) noexcept nogil
