cimport cython
from spacetimedb_engine.buffer_cy cimport Buffer
from spacetimedb_engine.frames_cy cimport FrameReader, put_frame, put_message
from spacetimedb_engine.memory cimport bufp, ld8, st8, st16, st32, st64, u8p

cdef enum:
    PAYLOAD = 524288     # most bytes of messages that the server puts into one payload of protocol 3
    TOGETHER = 4096      # and most messages
    KEEP = 65536         # buffers that hold more are given back once they are empty

@cython.final
cdef class Connection:
    cdef readonly bytes identity
    cdef readonly bytes connection_id
    cdef readonly int protocol
    cdef readonly bint is_owner
    cdef public bint closing
    cdef bint dropped
    cdef bint ended
    cdef public bint alive_since_ping
    cdef public object tag
    cdef readonly long long offset
    cdef object __weakref__
    cdef bytes head
    cdef FrameReader reader
    cdef Buffer out
    cdef Buffer body
    cdef unsigned int together
    cdef bint listed
    cdef list dirtied
    cdef void dirty(self) noexcept
    cdef void wait_for(self, long long offset) noexcept nogil
    cdef int flush(self) noexcept nogil
    cdef int put(self, u8p message, size_t off, size_t n) noexcept nogil
    cdef int put_ok(self, unsigned int request_id, unsigned long long timestamp) noexcept
    cdef int put_control(self, unsigned int opcode, u8p payload, size_t off, size_t n) noexcept nogil
