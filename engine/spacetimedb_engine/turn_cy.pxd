cimport cython
from spacetimedb_engine.buffer_cy cimport Buffer
from spacetimedb_engine.connection_cy cimport Connection
from spacetimedb_engine.frames_cy cimport FrameReader, close_code_allowed
from spacetimedb_engine.guest_cy cimport Guest
from spacetimedb_engine.habits_cy cimport LookAhead
from spacetimedb_engine.memory cimport bufp, get_bytes, ld8, u8p, utf8_valid
from spacetimedb_engine.store_cy cimport Store
from spacetimedb_engine.transactions_cy cimport Transactions
from spacetimedb_engine.wire_cy cimport Call, Reducer, Reducers

cdef enum:
    KEEP = 65536     # buffers that hold more are given back once they are empty

@cython.final
cdef class Turn:
    cdef Store store
    cdef object host
    cdef public Guest guest
    cdef Reducers reducers
    cdef list dirtied
    cdef Call call_parts
    cdef Buffer scratch
    cdef Transactions transactions
    cdef LookAhead look_ahead
    cdef unsigned long long now
    cdef bint running
    cdef int receive(self, Connection c, u8p data, size_t n) except -1
    cdef int event(self, Connection c, int kind) except -1
    cdef int closed(self, Connection c) except -1
    cdef int broken(self, Connection c, str text) except -1
    cdef int message(self, Connection c, u8p buf, size_t off, size_t end) except -1
    cdef void look(self, Connection c, Reducer r, u8p buf, size_t off, size_t end) noexcept
    cdef int hot(self, Connection c, Guest guest, Reducer r, u8p buf) except -1
    cdef int committed(self, Connection c, unsigned int request_id, unsigned long long timestamp) except -1
