# SipHash-2-4 (Aumasson, Bernstein 2012) of three words: keys of tables at which no sender can aim.

from libc.stdint cimport uint64_t


cdef inline uint64_t rotated(uint64_t x, int n) noexcept nogil:
    return x << n | x >> (64 - n)


cdef inline void sip_round(uint64_t* v) noexcept nogil:
    v[0] += v[1]
    v[1] = rotated(v[1], 13) ^ v[0]
    v[0] = rotated(v[0], 32)
    v[2] += v[3]
    v[3] = rotated(v[3], 16) ^ v[2]
    v[0] += v[3]
    v[3] = rotated(v[3], 21) ^ v[0]
    v[2] += v[1]
    v[1] = rotated(v[1], 17) ^ v[2]
    v[2] = rotated(v[2], 32)


cdef inline uint64_t siphash(const uint64_t* secret, uint64_t a, uint64_t b, uint64_t c) noexcept nogil:
    cdef uint64_t v[4]
    cdef uint64_t words[4]
    cdef int i
    words[0] = a
    words[1] = b
    words[2] = c
    words[3] = <uint64_t>24 << 56         # octets
    v[0] = secret[0] ^ <uint64_t>0x736f6d6570736575
    v[1] = secret[1] ^ <uint64_t>0x646f72616e646f6d
    v[2] = secret[0] ^ <uint64_t>0x6c7967656e657261
    v[3] = secret[1] ^ <uint64_t>0x7465646279746573
    for i in range(4):
        v[3] ^= words[i]
        sip_round(v)
        sip_round(v)
        v[0] ^= words[i]
    v[2] ^= 0xFF
    for _ in range(4):
        sip_round(v)
    return v[0] ^ v[1] ^ v[2] ^ v[3]
