"""Framing: pcap or pcapng -> Ethernet, Linux cooked, IP -> SCTP -> M3UA or M2PA, or MTP3 or SCCP as they are.

One packet is in hand at a time, and of it one place (the next SCTP chunk): no allocation, no recursion, each octet is
passed over a bounded number of times. What cannot be framed is an error of that frame and the next one is read; only a
capture whose own structure is lost ends early.

    classic pcap   24 octets of header (magic says order and µs or ns), then 16 of record header before each packet
    pcapng         blocks: type, length, body, length again; the section header says the order
    SCTP           RFC 9260 3: 12 octets, then chunks of type, flags, length, padded to four
    M3UA           RFC 4666 3.1, 3.2, 3.3.1: 8 octets, then parameters of tag, length, padded to four
    MTP3           Q.704 2.2, 14.2: service information octet, routing label of 14 + 14 + 4 bits, little-endian
"""

from libc.stdint cimport INT64_MAX, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memset

from sigfw._core.msg cimport (
    E_BAD_LENGTH,
    E_BAD_VALUE,
    E_DUPLICATE,
    E_LENGTH_OVERRUN,
    E_MISSING,
    E_TOO_MANY,
    E_TRAILING,
    E_TRUNCATED,
    E_UNSUPPORTED,
    ENCAP_M3UA,
    ENCAP_MTP3,
    ENCAP_PCAP,
    ENCAP_SCCP,
    OK,
)
from sigfw._core.wire cimport (
    Cursor,
    cursor,
    left,
    read_u8,
    read_u16be,
    read_u16le,
    read_u32be,
    read_u32le,
    skip,
    take,
)

cdef enum:
    AGAIN = -1             # nothing to report of this step

    CUT_UNTOLD = 1         # Framer.cut: part of the packet is missing, and nothing reported says so yet
    CUT_TOLD = 2

    AT_MESSAGE = 0
    AT_CAPTURE = 1
    AT_RECORDS = 2
    AT_BLOCKS = 3
    AT_END = 4

    LINK_ETHERNET = 1
    LINK_RAW = 101
    LINK_COOKED = 113
    LINK_MTP3 = 141
    LINK_SCCP = 142
    LINK_IPV4 = 228
    LINK_IPV6 = 229
    LINK_SCTP = 248
    LINK_COOKED_2 = 276

    BLOCK_INTERFACE = 1
    BLOCK_PACKET = 2       # obsolete, still written by old tools
    BLOCK_SIMPLE = 3
    BLOCK_ENHANCED = 6
    BLOCK_SECTION = 0x0A0D0D0A

    OPTION_RESOLUTION = 9
    OPTION_TIME_OFFSET = 14

    ETHERTYPE_IPV4 = 0x0800
    ETHERTYPE_IPV6 = 0x86DD
    ETHERTYPE_VLAN = 0x8100
    ETHERTYPE_QINQ = 0x88A8

    IP_SCTP = 132
    IPV6_HOP_BY_HOP = 0
    IPV6_ROUTING = 43
    IPV6_FRAGMENT = 44
    IP_AUTHENTICATION = 51
    IPV6_DESTINATION = 60

    CHUNK_DATA = 0         # RFC 9260 3.3.1
    CHUNK_I_DATA = 64      # RFC 8260 2.1
    CHUNK_WHOLE = 3        # flags B and E
    PPID_M3UA = 3
    PPID_M2PA = 5
    PORT_M3UA = 2905

    M3UA_TRANSFER = 1      # message class
    M3UA_DATA = 1          # type within it
    M3UA_PROTOCOL_DATA = 0x0210
    M3UA_DRAFT_DATA = 2    # of the drafts before RFC 3332, still met in captures: an MTP3 message as it is
    M2PA_CLASS = 11        # RFC 4165 2.1
    M2PA_USER_DATA = 1
    SI_SCCP = 3            # Q.704 14.2.1

cdef int64_t SECOND_NS = 1000000000
cdef int64_t FARTHEST_SECONDS = <int64_t>4 * 1000000000  # of a section from the epoch; times in ns end at nine


