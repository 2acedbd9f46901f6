"""IPv4 and IPv6: to SCTP, in UDP too; fragments are put together (fragments.pyx).

    IPv4           RFC 791 3.1
    IPv6           RFC 8200 3, 4: extension headers, the fragment header among them
    SCTP in UDP    RFC 6951: port 9899 of either side
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t

from sigfw._core.fragments cimport HELD, Fragments, IpPart, fragments_ip, fragments_ready
from sigfw._core.framing cimport (
    AGAIN,
    CUT_UNTOLD,
    FRAME_ERROR,
    FRAME_OTHER,
    FROM_DATAGRAM,
    Frame,
    Framer,
    overrun,
    report,
)
from sigfw._core.limits cimport MAX_HEADERS
from sigfw._core.msg cimport E_BAD_LENGTH, E_BAD_VALUE, E_TOO_DEEP, E_TOO_MANY, E_TRUNCATED, E_UNSUPPORTED, OK
from sigfw._core.sctp cimport sctp_packet
from sigfw._core.wire cimport Cursor, read_u8, read_u16be, read_u32be, skip, take

cdef enum:
    WHOLE = -2             # a datagram is there, or was never in parts

    IP_UDP = 17
    IP_SCTP = 132
    IPV6_HOP_BY_HOP = 0
    IPV6_ROUTING = 43
    IPV6_FRAGMENT = 44
    IP_AUTHENTICATION = 51
    IPV6_DESTINATION = 60

    PORT_SCTP = 9899


cdef int udp(Framer* f, Frame* out, Cursor* c, int fragment) noexcept nogil:
    """SCTP in UDP; fragment: the first one of a datagram, the rest of which is not put together."""
    cdef const uint8_t* at = c.p
    cdef uint16_t source = 0
    cdef uint16_t destination = 0
    cdef uint16_t octets = 0
    cdef Cursor packet
    if read_u16be(c, &source) != OK or read_u16be(c, &destination) != OK:
        return report(f, out, FRAME_ERROR if f.cut else FRAME_OTHER, E_TRUNCATED if f.cut else OK, at)
    if source != PORT_SCTP and destination != PORT_SCTP:
        return report(f, out, FRAME_OTHER, OK, at)
    if fragment:
        return report(f, out, FRAME_ERROR, E_UNSUPPORTED, at)
    if read_u16be(c, &octets) != OK or skip(c, 2) != OK:
        return report(f, out, FRAME_ERROR, E_TRUNCATED, at)
    if octets < 8:
        return report(f, out, FRAME_ERROR, E_BAD_LENGTH, at + 4)
    if take(c, octets - 8, &packet) == OK:
        c[0] = packet
    elif not f.cut:
        return overrun(f, out, c)
    return sctp_packet(f, out, c)


cdef int authentication(Cursor* c, uint8_t* protocol) noexcept nogil:
    """Past an authentication header (RFC 4302 2): it hides nothing. A Status."""
    cdef uint8_t units = 0
    if read_u8(c, protocol) != OK or read_u8(c, &units) != OK:
        return E_TRUNCATED
    return skip(c, 4 * units + 6)


cdef int payload(Framer* f, Frame* out, Cursor* c, uint8_t protocol) noexcept nogil:
    cdef const uint8_t* at = c.p
    if protocol == IP_AUTHENTICATION and authentication(c, &protocol) != OK:
        return report(f, out, FRAME_ERROR, E_TRUNCATED, at)
    if protocol == IP_SCTP:
        return sctp_packet(f, out, c)
    if protocol == IP_UDP:
        return udp(f, out, c, 0)
    return report(f, out, FRAME_OTHER, OK, c.p)


cdef inline int is_extension(uint8_t protocol) noexcept nogil:
    """Of the headers behind which IPv6 may have SCTP still, whatever place RFC 8200 4.1 gives them."""
    return (
        protocol == IPV6_HOP_BY_HOP or protocol == IPV6_ROUTING or protocol == IPV6_FRAGMENT
        or protocol == IPV6_DESTINATION
    )


cdef int part_of_datagram(Framer* f, Frame* out, Cursor* c, IpPart* part, Cursor* whole, uint8_t* protocol) noexcept nogil:
    """OK where the datagram is whole, else the kind to give, or AGAIN."""
    cdef Fragments* s
    cdef int code
    if part.protocol == IP_UDP and part.at == 0:
        return udp(f, out, c, 1)
    if part.protocol != IP_SCTP and part.protocol != IP_AUTHENTICATION and (
        part.version == 4 or not is_extension(part.protocol)
    ):
        return report(f, out, FRAME_OTHER, OK, c.p)
    if f.cut:
        return report(f, out, FRAME_ERROR, E_TRUNCATED, c.p)
    if f.elsewhere:                    # fragments within a fragmented datagram
        return report(f, out, FRAME_ERROR, E_TOO_DEEP, c.p)
    s = fragments_ready(&f.fragments, f.frame, f.time_ns, f.packet_at)
    part.octets = c[0]
    code = fragments_ip(s, part, whole, protocol) if s != NULL else E_TOO_MANY
    if code == HELD:
        return AGAIN
    if code != OK:
        return report(f, out, FRAME_ERROR, code, c.p)
    f.elsewhere = FROM_DATAGRAM
    return WHOLE


cdef int ipv4(Framer* f, Frame* out, Cursor* c) noexcept nogil:
    cdef const uint8_t* at = c.p
    cdef Cursor packet = c[0]
    cdef IpPart part
    cdef uint8_t first = 0
    cdef uint8_t protocol = 0
    cdef uint16_t octets = 0
    cdef uint16_t identification = 0
    cdef uint16_t fragment = 0
    cdef uint32_t header
    cdef int kind
    if (
        read_u8(c, &first) != OK
        or skip(c, 1) != OK
        or read_u16be(c, &octets) != OK
        or read_u16be(c, &identification) != OK
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
    if fragment & 0x3FFF:              # more to come, or not the first
        part.version = 4
        part.protocol = protocol
        part.id = identification
        part.more = fragment >> 13 & 1
        part.at = 8 * (fragment & 0x1FFF)
        part.addresses = at + 12
        kind = part_of_datagram(f, out, c, &part, &packet, &protocol)
        if kind != WHOLE:
            return kind
        c[0] = packet
    return payload(f, out, c, protocol)


cdef int ipv6_fragment(Framer* f, Frame* out, Cursor* c, const uint8_t* addresses, uint8_t* protocol) noexcept nogil:
    """A fragment header (RFC 8200 4.5): WHOLE with what is behind it in c, else the kind to give, or AGAIN."""
    cdef const uint8_t* at = c.p
    cdef IpPart part
    cdef Cursor whole
    cdef uint16_t offset = 0
    cdef int kind
    if read_u8(c, &part.protocol) != OK or skip(c, 1) != OK or read_u16be(c, &offset) != OK or read_u32be(c, &part.id) != OK:
        return report(f, out, FRAME_ERROR, E_TRUNCATED, at)
    protocol[0] = part.protocol
    if offset & 0xFFF9 == 0:           # a whole packet all the same
        return WHOLE
    part.version = 6
    part.more = offset & 1
    part.at = offset & 0xFFF8
    part.addresses = addresses
    kind = part_of_datagram(f, out, c, &part, &whole, protocol)
    if kind == WHOLE:
        c[0] = whole
    return kind


cdef int ipv6(Framer* f, Frame* out, Cursor* c) noexcept nogil:
    """Extension headers of RFC 8200 4, at most MAX_HEADERS of them."""
    cdef const uint8_t* at = c.p
    cdef Cursor packet
    cdef uint8_t next_ = 0
    cdef uint8_t protocol = 0
    cdef uint8_t units = 0
    cdef uint16_t octets = 0
    cdef int kind
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
            kind = ipv6_fragment(f, out, c, at + 8, &protocol)
            if kind != WHOLE:
                return kind
        elif protocol == IPV6_HOP_BY_HOP or protocol == IPV6_ROUTING or protocol == IPV6_DESTINATION:
            if read_u8(c, &next_) != OK or read_u8(c, &units) != OK or skip(c, 8 * units + 6) != OK:
                return report(f, out, FRAME_ERROR, E_TRUNCATED, at)
            protocol = next_
        elif protocol == IP_AUTHENTICATION:
            if authentication(c, &protocol) != OK:
                return report(f, out, FRAME_ERROR, E_TRUNCATED, at)
        else:
            return payload(f, out, c, protocol)
    return report(f, out, FRAME_ERROR, E_TOO_MANY, at)


cdef int ip_packet(Framer* f, Frame* out, Cursor* c) noexcept nogil:
    cdef Cursor peek = c[0]
    cdef uint8_t first = 0
    if read_u8(&peek, &first) != OK:
        return report(f, out, FRAME_ERROR, E_TRUNCATED, c.p)
    if first >> 4 == 4:
        return ipv4(f, out, c)
    if first >> 4 == 6:
        return ipv6(f, out, c)
    return report(f, out, FRAME_ERROR, E_BAD_VALUE, c.p)
