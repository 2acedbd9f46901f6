from libc.stdint cimport uint8_t, uint32_t, uint64_t

from sigfw._core.msg cimport Group, Norm
from sigfw._core.tables cimport ClassInfo, GtTable, PolicyTables


cdef struct Entry:         # of a table that is being built
    uint64_t key
    uint32_t item


cdef class PrefixTable:
    cdef GtTable c
    cdef uint64_t* starts          # while it is built, and 8 octets each
    cdef uint32_t* cls
    cdef uint32_t* bucket
    cdef uint8_t* begins           # bit i: a prefix begins with interval i, else a shorter one goes on
    cdef const uint8_t* starting   # `begins`, or where it is mapped
    cdef ClassInfo* info
    cdef tuple kept                # what is mapped
    cdef readonly tuple owners     # of each class: operator, and ClassInfo.also << 16
    cdef readonly tuple classes
    cdef readonly size_t prefixes
    cdef int build(self, Entry* entries, Py_ssize_t n) except -1
    cdef int sweep(self, const Entry* entries, Py_ssize_t n) except -1
    cdef int close(self, const uint64_t* ends, const uint32_t* around, int depth, uint64_t key) noexcept
    cdef int index(self) except -1
    cdef int narrow(self) except -1
    cdef int describe(self, list found) except -1
    cdef int check(self) except -1
    cdef bint begins_at(self, uint32_t i, uint64_t prefix) noexcept


# Norm.cls of every party and number of the group.
cdef void gttable_group(const PolicyTables* t, Group* g) noexcept nogil

# How many digits of a looked-up number are its operator's prefix; 0: of no operator. For what people read: up to 16 look-ups.
cdef uint32_t operator_digits(const PolicyTables* t, const Norm* norm) noexcept nogil

# The class of one number that no message of the group holds.
cdef uint32_t class_of(const GtTable* t, uint64_t key, uint32_t digits) noexcept nogil
