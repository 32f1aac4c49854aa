cimport cython
from spacetimedb_engine.buffer_cy cimport Buffer
from spacetimedb_engine.bulk_cy cimport Bulk
from spacetimedb_engine.core_cy cimport Core
from spacetimedb_engine.memory cimport bufp, get_bytes, keep_apart, ld32, ld64, null, trim, u8p
from spacetimedb_engine.table_cy cimport Table
from spacetimedb_engine.replay_cy cimport Replayer

cdef class Store(Core):
    cdef Buffer rows_out
    cdef Buffer ends_out
    cdef Replayer replayer
    cdef Bulk bulk
