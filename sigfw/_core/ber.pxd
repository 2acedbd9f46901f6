# Bounded TLV reader of the Basic Encoding Rules (ITU-T X.690 8.1), definite and indefinite lengths, and the primitive
# types that TCAP and MAP need. As in wire.pxd: OK, or a status and the cursor as it was.

from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t

from sigfw._core.limits cimport MAX_ARC_BITS, MAX_CONTENT, MAX_DEPTH, MAX_INTEGER_OCTETS, MAX_TAG_NUMBER
from sigfw._core.msg cimport (
    E_BAD_LENGTH, E_BAD_TAG, E_BAD_VALUE, E_LENGTH_OVERRUN, E_TOO_DEEP, E_TRUNCATED, OK,
)
from sigfw._core.wire cimport Cursor

cdef enum:
    TAG_INTEGER = 0x02
    TAG_OCTET_STRING = 0x04
    TAG_NULL = 0x05
    TAG_OID = 0x06
    TAG_EXTERNAL = 0x28
    TAG_SEQUENCE = 0x30
    CONSTRUCTED = 0x20

cdef struct Tlv:
    const uint8_t* start   # the identifier octet
    # The identifier: numbers to 30 as the one octet they fit in, however they were written (1F 02 is 02, so that a long
    # form is read as its plain one); above, number << 8 | class and form | 1F.
    uint32_t id
    Cursor content         # without the end-of-contents octets


cdef inline int ber_header(Cursor* c, uint32_t* tag, uint32_t* octets, bint* indefinite) noexcept nogil:
    """Identifier and length octets (X.690 8.1.2, 8.1.3). The cursor moves in any case: hand in a copy.

    An identifier that is none (8.1.2.4.2 c), or too large, is 0: what is behind it can be found all the same.
    """
    cdef uint8_t first, octet
    cdef bint bad = False
    cdef uint32_t number, value, n
    indefinite[0] = False
    if c.end - c.p < 2:
        return E_TRUNCATED
    first = c.p[0]
    c.p += 1
    tag[0] = first
    if first & 0x1F == 0x1F:
        number = 0
        while True:
            if c.p == c.end:
                return E_BAD_TAG if bad else E_TRUNCATED
            octet = c.p[0]
            c.p += 1
            bad = bad or number > MAX_TAG_NUMBER >> 7 or (number == 0 and octet == 0x80)
            number = number << 7 | (octet & 0x7F)
            if not octet & 0x80:
                break
        tag[0] = 0 if bad else number << 8 | first if number > 30 else (first & 0xE0) | number
        if c.p == c.end:
            return E_BAD_TAG if bad else E_TRUNCATED
    octet = c.p[0]
    c.p += 1
    if octet < 0x80:
        value = octet
    elif octet == 0x80:
        if not first & CONSTRUCTED:  # 8.1.3.2: a primitive has no indefinite length
            return E_BAD_LENGTH
        indefinite[0] = True
        octets[0] = 0
        return OK
    else:
        n = octet & 0x7F
        if n == 0x7F:  # 8.1.3.5 c
            return E_BAD_LENGTH
        if <uint32_t>(c.end - c.p) < n:
            return E_TRUNCATED
        value = 0
        while n:
            if value > MAX_CONTENT >> 8:  # leading zero octets are allowed
                c.p += n
                return E_LENGTH_OVERRUN
            value = value << 8 | c.p[0]
            c.p += 1
            n -= 1
    if value > <uint32_t>(c.end - c.p):
        return E_LENGTH_OVERRUN
    octets[0] = value
    return OK


cdef inline int ber_find_end(Cursor c, const uint8_t** end) noexcept nogil:
    """Where the end-of-contents octets of the indefinite length that begins at c stand.

    Steps over definite lengths whole and counts nested indefinite ones: linear in octets. A reader that descends
    through MAX_DEPTH of them scans each octet MAX_DEPTH times at most.
    """
    cdef uint32_t tag, octets
    cdef bint indefinite
    cdef int status, open_ = 1
    while True:
        if c.end - c.p >= 2 and c.p[0] == 0 and c.p[1] == 0:
            open_ -= 1
            if open_ == 0:
                end[0] = c.p
                return OK
            c.p += 2
            continue
        status = ber_header(&c, &tag, &octets, &indefinite)
        if status != OK:
            return status
        if indefinite:
            open_ += 1
            if open_ > MAX_DEPTH:
                return E_TOO_DEEP
        c.p += octets


