from spacetimedb_engine.abi_rare_cy cimport row_written
from spacetimedb_engine.abi_rows_cy cimport range_args
from spacetimedb_engine.foreign cimport arg, rawp
from spacetimedb_engine.guest_cy cimport Guest
from spacetimedb_engine.index_cy cimport Index
from spacetimedb_engine.memory cimport copy, get_bytes, is_nothing, ld32, st32, st64
from spacetimedb_engine.store_cy cimport Store
from spacetimedb_engine.table_cy cimport FIRST_USER_TABLE

cdef long long insert(Guest g, rawp a) noexcept
cdef long long update(Guest g, rawp a) noexcept
cdef long long write_back(Guest g, unsigned int table, bint inserted, size_t p, size_t n, size_t length_p) noexcept
cdef long long delete_equal(Guest g, rawp a) noexcept
cdef long long delete_point(Guest g, rawp a) noexcept
cdef long long delete_range(Guest g, rawp a) noexcept
cdef bint is_of_system_table(Guest g, unsigned int index_id) noexcept
cdef long long give_count(Guest g, int e, size_t out) noexcept
cdef long long clear(Guest g, rawp a) noexcept
