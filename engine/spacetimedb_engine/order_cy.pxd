cimport cython
from spacetimedb_engine.buffer_cy cimport Buffer
from spacetimedb_engine.keys_cy cimport Key
from spacetimedb_engine.layout_cy cimport ARRAY, BOOL, FLOAT, INT, PRODUCT, STRING, SUM, UINT, Program
from spacetimedb_engine.memory cimport be64, ld8, ld16, ld32, ld64, order, u8p

ctypedef unsigned long long u64

@cython.final
cdef class Order:
    cdef Key key
    cdef Program program
    cdef unsigned int count
    cdef Buffer columns
    cdef Buffer masks
    cdef bint exact
    cdef unsigned int lead
    cdef unsigned int lead_size
    cdef u64 acc
    cdef unsigned int room
    cdef bint clean
    cdef size_t ca
    cdef size_t cb
    cdef unsigned int column(self, unsigned int k) noexcept nogil
    cdef u64 row_prefix(self, u8p buf, size_t off, size_t end) noexcept nogil
    cdef u64 point_prefix(self, u8p buf, size_t off, size_t end, unsigned int m) noexcept nogil
    cdef u64 mask(self, unsigned int m) noexcept nogil
    cdef bint exact_to(self, unsigned int m) noexcept nogil
    cdef void push(self, u64 v, unsigned int size) noexcept nogil
    cdef size_t contribute(self, unsigned int pc, u8p buf, size_t at) noexcept nogil
    cdef int compare_rows(self, u8p a, size_t ao, size_t ae, u8p b, size_t bo, size_t be) noexcept nogil
    cdef int compare_point(self, u8p a, size_t ao, size_t ae, u8p b, size_t bo, size_t be, unsigned int m) noexcept nogil
    cdef int compare(self, unsigned int pc, u8p a, u8p b) noexcept nogil
    cdef int compare_array(self, unsigned int pc, u8p a, u8p b) noexcept nogil
    cdef bint is_bytes(self, unsigned int pc) noexcept nogil
    cdef bint is_enum(self, unsigned int pc) noexcept nogil
    cdef void measure(self, unsigned int pc)

cdef u64 number(u8p buf, size_t at, unsigned int op, unsigned int size) noexcept nogil
