# HMAC-SHA-256 (RFC 2104, FIPS 180-4) of short texts, without the GIL: identities leave the core as the first 8 octets of it.
# hashlib cannot be called from a batch that holds no GIL; tests compare every length with hashlib's own.

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

cdef enum:
    BLOCK = 64
    MAX_TEXT = 55          # what one block holds beside padding and length; digits are at most 32

cdef uint32_t[64] K        # FIPS 180-4 4.2.2
K[:] = [
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]
cdef uint32_t[8] H0        # FIPS 180-4 5.3.3
H0[:] = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19]


cdef inline uint32_t rotr(uint32_t x, int n) noexcept nogil:
    return x >> n | x << (32 - n)


cdef void compress(uint32_t* h, const uint8_t* block) noexcept nogil:
    cdef uint32_t w[64]
    cdef uint32_t s[8]
    cdef uint32_t t1, t2
    cdef int i
    for i in range(16):
        w[i] = (<uint32_t>block[4 * i] << 24 | <uint32_t>block[4 * i + 1] << 16
                | <uint32_t>block[4 * i + 2] << 8 | block[4 * i + 3])
    for i in range(16, 64):
        t1 = rotr(w[i - 2], 17) ^ rotr(w[i - 2], 19) ^ w[i - 2] >> 10
        t2 = rotr(w[i - 15], 7) ^ rotr(w[i - 15], 18) ^ w[i - 15] >> 3
        w[i] = t1 + w[i - 7] + t2 + w[i - 16]
    memcpy(s, h, sizeof(s))
    for i in range(64):
        t1 = (s[7] + (rotr(s[4], 6) ^ rotr(s[4], 11) ^ rotr(s[4], 25))
              + ((s[4] & s[5]) ^ (~s[4] & s[6])) + K[i] + w[i])
        t2 = ((rotr(s[0], 2) ^ rotr(s[0], 13) ^ rotr(s[0], 22))
              + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2])))
        s[7] = s[6]
        s[6] = s[5]
        s[5] = s[4]
        s[4] = s[3] + t1
        s[3] = s[2]
        s[2] = s[1]
        s[1] = s[0]
        s[0] = t1 + t2
    for i in range(8):
        h[i] += s[i]


cdef void last_block(uint32_t* h, const uint8_t* text, uint32_t octets, uint64_t before) noexcept nogil:
    """The only block after `before` octets: text, padding, length in bits."""
    cdef uint8_t block[BLOCK]
    cdef uint64_t bits = (before + octets) * 8
    cdef int i
    memset(block, 0, BLOCK)
    memcpy(block, text, octets)
    block[octets] = 0x80
    for i in range(8):
        block[63 - i] = <uint8_t>(bits >> (8 * i))
    compress(h, block)


cdef void words_to_octets(const uint32_t* h, uint8_t* out, int words) noexcept nogil:
    cdef int i
    for i in range(words):
        out[4 * i] = <uint8_t>(h[i] >> 24)
        out[4 * i + 1] = <uint8_t>(h[i] >> 16)
        out[4 * i + 2] = <uint8_t>(h[i] >> 8)
        out[4 * i + 3] = <uint8_t>h[i]


cdef void key_set(Key* k, const uint8_t* secret, size_t octets) noexcept nogil:
    """secret: at most 64 octets (the engine hashes a longer one first, as RFC 2104 says)."""
    cdef uint8_t block[BLOCK]
    cdef int i
    memset(block, 0, BLOCK)
    memcpy(block, secret, octets if octets < BLOCK else BLOCK)
    for i in range(BLOCK):
        block[i] ^= 0x36
    memcpy(k.inner, H0, sizeof(k.inner))
    compress(k.inner, block)
    for i in range(BLOCK):
        block[i] ^= 0x36 ^ 0x5c
    memcpy(k.outer, H0, sizeof(k.outer))
    compress(k.outer, block)


cdef void pseudonym(const Key* k, const uint8_t* text, uint32_t octets, uint8_t* out8) noexcept nogil:
    """First 8 octets of HMAC-SHA-256. text: at most MAX_TEXT octets, what is beyond is left out."""
    cdef uint32_t h[8]
    cdef uint8_t digest[32]
    memcpy(h, k.inner, sizeof(h))
    last_block(h, text, octets if octets <= MAX_TEXT else MAX_TEXT, BLOCK)
    words_to_octets(h, digest, 8)
    memcpy(h, k.outer, sizeof(h))
    last_block(h, digest, 32, BLOCK)
    words_to_octets(h, out8, 2)


def hmac64(secret: bytes, text: bytes) -> bytes:
    """See pseudonym.pyi."""
    cdef Key k
    cdef uint8_t out8[8]
    if len(secret) > BLOCK or len(text) > MAX_TEXT:
        raise ValueError(f"secret of at most {BLOCK} octets and text of at most {MAX_TEXT}")
    key_set(&k, secret, len(secret))
    pseudonym(&k, text, len(text), out8)
    return out8[:8]
