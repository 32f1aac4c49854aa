cimport cython
from spacetimedb_engine.commit_cy cimport Committer
from spacetimedb_engine.committed_cy cimport enter
from spacetimedb_engine.filling_cy cimport enter_all, enter_rows
from spacetimedb_engine.idmap_cy cimport IdMap
from spacetimedb_engine.journal_cy cimport Journal
from spacetimedb_engine.table_cy cimport Table
from spacetimedb_engine.index_cy cimport Index
from spacetimedb_engine.keys_cy cimport Key
from spacetimedb_engine.hashindex_cy cimport HashIndex
from spacetimedb_engine.layout_cy cimport INT, PRODUCT, UINT, Program
from spacetimedb_engine.sequence_cy cimport Sequence

cdef class Catalog:
    cdef Journal journal
    cdef Committer committer
    cdef unsigned long long seed
    cdef dict tables
    cdef dict indexes
    cdef dict sequences
    cdef IdMap table_map
    cdef IdMap index_map
    cdef list undone_by
    cdef list kept
    cdef set watching
    cdef bint replaying
    cdef readonly bytes fault
