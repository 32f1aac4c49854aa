cimport cython
from spacetimedb_engine.foreign cimport new_trap, rawp
from spacetimedb_engine.guest_cy cimport Guest
from spacetimedb_engine.memory cimport nothing
from spacetimedb_engine cimport abi_bytes_cy, abi_procedures_cy, abi_rare_cy, abi_rows_cy, abi_writes_cy

@cython.final
cdef class Import:
    cdef Guest guest
    cdef int op
    cdef str name
    cdef object callback
    cdef void* trap(self, long long code) noexcept

cdef long long dispatch(Guest g, int op, rawp a) noexcept
cdef void* thunk(Import env, void* caller, rawp a, size_t n) noexcept

# For guests that run without the interpreter lock.
cdef inline void* locking_thunk(Import env, void* caller, rawp a, size_t n) noexcept with gil:
    return thunk(env, caller, a, n)

cdef inline size_t thunk_address(Import env) noexcept:
    return <size_t><void*>locking_thunk if env.guest.may_wait else <size_t><void*>thunk

cdef inline size_t env_address(Import env) noexcept:
    return <size_t><void*>env

cdef inline long long guarded(Import env, rawp a) noexcept:
    return dispatch(env.guest, env.op, a)
