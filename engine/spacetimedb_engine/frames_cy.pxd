cimport cython
from spacetimedb_engine.buffer_cy cimport Buffer
from spacetimedb_engine.memory cimport bufp, get_bytes, ld8, null, st8, u8p, unmask

cdef enum:
    FRAGMENT = 4096             # largest payload of a frame that the server sends
    MESSAGE_LIMIT = 33554432    # largest message a client may send
    KEEP = 65536                # buffers that hold more are given back once they are empty

@cython.final
cdef class FrameReader:
    cdef Buffer pending
    cdef Buffer message
    cdef u8p source
    cdef size_t pos
    cdef size_t end
    cdef bint own
    cdef bint delivered
    cdef unsigned int opcode
    cdef readonly int fault
    cdef u8p data
    cdef size_t start
    cdef size_t length
    cdef int feed(self, u8p source, size_t n) noexcept nogil
    cdef int settle(self) noexcept nogil
    cdef int broken(self, int fault) noexcept nogil
    cdef int next(self, Buffer scratch) noexcept nogil
    cdef int whole(self, unsigned int opcode, size_t at, size_t n, Buffer scratch) noexcept nogil
    cdef int fragment(self, unsigned int opcode, bint last, size_t at, size_t n) noexcept nogil

cdef int put_frame(Buffer out, unsigned int first, u8p src, size_t off, size_t n) noexcept nogil
cdef int put_message(Buffer out, unsigned int opcode, u8p src, size_t off, size_t n) noexcept nogil
cdef bint close_code_allowed(unsigned int code) noexcept nogil
