from spacetimedb_engine.abi_bytes_cy cimport give_source
from spacetimedb_engine.foreign cimport arg, rawp
from spacetimedb_engine.guest_cy cimport Guest
from spacetimedb_engine.memory cimport get_bytes, st32, utf8_valid
from spacetimedb_engine.store_cy cimport Store

cdef enum Op:
    TABLE_ID = 0
    INDEX_ID = 1
    CONSOLE_LOG = 2
    TIMER_START = 3
    TIMER_END = 4
    SCHEDULE_NOW = 5
    JWT = 6
    SLEEP = 7
    START_TX = 8
    COMMIT_TX = 9
    ABORT_TX = 10
    HTTP = 11
    ENV = 12
    ROW_WRITTEN = 13

cdef int ask(Guest g, int op, long long x, long long y, object parts) noexcept
cdef long long number(Guest g) noexcept
cdef long long name_id(Guest g, int op, rawp a) noexcept
cdef long long settle(Guest g, int e) noexcept
cdef long long give_answer(Guest g, size_t out) noexcept
cdef long long table_id(Guest g, rawp a) noexcept
cdef long long index_id(Guest g, rawp a) noexcept
cdef long long console_log(Guest g, rawp a) noexcept
cdef long long timer_start(Guest g, rawp a) noexcept
cdef long long timer_end(Guest g, rawp a) noexcept
cdef long long schedule_now(Guest g, rawp a) noexcept
cdef long long jwt(Guest g, rawp a) noexcept
cdef long long env_get(Guest g, rawp a) noexcept
cdef long long row_written(Guest g, unsigned int table, bint inserted) noexcept