cdef inline int u16(const Framer* f, Cursor* c, uint16_t* v) noexcept nogil:
    return read_u16be(c, v) if f.big_endian else read_u16le(c, v)


cdef inline int u32(const Framer* f, Cursor* c, uint32_t* v) noexcept nogil:
    return read_u32be(c, v) if f.big_endian else read_u32le(c, v)


cdef int report(Framer* f, Frame* out, int kind, int code, const uint8_t* at) noexcept nogil:
    out.frame = f.frame
    out.index = f.index
    out.time_ns = f.time_ns
    out.code = <uint8_t>code
    out.offset = <uint64_t>(at - f.p)
    if kind == FRAME_SCCP or kind == FRAME_ERROR:
        f.index += 1
    return kind


cdef int broken(Framer* f, Frame* out, int code, uint64_t at) noexcept nogil:
    f.state = AT_END
    return report(f, out, FRAME_BROKEN, code, f.p + at)


cdef int overrun(Framer* f, Frame* out, const Cursor* c) noexcept nogil:
    """A structure goes past its packet: the capture's doing, or a length that lies."""
    return report(f, out, FRAME_ERROR, E_TRUNCATED if f.cut else E_LENGTH_OVERRUN, c.p)


cdef int sccp(Framer* f, Frame* out, const Cursor* c, uint8_t encapsulation, int code) noexcept nogil:
    out.encapsulation = encapsulation
    if left(c) == 0:
        return report(f, out, FRAME_ERROR, E_TRUNCATED, c.p)
    out.octets = c.p
    out.n = left(c)
    return report(f, out, FRAME_SCCP, code, c.p)


cdef int mtp3(Framer* f, Frame* out, Cursor* c, int code) noexcept nogil:
    cdef uint8_t sio = 0
    cdef uint32_t label = 0
    out.encapsulation = ENCAP_MTP3
    if read_u8(c, &sio) != OK or read_u32le(c, &label) != OK:
        return report(f, out, FRAME_ERROR, E_TRUNCATED, c.p)
    out.has_mtp = 1
    out.ni = sio >> 6
    out.dpc = label & 0x3FFF
    out.opc = label >> 14 & 0x3FFF
    out.sls = label >> 28
    if sio & 0x0F != SI_SCCP:
        return report(f, out, FRAME_OTHER, OK, c.p)
    return sccp(f, out, c, ENCAP_MTP3, code)


cdef int protocol_data(Framer* f, Frame* out, Cursor* c, int code) noexcept nogil:
    """M3UA protocol data parameter (RFC 4666 3.3.1): OPC DPC SI NI MP SLS, then the message of the MTP user."""
    cdef uint8_t si = 0
    cdef const uint8_t* at = c.p
    if (
        read_u32be(c, &out.opc) != OK
        or read_u32be(c, &out.dpc) != OK
        or read_u8(c, &si) != OK
        or read_u8(c, &out.ni) != OK
        or skip(c, 1) != OK
        or read_u8(c, &out.sls) != OK
    ):
        return report(f, out, FRAME_ERROR, code if code else E_BAD_LENGTH, at)
    out.has_mtp = 1
    if si != SI_SCCP:
        return report(f, out, FRAME_OTHER, OK, c.p)
    return sccp(f, out, c, ENCAP_M3UA, code)


cdef int m3ua_data(Framer* f, Frame* out, Cursor* c, int code) noexcept nogil:
    """The parameters of a DATA message: one of them is the protocol data."""
    cdef Cursor value, found
    cdef uint16_t tag = 0
    cdef uint16_t octets = 0
    cdef int draft = 0
    found.p = NULL
    while left(c):
        if read_u16be(c, &tag) != OK or read_u16be(c, &octets) != OK:
            # Fewer than four octets are the padding of a sender that counts it in the message alone.
            code = code if code or found.p != NULL else E_TRUNCATED
            break
        if octets < 4:
            code = E_BAD_LENGTH
            break
        if take(c, octets - 4, &value) != OK:
            if not f.cut:
                return overrun(f, out, c)
            code = E_TRUNCATED
            take(c, left(c), &value)
        if tag == M3UA_PROTOCOL_DATA or tag == M3UA_DRAFT_DATA:
            if found.p != NULL:
                code = E_DUPLICATE
                break
            found = value
            draft = tag == M3UA_DRAFT_DATA
        if skip(c, -octets & 3) != OK:
            break
    if found.p == NULL:
        return report(f, out, FRAME_ERROR, code if code else E_MISSING, c.p)
    return mtp3(f, out, &found, code) if draft else protocol_data(f, out, &found, code)


