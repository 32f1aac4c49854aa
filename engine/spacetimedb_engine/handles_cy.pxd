cimport cython
from spacetimedb_engine.buffer_cy cimport Buffer
from spacetimedb_engine.memory cimport bufp, copy, ld32, ld64, st32, st64, u8p

cdef enum:
    CHUNK = 32768      # a chunk of rows ends with the row that makes it larger than this
    KEEP = 65536       # buffers that hold more are given back once they are empty
    RECORD = 24        # of a source: u32 kind (0 free, 1 the call's arguments, 2 a copy), u64 position, u64 end

@cython.final
cdef class Sources:
    cdef Buffer table
    cdef Buffer heap
    cdef u8p args
    cdef readonly unsigned int unread
    cdef unsigned int open_args(self, u8p buf, size_t off, size_t n) noexcept nogil
    cdef long long open_copy(self, u8p buf, size_t off, size_t n) noexcept nogil
    cdef long long remaining(self, unsigned int handle) noexcept nogil
    cdef size_t read(self, unsigned int handle, u8p dst, size_t off, size_t room) noexcept nogil
    cdef void cut(self, size_t table_mark, size_t heap_mark) noexcept nogil

@cython.final
cdef class Sinks:
    cdef list buffers
    cdef readonly unsigned int n
    cdef unsigned int open(self) except 0
    cdef Buffer get(self, unsigned int handle)
    cdef bytes taken(self, unsigned int handle)
    cdef void cut(self, unsigned int mark) noexcept

@cython.final
cdef class RowIter:
    cdef Buffer rows
    cdef Buffer ends
    cdef size_t pos
    cdef size_t row
    cdef unsigned int handle
    cdef unsigned int following
    cdef bint live
    cdef size_t chunk_end(self, size_t begin, size_t row) noexcept nogil
    cdef size_t fitting(self, size_t room) noexcept nogil
    cdef size_t next_chunk(self) noexcept nogil

@cython.final
cdef class RowIters:
    cdef list slots
    cdef unsigned int free
    cdef readonly size_t held
    cdef readonly unsigned int live
    cdef RowIter open(self)
    cdef RowIter get(self, unsigned int handle)
    cdef void close(self, RowIter it) noexcept
    cdef void close_all(self) noexcept
