from libc.stdint cimport uint8_t, uint32_t


cdef struct Key:           # SHA-256 states after the key's inner and outer block (RFC 2104): two blocks a digest remain
    uint32_t inner[8]
    uint32_t outer[8]

cdef void key_set(Key* k, const uint8_t* secret, size_t octets) noexcept nogil
cdef void pseudonym(const Key* k, const uint8_t* text, uint32_t octets, uint8_t* out8) noexcept nogil
