# What one judge call found, and the texts it is written with.

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from sigfw._core.batch cimport Batch
from sigfw._core.encode cimport Entry, Labels, Text
from sigfw._core.out cimport Out


cdef class LabelsOf:
    cdef Labels c
    cdef list held
    cdef int text(self, Text* t, str value) except -1
    cdef Text* texts(self, object values) except NULL


cdef struct Judged:
    Entry entry
    uint32_t record
    uint32_t json_octets
    uint64_t json_start


cdef class Verdicts:
    cdef Judged* judged
    cdef Py_ssize_t n
    cdef Py_ssize_t room
    cdef Out json
    cdef Out blobs
    cdef bint is_packed
    cdef Batch batch
    cdef LabelsOf labels
    cdef tuple rule_ids
    cdef bytes value(self, Py_ssize_t first, Py_ssize_t record)
    cdef Py_ssize_t end_of(self, Py_ssize_t first, Py_ssize_t record) noexcept nogil
    cdef uint64_t value_octets(self, Py_ssize_t first, Py_ssize_t end) noexcept nogil
    cdef void put_value(self, uint8_t* p, Py_ssize_t first, Py_ssize_t end) noexcept nogil
    cdef void put_packed(self, uint8_t* p, Py_ssize_t first, Py_ssize_t end) noexcept nogil


# Room for one more: 1, or 0 where there is none.
cdef int grow(Verdicts out) noexcept nogil
