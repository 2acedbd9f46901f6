# Bounded cursor over octets: the one way to read what came off the wire. Every reader says OK or leaves the cursor alone.

from libc.stdint cimport uint8_t, uint16_t, uint32_t

from sigfw._core.msg cimport E_TRUNCATED, OK


cdef struct Cursor:
    const uint8_t* p
    const uint8_t* end


cdef inline uint32_t left(const Cursor* c) noexcept nogil:
    return <uint32_t>(c.end - c.p)


cdef inline Cursor cursor(const uint8_t* p, uint32_t octets) noexcept nogil:
    cdef Cursor c
    c.p = p
    c.end = p + octets
    return c


cdef inline int read_u8(Cursor* c, uint8_t* v) noexcept nogil:
    if c.end - c.p < 1:
        return E_TRUNCATED
    v[0] = c.p[0]
    c.p += 1
    return OK


cdef inline int read_u16be(Cursor* c, uint16_t* v) noexcept nogil:
    if c.end - c.p < 2:
        return E_TRUNCATED
    v[0] = <uint16_t>(c.p[0] << 8 | c.p[1])
    c.p += 2
    return OK


cdef inline int read_u16le(Cursor* c, uint16_t* v) noexcept nogil:
    if c.end - c.p < 2:
        return E_TRUNCATED
    v[0] = <uint16_t>(c.p[0] | c.p[1] << 8)
    c.p += 2
    return OK


cdef inline int read_u24le(Cursor* c, uint32_t* v) noexcept nogil:
    if c.end - c.p < 3:
        return E_TRUNCATED
    v[0] = <uint32_t>c.p[2] << 16 | <uint32_t>c.p[1] << 8 | c.p[0]
    c.p += 3
    return OK


cdef inline int read_u32be(Cursor* c, uint32_t* v) noexcept nogil:
    if c.end - c.p < 4:
        return E_TRUNCATED
    v[0] = <uint32_t>c.p[0] << 24 | <uint32_t>c.p[1] << 16 | <uint32_t>c.p[2] << 8 | c.p[3]
    c.p += 4
    return OK


cdef inline int read_u32le(Cursor* c, uint32_t* v) noexcept nogil:
    if c.end - c.p < 4:
        return E_TRUNCATED
    v[0] = <uint32_t>c.p[3] << 24 | <uint32_t>c.p[2] << 16 | <uint32_t>c.p[1] << 8 | c.p[0]
    c.p += 4
    return OK


cdef inline int skip(Cursor* c, uint32_t octets) noexcept nogil:
    if <uint32_t>(c.end - c.p) < octets:
        return E_TRUNCATED
    c.p += octets
    return OK


cdef inline int take(Cursor* c, uint32_t octets, Cursor* part) noexcept nogil:
    """The next octets as a cursor of their own."""
    if <uint32_t>(c.end - c.p) < octets:
        return E_TRUNCATED
    part.p = c.p
    part.end = c.p + octets
    c.p += octets
    return OK
