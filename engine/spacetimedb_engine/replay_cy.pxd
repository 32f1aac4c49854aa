cimport cython
from spacetimedb_engine.buffer_cy cimport Buffer
from spacetimedb_engine.committed_cy cimport enter, expect, look_ahead, take_out
from spacetimedb_engine.core_cy cimport Core
from spacetimedb_engine.index_cy cimport Index
from spacetimedb_engine.memory cimport borrow, bufp, crc32c, is_nothing, ld8, ld16, ld32, ld64, nothing, u8p
from spacetimedb_engine.table_cy cimport FIRST_USER_TABLE, Table

cdef enum Stage:
    COMMIT = 0
    RECORD = 1
    INSERTS = 2
    DELETES = 3
    TRUNCATES = 4
    CLOSE = 5

@cython.final
cdef class Replayer:
    cdef Core core
    cdef Buffer told
    cdef unsigned long long notify
    cdef size_t at
    cdef size_t end
    cdef size_t size
    cdef unsigned int stage
    cdef bint single
    cdef bint counted
    cdef bint asked
    cdef unsigned int records
    cdef unsigned long long groups
    cdef unsigned long long number
    cdef unsigned int table_id
    cdef int advance(self, u8p buf) noexcept nogil
    cdef int open_commit(self, u8p buf) noexcept nogil
    cdef int open_record(self, u8p buf) noexcept nogil
    cdef int skip(self, size_t n) noexcept nogil
    cdef int group(self, u8p buf) noexcept nogil
    cdef int apply_group(self, Table table, u8p buf, unsigned long long count, bint present) noexcept nogil
    cdef int truncate(self, u8p buf) noexcept nogil
    cdef int close_record(self) noexcept nogil
    cdef int varint(self, u8p buf) noexcept nogil
    cdef int insert_group(self, Table table, u8p buf, unsigned long long count, bint lenient) noexcept nogil
    cdef int delete_group(self, Table table, u8p buf, unsigned long long count) noexcept nogil
    cdef int skip_group(self, Table table, u8p buf, unsigned long long count) noexcept nogil
    cdef void* dropped(self, unsigned int table_id) noexcept with gil
    cdef bint repeats(self, Table table, Index index) noexcept nogil
