cimport cython
from spacetimedb_engine.change_cy cimport undo
from spacetimedb_engine.journal_cy cimport DELETE, FIRST, INSERT, NEXT, RECORD, UPDATE, Journal
from spacetimedb_engine.memory cimport ld32, u8p
from spacetimedb_engine.net_cy cimport Net
from spacetimedb_engine.record_cy cimport Recorder, logged
from spacetimedb_engine.rows_cy cimport CLAIMED, CLEAN, DEAD, DELETED, MODIFIED
from spacetimedb_engine.table_cy cimport Table


@cython.final
cdef class Committer:
    cdef Journal journal
    cdef Net net
    cdef Recorder recorder
    cdef unsigned long long offset
    cdef unsigned long long epoch
    cdef bint touched_watched
    cdef long long commit(self, u8p inputs, size_t off, size_t n, bint with_inputs, bint force) noexcept nogil
    cdef bint consumes(self) noexcept nogil
    cdef void finish(self, Table table) noexcept nogil
    cdef void finish_step(self, Table table, unsigned int r) noexcept nogil
    cdef void undo_to(self, unsigned int r) noexcept nogil
    cdef void undo_step(self, Table table, unsigned int r) noexcept nogil
    cdef void close(self) noexcept nogil
