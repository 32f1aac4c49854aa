cimport cython
from spacetimedb_engine.buffer_cy cimport Buffer
from spacetimedb_engine.connection_cy cimport Connection
from spacetimedb_engine.guest_cy cimport Guest
from spacetimedb_engine.memory cimport bufp, copy, st8, st64, u8p
from spacetimedb_engine.store_cy cimport Store

cdef enum:
    KEEP = 65536     # buffers that hold more are given back once they are empty

@cython.final
cdef class Transactions:
    cdef Store store
    cdef object host
    cdef bint before_commit
    cdef Buffer inputs
    cdef unsigned long long last
    cdef long long offset
    cdef unsigned long long stamp(self, unsigned long long now) noexcept nogil
    cdef int execute(
        self, Connection c, Guest guest, bytes name, unsigned int id, u8p head, unsigned long long timestamp, u8p buf,
        size_t off, size_t n) except? -100
    cdef int fill_inputs(
        self, bytes name, u8p head, unsigned long long timestamp, u8p args, size_t off, size_t n) noexcept
