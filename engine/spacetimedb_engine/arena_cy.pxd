cimport cython
from spacetimedb_engine.memory cimport (alloc, copy, fill, grow, grow_objs, grow_ptrs, is_no_objs, is_no_ptrs, is_nothing, is_null, ld8, ld32, ld64, no_objs, no_ptrs,
    null, objs, borrow, ptrs, release, release_objs, release_ptrs, st8, st32, st64, u8p)


@cython.final
cdef class Cells:
    cdef readonly unsigned int stride
    cdef unsigned int head
    cdef unsigned int shift
    cdef unsigned int mask
    cdef ptrs pages
    cdef u8p directory
    cdef readonly unsigned int page_count
    cdef unsigned int page_room
    cdef unsigned int open
    cdef unsigned int spare
    cdef unsigned int empty
    cdef readonly size_t live
    cdef size_t bytes_in_pages
    cdef u8p page(self, unsigned int slot) noexcept nogil
    cdef size_t place(self, unsigned int slot) noexcept nogil
    cdef long long take(self) noexcept nogil
    cdef void give(self, unsigned int slot) noexcept nogil
    cdef unsigned int used(self, unsigned int page) noexcept nogil
    cdef long long new_page(self) noexcept nogil
    cdef bint widen(self, unsigned int page) noexcept nogil
    cdef void link(self, unsigned int page) noexcept nogil
    cdef void unlink(self, unsigned int page) noexcept nogil
    cdef void drop_page(self, unsigned int page) noexcept nogil
    cdef size_t in_use(self) noexcept nogil

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
