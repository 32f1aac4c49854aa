cimport cython
from spacetimedb_engine.buffer_cy cimport Buffer
from spacetimedb_engine.habits_cy cimport Habits
from spacetimedb_engine.layout_cy cimport Program
from spacetimedb_engine.memory cimport bufp, hash_bytes, ld8, ld32, same, st32, u8p

@cython.final
cdef class Call:
    cdef unsigned int request_id
    cdef size_t name
    cdef size_t name_n
    cdef size_t args
    cdef size_t args_n
    cdef size_t end
    cdef bint parse(self, u8p buf, size_t off, size_t end) noexcept nogil

@cython.final
cdef class Reducer:
    cdef readonly bytes name
    cdef size_t name_n
    cdef readonly unsigned int id
    cdef readonly Program params
    cdef readonly int callable
    cdef readonly Habits habits

@cython.final
cdef class Reducers:
    cdef list entries
    cdef Reducer latest
    cdef Buffer slots
    cdef unsigned long long mask
    cdef Reducer find(self, u8p buf, size_t off, size_t n)
