cimport cython
from spacetimedb_engine.buffer_cy cimport Buffer
from spacetimedb_engine.journal_cy cimport GONE, NEW, NEXT, RECORD, SLOT, VERDICT, Journal
from spacetimedb_engine.memory cimport crc32c, ld32, st16, st32, st64, u8p
from spacetimedb_engine.net_cy cimport Net
from spacetimedb_engine.table_cy cimport Table


@cython.final
cdef class Recorder:
    cdef Journal journal
    cdef Net net
    cdef Buffer log
    cdef Buffer delta
    cdef unsigned int number(self, size_t i) noexcept nogil
    cdef int commit(self, unsigned long long offset, unsigned long long epoch, u8p inputs, size_t off, size_t n, bint with_inputs) noexcept nogil
    cdef int record(self, u8p inputs, size_t off, size_t n, bint with_inputs) noexcept nogil
    cdef int groups(self, unsigned int which) noexcept nogil
    cdef int truncates(self) noexcept nogil
    cdef int group(self, Table table, unsigned int which, Buffer out, bint lengths) noexcept nogil
    cdef int describe(self) noexcept nogil

cdef bint listed(Table table, unsigned int which) noexcept nogil
cdef bint truncated(Table table) noexcept nogil
cdef bint logged(Table table) noexcept nogil
