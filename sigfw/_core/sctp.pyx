"""SCTP: packets to DATA chunks, chunks to user messages, each handed to the adaptation layers.

    packet         RFC 9260 3: 12 octets, then chunks of type, flags, length, padded to four
    DATA, I-DATA   RFC 9260 3.3.1: TSN, stream, number, PPID; RFC 8260 2.1: TSN, stream, 2 octets, MID, PPID or FSN
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t

from sigfw._core.adaptation cimport adaptation, is_adaptation
from sigfw._core.fragments cimport HELD, Fragments, SctpPart, fragments_message_done, fragments_ready
from sigfw._core.framing cimport (
    AGAIN,
    CUT_TOLD,
    CUT_UNTOLD,
    FRAME_ERROR,
    FRAME_OTHER,
    FRAME_SCCP,
    FROM_DATAGRAM,
    FROM_MESSAGE,
    Frame,
    Framer,
    overrun,
    report,
)
from sigfw._core.messages cimport fragments_sctp
from sigfw._core.msg cimport E_BAD_LENGTH, E_TOO_MANY, E_TRUNCATED, OK
from sigfw._core.wire cimport Cursor, cursor, left, read_u8, read_u16be, read_u32be, skip, take

cdef enum:
    CHUNK_DATA = 0
    CHUNK_I_DATA = 64
    CHUNK_WHOLE = 3        # flags B and E
    FLAG_FIRST = 2         # B

    PPID_M2UA = 2          # IANA, SCTP payload protocol identifiers
    PPID_M2PA = 5          # M3UA and SUA between them
    PORT_M2UA = 2904
    PORT_M3UA = 2905
    PORT_M2PA = 3565
    PORT_SUA = 14001


cdef inline int is_ours(uint32_t ppid) noexcept nogil:
    """Of the adaptation layers; some stacks send it in their own byte order."""
    return PPID_M2UA <= ppid <= PPID_M2PA or (
        ppid & 0xFFFFFF == 0 and PPID_M2UA <= ppid >> 24 <= PPID_M2PA
    )


cdef inline int is_port(uint16_t port) noexcept nogil:
    return port == PORT_M3UA or port == PORT_M2UA or port == PORT_M2PA or port == PORT_SUA


cdef int user_message(Framer* f, Frame* out, Cursor* c, uint32_t ppid) noexcept nogil:
    cdef int by_port = is_port(f.source_port) or is_port(f.destination_port)
    if is_ours(ppid) or (by_port and ppid == 0) or is_adaptation(c, by_port and f.cut):
        return adaptation(f, out, c)
    return report(f, out, FRAME_OTHER, OK, c.p)


cdef int part_of_message(Framer* f, Frame* out, Cursor* c, SctpPart* part, const uint8_t* at) noexcept nogil:
    cdef Fragments* s = fragments_ready(&f.fragments, f.frame, f.time_ns, f.packet_at)
    cdef Cursor whole
    cdef uint32_t ppid = 0
    cdef uint8_t cut = f.cut
    cdef int code
    part.octets = c[0]
    part.ports = <uint32_t>f.source_port << 16 | f.destination_port
    part.tag = f.tag
    code = fragments_sctp(s, part, &whole, &ppid) if s != NULL else E_TOO_MANY
    if code == HELD:
        return AGAIN
    if code != OK:
        return report(f, out, FRAME_ERROR, code, at)
    f.elsewhere |= FROM_MESSAGE
    f.cut = 0
    code = user_message(f, out, &whole, ppid)
    f.cut = cut
    f.elsewhere &= FROM_DATAGRAM
    fragments_message_done(s, code == FRAME_SCCP)
    return code


cdef int data_chunk(Framer* f, Frame* out, Cursor* c, uint8_t type_, uint8_t flags, const uint8_t* at) noexcept nogil:
    """A DATA or I-DATA chunk from its TSN on."""
    cdef SctpPart part
    cdef uint16_t short_number = 0
    cdef int status
    part.type = type_
    part.flags = flags
    status = read_u32be(c, &part.sequence) or read_u16be(c, &part.stream) or read_u16be(c, &short_number)
    part.number = short_number
    if type_ == CHUNK_I_DATA:
        status = status or read_u32be(c, &part.number)
    status = status or read_u32be(c, &part.ppid)
    if status != OK:
        return report(f, out, FRAME_ERROR, E_TRUNCATED if f.cut else E_BAD_LENGTH, at)
    if flags & CHUNK_WHOLE == CHUNK_WHOLE:
        return user_message(f, out, c, part.ppid)
    if f.cut == CUT_TOLD:              # this chunk is clipped
        return report(f, out, FRAME_ERROR, E_TRUNCATED, at)
    if type_ == CHUNK_I_DATA:
        part.sequence = 0 if flags & FLAG_FIRST else part.ppid
    return part_of_message(f, out, c, &part, at)


cdef int next_chunk(Framer* f, Frame* out) noexcept nogil:
    """The next DATA chunk of the SCTP packet in hand; a packet that had none is one that holds no SCCP."""
    cdef Cursor c = cursor(f.chunk, <uint32_t>(f.chunk_end - f.chunk))
    cdef Cursor chunk
    cdef const uint8_t* at = c.p
    cdef uint8_t type_ = 0
    cdef uint8_t flags = 0
    cdef uint16_t octets = 0
    cdef int clipped = 0
    if left(&c) == 0:
        f.chunk = NULL
        if f.cut == CUT_UNTOLD or (f.cut and not f.chunks):
            return report(f, out, FRAME_ERROR, E_TRUNCATED, at)
        return AGAIN if f.chunks else report(f, out, FRAME_OTHER, OK, at)
    if read_u8(&c, &type_) != OK or read_u8(&c, &flags) != OK or read_u16be(&c, &octets) != OK:
        f.chunk = NULL
        return report(f, out, FRAME_ERROR, E_TRUNCATED, at)
    if octets < 4:
        f.chunk = NULL
        return report(f, out, FRAME_ERROR, E_BAD_LENGTH, at + 2)
    if take(&c, octets - 4, &chunk) != OK:
        if not f.cut:
            f.chunk = NULL
            return overrun(f, out, &c)
        clipped = 1
        take(&c, left(&c), &chunk)
    f.chunk = c.p if skip(&c, -octets & 3) == OK else f.chunk_end
    if type_ != CHUNK_DATA and type_ != CHUNK_I_DATA:
        return AGAIN
    f.chunks = 1
    if clipped:
        f.cut = CUT_TOLD
    return data_chunk(f, out, &chunk, type_, flags, at)


cdef int sctp_packet(Framer* f, Frame* out, Cursor* c) noexcept nogil:
    cdef const uint8_t* at = c.p
    if (
        read_u16be(c, &f.source_port) != OK
        or read_u16be(c, &f.destination_port) != OK
        or read_u32be(c, &f.tag) != OK
        or skip(c, 4) != OK
    ):
        return report(f, out, FRAME_ERROR, E_TRUNCATED, at)
    f.chunks = 0
    f.chunk = c.p
    f.chunk_end = c.end
    return AGAIN
