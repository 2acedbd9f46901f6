from libc.stdint cimport uint32_t, uint64_t

from sigfw._core.msg cimport Group, Norm
from sigfw._core.tables cimport ClassInfo, GtTable, PolicyTables


cdef struct Entry:         # of a table that is being built
    uint64_t key
    uint32_t item


cdef class PrefixTable:
    cdef GtTable c
    cdef uint64_t* starts
    cdef uint32_t* cls
    cdef uint32_t* bucket
    cdef ClassInfo* info
    cdef readonly tuple classes
    cdef readonly size_t prefixes
    cdef int sweep(self, const Entry* entries, Py_ssize_t n) except -1
    cdef int close(self, const uint64_t* ends, const uint32_t* around, int depth, uint64_t key) noexcept
    cdef int index(self) except -1
    cdef int describe(self) except -1


# Norm.cls of every party and number of the group.
cdef void gttable_group(const PolicyTables* t, Group* g) noexcept nogil

# How many digits of a looked-up number are its operator's prefix; 0: of no operator. For what people read: up to 16 look-ups.
cdef uint32_t operator_digits(const PolicyTables* t, const Norm* norm) noexcept nogil

# The class of one number that no message of the group holds.
cdef uint32_t class_of(const GtTable* t, uint64_t key, uint32_t digits) noexcept nogil
