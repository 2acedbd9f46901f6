from libc.stdint cimport uint32_t, uint64_t

from sigfw._core.msg cimport Group, Norm
from sigfw._core.tables cimport ClassInfo, GtTable, PolicyTables


cdef class PrefixTable:
    cdef GtTable c
    cdef uint64_t* starts
    cdef uint32_t* cls
    cdef uint32_t* bucket
    cdef ClassInfo* info
    cdef readonly tuple classes
    cdef readonly size_t prefixes


# Norm.cls of every party and number of the group.
cdef void gttable_group(const PolicyTables* t, Group* g) noexcept nogil

# How many digits of a looked-up number are its operator's prefix; 0: of no operator. For output, not for the way of every message.
cdef uint32_t operator_digits(const PolicyTables* t, const Norm* norm) noexcept nogil
