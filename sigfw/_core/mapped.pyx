# What a mapped file is held to. Eight lanes, so that the multiplications of one do not wait for those of another.

from libc.stdint cimport uint8_t, uint64_t
from libc.string cimport memcpy

cdef enum:
    LANES = 8

cdef uint64_t ODD = 0x9E3779B97F4A7C15         # the golden ratio in 64 bits: any odd number would do


cdef inline uint64_t mixed(uint64_t state, uint64_t word) noexcept nogil:
    """For each word another state, for each state another state: what differs once stays different."""
    state = (state ^ word) * ODD
    return state ^ (state >> 32)


def checksum(const uint8_t[::1] octets not None):
    cdef uint64_t lanes[LANES]
    cdef uint64_t words[LANES]
    cdef size_t n = octets.shape[0], at = 0
    cdef uint64_t found = n
    cdef int i
    for i in range(LANES):
        lanes[i] = i
    with nogil:
        while n - at >= sizeof(words):
            memcpy(words, &octets[0] + at, sizeof(words))
            for i in range(LANES):
                lanes[i] = mixed(lanes[i], words[i])
            at += sizeof(words)
        for i in range(LANES):
            found = mixed(found, lanes[i])
        while at < n:
            found = mixed(found, octets[<Py_ssize_t>at])
            at += 1
    return found