cdef int adaptation(Framer* f, Frame* out, Cursor* c, int m2pa) noexcept nogil:
    """M3UA, or M2PA (RFC 4165 2): the same header, then what its class and type say."""
    cdef const uint8_t* at = c.p
    cdef Cursor body
    cdef uint8_t version = 0
    cdef uint8_t message_class = 0
    cdef uint8_t type_ = 0
    cdef uint32_t octets = 0
    cdef int code = OK
    out.encapsulation = ENCAP_MTP3 if m2pa else ENCAP_M3UA
    if (
        read_u8(c, &version) != OK
        or skip(c, 1) != OK
        or read_u8(c, &message_class) != OK
        or read_u8(c, &type_) != OK
        or read_u32be(c, &octets) != OK
    ):
        return report(f, out, FRAME_ERROR, E_TRUNCATED, at)
    if version != 1:
        return report(f, out, FRAME_ERROR, E_UNSUPPORTED, at)
    if octets < 8:
        return report(f, out, FRAME_ERROR, E_BAD_LENGTH, at + 4)
    if message_class != (M2PA_CLASS if m2pa else M3UA_TRANSFER) or type_ != (M2PA_USER_DATA if m2pa else M3UA_DATA):
        return report(f, out, FRAME_OTHER, OK, at)
    if take(c, octets - 8, &body) != OK:
        # A length that counts the padding, or does not, differs from the chunk's by up to three octets.
        if not f.cut and octets - 8 - left(c) > 3:
            return overrun(f, out, c)
        code = E_TRUNCATED if f.cut else OK
        take(c, left(c), &body)
    elif left(c) > 3:
        code = E_TRAILING  # a second message in one chunk: not ours to guess who would read it
    if m2pa:
        if left(&body) <= 8:       # sequence numbers alone: an acknowledgement
            return report(f, out, FRAME_ERROR if code else FRAME_OTHER, code, at)
        skip(&body, 9)             # and the priority octet (RFC 4165 2.3.1)
        return mtp3(f, out, &body, code)
    return m3ua_data(f, out, &body, code)


cdef int next_chunk(Framer* f, Frame* out) noexcept nogil:
    """The next DATA chunk of the SCTP packet in hand; a packet that had none is one that holds no SCCP."""
    cdef Cursor c = cursor(f.chunk, <uint32_t>(f.chunk_end - f.chunk))
    cdef Cursor chunk
    cdef const uint8_t* at = c.p
    cdef uint8_t type_ = 0
    cdef uint8_t flags = 0
    cdef uint16_t octets = 0
    cdef uint32_t ppid = 0
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
    if skip(&chunk, 8 if type_ == CHUNK_DATA else 12) != OK or read_u32be(&chunk, &ppid) != OK:
        return report(f, out, FRAME_ERROR, E_TRUNCATED if f.cut else E_BAD_LENGTH, at)
    if flags & CHUNK_WHOLE != CHUNK_WHOLE:
        return report(f, out, FRAME_ERROR, E_UNSUPPORTED, at)
    if ppid == PPID_M3UA or ppid == PPID_M3UA << 24:  # some stacks send it in their own byte order
        return adaptation(f, out, &chunk, 0)
    if ppid == PPID_M2PA or ppid == PPID_M2PA << 24:
        return adaptation(f, out, &chunk, 1)
    if ppid == 0 and (f.source_port == PORT_M3UA or f.destination_port == PORT_M3UA):
        return adaptation(f, out, &chunk, 0)
    return report(f, out, FRAME_OTHER, OK, at)


