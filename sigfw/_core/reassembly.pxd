# Segments of XUDT and LUDT put together again (Q.714 4.1.1.2.3), across records.

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from sigfw._core.limits cimport MAX_SEGMENTS, MAX_USER_OCTETS
from sigfw._core.msg cimport Fate, FirstSegment, Group, Party, PartId

cdef struct Entry:         # one reassembly
    Entry* chain           # next of its bucket
    Entry* older           # in order of arrival, of those in flight; next of the list it is in, otherwise
    Entry* newer
    uint64_t hash
    uint32_t id
    uint8_t type           # what tells it apart: type, link, OPC, CgPA octets, local reference
    uint8_t link
    uint8_t has_mtp
    uint32_t opc
    uint8_t local_reference[3]
    uint8_t cgpa_octets
    uint8_t cgpa[255]
    uint8_t remaining      # segments still to come
    uint8_t n
    PartId parts[MAX_SEGMENTS]
    uint16_t starts[MAX_SEGMENTS]  # in data, of what each brought
    int64_t first_time_ns  # -1: no message had a time yet
    uint8_t perimeter      # what must agree in all of them beside: perimeter, protocol class, first.cdpa
    uint8_t protocol_class
    Party called           # of the first segment
    Party calling
    FirstSegment first
    Fate fate
    uint32_t octets
    uint8_t data[MAX_USER_OCTETS]

cdef struct Ended:         # one that will not complete
    uint32_t reassembly
    PartId parts[MAX_SEGMENTS]
    uint8_t n
    int64_t first_time_ns
    uint8_t perimeter
    uint8_t link
    uint8_t denied         # a part of it was already
    Party called
    Party calling

cdef struct Reassembler:
    uint32_t max_reassemblies
    int64_t max_age_ns
    uint64_t seed[2]
    uint64_t mask          # buckets less one
    Entry** buckets
    Entry* oldest
    Entry* newest
    Entry* sweep           # where reassembler_expire goes on
    Entry* late            # timed out, not yet told by reassembler_expire
    Entry* done            # their octets are still referred to by the Group
    Entry* free
    uint32_t in_flight
    uint32_t n_late
    uint32_t last_id
    int64_t last_time_ns   # of a message; -1: none had one

# NULL: no memory, or no randomness from the system.
cdef Reassembler* reassembler_new(uint32_t max_reassemblies, int64_t max_age_ns) noexcept nogil
cdef void reassembler_free(Reassembler* r) noexcept nogil

# Take the segments of a Group, in order; the rules stand in reassembly.pyi. data and part_ids of a Msg point into the
# Reassembler until reassembler_recycle.
cdef void reassembler_group(Reassembler* r, Group* g) noexcept nogil
cdef void reassembler_recycle(Reassembler* r) noexcept nogil

# End one that began more than max_age_ns before now_ns (INT64_MAX: any), and say which: 1; 0 when there is none left.
cdef int reassembler_expire(Reassembler* r, int64_t now_ns, Ended* out) noexcept nogil
cdef uint32_t reassembler_in_flight(const Reassembler* r) noexcept nogil
