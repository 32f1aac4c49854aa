cimport cython
from spacetimedb_engine.index_cy cimport Index
from spacetimedb_engine.journal_cy cimport DELETE, FIRST, INSERT, UPDATE
from spacetimedb_engine.memory cimport ld8, same, st8, u8p
from spacetimedb_engine.rows_cy cimport CLEAN, DEAD, DELETED, INSERTED, MODIFIED
from spacetimedb_engine.table_cy cimport NO_KEEPER, Table

cdef int insert(Table table, u8p buf, size_t off, size_t end) noexcept nogil
cdef int delete(Table table, unsigned int slot) noexcept nogil
cdef int update(Table table, unsigned int index, u8p buf, size_t off, size_t end) noexcept nogil
cdef int replace(Table table, unsigned int slot, u8p buf, size_t off, size_t end) noexcept nogil
cdef int replace_fixed(Table table, unsigned int slot, u8p buf, size_t off) noexcept nogil
cdef int replace_blob(Table table, unsigned int slot, u8p buf, size_t off, size_t end) noexcept nogil
cdef unsigned int mark_changed(Table table, u8p a, size_t ao, size_t ae, u8p b, size_t bo, size_t be) noexcept nogil
cdef void unlink_changed(Table table, unsigned int slot) noexcept nogil
cdef int link_changed(Table table, unsigned int slot) noexcept nogil
cdef void undo(Table table, unsigned int kind, unsigned int slot, unsigned long long image) noexcept nogil
cdef void undo_blob(Table table, unsigned int slot, unsigned long long new, unsigned long long old) noexcept nogil
