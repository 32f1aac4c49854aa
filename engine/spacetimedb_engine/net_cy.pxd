cimport cython
from spacetimedb_engine.buffer_cy cimport Buffer
from spacetimedb_engine.journal_cy cimport DELETE, FIRST, GONE, INSERT, KIND, NEW, NEXT, RECORD, SLOT, UPDATE, VERDICT, Journal
from spacetimedb_engine.memory cimport alloc, hash_bytes, is_null, ld32, release, same, st32, u8p
from spacetimedb_engine.rows_cy cimport CLAIMED, INSERTED, MODIFIED
from spacetimedb_engine.table_cy cimport Table

@cython.final
cdef class Net:
    cdef Journal journal
    cdef Buffer order
    cdef int work_out(self) noexcept nogil
    cdef int sort(self) noexcept nogil
    cdef void judge(self, Table table) noexcept nogil
    cdef void locate_old(self, Table table, unsigned int r) noexcept nogil
    cdef bint differs(self, Table table, unsigned int r) noexcept nogil
    cdef int cancel(self, Table table) noexcept nogil
    cdef void pair(self, Table table, u8p places, size_t mask, unsigned int r) noexcept nogil
