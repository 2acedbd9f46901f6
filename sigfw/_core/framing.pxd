# From a record or a capture to the SCCP messages in it.

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef enum FrameKind:
    FRAME_END = 0
    FRAME_SCCP = 1
    FRAME_OTHER = 2        # is no SCCP: ISUP, network management, M3UA other than DATA, other IP
    FRAME_ERROR = 3        # could not be framed; the next one may be
    FRAME_BROKEN = 4       # nothing further can be read of this capture or record

cdef enum:
    MAX_PACKET = 262144    # octets: the greatest snapshot length that capture tools use
    MAX_BLOCK = 16777216   # octets of a pcapng block
    MAX_INTERFACES = 64    # of a pcapng section
    MAX_HEADERS = 8        # VLAN tags, or IPv6 extension headers, of a packet

cdef struct Frame:
    const uint8_t* octets  # the SCCP message, within the octets given to framer_open
    uint32_t n
    uint32_t frame         # from 1
    uint16_t index         # from 0 within the frame; an error takes an index as a message does, what is no SCCP none
    int64_t time_ns        # -1: none
    uint8_t encapsulation  # what carried it: ENCAP_M3UA, ENCAP_MTP3, ENCAP_SCCP; 0 where it did not come to that
    uint8_t has_mtp        # opc, dpc, sls, ni are known
    uint32_t opc
    uint32_t dpc
    uint8_t sls
    uint8_t ni
    uint8_t code           # a Status: of FRAME_SCCP too, where the message is cut or something stands beside it
    uint64_t offset        # octet in the capture or record: where the trouble is, else where the message begins

cdef struct Interface:     # of a pcapng section
    uint16_t link
    uint8_t resolution     # if_tsresol
    uint32_t snap_octets   # 0: no limit
    int64_t offset_seconds

cdef struct Framer:
    const uint8_t* p
    uint64_t n
    uint64_t at
    uint8_t encapsulation
    uint8_t state
    uint8_t big_endian
    uint16_t link          # of a classic pcap
    uint32_t tick_ns
    # the packet in hand
    uint32_t frame
    uint16_t index
    int64_t time_ns
    uint8_t cut            # the capture does not hold all of it
    const uint8_t* chunk   # next SCTP chunk, NULL: no SCTP packet in hand
    const uint8_t* chunk_end
    uint8_t chunks         # this packet had a chunk with user data
    uint16_t source_port
    uint16_t destination_port
    int n_interfaces
    Interface interfaces[MAX_INTERFACES]

# encapsulation: ENCAP_SCCP, ENCAP_MTP3, ENCAP_M3UA: the n octets are one message; ENCAP_PCAP: a whole pcap or pcapng.
# p stays the caller's and must outlive the frames.
cdef void framer_open(Framer* f, const uint8_t* p, uint64_t n, uint8_t encapsulation) noexcept nogil

# The next FrameKind; after FRAME_END and FRAME_BROKEN, FRAME_END.
cdef int framer_next(Framer* f, Frame* out) noexcept nogil

cdef void framer_close(Framer* f) noexcept nogil
