"""Adaptation layers and narrow-band links.

    M3UA   RFC 4666 3.1, 3.2, 3.3.1: 8 octets, then parameters of tag, length, padded to four
    M2UA   RFC 3331 3.1, 3.3.1: the same; protocol data is what MTP2 carries, from the service information octet on
    M2PA   RFC 4165 2.1-2.3: the same header, sequence numbers of 8 octets, then a priority octet before that
    MTP2   Q.703 2.2: BSN and FSN with their bits, length indicator; one octet each, or two (annex A)
    MTP3   Q.704 2.2, 14.2: service information octet, routing label of 14 + 14 + 4 bits, little-endian; in
           ANSI (T1.111.4) of 24 + 24 + 8, in China of 24 + 24 + 4 and four spare ones
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t

from sigfw._core.framing cimport FRAME_ERROR, FRAME_OTHER, Frame, Framer, overrun, report, sccp
from sigfw._core.msg cimport (
    E_BAD_LENGTH,
    E_BAD_VALUE,
    E_DUPLICATE,
    E_LENGTH_OVERRUN,
    E_MISSING,
    E_TRAILING,
    E_TRUNCATED,
    E_UNSUPPORTED,
    ENCAP_M3UA,
    ENCAP_MTP3,
    OK,
    VARIANT_CHINA,
    VARIANT_ITU,
)
from sigfw._core.wire cimport Cursor, left, read_u8, read_u16be, read_u16le, read_u32be, read_u32le, skip, take

cdef enum:
    CLASS_M3UA = 1         # transfer messages
    CLASS_M2UA = 6
    CLASS_SUA_CONNECTIONLESS = 7
    CLASS_SUA_CONNECTION = 8
    CLASS_M2PA = 11

    DATA = 1               # type within each of them
    M2UA_RETRIEVAL = 12    # RFC 3331 3.3.1: what a failed link had not sent, handed back
    M2UA_RETRIEVAL_COMPLETE = 13

    M3UA_PROTOCOL_DATA = 0x0210
    M3UA_DRAFT_DATA = 2    # of the drafts before RFC 3332, still met in captures: an MTP3 message as it is
    M2UA_PROTOCOL_DATA = 0x0300
    M2UA_TTC_DATA = 0x0301 # RFC 3331 3.3.1.1: of Japan's TTC, priority within a length indicator

    MAX_PC = 0xFFFFFF      # 24 bits: of ANSI and China, the widest
    SI_SCCP = 3            # Q.704 14.2.1


cdef int other(Framer* f, Frame* out, int code, const uint8_t* at) noexcept nogil:
    """No SCCP, unless something unread stands beside it."""
    cdef int unread = code == E_TRAILING or code == E_DUPLICATE
    return report(f, out, FRAME_ERROR if unread else FRAME_OTHER, code if unread else OK, at)


cdef int wide_label(Framer* f, Frame* out, Cursor* c, uint32_t first) noexcept nogil:
    """Seven octets: DPC, OPC and SLS; `first` is the first four of them."""
    cdef uint16_t rest = 0
    if read_u16le(c, &rest) != OK or read_u8(c, &out.sls) != OK:
        return E_TRUNCATED
    if f.variant == VARIANT_CHINA:  # four bits of it, as in Q.704; the others are spare
        out.sls &= 0x0F
    out.dpc = first & 0xFFFFFF
    out.opc = first >> 24 | <uint32_t>rest << 8
    return OK


cdef int mtp3(Framer* f, Frame* out, Cursor* c, int code) noexcept nogil:
    cdef uint8_t sio = 0
    cdef uint32_t label = 0
    out.encapsulation = ENCAP_MTP3
    if read_u8(c, &sio) != OK or read_u32le(c, &label) != OK:
        return report(f, out, FRAME_ERROR, E_TRUNCATED, c.p)
    if f.variant > VARIANT_ITU:
        if wide_label(f, out, c, label) != OK:
            return report(f, out, FRAME_ERROR, E_TRUNCATED, c.p)
    else:
        out.dpc = label & 0x3FFF
        out.opc = label >> 14 & 0x3FFF
        out.sls = label >> 28
    out.has_mtp = 1
    out.ni = sio >> 6
    if sio & 0x0F != SI_SCCP:
        return other(f, out, code, c.p)
    return sccp(f, out, c, ENCAP_MTP3, code)


cdef int mtp2(Framer* f, Frame* out, Cursor* c, int extended) noexcept nogil:
    """A signal unit (Q.703 2.2, 2.3.3): a length indicator of 0 is a FISU, 1 and 2 an LSSU, 63 means 63 or more."""
    cdef const uint8_t* at = c.p
    cdef uint8_t short_li = 0
    cdef uint16_t li = 0
    cdef int code = E_TRUNCATED if f.cut else OK
    cdef Cursor unit
    out.encapsulation = ENCAP_MTP3
    if extended:
        if skip(c, 4) != OK or read_u16le(c, &li) != OK:
            return report(f, out, FRAME_ERROR, E_TRUNCATED, at)
        li &= 0x1FF
    else:
        if skip(c, 2) != OK or read_u8(c, &short_li) != OK:
            return report(f, out, FRAME_ERROR, E_TRUNCATED, at)
        li = short_li & 0x3F
    if left(c) == li + 2 and (extended or li < 63):
        take(c, li, &unit)             # behind it the check sequence, which some captures keep
        c[0] = unit
    if li < 3 and left(c) <= li:
        return report(f, out, FRAME_OTHER, OK, at)
    if li < 3:
        return report(f, out, FRAME_ERROR, E_BAD_LENGTH, at)
    if left(c) < li and code == OK:
        code = E_LENGTH_OVERRUN
    elif left(c) > li and (extended or li < 63):
        code = E_TRAILING              # a receiver goes by the flags around the unit: the octets are its all the same
    return mtp3(f, out, c, code)


cdef int protocol_data(Framer* f, Frame* out, Cursor* c, int code) noexcept nogil:
    """M3UA protocol data parameter (RFC 4666 3.3.1): OPC DPC SI NI MP SLS, then the message of the MTP user."""
    cdef uint8_t si = 0
    cdef const uint8_t* at = c.p
    out.encapsulation = ENCAP_M3UA
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
    if code == OK and (out.opc > MAX_PC or out.dpc > MAX_PC or out.ni > 3 or si > 15):
        code = E_BAD_VALUE
    if si & 0x0F != SI_SCCP:       # beyond its four bits, it is SCCP's to one that masks it
        return other(f, out, code, c.p)
    return sccp(f, out, c, ENCAP_M3UA, code)


cdef int parameter(Framer* f, Cursor* c, uint16_t tag, uint16_t other, Cursor* found, int* is_other) noexcept nogil:
    """The first parameter of either tag, if any: a Status of all of them; found.p is NULL where there is none."""
    cdef Cursor value
    cdef uint16_t tag_here = 0
    cdef uint16_t octets = 0
    cdef int code = OK
    found.p = found.end = NULL
    while left(c):
        if read_u16be(c, &tag_here) != OK or read_u16be(c, &octets) != OK:
            # Fewer than four octets are the padding of a sender that counts it in the message alone.
            return OK if found.p != NULL else E_TRUNCATED
        if octets < 4:
            return E_BAD_LENGTH
        if take(c, octets - 4, &value) != OK:
            if not f.cut:
                return E_LENGTH_OVERRUN
            code = E_TRUNCATED
            take(c, left(c), &value)
        if tag_here == tag or tag_here == other:
            if found.p != NULL:
                return E_DUPLICATE
            found[0] = value
            is_other[0] = tag_here == other
        if skip(c, -octets & 3) != OK:
            break
    return code


cdef int data_message(Framer* f, Frame* out, Cursor* c, uint8_t class_, int code) noexcept nogil:
    """M3UA DATA or M2UA Data: one of the parameters is the protocol data."""
    cdef Cursor found
    cdef int is_other = 0
    cdef int m3ua = class_ == CLASS_M3UA
    cdef int status = parameter(
        f, c, M3UA_PROTOCOL_DATA if m3ua else M2UA_PROTOCOL_DATA, M3UA_DRAFT_DATA if m3ua else M2UA_TTC_DATA,
        &found, &is_other)
    code = code if code and status != E_LENGTH_OVERRUN else status
    if found.p == NULL or status == E_LENGTH_OVERRUN:
        return report(f, out, FRAME_ERROR, code if code else E_MISSING, c.p)
    if m3ua and not is_other:
        return protocol_data(f, out, &found, code)
    if is_other and not m3ua:
        return report(f, out, FRAME_ERROR, E_UNSUPPORTED, found.p)
    return mtp3(f, out, &found, code)


cdef int is_adaptation(const Cursor* c, int cut) noexcept nogil:
    cdef Cursor peek = c[0]
    cdef uint8_t version = 0
    cdef uint32_t octets = 0
    if read_u8(&peek, &version) != OK or skip(&peek, 3) != OK or read_u32be(&peek, &octets) != OK:
        return 0
    return version == 1 and octets >= 8 and (cut or octets - 8 <= left(&peek) + 3)


cdef int adaptation(Framer* f, Frame* out, Cursor* c) noexcept nogil:
    cdef const uint8_t* at = c.p
    cdef Cursor body
    cdef uint8_t version = 0
    cdef uint8_t class_ = 0
    cdef uint8_t type_ = 0
    cdef uint32_t octets = 0
    cdef int code = OK
    out.encapsulation = ENCAP_M3UA
    if (
        read_u8(c, &version) != OK
        or skip(c, 1) != OK
        or read_u8(c, &class_) != OK
        or read_u8(c, &type_) != OK
        or read_u32be(c, &octets) != OK
    ):
        return report(f, out, FRAME_ERROR, E_TRUNCATED, at)
    if version != 1:
        return report(f, out, FRAME_ERROR, E_UNSUPPORTED, at)
    if octets < 8:
        return report(f, out, FRAME_ERROR, E_BAD_LENGTH, at + 4)
    if class_ == CLASS_M2UA or class_ == CLASS_M2PA:
        out.encapsulation = ENCAP_MTP3
    if take(c, octets - 8, &body) != OK:
        # A length that counts the padding, or does not, differs from the chunk's by up to three octets.
        if not f.cut and octets - 8 - left(c) > 3:
            return overrun(f, out, c)
        code = E_TRUNCATED if f.cut else OK
        take(c, left(c), &body)
    elif left(c) > 3:
        code = E_TRAILING  # a second message in one chunk: not ours to guess who would read it
    if class_ == CLASS_M3UA and type_ == DATA:
        return data_message(f, out, &body, class_, code)
    if class_ == CLASS_M2UA and (type_ == DATA or type_ == M2UA_RETRIEVAL or type_ == M2UA_RETRIEVAL_COMPLETE):
        return data_message(f, out, &body, class_, code)
    if class_ == CLASS_M2PA and type_ == DATA:
        if left(&body) > 8:
            skip(&body, 9)             # sequence numbers and the priority octet (RFC 4165 2.2, 2.3.1)
            return mtp3(f, out, &body, code)
        if code == E_TRUNCATED:        # else an acknowledgement
            return report(f, out, FRAME_ERROR, code, at)
    if class_ == CLASS_SUA_CONNECTIONLESS or class_ == CLASS_SUA_CONNECTION:
        return report(f, out, FRAME_ERROR, E_UNSUPPORTED, at)
    return other(f, out, code, at)
