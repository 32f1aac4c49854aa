from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE

# Functions of the WebAssembly runtime's C interface, called by address: their types, and casts from numbers.
ctypedef unsigned long long* rawp        # arguments and results of a guest's call: 16 bytes each, two of these
ctypedef void* (*call_fn)(void* context, void* func, rawp args, size_t n, void** trap) noexcept nogil
ctypedef void* (*trap_fn)(const unsigned char* text, size_t n) noexcept nogil
ctypedef size_t (*size_fn)(void* context, void* memory) noexcept nogil
ctypedef unsigned char* (*data_fn)(void* context, void* memory) noexcept nogil
ctypedef void (*deadline_fn)(void* context, unsigned long long ticks) noexcept nogil
ctypedef void (*tick_fn)(void* engine) noexcept nogil
ctypedef void* pointer

cdef inline pointer as_pointer(size_t address) noexcept nogil: return <void*>address
cdef inline call_fn as_call(size_t address) noexcept nogil: return <call_fn><void*>address
cdef inline trap_fn as_trap(size_t address) noexcept nogil: return <trap_fn><void*>address
cdef inline size_fn as_size(size_t address) noexcept nogil: return <size_fn><void*>address
cdef inline data_fn as_data(size_t address) noexcept nogil: return <data_fn><void*>address
cdef inline deadline_fn as_deadline(size_t address) noexcept nogil: return <deadline_fn><void*>address
cdef inline tick_fn as_tick(size_t address) noexcept nogil: return <tick_fn><void*>address
cdef inline size_t arg(rawp a, int k) noexcept nogil: return <unsigned int>a[2 * k]
cdef inline long long arg64(rawp a, int k) noexcept nogil: return <long long>a[2 * k]

# Runs a guest's function. 0: it returned, results are in raw. 1: raw[30] is the address of a trap or raw[31] that of an error.
cdef inline int run(call_fn f, void* context, void* func, rawp raw, size_t n) noexcept nogil:
    cdef void* trap = NULL
    cdef void* error = f(context, func, raw, n, &trap)
    if error == NULL and trap == NULL:
        return 0
    raw[30] = <size_t>trap
    raw[31] = <size_t>error
    return 1

# A trap with a text; whoever gets it owns it.
cdef inline void* new_trap(trap_fn f, bytes text) noexcept:
    return f(<const unsigned char*>PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text))

# Threads and locks of the interpreter's own portable kind; waiting does not need its lock.
cdef extern from "pythread.h":
    """
    #define STDB_NO_THREAD ((unsigned long)-1)
    """
    ctypedef void* lock "PyThread_type_lock"
    unsigned long NO_THREAD "STDB_NO_THREAD"
    lock PyThread_allocate_lock() nogil
    void PyThread_free_lock(lock) nogil
    int PyThread_acquire_lock_timed(lock, long long microseconds, int interruptible) nogil
    int PyThread_acquire_lock(lock, int wait) nogil
    void PyThread_release_lock(lock) nogil
    unsigned long PyThread_start_new_thread(void* func, void* argument) nogil

cdef inline lock new_lock() noexcept nogil: return PyThread_allocate_lock()
cdef inline bint no_lock(lock held) noexcept nogil: return held == NULL
cdef inline void take_lock(lock held) noexcept nogil: PyThread_acquire_lock(held, 1)
cdef inline void give_lock(lock held) noexcept nogil: PyThread_release_lock(held)
cdef inline bint wait_lock(lock held, long long microseconds) noexcept nogil:
    return PyThread_acquire_lock_timed(held, microseconds, 0) != 0
cdef inline void free_lock(lock held) noexcept nogil:
    if held != NULL: PyThread_free_lock(held)
cdef inline bint start_thread(void* func, void* argument) noexcept nogil:
    return PyThread_start_new_thread(func, argument) != NO_THREAD