cdef int sctp(Framer* f, Frame* out, Cursor* c) noexcept nogil:
    cdef const uint8_t* at = c.p
    if read_u16be(c, &f.source_port) != OK or read_u16be(c, &f.destination_port) != OK or skip(c, 8) != OK:
        return report(f, out, FRAME_ERROR, E_TRUNCATED, at)
    f.chunks = 0
    f.chunk = c.p
    f.chunk_end = c.end
    return AGAIN


cdef int payload(Framer* f, Frame* out, Cursor* c, uint8_t protocol, int fragment) noexcept nogil:
    if protocol != IP_SCTP:
        return report(f, out, FRAME_OTHER, OK, c.p)
    if fragment:
        return report(f, out, FRAME_ERROR, E_UNSUPPORTED, c.p)
    return sctp(f, out, c)


cdef int ipv4(Framer* f, Frame* out, Cursor* c) noexcept nogil:
    cdef const uint8_t* at = c.p
    cdef Cursor packet
    cdef uint8_t first = 0
    cdef uint8_t protocol = 0
    cdef uint16_t octets = 0
    cdef uint16_t fragment = 0
    cdef uint32_t header
    packet = c[0]
    if (
        read_u8(c, &first) != OK
        or skip(c, 1) != OK
        or read_u16be(c, &octets) != OK
        or skip(c, 2) != OK
        or read_u16be(c, &fragment) != OK
        or skip(c, 1) != OK
        or read_u8(c, &protocol) != OK
    ):
        return report(f, out, FRAME_ERROR, E_TRUNCATED, at)
    header = 4 * (first & 0x0F)
    if header < 20 or (octets and octets < header):
        return report(f, out, FRAME_ERROR, E_BAD_LENGTH, at)
    # 0: left to the network card to fill in (segmentation offload); the packet then ends where the capture says.
    if octets == 0:
        c[0] = packet
    elif take(&packet, octets, c) == OK:
        f.cut = 0                  # what the capture left out came after the packet
    else:
        f.cut = CUT_UNTOLD
        c[0] = packet
    if skip(c, header) != OK:
        return report(f, out, FRAME_ERROR, E_TRUNCATED, at)
    return payload(f, out, c, protocol, fragment & 0x3FFF)


cdef int ipv6(Framer* f, Frame* out, Cursor* c) noexcept nogil:
    """Extension headers of RFC 8200 4, at most MAX_HEADERS of them."""
    cdef const uint8_t* at = c.p
    cdef Cursor packet
    cdef uint8_t next_ = 0
    cdef uint8_t protocol = 0
    cdef uint8_t units = 0
    cdef uint16_t octets = 0
    cdef uint16_t offset = 0
    cdef int fragment = 0
    cdef int _i
    if skip(c, 4) != OK or read_u16be(c, &octets) != OK or read_u8(c, &protocol) != OK or skip(c, 33) != OK:
        return report(f, out, FRAME_ERROR, E_TRUNCATED, at)
    if octets:
        if take(c, octets, &packet) == OK:
            c[0] = packet
            f.cut = 0
        else:
            f.cut = CUT_UNTOLD
    for _i in range(MAX_HEADERS):
        if protocol == IPV6_FRAGMENT:
            if read_u8(c, &next_) != OK or skip(c, 1) != OK or read_u16be(c, &offset) != OK or skip(c, 4) != OK:
                return report(f, out, FRAME_ERROR, E_TRUNCATED, at)
            protocol = next_
            fragment = (offset & 0xFFF9) != 0
            if fragment:   # the octets that follow may be no header
                if protocol == IPV6_DESTINATION or protocol == IP_AUTHENTICATION:
                    protocol = IP_SCTP
                return payload(f, out, c, protocol, 1)
        elif protocol == IPV6_HOP_BY_HOP or protocol == IPV6_ROUTING or protocol == IPV6_DESTINATION:
            if read_u8(c, &next_) != OK or read_u8(c, &units) != OK or skip(c, 8 * units + 6) != OK:
                return report(f, out, FRAME_ERROR, E_TRUNCATED, at)
            protocol = next_
        elif protocol == IP_AUTHENTICATION:
            if read_u8(c, &next_) != OK or read_u8(c, &units) != OK or skip(c, 4 * units + 6) != OK:
                return report(f, out, FRAME_ERROR, E_TRUNCATED, at)
            protocol = next_
        else:
            return payload(f, out, c, protocol, 0)
    return report(f, out, FRAME_ERROR, E_TOO_MANY, at)


