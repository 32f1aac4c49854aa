from spacetimedb_engine.foreign cimport arg, rawp
from spacetimedb_engine.guest_cy cimport Guest
from spacetimedb_engine.habits_cy cimport note
from spacetimedb_engine.handles_cy cimport RowIter
from spacetimedb_engine.memory cimport copy, get_bytes, ld32, st32, st64
from spacetimedb_engine.store_cy cimport Store

cdef long long row_count(Guest g, rawp a) noexcept
cdef long long table_scan(Guest g, rawp a) noexcept
cdef long long point_scan(Guest g, rawp a) noexcept
cdef long long range_scan(Guest g, rawp a) noexcept
cdef long long give_iter(Guest g, RowIter it, int e, size_t out) noexcept
cdef long long advance(Guest g, rawp a) noexcept
cdef long long close(Guest g, rawp a) noexcept
cdef int range_args(Guest g, rawp a) noexcept nogil
cdef void note_range(Guest g, rawp a) noexcept
