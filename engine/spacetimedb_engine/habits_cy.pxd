cimport cython
from spacetimedb_engine.buffer_cy cimport Buffer
from spacetimedb_engine.core_cy cimport Core
from spacetimedb_engine.frames_cy cimport FrameReader
from spacetimedb_engine.index_cy cimport Index
from spacetimedb_engine.memory cimport is_nothing, ld16, ld32, nothing, null, same, u8p, unmask

cdef enum:
    PERIOD = 256           # one call of a reducer in so many is watched
    MOST = 4               # lookups of a reducer that are remembered
    LONGEST_KEY = 32
    LONGEST_ARGS = 256     # of a call that is watched
    MOST_NOTED = 1024      # bytes of lookups of a call that is watched
    FAR = 6                # calls ahead at which buckets are fetched
    NEAR = 3               # and rows
    HABIT = 12             # u32 index, u32 where in the arguments, u32 length of the key
    FRAME_HEAD = 6         # of a frame with less than 126 bytes of payload

@cython.final
cdef class Habits:
    cdef Buffer table
    cdef unsigned int calls
    cdef bint watched(self, size_t args_n) noexcept nogil
    cdef int learn(self, Core core, Buffer lookups, u8p buf, size_t args, size_t n) noexcept
    cdef bint known(self, unsigned int index_id, unsigned int place) noexcept nogil

@cython.final
cdef class LookAhead:
    cdef Core core
    cdef Buffer payload
    cdef u8p buf
    cdef size_t end
    cdef size_t size
    cdef size_t args
    cdef bint framed
    cdef size_t far
    cdef size_t near
    cdef void restart(self) noexcept nogil
    cdef void frames(self, Habits habits, FrameReader reader, size_t args) noexcept
    cdef void messages(self, Habits habits, u8p buf, size_t off, size_t args, size_t at, size_t end) noexcept
    cdef void go(self, Habits habits, size_t at) noexcept
    cdef bint call(self, Habits habits, size_t at, bint near) noexcept
    cdef void fetch(self, Habits habits, u8p buf, size_t args, size_t end, bint near) noexcept

cdef bint note(Buffer lookups, unsigned int index_id, u8p buf, size_t off, size_t n) noexcept nogil
cdef void* hashed_index(Core core, unsigned int index_id, size_t n) noexcept
