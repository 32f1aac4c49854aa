cimport cython
from spacetimedb_engine.hashindex_cy cimport BY_ROW, HashIndex
from spacetimedb_engine.index_cy cimport Index
from spacetimedb_engine.memory cimport alloc, is_null, ld32, ld64, release, st32, st64, u8p
from spacetimedb_engine.table_cy cimport Table

cdef int enter_rows(Table table, Index index) noexcept nogil
cdef int enter_all(HashIndex index, bint distinct) noexcept nogil
cdef int enter_batch(HashIndex index, u8p batch, unsigned int n, bint distinct) noexcept nogil