cdef int ip(Framer* f, Frame* out, Cursor* c) noexcept nogil:
    cdef Cursor peek = c[0]
    cdef uint8_t first = 0
    if read_u8(&peek, &first) != OK:
        return report(f, out, FRAME_ERROR, E_TRUNCATED, c.p)
    if first >> 4 == 4:
        return ipv4(f, out, c)
    if first >> 4 == 6:
        return ipv6(f, out, c)
    return report(f, out, FRAME_ERROR, E_BAD_VALUE, c.p)


cdef int ethertype(Framer* f, Frame* out, Cursor* c, uint16_t type_) noexcept nogil:
    cdef int _i
    for _i in range(MAX_HEADERS):
        if type_ != ETHERTYPE_VLAN and type_ != ETHERTYPE_QINQ:
            break
        if skip(c, 2) != OK or read_u16be(c, &type_) != OK:
            return report(f, out, FRAME_ERROR, E_TRUNCATED, c.p)
    if type_ == ETHERTYPE_IPV4 or type_ == ETHERTYPE_IPV6:
        return ip(f, out, c)
    if type_ == ETHERTYPE_VLAN or type_ == ETHERTYPE_QINQ:
        return report(f, out, FRAME_ERROR, E_TOO_MANY, c.p)
    return report(f, out, FRAME_OTHER, OK, c.p)


cdef int packet(Framer* f, Frame* out, uint16_t link, Cursor* c) noexcept nogil:
    cdef const uint8_t* at = c.p
    cdef uint16_t type_ = 0
    if link == LINK_SCCP:
        return sccp(f, out, c, ENCAP_SCCP, E_TRUNCATED if f.cut else OK)
    if link == LINK_MTP3:
        return mtp3(f, out, c, E_TRUNCATED if f.cut else OK)
    if link == LINK_SCTP:
        return sctp(f, out, c)
    if link == LINK_RAW or link == LINK_IPV4 or link == LINK_IPV6:
        return ip(f, out, c)
    if link == LINK_COOKED_2:
        if read_u16be(c, &type_) != OK or skip(c, 18) != OK:
            return report(f, out, FRAME_ERROR, E_TRUNCATED, at)
    elif link == LINK_ETHERNET or link == LINK_COOKED:
        if skip(c, 12 if link == LINK_ETHERNET else 14) != OK or read_u16be(c, &type_) != OK:
            return report(f, out, FRAME_ERROR, E_TRUNCATED, at)
    else:
        return report(f, out, FRAME_ERROR, E_UNSUPPORTED, at)
    return ethertype(f, out, c, type_)


cdef void begin_frame(Framer* f, int64_t time_ns, int cut) noexcept nogil:
    f.frame += 1
    f.index = 0
    f.time_ns = time_ns
    f.cut = <uint8_t>cut


cdef inline int known_link(uint32_t link) noexcept nogil:
    return (
        link == LINK_ETHERNET or link == LINK_RAW or link == LINK_COOKED or link == LINK_MTP3 or link == LINK_SCCP
        or link == LINK_IPV4 or link == LINK_IPV6 or link == LINK_SCTP or link == LINK_COOKED_2
    )


