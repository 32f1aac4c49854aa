cimport cython
from spacetimedb_engine.memory cimport (alloc, fill, grow, grow_ptrs, is_no_ptrs, is_null, ld32, no_ptrs, null, ptrs, release, release_ptrs, st32, u8p)


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
