cimport cython
from spacetimedb_engine.buffer_cy cimport Buffer
from spacetimedb_engine.catalog_cy cimport Catalog
from spacetimedb_engine.change_cy cimport delete, insert, update
from spacetimedb_engine.index_cy cimport Index
from spacetimedb_engine.memory cimport is_nothing, ld8, ld32, null, same, trim, u8p
from spacetimedb_engine.rows_cy cimport Rows
from spacetimedb_engine.numbers_cy cimport Numbers
from spacetimedb_engine.range_cy cimport Range
from spacetimedb_engine.table_cy cimport Table


cdef class Core(Catalog):
    cdef readonly unsigned long long result
    cdef Numbers numbers
    cdef Range span
    cdef Buffer generated
    cdef Buffer found
    cdef u8p at
    cdef size_t start
    cdef size_t end
    cdef unsigned int conflict
    # transactions
    cdef int begin_tx(self) noexcept nogil
    cdef long long commit_tx(self, u8p buf, size_t off, size_t n, bint with_inputs, bint force) noexcept nogil
    cdef int rollback_tx(self) noexcept nogil
    cdef void undo_changes(self) noexcept with gil
    cdef void settle_changes(self, bint committed) noexcept with gil
    # changes
    cdef int insert_row(self, unsigned int table_id, u8p buf, size_t off, size_t n) noexcept nogil
    cdef int update_row(self, unsigned int table_id, unsigned int index_id, u8p buf, size_t off, size_t n) noexcept nogil
    cdef int delete_equal(self, unsigned int table_id, u8p buf, size_t off, size_t n) noexcept nogil
    cdef int clear_rows(self, unsigned int table_id) noexcept nogil
    cdef int delete_seek_rows(self, unsigned int index_id, u8p buf, size_t off, size_t n) noexcept nogil
    cdef int delete_range_rows(self, unsigned int index_id, u8p pre, size_t po, size_t pn, unsigned int prefix_elems,
                               u8p sb, size_t so, size_t sn, u8p eb, size_t eo, size_t en) noexcept nogil
    # reads
    cdef int row_count(self, unsigned int table_id) noexcept nogil
    cdef int scan_rows(self, unsigned int table_id, Buffer rows, Buffer ends) noexcept nogil
    cdef int seek_rows(self, unsigned int index_id, u8p buf, size_t off, size_t n, Buffer rows, Buffer ends) noexcept nogil
    cdef int range_rows(self, unsigned int index_id, u8p pre, size_t po, size_t pn, unsigned int prefix_elems,
                        u8p sb, size_t so, size_t sn, u8p eb, size_t eo, size_t en, Buffer rows, Buffer ends) noexcept nogil
    cdef bint is_point(self, unsigned int index_id, unsigned int prefix_elems, u8p sb, size_t so, size_t sn, u8p eb, size_t eo, size_t en) noexcept nogil
    # parts
    cdef int insert_into(self, Table table, u8p buf, size_t off, size_t n) noexcept nogil
    cdef int update_in(self, Table table, unsigned int position, u8p buf, size_t off, size_t n) noexcept nogil
    cdef int delete_relation(self, Table table, u8p buf, size_t off, size_t end) noexcept nogil
    cdef int clear_table(self, Table table) noexcept nogil
    cdef int give_all(self, Rows source, Buffer rows, Buffer ends) noexcept nogil
    cdef int fill_row(self, Table table) noexcept nogil
    cdef int check_row(self, Table table, u8p buf, size_t off, size_t n) noexcept nogil
    cdef int give(self, Rows rows, unsigned int slot, Buffer out, Buffer ends) noexcept nogil
    cdef int give_range(self, Index index, Buffer out, Buffer ends) noexcept nogil
    cdef int collect_range(self, Index index) noexcept nogil
    cdef int delete_found(self, Table table) noexcept nogil
