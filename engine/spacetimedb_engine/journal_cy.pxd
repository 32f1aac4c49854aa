cimport cython
from spacetimedb_engine.buffer_cy cimport Buffer
from spacetimedb_engine.memory cimport copy, grow_objs, is_no_objs, ld32, ld64, no_objs, nothing, objs, release_objs, st32, st64, u8p


cdef enum:
    INSERT = 1
    UPDATE = 2
    DELETE = 3
    FIRST = 256
    RECORD = 32
    KIND = 0
    TABLE = 4
    SLOT = 8
    NEXT = 12
    IMAGE = 16
    VERDICT = 24
    GONE = 1
    NEW = 2

@cython.final
cdef class Journal:
    cdef Buffer records
    cdef Buffer images
    cdef objs tables
    cdef unsigned int table_count
    cdef unsigned int table_room
    cdef readonly unsigned int tx
    cdef readonly bint open
    cdef bint pinned
    cdef void begin(self) noexcept nogil
    cdef void end(self) noexcept nogil
    cdef int reserve(self, size_t image) noexcept nogil
    cdef long long enlist(self, void* table) noexcept nogil
    cdef unsigned int count(self) noexcept nogil
    cdef unsigned int push(self, unsigned int kind, unsigned int table, unsigned int slot, unsigned long long image) noexcept nogil
    cdef unsigned long long keep(self, u8p buf, size_t off, size_t n) noexcept nogil
    cdef unsigned int kind(self, unsigned int r) noexcept nogil
    cdef unsigned int table(self, unsigned int r) noexcept nogil
    cdef unsigned int slot(self, unsigned int r) noexcept nogil
    cdef unsigned long long image(self, unsigned int r) noexcept nogil
    cdef unsigned int verdict(self, unsigned int r) noexcept nogil
    cdef void chain(self, unsigned int r, unsigned int following) noexcept nogil
    cdef void judge(self, unsigned int r, unsigned int verdict) noexcept nogil
    cdef void pop(self) noexcept nogil
