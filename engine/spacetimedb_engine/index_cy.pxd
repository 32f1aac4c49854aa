cimport cython
from spacetimedb_engine.hashindex_cy cimport HashIndex
from spacetimedb_engine.keys_cy cimport Key
from spacetimedb_engine.memory cimport ld32, same, u8p
from spacetimedb_engine.order_cy cimport Order
from spacetimedb_engine.ordered_cy cimport Ordered
from spacetimedb_engine.rows_cy cimport Rows


@cython.final
cdef class Index:
    cdef readonly unsigned int id
    cdef readonly unsigned int table_id
    cdef readonly unsigned int kind
    cdef readonly bint unique
    cdef unsigned int position
    cdef Rows rows
    cdef Key key
    cdef HashIndex hash
    cdef Order order
    cdef Ordered tree
    cdef bint hashed
    cdef readonly bint sorted
    cdef size_t end_leaf
    cdef unsigned int end_index
    cdef int add(self, unsigned int slot) noexcept nogil
    cdef void remove(self, unsigned int slot) noexcept nogil
    cdef long long seek(self, u8p buf, size_t off, size_t end) noexcept nogil
    cdef long long seek_row(self, u8p buf, size_t off, size_t end) noexcept nogil
    cdef long long seek_same(self, u8p buf, size_t off, size_t end) noexcept nogil
    cdef bint tree_at_row(self, u8p buf, size_t off, size_t end) noexcept nogil
    cdef int sort(self) noexcept nogil
    cdef void between(self, u8p lo, size_t lo_off, size_t lo_end, unsigned int lo_cols, bint lo_beyond,
                      u8p hi, size_t hi_off, size_t hi_end, unsigned int hi_cols, bint hi_beyond) noexcept nogil
    cdef bint done(self) noexcept nogil
    cdef void clear(self) noexcept nogil
    cdef void settle(self) noexcept nogil
    cdef size_t in_use(self) noexcept nogil
