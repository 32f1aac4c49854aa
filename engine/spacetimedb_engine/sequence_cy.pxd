cimport cython

@cython.final
cdef class Sequence:
    cdef readonly unsigned int id
    cdef readonly unsigned int table_id
    cdef readonly unsigned int column
    cdef readonly unsigned int width
    cdef readonly object increment
    cdef readonly object start
    cdef readonly object minimum
    cdef readonly object maximum
    cdef readonly object allocated
    cdef object base
    cdef bint unsaved
    cdef bint fresh
    cdef unsigned long long chunk
    cdef unsigned long long left
    cdef unsigned long long lo
    cdef unsigned long long hi
    cdef unsigned long long inc_lo
    cdef unsigned long long inc_hi
    cdef unsigned long long drawn_lo
    cdef unsigned long long drawn_hi
    cdef bint draw(self) noexcept nogil
