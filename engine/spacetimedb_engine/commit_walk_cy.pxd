from spacetimedb_engine.memory cimport bufp, crc32c, ld16, ld32, ld64, u8p
