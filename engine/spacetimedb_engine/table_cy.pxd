cimport cython
from spacetimedb_engine.buffer_cy cimport Buffer
from spacetimedb_engine.hashindex_cy cimport HashIndex
from spacetimedb_engine.index_cy cimport Index
from spacetimedb_engine.journal_cy cimport DELETE, FIRST, INSERT, UPDATE, Journal
from spacetimedb_engine.keys_cy cimport Key
from spacetimedb_engine.layout_cy cimport Program
from spacetimedb_engine.memory cimport borrow, grow_objs, is_no_objs, ld8, no_objs, objs, release_objs, same, st8, u8p
from spacetimedb_engine.sequence_cy cimport Sequence
from spacetimedb_engine.rows_cy cimport CLEAN, DEAD, DELETED, FREE, INSERTED, MODIFIED, Rows


cdef enum:
    NO_KEEPER = 0xFFFFFFFF
    FIRST_USER_TABLE = 4096

@cython.final
cdef class Table:
    cdef readonly unsigned int id
    cdef readonly unsigned int flags
    cdef readonly bint event
    cdef readonly bint ephemeral
    cdef public bint watched
    cdef readonly Program program
    cdef Rows rows
    cdef Journal journal
    cdef void* me
    cdef readonly list indexes
    cdef objs index_objs
    cdef unsigned int index_count
    cdef unsigned int index_room
    cdef Buffer changed
    cdef HashIndex identity
    cdef unsigned long long seed
    cdef bint identified
    cdef unsigned int keeper
    cdef readonly list sequences
    cdef objs sequence_objs
    cdef unsigned int sequence_count
    cdef unsigned int sequence_room
    cdef readonly size_t count
    cdef unsigned int slot
    cdef readonly unsigned int conflict
    cdef Buffer scratch
    cdef unsigned int seen
    cdef unsigned int number
    cdef unsigned int first
    cdef unsigned int last
    cdef size_t before
    cdef bint moved
    cdef unsigned int made
    cdef unsigned int gone
    cdef bint dropped
    cdef int enlist(self) noexcept nogil
    cdef void note(self, unsigned int kind, unsigned int slot, unsigned long long image) noexcept nogil
    cdef long long find(self, u8p buf, size_t off, size_t end) noexcept nogil
    cdef int clash(self, u8p buf, size_t off, size_t end, long long itself, unsigned int asked) noexcept nogil
    cdef int link(self, unsigned int slot) noexcept nogil
    cdef void unlink(self, unsigned int slot) noexcept nogil
    cdef void wipe(self) noexcept nogil
    cdef void settle(self) noexcept nogil
    cdef size_t in_use(self) noexcept nogil