cdef int open_capture(Framer* f, Frame* out) noexcept nogil:
    """Tell the format by its magic number: a1b2c3d4 (µs), a1b23c4d (ns), either order, or a pcapng section header."""
    cdef Cursor c = cursor(f.p, 24 if f.n >= 24 else <uint32_t>f.n)
    cdef uint32_t magic = 0
    cdef uint32_t link = 0
    cdef uint16_t major = 0
    if read_u32be(&c, &magic) != OK:
        return broken(f, out, E_TRUNCATED, f.n)
    if magic == BLOCK_SECTION:
        f.state = AT_BLOCKS
        return AGAIN
    f.big_endian = magic == <uint32_t>0xA1B2C3D4 or magic == <uint32_t>0xA1B23C4D
    if not f.big_endian and magic != <uint32_t>0xD4C3B2A1 and magic != <uint32_t>0x4D3CB2A1:
        return broken(f, out, E_BAD_VALUE, 0)
    f.tick_ns = 1 if magic == <uint32_t>0xA1B23C4D or magic == <uint32_t>0x4D3CB2A1 else 1000
    if u16(f, &c, &major) != OK or skip(&c, 14) != OK or u32(f, &c, &link) != OK:
        return broken(f, out, E_TRUNCATED, f.n)
    f.link = link & 0xFFFF  # above: whether frames end in a check sequence
    if major != 2:
        return broken(f, out, E_UNSUPPORTED, 4)
    if not known_link(f.link):
        return broken(f, out, E_UNSUPPORTED, 20)
    f.at = 24
    f.state = AT_RECORDS
    return AGAIN


cdef int next_record(Framer* f, Frame* out) noexcept nogil:
    cdef Cursor c
    cdef uint32_t seconds = 0
    cdef uint32_t ticks = 0
    cdef uint32_t captured = 0
    cdef uint32_t original = 0
    if f.at == f.n:
        f.state = AT_END
        return AGAIN
    if f.n - f.at < 16:
        return broken(f, out, E_TRUNCATED, f.at)
    c = cursor(f.p + f.at, 16)
    u32(f, &c, &seconds)
    u32(f, &c, &ticks)
    u32(f, &c, &captured)
    u32(f, &c, &original)
    if captured > MAX_PACKET:
        return broken(f, out, E_BAD_LENGTH, f.at + 8)
    if f.n - f.at - 16 < captured:
        return broken(f, out, E_TRUNCATED, f.at)
    c = cursor(f.p + f.at + 16, captured)
    f.at += 16 + captured
    begin_frame(f, seconds * SECOND_NS + <int64_t>ticks * f.tick_ns, captured < original)
    return packet(f, out, f.link, &c)


