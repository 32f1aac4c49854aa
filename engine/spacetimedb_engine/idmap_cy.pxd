cimport cython
from spacetimedb_engine.memory cimport alloc, borrow, grow_objs, is_no_objs, is_null, ld32, no_objs, nothing, null, objs, release, release_objs, st32, u8p

@cython.final
cdef class IdMap:
    cdef u8p keys
    cdef objs values
    cdef size_t mask
    cdef size_t count
    cdef void* get(self, unsigned int key) noexcept nogil
    cdef size_t place(self, unsigned int key) noexcept nogil
