from spacetimedb_engine.buffer_cy cimport Buffer
from spacetimedb_engine.foreign cimport arg, rawp
from spacetimedb_engine.guest_cy cimport Guest
from spacetimedb_engine.memory cimport bufp, copy, ld32, st32

cdef long long source_remaining(Guest g, rawp a) noexcept
cdef long long source_read(Guest g, rawp a) noexcept
cdef long long sink_write(Guest g, rawp a) noexcept
cdef long long identity(Guest g, rawp a) noexcept
cdef long long give_source(Guest g, bytes content, size_t out) noexcept