cdef int64_t time_of(const Interface* i, uint64_t ticks) noexcept nogil:
    """Ticks in ns since the epoch; -1 where they are out of its range or finer than can be told."""
    cdef uint32_t n = i.resolution & 0x7F
    cdef uint64_t ns
    cdef uint64_t scale = 1
    cdef uint32_t _k
    if i.resolution & 0x80:    # 2^-n seconds
        if n > 63 or ticks >> n > <uint64_t>(INT64_MAX // SECOND_NS) - 1:
            return -1
        ns = (ticks & ((<uint64_t>1 << n) - 1))
        if n > 34:             # so that the product stays below 2^64
            ns >>= n - 34
        ns = (ticks >> n) * SECOND_NS + (ns * SECOND_NS >> (n if n < 34 else 34))
    else:                      # 10^-n seconds
        if n > 28:
            return -1
        for _k in range(9 - n if n < 9 else n - 9):
            scale *= 10
        if n < 9 and ticks > <uint64_t>INT64_MAX // scale:
            return -1
        ns = ticks * scale if n < 9 else ticks // scale
    if ns > <uint64_t>INT64_MAX:
        return -1
    if i.offset_seconds == 0:
        return <int64_t>ns
    if i.offset_seconds < -FARTHEST_SECONDS or i.offset_seconds > FARTHEST_SECONDS:
        return -1
    if i.offset_seconds > 0 and <int64_t>ns > INT64_MAX - i.offset_seconds * SECOND_NS:
        return -1
    ns = <uint64_t>(<int64_t>ns + i.offset_seconds * SECOND_NS)
    return <int64_t>ns if <int64_t>ns >= 0 else -1


cdef void add_interface(Framer* f, Cursor* c) noexcept nogil:
    cdef Interface* i
    cdef Cursor value
    cdef uint16_t code = 0
    cdef uint16_t octets = 0
    cdef uint32_t first = 0
    cdef uint32_t second = 0
    if f.n_interfaces >= MAX_INTERFACES:
        return                 # its packets are then of an interface that is not there
    i = &f.interfaces[f.n_interfaces]
    memset(i, 0, sizeof(Interface))
    i.resolution = 6
    f.n_interfaces += 1
    if u16(f, c, &i.link) != OK or skip(c, 2) != OK or u32(f, c, &i.snap_octets) != OK:
        return
    while u16(f, c, &code) == OK and u16(f, c, &octets) == OK and code != 0 and take(c, octets, &value) == OK:
        if code == OPTION_RESOLUTION:
            read_u8(&value, &i.resolution)
        elif code == OPTION_TIME_OFFSET and u32(f, &value, &first) == OK and u32(f, &value, &second) == OK:
            if f.big_endian:
                i.offset_seconds = <int64_t>(<uint64_t>first << 32 | second)
            else:
                i.offset_seconds = <int64_t>(<uint64_t>second << 32 | first)
        if skip(c, -octets & 3) != OK:
            return


cdef int packet_block(Framer* f, Frame* out, uint32_t type_, Cursor* c) noexcept nogil:
    cdef const uint8_t* at = c.p
    cdef Interface* i = NULL
    cdef Cursor octets
    cdef uint16_t short_number = 0
    cdef uint32_t number = 0
    cdef uint32_t high = 0
    cdef uint32_t low = 0
    cdef uint32_t captured = 0
    cdef uint32_t original = 0
    cdef int status = OK
    if type_ == BLOCK_SIMPLE:
        status = u32(f, c, &original)
    else:
        if type_ == BLOCK_ENHANCED:
            status = u32(f, c, &number)
        else:
            status = u16(f, c, &short_number) or skip(c, 2)
            number = short_number
        status = status or u32(f, c, &high) or u32(f, c, &low) or u32(f, c, &captured) or u32(f, c, &original)
    begin_frame(f, -1, 0)
    if number < <uint32_t>f.n_interfaces:
        i = &f.interfaces[number]
    if status != OK or i == NULL:
        return report(f, out, FRAME_ERROR, E_BAD_LENGTH if status != OK else E_MISSING, at)
    if type_ == BLOCK_SIMPLE:
        captured = original if i.snap_octets == 0 or original < i.snap_octets else i.snap_octets
    else:
        f.time_ns = time_of(i, <uint64_t>high << 32 | low)
    f.cut = captured < original
    if captured > MAX_PACKET or take(c, captured, &octets) != OK:
        return report(f, out, FRAME_ERROR, E_BAD_LENGTH if captured > MAX_PACKET else E_LENGTH_OVERRUN, at)
    return packet(f, out, i.link, &octets)


cdef int section(Framer* f, Frame* out) noexcept nogil:
    """A section header: its byte order holds for all up to the next one, and interfaces are counted anew."""
    cdef Cursor c = cursor(f.p + f.at + 8, 8)
    cdef uint32_t magic = 0
    cdef uint16_t major = 0
    read_u32be(&c, &magic)
    f.big_endian = magic == 0x1A2B3C4D
    if not f.big_endian and magic != 0x4D3C2B1A:
        return broken(f, out, E_BAD_VALUE, f.at + 8)
    u16(f, &c, &major)
    if major != 1:
        return broken(f, out, E_UNSUPPORTED, f.at + 12)
    f.n_interfaces = 0
    return AGAIN


cdef int next_block(Framer* f, Frame* out) noexcept nogil:
    cdef Cursor c
    cdef uint64_t at = f.at
    cdef uint32_t type_ = 0
    cdef uint32_t octets = 0
    cdef uint32_t again = 0
    if f.at == f.n:
        f.state = AT_END
        return AGAIN
    if f.n - f.at < 12:
        return broken(f, out, E_TRUNCATED, at)
    c = cursor(f.p + at, 12)
    u32(f, &c, &type_)
    if type_ == BLOCK_SECTION:     # the same in either order
        if f.n - f.at < 28:
            return broken(f, out, E_TRUNCATED, at)
        if section(f, out) != AGAIN:
            return FRAME_BROKEN
    u32(f, &c, &octets)
    if octets < 12 or octets & 3 or octets > MAX_BLOCK:
        return broken(f, out, E_BAD_LENGTH, at + 4)
    if f.n - at < octets:
        return broken(f, out, E_TRUNCATED, at)
    c = cursor(f.p + at + octets - 4, 4)
    u32(f, &c, &again)
    if again != octets:
        return broken(f, out, E_BAD_LENGTH, at + octets - 4)
    f.at += octets
    c = cursor(f.p + at + 8, octets - 12)
    if type_ == BLOCK_INTERFACE:
        add_interface(f, &c)
        return AGAIN
    if type_ == BLOCK_ENHANCED or type_ == BLOCK_SIMPLE or type_ == BLOCK_PACKET:
        return packet_block(f, out, type_, &c)
    return AGAIN


cdef int message(Framer* f, Frame* out) noexcept nogil:
    cdef Cursor c
    f.state = AT_END
    begin_frame(f, -1, 0)
    if f.n > MAX_PACKET:
        return report(f, out, FRAME_ERROR, E_BAD_LENGTH, f.p)
    c = cursor(f.p, <uint32_t>f.n)
    if f.encapsulation == ENCAP_SCCP:
        return sccp(f, out, &c, ENCAP_SCCP, OK)
    if f.encapsulation == ENCAP_MTP3:
        return mtp3(f, out, &c, OK)
    if f.encapsulation == ENCAP_M3UA:
        return adaptation(f, out, &c, 0)
    return report(f, out, FRAME_ERROR, E_UNSUPPORTED, f.p)


cdef void framer_open(Framer* f, const uint8_t* p, uint64_t n, uint8_t encapsulation) noexcept nogil:
    memset(f, 0, sizeof(Framer) - sizeof(f.interfaces))
    f.p = p
    f.n = n
    f.encapsulation = encapsulation
    f.state = AT_CAPTURE if encapsulation == ENCAP_PCAP else AT_MESSAGE
    f.time_ns = -1


cdef int framer_next(Framer* f, Frame* out) noexcept nogil:
    cdef int kind
    memset(out, 0, sizeof(Frame))
    while True:
        if f.chunk != NULL:
            kind = next_chunk(f, out)
        elif f.state == AT_MESSAGE:
            kind = message(f, out)
        elif f.state == AT_RECORDS:
            kind = next_record(f, out)
        elif f.state == AT_BLOCKS:
            kind = next_block(f, out)
        elif f.state == AT_CAPTURE:
            kind = open_capture(f, out)
        else:
            return FRAME_END
        if kind != AGAIN:
            return kind


cdef void framer_close(Framer* f) noexcept nogil:
    f.state = AT_END
    f.chunk = NULL


_ENCAPSULATIONS = {"sccp": ENCAP_SCCP, "mtp3": ENCAP_MTP3, "m3ua": ENCAP_M3UA, "pcap": ENCAP_PCAP}


def frames(const uint8_t[::1] octets not None, str encapsulation not None):
    cdef Framer f
    cdef Frame frame
    cdef uint8_t nothing = 0
    cdef int kind
    framer_open(&f, &octets[0] if octets.shape[0] else &nothing, octets.shape[0], _ENCAPSULATIONS[encapsulation])
    found = []
    while True:
        kind = framer_next(&f, &frame)
        if kind == FRAME_END:
            framer_close(&f)
            return found
        found.append({
            "kind": ("", "sccp", "other", "error", "broken")[kind],
            "octets": (<const char*>frame.octets)[:frame.n] if frame.octets != NULL else None,
            "frame": frame.frame,
            "index": frame.index,
            "time_ns": frame.time_ns,
            "encapsulation": frame.encapsulation,
            "opc": frame.opc if frame.has_mtp else None,
            "dpc": frame.dpc if frame.has_mtp else None,
            "sls": frame.sls if frame.has_mtp else None,
            "ni": frame.ni if frame.has_mtp else None,
            "code": frame.code,
            "offset": frame.offset,
        })