cdef inline int ber_next_long(Cursor* c, Tlv* t) noexcept nogil:
    """ber_next in full."""
    cdef Cursor at = c[0]
    cdef uint32_t octets = 0
    cdef bint indefinite
    cdef const uint8_t* end
    cdef int status
    t.start = at.p
    t.id = at.p[0] if at.p != at.end else 0
    t.content = at
    status = ber_header(&at, &t.id, &octets, &indefinite)
    if status != OK:
        return status
    if t.id == 0:  # none, or end-of-contents where there is nothing to end
        return E_BAD_TAG
    t.content.p = at.p
    if indefinite:
        status = ber_find_end(at, &end)
        if status != OK:
            return status
        t.content.end = end
        c.p = end + 2
    else:
        t.content.end = at.p + octets
        c.p = t.content.end
    return OK


cdef inline bint ber_next_is(Cursor* c, uint32_t id, Tlv* t) noexcept nogil:
    """The next TLV where it has this identifier, of one octet, and a length of one; else nothing is read."""
    cdef const uint8_t* p = c.p
    if c.end - p < 2 or p[0] != id or p[1] >= 0x80 or p[1] > c.end - p - 2:
        return False
    t.start = p
    t.id = id
    t.content.p = p + 2
    t.content.end = c.p = p + 2 + p[1]
    return True


cdef inline int ber_next(Cursor* c, Tlv* t) noexcept nogil:
    """The next TLV. On any status but OK the cursor still points to its identifier octet."""
    cdef const uint8_t* p = c.p
    cdef Cursor rest
    cdef Tlv long_
    cdef int status
    # Nearly all. Called for each TLV: small enough to be inlined.
    if c.end - p >= 2 and p[0] != 0 and p[0] & 0x1F != 0x1F and ber_next_is(c, p[0], t):
        return OK
    rest = c[0]  # copies, so that where this is inlined the caller's need no address
    status = ber_next_long(&rest, &long_)
    t[0] = long_
    c[0] = rest
    return status


cdef inline int ber_int(const Cursor* content, int32_t* v) noexcept nogil:
    """An INTEGER that four octets hold (X.690 8.3). More octets than needed, which 8.3.2 forbids, are read as well."""
    cdef const uint8_t* p = content.p
    cdef uint32_t value
    if p == content.end:
        return E_BAD_LENGTH
    while content.end - p > MAX_INTEGER_OCTETS:  # only what says nothing: the sign once more
        if p[0] != (0xFF if p[1] & 0x80 else 0):
            return E_BAD_VALUE
        p += 1
    value = 0xFFFFFFFF if p[0] & 0x80 else 0
    while p != content.end:
        value = value << 8 | p[0]
        p += 1
    v[0] = <int32_t>value
    return OK


cdef inline int ber_arc(Cursor* c, uint32_t* arc) noexcept nogil:
    """The next subidentifier of an OBJECT IDENTIFIER (X.690 8.19.2), below 2^MAX_ARC_BITS; the first holds two arcs."""
    cdef const uint8_t* p = c.p
    cdef uint32_t value = 0
    cdef uint8_t octet = 0x80
    if p == c.end:
        return E_TRUNCATED
    if p[0] == 0x80:  # a leading zero: 8.19.2 forbids it
        return E_BAD_VALUE
    while octet & 0x80:
        if p == c.end:
            return E_TRUNCATED
        if value >> (MAX_ARC_BITS - 7):
            return E_BAD_VALUE
        octet = p[0]
        value = value << 7 | (octet & 0x7F)
        p += 1
    arc[0] = value
    c.p = p
    return OK
