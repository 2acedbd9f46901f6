# Records to judge, and where judging stands.

from cpython.buffer cimport Py_buffer
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from sigfw._core.framing cimport Frame, Framer
from sigfw._core.msg cimport Msg


cdef struct Record:
    const uint8_t* p           # NULL: a null value
    uint64_t octets
    int64_t offset
    int64_t time_ns
    uint32_t frame
    uint8_t encapsulation
    uint8_t perimeter
    uint8_t has_pcs
    uint8_t unreadable         # judged as if its value were null
    uint32_t opc
    uint32_t dpc


cdef class Batch:
    cdef Record* records
    cdef Py_ssize_t n
    cdef Py_buffer* views          # NULL: all values are bytes
    cdef Py_ssize_t held           # of views, those to release
    cdef bint lent                 # the records are another's
    cdef object owner              # of the octets; it is held
    cdef readonly bint capture
    cdef readonly uint64_t not_sccp
    cdef readonly uint64_t messages
    # where judging stands
    cdef uint8_t variant           # whose MTP labels the records have: number of names.VARIANTS; judging sets it
    cdef Py_ssize_t current
    cdef Framer framer
    cdef int framing               # the framer is open on records[current]
    cdef uint64_t entries          # of records[current] so far
    cdef uint32_t last_frame
    cdef Frame trouble             # what ended the framing of a record
    cdef uint64_t trouble_octets   # of that record
    cdef int troubled
    cdef int view(self, Record* r, object value, Py_ssize_t n) except -1
    cdef int take_meta(self, Record* r, tuple meta) except -1
    cdef void lend(self, object owner, Record* records, Py_ssize_t n) noexcept


# Fill the framing part of the next message: 1, or 0 where the batch is done.
cdef int next_message(Batch b, Msg* m) noexcept nogil
