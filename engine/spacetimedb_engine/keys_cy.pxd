cimport cython
from spacetimedb_engine.buffer_cy cimport Buffer
from spacetimedb_engine.layout_cy cimport ARRAY, BOOL, FLOAT, PRODUCT, STRING, SUM, Program
from spacetimedb_engine.memory cimport hash_bytes, ld32, same, u8p

ctypedef unsigned long long u64

@cython.final
cdef class Key:
    cdef readonly Program program
    cdef readonly list columns
    cdef unsigned int count
    cdef bint whole
    cdef bint floats
    cdef u64 seed
    cdef Py_ssize_t flat_off
    cdef size_t flat_len
    cdef Buffer places
    cdef size_t col_at(self, unsigned int k, u8p buf, size_t off, size_t end) noexcept nogil
    cdef size_t col_end(self, unsigned int k, u8p buf, size_t at, size_t end) noexcept nogil
    cdef Py_ssize_t check_point(self, u8p buf, size_t off, size_t end, unsigned int m) noexcept nogil
    cdef Py_ssize_t check_column(self, unsigned int k, u8p buf, size_t off, size_t end) noexcept nogil
    cdef u64 hash_row(self, u8p buf, size_t off, size_t end) noexcept nogil
    cdef u64 hash_point(self, u8p buf, size_t off, size_t end) noexcept nogil
    cdef bint rows_agree(self, u8p a, size_t ao, size_t ae, u8p b, size_t bo, size_t be) noexcept nogil
    cdef bint row_is_point(self, u8p a, size_t ao, size_t ae, u8p b, size_t bo, size_t be) noexcept nogil
    cdef bint has_float(self, unsigned int pc)
    cdef long long length_of(self, unsigned int pc)
