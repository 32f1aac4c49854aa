cimport cython
from spacetimedb_engine.hashindex_cy cimport BY_ALL, HashIndex
from spacetimedb_engine.idmap_cy cimport IdMap
from spacetimedb_engine.index_cy cimport Index
from spacetimedb_engine.memory cimport is_nothing, ld8, ld32, u8p
from spacetimedb_engine.rows_cy cimport CLEAN
from spacetimedb_engine.table_cy cimport NO_KEEPER, Table

cdef int enter(Table table, u8p buf, size_t off, size_t end) noexcept nogil
cdef int enter_first(Table table, u8p buf, size_t off, size_t end) noexcept nogil
cdef bint take_out(Table table, u8p buf, size_t off, size_t end) noexcept nogil
cdef void expect(Table table, u8p buf, size_t off, size_t end, bint near) noexcept nogil
cdef void expect_in(HashIndex index, u8p buf, size_t off, size_t end, bint near) noexcept nogil
cdef void look_ahead(IdMap tables, u8p buf, size_t at, size_t size, bint near) noexcept nogil
