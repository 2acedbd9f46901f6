# Prefixes packed into numbers that sort as their digits do, and what reads them from text.
#
# A digit d is the nibble d + 1 and what follows the last digit is 0. A number is thus greater than each of its own
# prefixes and smaller than anything longer that it does not begin with: `44` sorts before the interval of `4400`
# although both left-align to 4400000000000000.

from libc.stdint cimport uint32_t, uint64_t

from sigfw._core.limits cimport MAX_KEY_DIGITS


cdef extern from *:
    int SIGFW_TRAILING "__builtin_ctzll"(unsigned long long x) noexcept nogil


cdef inline uint32_t digits_of(uint64_t encoded) noexcept nogil:
    return MAX_KEY_DIGITS - (SIGFW_TRAILING(encoded) >> 2) if encoded else 0


# The encoded key of 1 to 16 decimal digits.
cdef uint64_t parse(str digits) except? 0


cdef class Prefixes:
    cdef const uint64_t* keys      # exceptions first, each part sorted
    cdef uint64_t* own             # what keys points to, where it is ours to free
    cdef object kept               # or whose memory it is
    cdef readonly Py_ssize_t excluded
    cdef Py_ssize_t n
    cdef uint64_t* take(self, Py_ssize_t n) except NULL


cdef struct Row:                   # of a file
    uint64_t key
    uint64_t line                  # << 1, + 1 for an exception


cdef class PlainRows:
    cdef Row* rows
    cdef size_t n
    cdef size_t room
    cdef size_t lines
    cdef bint zero
    cdef readonly str header
    cdef readonly list comments
    cdef int put(self, uint64_t key, bint exclude) except -1
    cdef int heads(self, bytes line) except -1
