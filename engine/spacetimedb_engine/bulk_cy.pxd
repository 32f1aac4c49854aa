cimport cython
from spacetimedb_engine.buffer_cy cimport Buffer
from spacetimedb_engine.core_cy cimport Core
from spacetimedb_engine.memory cimport bufp, u8p
from spacetimedb_engine.rows_cy cimport CLEAN, Rows
from spacetimedb_engine.table_cy cimport Table


@cython.final
cdef class Bulk:
    cdef Core core
    cdef Buffer out
    cdef unsigned long long taken
    cdef size_t end
    cdef long long collect(self, Rows rows, long long slot, size_t limit) noexcept nogil
    cdef int fill(self, Table table, u8p buf, size_t size, unsigned long long count) noexcept nogil
    cdef bint repeats(self, Table table) noexcept nogil
