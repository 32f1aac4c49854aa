# Raw memory for the compiled engine: the only place that knows C. `memory.py` is the same interface, bounds-checked, for the
# uncompiled form. A place in memory is always a pair (pointer, offset); offsets and lengths are in bytes.
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memcmp, memcpy, memmove, memset

ctypedef unsigned char* u8p        # bytes
ctypedef unsigned char** ptrs      # an array of u8p
ctypedef void** objs               # an array of borrowed references to objects that are kept alive elsewhere

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>
    #if defined(_MSC_VER)
    #include <intrin.h>
    #endif
    #if defined(__GLIBC__)
    #include <malloc.h>
    #endif

    /* glibc raises the size from which a block gets pages of its own with every such block that is freed; what is
       freed below it later stays with the process. A fixed size keeps it low. */
    static inline void stdb_keep_apart(size_t n) {
    #if defined(__GLIBC__)
        mallopt(M_MMAP_THRESHOLD, (int)n);
        mallopt(M_TRIM_THRESHOLD, (int)n);
    #endif
    }
    static inline void stdb_trim(void) {
    #if defined(__GLIBC__)
        malloc_trim(0);
    #endif
    }

    static inline uint32_t stdb_ld16(const unsigned char* p, size_t o) { uint16_t v; memcpy(&v, p + o, 2); return v; }
    static inline uint32_t stdb_ld32(const unsigned char* p, size_t o) { uint32_t v; memcpy(&v, p + o, 4); return v; }
    static inline uint64_t stdb_ld64(const unsigned char* p, size_t o) { uint64_t v; memcpy(&v, p + o, 8); return v; }
    static inline void stdb_st16(unsigned char* p, size_t o, uint32_t v) { uint16_t w = (uint16_t)v; memcpy(p + o, &w, 2); }
    static inline void stdb_st32(unsigned char* p, size_t o, uint32_t v) { memcpy(p + o, &v, 4); }
    static inline void stdb_st64(unsigned char* p, size_t o, uint64_t v) { memcpy(p + o, &v, 8); }

    /* Keys and small rows are what is compared and copied most, and a call costs more than that: a few bytes are
       two loads that may overlap. */
    static inline int stdb_same(const unsigned char* a, size_t ao, const unsigned char* b, size_t bo, size_t n) {
        a += ao; b += bo;
        if (n > 16) return memcmp(a, b, n) == 0;
        if (n >= 8) return ((stdb_ld64(a, 0) ^ stdb_ld64(b, 0)) | (stdb_ld64(a, n - 8) ^ stdb_ld64(b, n - 8))) == 0;
        if (n >= 4) return ((stdb_ld32(a, 0) ^ stdb_ld32(b, 0)) | (stdb_ld32(a, n - 4) ^ stdb_ld32(b, n - 4))) == 0;
        while (n--) if (a[n] != b[n]) return 0;
        return 1;
    }
    static inline void stdb_copy(unsigned char* d, size_t dof, const unsigned char* s, size_t so, size_t n) {
        uint64_t v, w;
        d += dof; s += so;
        if (n > 16) memcpy(d, s, n);
        else if (n >= 8) { v = stdb_ld64(s, 0); w = stdb_ld64(s, n - 8); stdb_st64(d, 0, v); stdb_st64(d, n - 8, w); }
        else if (n >= 4) {
            v = stdb_ld32(s, 0); w = stdb_ld32(s, n - 4); stdb_st32(d, 0, (uint32_t)v); stdb_st32(d, n - 4, (uint32_t)w);
        }
        else while (n--) d[n] = s[n];
    }
    /* 1 to 7 bytes as a little-endian number. */
    static inline uint64_t stdb_few(const unsigned char* p, size_t n) {
        uint64_t v = 0;
        if (n >= 4) return stdb_ld32(p, 0) | (uint64_t)stdb_ld32(p, n - 4) << (8 * (n - 4));
        while (n--) v = v << 8 | p[n];
        return v;
    }

    /* Undoes the masking of a WebSocket payload; the mask is the four bytes at s + mo. */
    static inline void stdb_unmask(unsigned char* d, size_t dof, const unsigned char* s, size_t so, size_t n, size_t mo) {
        uint32_t m; uint64_t w, v; size_t i = 0;
        memcpy(&m, s + mo, 4);
        w = (uint64_t)m << 32 | m;
        d += dof; s += so;
        for (; i + 8 <= n; i += 8) { memcpy(&v, s + i, 8); v ^= w; memcpy(d + i, &v, 8); }
        for (; i < n; i++) d[i] = s[i] ^ ((unsigned char*)&m)[i & 3];
    }

    static inline uint64_t stdb_mix(uint64_t h, uint64_t v) {
        h = (h ^ v) * 0xff51afd7ed558ccdull;
        return h ^ (h >> 32);
    }

    /* 64-bit hash of n bytes; the same numbers in both forms, so that both lay out the same tables. */
    static inline uint64_t stdb_hash(const unsigned char* p, size_t o, size_t n, uint64_t seed) {
        uint64_t h = (0x9E3779B97F4A7C15ull ^ n) + seed, v;
        p += o;
        while (n >= 8) { memcpy(&v, p, 8); h = stdb_mix(h, v); p += 8; n -= 8; }
        if (n) h = stdb_mix(h, stdb_few(p, n));
        h *= 0xc4ceb9fe1a85ec53ull;
        return h ^ (h >> 33);
    }

    /* The first min(n, 8) bytes as one big-endian number, padded with zero bytes on the right. */
    static inline uint64_t stdb_be64(const unsigned char* p, size_t o, size_t n) {
        uint64_t v = 0; size_t i;
        if (n > 8) n = 8;
        for (i = 0; i < n; i++) v |= (uint64_t)p[o + i] << (56 - 8 * i);
        return v;
    }

    /* Which of the 12 bytes at p + o are v: bit i for byte i. Reads 16 bytes. */
    #if defined(__SSE2__)
    #include <emmintrin.h>
    static inline unsigned int stdb_match12(const unsigned char* p, size_t o, unsigned int v) {
        __m128i x = _mm_loadu_si128((const __m128i*)(p + o));
        return (unsigned int)_mm_movemask_epi8(_mm_cmpeq_epi8(x, _mm_set1_epi8((char)v))) & 0xFFFu;
    }
    #else
    static inline unsigned int stdb_match12(const unsigned char* p, size_t o, unsigned int v) {
        unsigned int m = 0, i;
        for (i = 0; i < 12; i++) m |= (unsigned int)(p[o + i] == v) << i;
        return m;
    }
    #endif

    /* The number of the lowest bit that is set in m, which is not zero. */
    static inline unsigned int stdb_lowest(unsigned int m) {
    #if defined(_MSC_VER)
        unsigned long i; _BitScanForward(&i, m); return i;
    #else
        return (unsigned int)__builtin_ctz(m);
    #endif
    }

    /* The cache line at p + o will be wanted soon; any address will do. */
    #if defined(_MSC_VER)
    #define stdb_prefetch(p, o) ((void)(p), (void)(o))
    #else
    #define stdb_prefetch(p, o) __builtin_prefetch((p) + (o), 1)
    #endif

    static inline int stdb_order(const unsigned char* a, size_t ao, size_t an,
                                 const unsigned char* b, size_t bo, size_t bn) {
        size_t n = an < bn ? an : bn;
        int c = n ? memcmp(a + ao, b + bo, n) : 0;
        return c ? (c < 0 ? -1 : 1) : (an < bn ? -1 : an > bn);
    }

    static inline int stdb_utf8(const unsigned char* p, size_t o, size_t n) {
        size_t i = 0;
        p += o;
        while (i < n) {
            uint64_t w; unsigned char c = p[i];
            if (c < 0x80) {
                if (n - i >= 8) {
                    memcpy(&w, p + i, 8);
                    if (!(w & 0x8080808080808080ull)) { i += 8; continue; }
                }
                i++;
            } else if (c < 0xC2) { return 0;
            } else if (c < 0xE0) {
                if (n - i < 2 || (p[i + 1] & 0xC0) != 0x80) return 0;
                i += 2;
            } else if (c < 0xF0) {
                if (n - i < 3 || (p[i + 1] & 0xC0) != 0x80 || (p[i + 2] & 0xC0) != 0x80) return 0;
                if ((c == 0xE0 && p[i + 1] < 0xA0) || (c == 0xED && p[i + 1] > 0x9F)) return 0;
                i += 3;
            } else if (c < 0xF5) {
                if (n - i < 4 || (p[i + 1] & 0xC0) != 0x80 || (p[i + 2] & 0xC0) != 0x80 || (p[i + 3] & 0xC0) != 0x80) return 0;
                if ((c == 0xF0 && p[i + 1] < 0x90) || (c == 0xF4 && p[i + 1] > 0x8F)) return 0;
                i += 4;
            } else return 0;
        }
        return 1;
    }

    /* CRC32C (Castagnoli). Tables for eight bytes at a step; the processor's own instruction where it has one. */
    static uint32_t stdb_crc_table[8][256];
    static int stdb_crc_ready = 0;
    static inline void stdb_crc_fill(void) {
        uint32_t i, k, c;
        for (i = 0; i < 256; i++) {
            for (c = i, k = 0; k < 8; k++) c = (c >> 1) ^ (0x82F63B78u & (0u - (c & 1u)));
            stdb_crc_table[0][i] = c;
        }
        for (i = 0; i < 256; i++)
            for (k = 1; k < 8; k++)
                stdb_crc_table[k][i] = (stdb_crc_table[k - 1][i] >> 8) ^ stdb_crc_table[0][stdb_crc_table[k - 1][i] & 255];
        stdb_crc_ready = 1;
    }
    static inline uint32_t stdb_crc_soft(const unsigned char* p, size_t n) {
        uint32_t c = 0xFFFFFFFFu;
        if (!stdb_crc_ready) stdb_crc_fill();
        while (n >= 8) {
            c ^= (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
            c = stdb_crc_table[7][c & 255] ^ stdb_crc_table[6][(c >> 8) & 255] ^ stdb_crc_table[5][(c >> 16) & 255]
              ^ stdb_crc_table[4][c >> 24] ^ stdb_crc_table[3][p[4]] ^ stdb_crc_table[2][p[5]]
              ^ stdb_crc_table[1][p[6]] ^ stdb_crc_table[0][p[7]];
            p += 8; n -= 8;
        }
        while (n--) c = (c >> 8) ^ stdb_crc_table[0][(c ^ *p++) & 255];
        return ~c;
    }
    #if defined(__x86_64__) && defined(__GNUC__)
    #include <nmmintrin.h>
    __attribute__((target("sse4.2"))) static inline uint32_t stdb_crc_sse(const unsigned char* p, size_t n) {
        uint64_t c = 0xFFFFFFFFu, v;
        while (n >= 8) { memcpy(&v, p, 8); c = _mm_crc32_u64(c, v); p += 8; n -= 8; }
        while (n--) c = _mm_crc32_u8((uint32_t)c, *p++);
        return ~(uint32_t)c;
    }
    static inline uint32_t stdb_crc(const unsigned char* p, size_t o, size_t n) {
        return __builtin_cpu_supports("sse4.2") ? stdb_crc_sse(p + o, n) : stdb_crc_soft(p + o, n);
    }
    #elif defined(__aarch64__) && defined(__ARM_FEATURE_CRC32)
    #include <arm_acle.h>
    static inline uint32_t stdb_crc(const unsigned char* p, size_t o, size_t n) {
        uint32_t c = 0xFFFFFFFFu; uint64_t v;
        p += o;
        while (n >= 8) { memcpy(&v, p, 8); c = __crc32cd(c, v); p += 8; n -= 8; }
        while (n--) c = __crc32cb(c, *p++);
        return ~c;
    }
    #else
    static inline uint32_t stdb_crc(const unsigned char* p, size_t o, size_t n) { return stdb_crc_soft(p + o, n); }
    #endif
    """
    unsigned int ld16 "stdb_ld16"(const unsigned char* p, size_t o) noexcept nogil
    unsigned int ld32 "stdb_ld32"(const unsigned char* p, size_t o) noexcept nogil
    unsigned long long ld64 "stdb_ld64"(const unsigned char* p, size_t o) noexcept nogil
    void st16 "stdb_st16"(u8p p, size_t o, unsigned int v) noexcept nogil
    void st32 "stdb_st32"(u8p p, size_t o, unsigned int v) noexcept nogil
    void st64 "stdb_st64"(u8p p, size_t o, unsigned long long v) noexcept nogil
    bint same "stdb_same"(const unsigned char* a, size_t ao, const unsigned char* b, size_t bo, size_t n) noexcept nogil
    void copy "stdb_copy"(u8p d, size_t dof, const unsigned char* s, size_t so, size_t n) noexcept nogil
    void unmask "stdb_unmask"(u8p d, size_t dof, const unsigned char* s, size_t so, size_t n, size_t mo) noexcept nogil
    unsigned long long hash_bytes "stdb_hash"(const unsigned char* p, size_t o, size_t n, unsigned long long seed) noexcept nogil
    unsigned long long be64 "stdb_be64"(const unsigned char* p, size_t o, size_t n) noexcept nogil
    unsigned int match12 "stdb_match12"(const unsigned char* p, size_t o, unsigned int v) noexcept nogil
    unsigned int lowest "stdb_lowest"(unsigned int m) noexcept nogil
    void keep_apart "stdb_keep_apart"(size_t n) noexcept nogil
    void trim "stdb_trim"() noexcept nogil
    void prefetch "stdb_prefetch"(const unsigned char* p, size_t o) noexcept nogil
    int order "stdb_order"(const unsigned char* a, size_t ao, size_t an,
                           const unsigned char* b, size_t bo, size_t bn) noexcept nogil
    bint utf8_valid "stdb_utf8"(const unsigned char* p, size_t o, size_t n) noexcept nogil
    unsigned int crc32c "stdb_crc"(const unsigned char* p, size_t o, size_t n) noexcept nogil

cdef inline unsigned int ld8(const unsigned char* p, size_t o) noexcept nogil:
    return p[o]
cdef inline void st8(u8p p, size_t o, unsigned int v) noexcept nogil:
    p[o] = <unsigned char>v
cdef inline void move(u8p p, size_t dof, size_t so, size_t n) noexcept nogil:
    if n: memmove(p + dof, p + so, n)
cdef inline void fill(u8p p, size_t o, unsigned int v, size_t n) noexcept nogil:
    if n: memset(p + o, <int>v, n)
cdef inline u8p at(u8p p, size_t o) noexcept nogil:
    return p + o

# --- allocation: null() when the machine has no more; a size of zero is rounded up to one
cdef inline u8p alloc(size_t n) noexcept nogil:
    return <u8p>calloc(1, n if n else 1)
cdef inline u8p grow(u8p p, size_t old, size_t n) noexcept nogil:
    return <u8p>realloc(p, n if n else 1)
cdef inline void release(u8p p) noexcept nogil:
    free(p)
cdef inline size_t to_line(const unsigned char* p) noexcept nogil:
    return (64 - (<size_t>p & 63)) & 63
cdef inline u8p null() noexcept nogil:
    return NULL
cdef inline bint is_null(const unsigned char* p) noexcept nogil:
    return p == NULL

# --- arrays of pointers and of borrowed objects: index them with []
cdef inline ptrs no_ptrs() noexcept nogil:
    return NULL
cdef inline bint is_no_ptrs(ptrs v) noexcept nogil:
    return v == NULL
cdef inline ptrs grow_ptrs(ptrs v, size_t old, size_t n) noexcept nogil:
    cdef ptrs w = <ptrs>realloc(v, n * sizeof(u8p))
    if w != NULL: memset(w + old, 0, (n - old) * sizeof(u8p))
    return w
cdef inline void move_ptrs(ptrs v, size_t dof, size_t so, size_t n) noexcept nogil:
    if n: memmove(v + dof, v + so, n * sizeof(u8p))
cdef inline void release_ptrs(ptrs v) noexcept nogil:
    free(v)
cdef inline objs no_objs() noexcept nogil:
    return NULL
cdef inline bint is_no_objs(objs v) noexcept nogil:
    return v == NULL
cdef inline objs grow_objs(objs v, size_t old, size_t n) noexcept nogil:
    cdef objs w = <objs>realloc(v, n * sizeof(void*))
    if w != NULL: memset(w + old, 0, (n - old) * sizeof(void*))
    return w
cdef inline void release_objs(objs v) noexcept nogil:
    free(v)
cdef inline void* borrow(object o) noexcept:
    return <void*>o
cdef inline u8p foreign(size_t address, size_t n) noexcept nogil:
    return <u8p>address
cdef inline bint is_nothing(void* o) noexcept nogil:
    return o == NULL
cdef inline void* nothing() noexcept nogil:
    return NULL

# --- the border to Python
cdef inline u8p bufp(bytes b) noexcept:
    return <u8p>PyBytes_AS_STRING(b)
cdef inline bytes get_bytes(const unsigned char* s, size_t o, size_t n):
    return PyBytes_FromStringAndSize(<char*>s + o, n)
