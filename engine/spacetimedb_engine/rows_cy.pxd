cimport cython
from spacetimedb_engine.arena_cy cimport Cells
from spacetimedb_engine.blobs_cy cimport Blobs
from spacetimedb_engine.memory cimport copy, is_null, ld8, ld64, st8, st64, u8p


@cython.final
cdef class Rows:
    cdef Cells cells
    cdef Blobs blobs
    cdef readonly long long fixed
    cdef u8p p
    cdef size_t o
    cdef size_t end
    cdef unsigned int next_page
    cdef unsigned int next_index
    cdef void locate(self, unsigned int slot) noexcept nogil
    cdef void locate_blob(self, unsigned long long locator) noexcept nogil
    cdef unsigned int state(self, unsigned int slot) noexcept nogil
    cdef unsigned int state_now(self, unsigned int slot) noexcept nogil
    cdef void mark(self, unsigned int slot, unsigned int state) noexcept nogil
    cdef long long put(self, u8p buf, size_t off, size_t n, unsigned int state) noexcept nogil
    cdef void drop(self, unsigned int slot) noexcept nogil
    cdef void overwrite(self, unsigned int slot, u8p buf, size_t off) noexcept nogil
    cdef unsigned long long locator(self, unsigned int slot) noexcept nogil
    cdef void point_to(self, unsigned int slot, unsigned long long locator) noexcept nogil
    cdef void rewind(self) noexcept nogil
    cdef long long following(self) noexcept nogil
    cdef size_t in_use(self) noexcept nogil

cdef enum:
    FREE = 0
    CLEAN = 1
    MODIFIED = 2
    INSERTED = 3
    CLAIMED = 4
    DELETED = 5
    DEAD = 6
