cimport cython
from spacetimedb_engine.arena_cy cimport Cells
from spacetimedb_engine.memory cimport (alloc, borrow, copy, grow, grow_objs, grow_ptrs, is_no_objs, is_no_ptrs, is_nothing, is_null, ld32, ld64,
    no_objs, no_ptrs, null, objs, ptrs, release, release_objs, release_ptrs, st32, st64, u8p)

@cython.final
cdef class Blobs:
    cdef list kept
    cdef objs classes
    cdef ptrs large
    cdef u8p large_sizes
    cdef unsigned int large_count
    cdef unsigned int large_room
    cdef unsigned int large_free
    cdef size_t large_bytes
    cdef unsigned long long put(self, u8p buf, size_t off, size_t n) noexcept nogil
    cdef unsigned long long put_large(self, u8p buf, size_t off, size_t n) noexcept nogil
    cdef void give(self, unsigned long long locator) noexcept nogil
    cdef u8p page(self, unsigned long long locator) noexcept nogil
    cdef size_t place(self, unsigned long long locator) noexcept nogil
    cdef size_t size(self, unsigned long long locator) noexcept nogil
    cdef int make_class(self, unsigned int c) noexcept with gil
    cdef size_t in_use(self) noexcept nogil

cdef unsigned int class_of(size_t n) noexcept nogil
cdef size_t class_size(unsigned int c) noexcept nogil
