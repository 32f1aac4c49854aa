cimport cython
from spacetimedb_engine.core_cy cimport Core
from spacetimedb_engine.index_cy cimport Index
from spacetimedb_engine.memory cimport bufp, crc32c, get_bytes, ld8, ld16, ld32, ld64, u8p
from spacetimedb_engine.table_cy cimport Table


@cython.final
cdef class Replayer:
    cdef Core core
    cdef size_t at
    cdef size_t end
    cdef bint varint(self, u8p buf) noexcept nogil
    cdef unsigned long long number
    cdef int insert_group(self, Table table, u8p buf, unsigned long long count, bint lenient) noexcept nogil
    cdef int delete_group(self, Table table, u8p buf, unsigned long long count) noexcept nogil
    cdef bint repeats(self, Table table, Index index) noexcept nogil
    cdef int skip_group(self, Table table, u8p buf, unsigned long long count) noexcept nogil
