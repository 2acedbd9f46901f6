# Packets of a classic pcap or a pcapng.

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from sigfw._core.limits cimport MAX_BLOCK, MAX_INTERFACES, MAX_PACKET
from sigfw._core.wire cimport Cursor

cdef enum LinkType:        # those that framing reads, of the registry of link types
    LINK_ETHERNET = 1
    LINK_RAW = 101
    LINK_COOKED = 113
    LINK_MTP2_PSEUDO = 139
    LINK_MTP2 = 140
    LINK_MTP3 = 141
    LINK_SCCP = 142
    LINK_IPV4 = 228
    LINK_IPV6 = 229
    LINK_SCTP = 248
    LINK_EXPORTED = 252
    LINK_COOKED_2 = 276

cdef enum CaptureStep:
    CAPTURE_END = 0
    CAPTURE_PACKET = 1
    CAPTURE_BAD = 2        # a packet that cannot be had: code and offset say why
    CAPTURE_BROKEN = 3     # nothing further can be read: code and offset say why

cdef struct Interface:     # of a pcapng section
    uint16_t link
    uint8_t resolution     # if_tsresol
    uint32_t snap_octets   # 0: no limit
    int64_t offset_seconds

cdef struct Capture:
    const uint8_t* p
    uint64_t n
    uint64_t at
    uint8_t state
    uint8_t big_endian
    uint16_t link          # of a classic pcap
    uint32_t tick_ns
    int n_interfaces
    Interface interfaces[MAX_INTERFACES]

cdef struct Packet:
    Cursor octets
    int64_t time_ns        # -1: none
    uint64_t offset        # in the capture: of the packet, or of what is wrong
    uint16_t link
    uint8_t cut            # the capture does not hold all of it
    uint8_t code


cdef inline void capture_open(Capture* k, const uint8_t* p, uint64_t n) noexcept nogil:
    k.p = p
    k.n = n
    k.at = 0
    k.state = 0
    k.n_interfaces = 0


cdef inline int is_link_known(uint32_t link) noexcept nogil:
    return (
        link == LINK_ETHERNET or link == LINK_RAW or link == LINK_COOKED or link == LINK_MTP2_PSEUDO
        or link == LINK_MTP2 or link == LINK_MTP3 or link == LINK_SCCP or link == LINK_IPV4 or link == LINK_IPV6
        or link == LINK_SCTP or link == LINK_EXPORTED or link == LINK_COOKED_2
    )


# The next CaptureStep; after CAPTURE_END and CAPTURE_BROKEN, CAPTURE_END. p stays the caller's.
cdef int capture_next(Capture* k, Packet* out) noexcept nogil
