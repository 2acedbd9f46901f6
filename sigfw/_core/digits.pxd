# Digits as MAP and CAP write them: TBCD-STRING (TS 29.002 17.7.8), address signals (Q.763 3.9), and bare octets.

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

from sigfw._core.msg cimport DIGITS_CUT, DIGITS_OVERDECADIC, Digits, digit_at, push_digit
from sigfw._core.wire cimport Cursor, left

cdef extern from *:
    """
    static inline uint64_t sigfw_bswap64(uint64_t v) { return __builtin_bswap64(v); }
    """
    uint64_t sigfw_bswap64(uint64_t v) nogil
    int __builtin_ctzll(uint64_t v) nogil


cdef inline void drop_last(Digits* d) noexcept nogil:
    d.count -= 1
    if d.count < 16:
        d.hi &= ~(<uint64_t>15 << (60 - 4 * d.count))
    else:
        d.lo &= ~(<uint64_t>15 << (124 - 4 * d.count))


cdef inline uint64_t bcd_key(const uint8_t* p, uint32_t octets) noexcept nogil:
    """The digits of up to 8 octets, the low nibble first, left-aligned as Digits.hi. Reads these octets alone."""
    cdef uint64_t v = 0
    cdef uint32_t first = 0, last = 0
    if octets == 8:
        memcpy(&v, p, 8)
    elif octets >= 4:                      # two loads that overlap
        memcpy(&first, p, 4)
        memcpy(&last, p + octets - 4, 4)
        v = first | <uint64_t>last << (8 * octets - 32)
    elif octets:
        v = p[0] | <uint64_t>p[octets >> 1] << (8 * (octets >> 1)) | <uint64_t>p[octets - 1] << (8 * octets - 8)
    v = sigfw_bswap64(v)
    return (v & 0x0F0F0F0F0F0F0F0FULL) << 4 | (v >> 4 & 0x0F0F0F0F0F0F0F0FULL)


cdef inline bint above_nine(uint64_t key) noexcept nogil:
    """Whether any of 16 digits is above 9: its bit 8 is set, and one of the bits 4 and 2."""
    return key & (key << 1 | key << 2) & 0x8888888888888888ULL != 0


cdef inline uint64_t first_digits(uint64_t key, uint32_t digits) noexcept nogil:
    """A left-aligned number cut to its first 0 to 16 digits."""
    return key & ~(~<uint64_t>0 >> (4 * digits)) if digits < 16 else key


cdef inline uint32_t fillers(uint64_t digits) noexcept nogil:
    """How many F stand at the right end."""
    return <uint32_t>__builtin_ctzll(~digits) >> 2 if ~digits else 16


cdef inline void tbcd(Digits* d, Cursor c) noexcept nogil:
    """TBCD-STRING (TS 29.002 17.7.8): the low nibble first. Fillers count at the end only; elsewhere F is a digit."""
    cdef uint32_t octets = left(&c)
    cdef uint64_t key
    if octets == 0:
        return
    if octets <= 8:
        key = bcd_key(c.p, octets)
        d.count = <uint8_t>(2 * octets - fillers(key >> (64 - 8 * octets)))
        d.hi = first_digits(key, d.count)
        if above_nine(d.hi):
            d.flags |= DIGITS_OVERDECADIC
        return
    while c.p != c.end and (c.end - 1)[0] == 0xFF:
        c.end -= 1
    while c.p != c.end and not d.flags & DIGITS_CUT:
        push_digit(d, c.p[0] & 15)
        if c.p[0] >> 4 != 15 or c.end - c.p > 1:
            push_digit(d, c.p[0] >> 4)
        c.p += 1


cdef inline void isup_digits(Digits* d, Cursor c, bint odd) noexcept nogil:
    """Address signals of Q.763 3.9: as TBCD, but an indicator says whether the last nibble counts.

    F in the last place is ST, the end of pulsing: no digit.
    """
    cdef bint last
    while c.p != c.end and not d.flags & DIGITS_CUT:
        last = c.end - c.p == 1
        if not (last and odd and c.p[0] & 15 == 15):
            push_digit(d, c.p[0] & 15)
        if not (last and (odd or c.p[0] >> 4 == 15)):
            push_digit(d, c.p[0] >> 4)
        c.p += 1


cdef inline void binary_digits(Digits* d, Cursor c) noexcept nogil:
    """LMSI and TMSI are octets, not digits: shown as they are."""
    while c.p != c.end and not d.flags & DIGITS_CUT:
        push_digit(d, c.p[0] >> 4)
        push_digit(d, c.p[0] & 15)
        c.p += 1
