"""Framing: a record or a capture's packets, by their link layer, to IP, SCTP, the adaptation layers, MTP3 or SCCP.

One packet is in hand at a time, and of it one place (the next SCTP chunk); what comes in parts is kept in fragments.pyx.
No recursion, each octet is passed over a bounded number of times. What cannot be framed is an error of that frame and the
next one is read; only a capture whose own structure is lost ends early.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memset

from sigfw._core.adaptation cimport adaptation, mtp2, mtp3
from sigfw._core.capture cimport (
    CAPTURE_BAD,
    CAPTURE_BROKEN,
    CAPTURE_END,
    LINK_COOKED,
    LINK_COOKED_2,
    LINK_ETHERNET,
    LINK_EXPORTED,
    LINK_IPV4,
    LINK_IPV6,
    LINK_MTP2,
    LINK_MTP2_PSEUDO,
    LINK_MTP3,
    LINK_RAW,
    LINK_SCCP,
    LINK_SCTP,
    Packet,
    capture_next,
    capture_open,
)
from sigfw._core.exported cimport (
    PDU_ADAPTATION,
    PDU_ETHERNET,
    PDU_IP,
    PDU_MTP2,
    PDU_MTP3,
    PDU_NONE,
    PDU_SCCP,
    PDU_SCTP,
    exported,
)
from sigfw._core.fragments cimport (
    Fragments,
    Partial,
    fragments_datagram_done,
    fragments_finish,
    fragments_free,
    fragments_lost,
    fragments_recycle,
    fragments_turn,
)
from sigfw._core.ip cimport ip_packet
from sigfw._core.limits cimport MAX_HEADERS, MAX_PACKET
from sigfw._core.msg cimport (
    E_BAD_LENGTH,
    E_TOO_MANY,
    E_TRUNCATED,
    E_UNSUPPORTED,
    ENCAP_M3UA,
    ENCAP_MTP3,
    ENCAP_PCAP,
    ENCAP_SCCP,
    NO_PC,
    OK,
    VARIANT_ITU,
)
from sigfw._core.sctp cimport next_chunk, sctp_packet
from sigfw._core.wire cimport Cursor, cursor, read_u8, read_u16be, skip

cdef enum:
    AT_MESSAGE = 0
    AT_CAPTURE = 1
    AT_REST = 2            # no packet is left: what never became whole is told
    AT_END = 3

    ETHERTYPE_IPV4 = 0x0800
    ETHERTYPE_IPV6 = 0x86DD
    ETHERTYPE_VLAN = 0x8100
    ETHERTYPE_QINQ = 0x88A8
    ETHERTYPE_QINQ_OLD = 0x9100

    ANNEX_A_USED = 1       # of the pseudo-header of link type 139; 2 is unknown


cdef int lost(Framer* f, Frame* out, Partial* p) noexcept nogil:
    """One that will not become whole is an error of the frame in which its last part came."""
    out.frame = p.frame
    out.index = p.index
    out.time_ns = p.time_ns
    out.code = p.code
    out.offset = p.offset
    if p.frame == f.frame:
        out.index = f.index
        f.index += 1
    free(p)
    return FRAME_ERROR


# ---- link layers

cdef inline int is_vlan(uint16_t type_) noexcept nogil:
    return type_ == ETHERTYPE_VLAN or type_ == ETHERTYPE_QINQ or type_ == ETHERTYPE_QINQ_OLD


cdef int ethertype(Framer* f, Frame* out, Cursor* c, uint16_t type_) noexcept nogil:
    cdef int _i
    for _i in range(MAX_HEADERS):
        if not is_vlan(type_):
            break
        if skip(c, 2) != OK or read_u16be(c, &type_) != OK:
            return report(f, out, FRAME_ERROR, E_TRUNCATED, c.p)
    if type_ == ETHERTYPE_IPV4 or type_ == ETHERTYPE_IPV6:
        return ip_packet(f, out, c)
    if is_vlan(type_):
        return report(f, out, FRAME_ERROR, E_TOO_MANY, c.p)
    return report(f, out, FRAME_OTHER, OK, c.p)


cdef int behind_type(Framer* f, Frame* out, Cursor* c, uint32_t before, uint32_t after) noexcept nogil:
    """What an ethertype tells, so many octets into the packet, the rest so many further on."""
    cdef const uint8_t* at = c.p
    cdef uint16_t type_ = 0
    if skip(c, before) != OK or read_u16be(c, &type_) != OK or skip(c, after) != OK:
        return report(f, out, FRAME_ERROR, E_TRUNCATED, at)
    return ethertype(f, out, c, type_)


cdef int mtp2_pseudo(Framer* f, Frame* out, Cursor* c) noexcept nogil:
    """Link type 139: sent, annex A used, link number of two octets, then the signal unit."""
    cdef const uint8_t* at = c.p
    cdef uint8_t annex_a = 0
    if skip(c, 1) != OK or read_u8(c, &annex_a) != OK or skip(c, 2) != OK:
        return report(f, out, FRAME_ERROR, E_TRUNCATED, at)
    return mtp2(f, out, c, annex_a == ANNEX_A_USED)


cdef int exported_pdu(Framer* f, Frame* out, Cursor* c) noexcept nogil:
    cdef const uint8_t* at = c.p
    cdef uint8_t pdu = 0
    cdef int code = exported(out, c, &pdu)
    if code != OK:
        return report(f, out, FRAME_ERROR, code, at)
    code = E_TRUNCATED if f.cut else OK
    if pdu == PDU_SCCP:
        return sccp(f, out, c, ENCAP_SCCP, code)
    if pdu == PDU_MTP3:
        return mtp3(f, out, c, code)
    if pdu == PDU_MTP2:
        return mtp2(f, out, c, 0)
    if pdu == PDU_ADAPTATION:
        return adaptation(f, out, c)
    if pdu == PDU_SCTP:
        return sctp_packet(f, out, c)
    if pdu == PDU_IP:
        return ip_packet(f, out, c)
    if pdu == PDU_ETHERNET:
        return behind_type(f, out, c, 12, 0)
    if pdu == PDU_NONE:
        return report(f, out, FRAME_OTHER, OK, at)
    return report(f, out, FRAME_ERROR, E_UNSUPPORTED, at)


cdef int packet(Framer* f, Frame* out, uint16_t link, Cursor* c) noexcept nogil:
    cdef int code = E_TRUNCATED if f.cut else OK
    if link == LINK_SCCP:
        return sccp(f, out, c, ENCAP_SCCP, code)
    if link == LINK_MTP3:
        return mtp3(f, out, c, code)
    if link == LINK_ETHERNET:
        return behind_type(f, out, c, 12, 0)
    if link == LINK_SCTP:
        return sctp_packet(f, out, c)
    if link == LINK_RAW or link == LINK_IPV4 or link == LINK_IPV6:
        return ip_packet(f, out, c)
    if link == LINK_COOKED:
        return behind_type(f, out, c, 14, 0)
    if link == LINK_COOKED_2:
        return behind_type(f, out, c, 0, 18)
    if link == LINK_MTP2:
        return mtp2(f, out, c, 0)
    if link == LINK_MTP2_PSEUDO:
        return mtp2_pseudo(f, out, c)
    if link == LINK_EXPORTED:
        return exported_pdu(f, out, c)
    return report(f, out, FRAME_ERROR, E_UNSUPPORTED, c.p)


# ---- records and captures

cdef void end_frame(Framer* f) noexcept nogil:
    if f.fragments != NULL:
        fragments_datagram_done(f.fragments, f.used)
        if f.fragments.frame == f.frame:
            fragments_turn(f.fragments, f.index)
    f.used = 0


cdef int next_packet(Framer* f, Frame* out) noexcept nogil:
    cdef Packet p
    cdef int step
    memset(&p, 0, sizeof(p))
    end_frame(f)
    step = capture_next(&f.capture, &p)
    if step == CAPTURE_END or step == CAPTURE_BROKEN:
        f.state = AT_REST
        f.broken = step == CAPTURE_BROKEN
        f.broken_code = p.code
        f.broken_at = p.offset
        if f.fragments != NULL:
            fragments_finish(f.fragments)
        return AGAIN
    f.frame += 1
    f.index = 0
    f.time_ns = p.time_ns
    f.packet_at = p.offset
    f.cut = p.cut
    f.elsewhere = 0
    if step == CAPTURE_BAD:
        return report(f, out, FRAME_ERROR, p.code, f.p + p.offset)
    return packet(f, out, p.link, &p.octets)


cdef int rest(Framer* f, Frame* out) noexcept nogil:
    f.state = AT_END
    f.elsewhere = 0
    return report(f, out, FRAME_BROKEN, f.broken_code, f.p + f.broken_at) if f.broken else FRAME_END


cdef int message(Framer* f, Frame* out) noexcept nogil:
    cdef Cursor c
    f.state = AT_END
    f.frame = 1
    f.time_ns = -1
    if f.n > MAX_PACKET:
        return report(f, out, FRAME_ERROR, E_BAD_LENGTH, f.p)
    c = cursor(f.p, <uint32_t>f.n)
    if f.encapsulation == ENCAP_SCCP:
        return sccp(f, out, &c, ENCAP_SCCP, OK)
    if f.encapsulation == ENCAP_MTP3:
        return mtp3(f, out, &c, OK)
    if f.encapsulation == ENCAP_M3UA:
        return adaptation(f, out, &c)
    return report(f, out, FRAME_ERROR, E_UNSUPPORTED, f.p)


cdef void framer_open(Framer* f, const uint8_t* p, uint64_t n, uint8_t encapsulation) noexcept nogil:
    cdef Fragments* fragments = f.fragments
    memset(f, 0, sizeof(Framer) - sizeof(f.capture))
    f.fragments = fragments
    f.p = p
    f.n = n
    f.encapsulation = encapsulation
    f.state = AT_CAPTURE if encapsulation == ENCAP_PCAP else AT_MESSAGE
    f.time_ns = -1
    capture_open(&f.capture, p, n)


cdef int framer_next(Framer* f, Frame* out) noexcept nogil:
    cdef Partial* p
    cdef int kind
    memset(out, 0, sizeof(Frame))
    while True:
        if f.fragments != NULL:
            p = fragments_lost(f.fragments)
            if p != NULL:
                return lost(f, out, p)
        if f.chunk != NULL:
            kind = next_chunk(f, out)
        elif f.state == AT_MESSAGE:
            kind = message(f, out)
        elif f.state == AT_CAPTURE:
            kind = next_packet(f, out)
        elif f.state == AT_REST:
            return rest(f, out)
        else:
            return FRAME_END
        if kind != AGAIN:
            if kind == FRAME_SCCP and f.elsewhere:
                f.used = 1
            return kind


cdef void framer_recycle(Framer* f) noexcept nogil:
    if f.fragments != NULL:
        fragments_recycle(f.fragments)


cdef void framer_close(Framer* f) noexcept nogil:
    fragments_free(f.fragments)
    f.fragments = NULL
    f.state = AT_END
    f.chunk = NULL


_ENCAPSULATIONS = {"sccp": ENCAP_SCCP, "mtp3": ENCAP_MTP3, "m3ua": ENCAP_M3UA, "pcap": ENCAP_PCAP}


def frames(const uint8_t[::1] octets not None, str encapsulation not None, uint8_t variant=VARIANT_ITU):
    cdef Framer f
    cdef Frame frame
    cdef uint8_t nothing = 0
    cdef int kind
    f.fragments = NULL
    framer_open(&f, &octets[0] if octets.shape[0] else &nothing, octets.shape[0], _ENCAPSULATIONS[encapsulation])
    f.variant = variant
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
            "opc": known(frame.has_mtp, frame.opc),
            "dpc": known(frame.has_mtp, frame.dpc),
            "sls": known(frame.has_mtp and not frame.pcs_only, frame.sls),
            "ni": known(frame.has_mtp and not frame.pcs_only, frame.ni),
            "code": frame.code,
            "offset": frame.offset,
        })
        framer_recycle(&f)


cdef object known(bint is_known, uint32_t value):
    return value if is_known and value != NO_PC else None
