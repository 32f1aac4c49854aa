cimport cython
from spacetimedb_engine.buffer_cy cimport Buffer
from spacetimedb_engine.memory cimport bufp, ld8, ld32, u8p, utf8_valid

cdef enum:
    UINT = 0
    INT = 1
    FLOAT = 2
    BOOL = 3
    STRING = 4
    ARRAY = 5
    PRODUCT = 6
    SUM = 7
    SKIP = 8
    NONE = 0xFFFFFFFF

@cython.final
cdef class Program:
    cdef Buffer code
    cdef readonly bytes type_bytes
    cdef readonly long long fixed
    cdef readonly bint plain
    cdef readonly unsigned int columns
    cdef readonly unsigned int root
    cdef unsigned int fused
    cdef unsigned int op(self, unsigned int pc) noexcept nogil
    cdef unsigned int arg(self, unsigned int pc, unsigned int i) noexcept nogil
    cdef unsigned int column(self, unsigned int i) noexcept nogil
    cdef Py_ssize_t walk(self, u8p buf, size_t off, size_t end) noexcept nogil
    cdef Py_ssize_t step(self, unsigned int pc, u8p buf, size_t off, size_t end) noexcept nogil
    cdef Py_ssize_t step_array(self, unsigned int pc, u8p buf, size_t off, size_t end) noexcept nogil
