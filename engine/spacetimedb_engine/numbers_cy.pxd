cimport cython
from spacetimedb_engine.buffer_cy cimport Buffer
from spacetimedb_engine.catalog_cy cimport Catalog
from spacetimedb_engine.change_cy cimport update
from spacetimedb_engine.index_cy cimport Index
from spacetimedb_engine.memory cimport bufp, get_bytes, ld8, null, st8, u8p
from spacetimedb_engine.sequence_cy cimport Sequence
from spacetimedb_engine.table_cy cimport Table

@cython.final
cdef class Numbers:
    cdef Catalog catalog
    cdef Buffer generated
    cdef Buffer row
    cdef u8p at
    cdef size_t start
    cdef size_t end
    cdef list refilled
    cdef bint drew
    cdef int fill(self, Table table, u8p buf, size_t off, size_t end) noexcept nogil
    cdef size_t column_at(self, Table table, unsigned int column) noexcept nogil
    cdef bint is_zero(self, size_t at, unsigned int width) noexcept nogil
    cdef void write_number(self, Sequence sequence, size_t at) noexcept nogil
    cdef int draw(self, Sequence sequence) noexcept nogil
    cdef int refill(self, Sequence sequence) noexcept with gil
    cdef void settle(self, bint committed) noexcept with gil
