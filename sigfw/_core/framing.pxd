# From a record or a capture to the SCCP messages in it.

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from sigfw._core.capture cimport Capture
from sigfw._core.fragments cimport Fragments
from sigfw._core.limits cimport MAX_HEADERS
from sigfw._core.msg cimport E_LENGTH_OVERRUN, E_TRUNCATED
from sigfw._core.wire cimport Cursor, left

cdef enum FrameKind:
    FRAME_END = 0
    FRAME_SCCP = 1
    FRAME_OTHER = 2        # is no SCCP: ISUP, network management, M3UA other than DATA, other IP
    FRAME_ERROR = 3        # could not be framed; the next one may be
    FRAME_BROKEN = 4       # nothing further can be read of this capture or record

cdef enum:
    AGAIN = -1             # in place of a FrameKind: nothing to report of this step

    CUT_UNTOLD = 1         # Framer.cut: part of the packet is missing, and nothing reported says so yet
    CUT_TOLD = 2

    FROM_DATAGRAM = 1      # Framer.elsewhere: octets in hand were put together, their place in the capture is the packet's
    FROM_MESSAGE = 2

cdef struct Frame:
    const uint8_t* octets  # the SCCP message: within the octets given to framer_open, or good until framer_recycle
    uint32_t n
    uint32_t frame         # from 1
    uint16_t index         # from 0 within the frame; an error takes an index as a message does, what is no SCCP none
    int64_t time_ns        # -1: none
    uint8_t encapsulation  # what carried it: ENCAP_M3UA, ENCAP_MTP3, ENCAP_SCCP; 0 where it did not come to that
    uint8_t has_mtp        # opc, dpc, sls, ni are known
    uint8_t pcs_only       # opc and dpc alone; one of them may be NO_PC
    uint32_t opc
    uint32_t dpc
    uint8_t sls
    uint8_t ni
    uint8_t code           # a Status: of FRAME_SCCP too, where the message is cut or something stands beside it
    uint64_t offset        # octet in the capture or record: where the trouble is, else where the message begins

cdef struct Framer:
    const uint8_t* p
    uint64_t n
    uint8_t encapsulation
    uint8_t variant        # whose MTP label it is, for the caller to set once it is open; 0: ITU's
    uint8_t state
    # the packet in hand
    uint32_t frame
    uint16_t index
    int64_t time_ns
    uint64_t packet_at     # its octet in the capture
    uint8_t cut            # the capture does not hold all of it
    uint8_t elsewhere
    const uint8_t* chunk   # next SCTP chunk, NULL: no SCTP packet in hand
    const uint8_t* chunk_end
    uint8_t chunks         # this packet had a chunk with user data
    uint16_t source_port
    uint16_t destination_port
    uint32_t tag           # verification tag
    uint8_t used           # a message was given of the datagram in hand
    uint8_t broken         # how the capture ended
    uint8_t broken_code
    uint64_t broken_at
    Fragments* fragments   # NULL until there is one
    Capture capture

# f: all zero before the first call. encapsulation: ENCAP_SCCP, ENCAP_MTP3, ENCAP_M3UA: the n octets are one message;
# ENCAP_PCAP: a whole pcap or pcapng. p stays the caller's and must outlive the frames. May be called again, for the next record.
cdef void framer_open(Framer* f, const uint8_t* p, uint64_t n, uint8_t encapsulation) noexcept nogil

# The next FrameKind; after FRAME_END and FRAME_BROKEN, FRAME_END.
cdef int framer_next(Framer* f, Frame* out) noexcept nogil

# Nobody refers to the messages given so far any more.
cdef void framer_recycle(Framer* f) noexcept nogil

cdef void framer_close(Framer* f) noexcept nogil


cdef inline int report(Framer* f, Frame* out, int kind, int code, const uint8_t* at) noexcept nogil:
    out.frame = f.frame
    out.index = f.index
    out.time_ns = f.time_ns
    out.code = <uint8_t>code
    out.offset = f.packet_at if f.elsewhere else <uint64_t>(at - f.p)
    if kind == FRAME_SCCP or kind == FRAME_ERROR:
        f.index += 1
    return kind


cdef inline int overrun(Framer* f, Frame* out, const Cursor* c) noexcept nogil:
    """A structure goes past its packet: the capture's doing, or a length that lies."""
    return report(f, out, FRAME_ERROR, E_TRUNCATED if f.cut else E_LENGTH_OVERRUN, c.p)


cdef inline int sccp(Framer* f, Frame* out, const Cursor* c, uint8_t encapsulation, int code) noexcept nogil:
    out.encapsulation = encapsulation
    if left(c) == 0:
        return report(f, out, FRAME_ERROR, E_TRUNCATED, c.p)
    out.octets = c.p
    out.n = left(c)
    return report(f, out, FRAME_SCCP, code, c.p)
