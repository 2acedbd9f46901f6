# Growing output buffer. A failed allocation sets `failed`, further writes are no-ops, and the engine raises MemoryError.

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy, strlen


cdef struct Out:
    uint8_t* p
    size_t n
    size_t room
    int failed


cdef inline void out_free(Out* o) noexcept nogil:
    free(o.p)
    o.p = NULL
    o.n = o.room = 0


cdef inline int out_need(Out* o, size_t octets) noexcept nogil:
    """Room for `octets` more: 1, or 0 where there is none."""
    cdef size_t room
    cdef void* p
    if o.room - o.n >= octets:
        return 1
    room = o.room * 2 if o.room * 2 > o.n + octets else o.n + octets + 4096
    p = realloc(o.p, room)
    if p == NULL:
        o.failed = 1
        return 0
    o.p = <uint8_t*>p
    o.room = room
    return 1


cdef inline void put(Out* o, const void* octets, size_t n) noexcept nogil:
    if n and out_need(o, n):
        memcpy(o.p + o.n, octets, n)
        o.n += n


cdef inline void put_s(Out* o, const char* text) noexcept nogil:
    put(o, text, strlen(text))  # of a literal: a constant to the compiler


cdef inline void put_c(Out* o, char c) noexcept nogil:
    if out_need(o, 1):
        o.p[o.n] = <uint8_t>c
        o.n += 1


cdef inline uint8_t* decimal_at(uint8_t* p, uint64_t v) noexcept nogil:
    """Writes at most 20 octets: where they end."""
    cdef uint64_t bound = 10
    cdef int n = 1, i
    while n < 20 and v >= bound:
        n += 1
        bound *= 10
    for i in range(n - 1, -1, -1):
        p[i] = <uint8_t>(48 + v % 10)
        v //= 10
    return p + n


cdef inline void put_u(Out* o, uint64_t v) noexcept nogil:
    """Decimal."""
    if out_need(o, 20):
        o.n = decimal_at(o.p + o.n, v) - o.p


cdef inline void put_i(Out* o, int64_t v) noexcept nogil:
    if v < 0:
        put_c(o, b'-')
        put_u(o, <uint64_t>0 - <uint64_t>v)
    else:
        put_u(o, <uint64_t>v)


cdef inline uint8_t* hex_at(uint8_t* p, const uint8_t* octets, size_t n) noexcept nogil:
    cdef const char* HEX = b"0123456789abcdef"
    cdef size_t i
    for i in range(n):
        p[2 * i] = HEX[octets[i] >> 4]
        p[2 * i + 1] = HEX[octets[i] & 15]
    return p + 2 * n


cdef inline void put_hex(Out* o, const uint8_t* octets, size_t n) noexcept nogil:
    if out_need(o, 2 * n):
        o.n = hex_at(o.p + o.n, octets, n) - o.p


cdef inline void put_padded(Out* o, uint32_t v, int width) noexcept nogil:
    """Decimal with leading zeros, at most 9 places."""
    cdef char digits[9]
    cdef int i
    for i in range(width):
        digits[width - 1 - i] = <char>(48 + v % 10)
        v //= 10
    put(o, digits, width)
