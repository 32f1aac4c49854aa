from spacetimedb_engine.abi_bytes_cy cimport give_source
from spacetimedb_engine.abi_rare_cy cimport ABORT_TX, COMMIT_TX, HTTP, SLEEP, START_TX, ask, number, settle
from spacetimedb_engine.foreign cimport arg, arg64, rawp
from spacetimedb_engine.guest_cy cimport Guest
from spacetimedb_engine.memory cimport get_bytes, st64

cdef void waited(Guest g) noexcept
cdef long long sleep_until(Guest g, rawp a) noexcept
cdef long long start_tx(Guest g, rawp a) noexcept
cdef long long commit_tx(Guest g, rawp a) noexcept
cdef long long abort_tx(Guest g, rawp a) noexcept
cdef long long end_tx(Guest g, int op) noexcept
cdef long long http_request(Guest g, rawp a) noexcept
cdef long long give_response(Guest g, size_t out) noexcept
