"""SCCP of Q.713: unitdata messages whole, connection-oriented ones named with their addresses.

ANSI (T1.112.3) and China differ in the addresses and in the width of point codes; Msg.variant says which it is.

    type  class|cause  [hop counter]  pointers …  [fixed part of a connection-oriented type]   fixed part
    length called party   length calling party   length user data                             where the pointers say
    (tag length value)* 0                                                                     optional part

Pointers may stand in any order and leave gaps, but lead neither out of the message, nor into the fixed part, nor into
each other's parameter: two readers of such a message could see two different addresses.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memset

from sigfw._core.digits cimport above_nine, bcd_key, first_digits
from sigfw._core.limits cimport MAX_DIGITS, MAX_MESSAGE, MAX_OPTIONS, MAX_PARTS, MAX_USER_OCTETS
from sigfw._core.msg cimport (
    DIGITS_CUT,
    DIGITS_OVERDECADIC,
    E_BAD_HOP_COUNTER,
    E_BAD_LENGTH,
    E_BAD_POINTER,
    E_BAD_TAG,
    E_BAD_VALUE,
    E_DUPLICATE,
    E_LENGTH_OVERRUN,
    E_MISSING,
    E_TOO_MANY,
    E_TRAILING,
    E_TRUNCATED,
    E_UNKNOWN_TYPE,
    HAS_ES,
    HAS_GT,
    HAS_NAI,
    HAS_NP,
    HAS_PC,
    HAS_SSN,
    HAS_TT,
    LAYER_SCCP,
    OK,
    SCCP_CR,
    SCCP_IT,
    SCCP_LUDT,
    SCCP_LUDTS,
    SCCP_UDT,
    SCCP_UDTS,
    SCCP_XUDT,
    VARIANT_ANSI,
    VARIANT_CHINA,
    VARIANT_ITU,
    Digits,
    Group,
    Msg,
    Party,
    digit_at,
    fail,
)
from sigfw._core.wire cimport Cursor, cursor, left, read_u8, read_u16le, read_u24le, skip, take

cdef enum:
    SCCP_CC = 0x02
    SCCP_CREF = 0x03
    SCCP_RLSD = 0x04

    # Names of optional parameters, Q.713 3.
    END_OF_OPTIONAL = 0x00
    CALLED_PARTY = 0x03
    CALLING_PARTY = 0x04
    DATA = 0x0F
    SEGMENTATION = 0x10
    HOP_COUNTER = 0x11
    LONG_DATA = 0x13

    SCMG_SSC = 0x06        # the last of Q.713 5.3
    SCMG_SBR = 0xFD        # the first of ANSI's own three

# Octets of the fixed part with its pointers, by type (Q.713 4.2 to 4.21): below that a message is cut.
cdef uint8_t[21] FIXED_OCTETS = [0, 7, 9, 6, 9, 7, 6, 7, 6, 5, 5, 5, 4, 8, 7, 5, 11, 7, 7, 11, 11]

cdef struct Parts:         # what has been taken of a message, so that no octet belongs to two parameters
    uint32_t octets
    uint32_t fixed
    uint8_t n
    uint32_t begin[MAX_PARTS]
    uint32_t end[MAX_PARTS]


cdef inline uint32_t where(const Msg* m, const Cursor* c) noexcept nogil:
    return <uint32_t>(c.p - m.sccp)


cdef int claim(Parts* s, uint32_t begin, uint32_t end) noexcept nogil:
    cdef int i
    for i in range(s.n):
        if begin < s.end[i] and s.begin[i] < end:
            return E_BAD_POINTER
    s.begin[s.n] = begin
    s.end[s.n] = end
    s.n += 1
    return OK


cdef int pointed(Msg* m, Parts* s, uint32_t at, int wide, Cursor* c) noexcept nogil:
    """Follow the pointer at octet `at` (Q.713 2.3, counted from its own last octet); E_MISSING where it is zero."""
    cdef Cursor pointer = cursor(m.sccp, s.fixed)
    cdef uint16_t distance = 0
    cdef uint8_t octet = 0
    skip(&pointer, at)
    if wide:
        read_u16le(&pointer, &distance)
        at += 1
    else:
        read_u8(&pointer, &octet)
        distance = octet
    if distance == 0:
        return E_MISSING
    c[0] = cursor(m.sccp, s.octets)
    if at + distance < s.fixed or skip(c, at + distance) or left(c) == 0:
        fail(m, LAYER_SCCP, E_BAD_POINTER, at - wide)
        return E_BAD_POINTER
    return OK


cdef int variable(Msg* m, Parts* s, uint32_t at, int wide, int wide_length, Cursor* value) noexcept nogil:
    """The content of a mandatory variable parameter.

    One that overruns or overlaps is noted and given all the same, as far as it goes: what a message that is wrong
    carries must still be seen, wherever a policy lets such messages pass.
    """
    cdef Cursor c
    cdef uint16_t octets = 0
    cdef uint8_t octet = 0
    cdef uint32_t begin
    cdef int status = pointed(m, s, at, wide, &c)
    if status == E_MISSING:
        fail(m, LAYER_SCCP, E_MISSING, at)
    if status != OK:
        return status
    begin = where(m, &c)
    if wide_length:
        status = read_u16le(&c, &octets)
    else:
        status = read_u8(&c, &octet)
        octets = octet
    if status != OK:
        fail(m, LAYER_SCCP, E_TRUNCATED, begin)
        return status
    if take(&c, octets, value) != OK:
        fail(m, LAYER_SCCP, E_LENGTH_OVERRUN, begin)
        take(&c, left(&c), value)
    if claim(s, begin, where(m, &c)) != OK:
        fail(m, LAYER_SCCP, E_BAD_POINTER, at)
    return OK


cdef inline bint in_order(const Msg* m, const Parts* s, uint32_t at, Cursor* called, Cursor* calling,
                          Cursor* data) noexcept nogil:
    """The three variable parameters of a message whose pointers lead forward: nearly all. Else variable() says what is wrong."""
    cdef const uint8_t* p = m.sccp
    cdef uint32_t a = at + p[at], b = at + 1 + p[at + 1], d = at + 2 + p[at + 2]
    cdef uint32_t a_octets, b_octets, d_octets
    if not s.fixed <= a < b < d < s.octets:
        return False
    a_octets, b_octets, d_octets = p[a], p[b], p[d]
    if a + a_octets >= b or b + b_octets >= d or d + d_octets >= s.octets:
        return False
    called[0] = cursor(p + a + 1, a_octets)
    calling[0] = cursor(p + b + 1, b_octets)
    data[0] = cursor(p + d + 1, d_octets)
    return True


cdef void read_digits(Digits* d, const Cursor* c, int odd) noexcept nogil:
    """Two digits an octet, the low nibble first (Q.713 3.4.2.3.1).

    odd: the last high nibble is a filler whatever it holds. Otherwise an F there is one too: it is what senders put
    after an odd number of digits when they flag it as even or do not say, and no address signal of E.164.
    """
    cdef uint32_t octets = left(c)
    cdef uint32_t nibbles
    if octets == 0:
        return
    nibbles = 2 * octets - (odd | ((c.end - 1)[0] >> 4 == 0xF))
    if octets <= 8:
        d.hi = bcd_key(c.p, octets) & ~<uint64_t>0 << (64 - 4 * nibbles)
    else:
        if nibbles > MAX_DIGITS:
            nibbles = MAX_DIGITS
            octets = MAX_DIGITS // 2
            d.flags |= DIGITS_CUT
        d.hi = bcd_key(c.p, 8)
        d.lo = first_digits(bcd_key(c.p + 8, octets - 8), nibbles - 16)
        if above_nine(d.lo):
            d.flags |= DIGITS_OVERDECADIC
    if above_nine(d.hi):
        d.flags |= DIGITS_OVERDECADIC
    d.count = <uint8_t>nibbles


cdef int read_gt(Party* a, Cursor* c) noexcept nogil:
    """Global title by its indicator: Q.713 3.4.2.3.1 to 3.4.2.3.4."""
    cdef uint8_t octet = 0
    cdef int odd = 0
    if a.gti > 4:
        return E_BAD_VALUE
    if a.gti >= 2:
        if read_u8(c, &a.tt) != OK:
            return E_LENGTH_OVERRUN
        a.has |= HAS_TT
    if a.gti >= 3:
        if read_u8(c, &octet) != OK:
            return E_LENGTH_OVERRUN
        a.np = octet >> 4
        a.es = octet & 0x0F
        a.has |= HAS_NP | HAS_ES
        odd = a.es == 1    # 1: BCD odd, 2: BCD even; 0 unknown, 3 national and the spare ones are read as even
    if a.gti == 1 or a.gti == 4:
        if read_u8(c, &octet) != OK:
            return E_LENGTH_OVERRUN
        a.nai = octet & 0x7F
        a.has |= HAS_NAI
        if a.gti == 1:
            odd = octet >> 7
    a.has |= HAS_GT
    read_digits(&a.gt, c, odd)
    return OK


cdef int read_gt_ansi(Party* a, Cursor* c) noexcept nogil:
    """T1.112.3 3.4.2.3: 1 has translation type, numbering plan and encoding scheme, 2 the translation type alone."""
    cdef uint8_t octet = 0
    if a.gti > 2:
        return E_BAD_VALUE
    if read_u8(c, &a.tt) != OK:
        return E_LENGTH_OVERRUN
    a.has |= HAS_TT
    if a.gti == 1:
        if read_u8(c, &octet) != OK:
            return E_LENGTH_OVERRUN
        a.np = octet >> 4
        a.es = octet & 0x0F
        a.has |= HAS_NP | HAS_ES
    a.has |= HAS_GT
    read_digits(&a.gt, c, a.gti == 1 and a.es == 1)
    return OK


cdef int read_wide_pc(Party* a, Cursor* c) noexcept nogil:
    """Three octets, the least significant first: member, cluster, network."""
    if read_u24le(c, &a.pc) != OK:
        return E_LENGTH_OVERRUN
    a.has |= HAS_PC
    return OK


cdef int read_ssn(Party* a, Cursor* c) noexcept nogil:
    if read_u8(c, &a.ssn) != OK:
        return E_LENGTH_OVERRUN
    a.has |= HAS_SSN
    return OK


cdef int wide_party(const Msg* m, Party* a, Cursor* c, uint8_t indicator) noexcept nogil:
    """What follows the indicator where point codes have 24 bits.

    ANSI (T1.112.3 3.4): bit 1 is the SSN, bit 2 the point code, and they stand in that order. China has Q.713's.
    """
    cdef int status = OK
    if m.variant == VARIANT_ANSI:
        if indicator & 1:
            status = read_ssn(a, c)
        if indicator & 2 and status == OK:
            status = read_wide_pc(a, c)
        return read_gt_ansi(a, c) if a.gti and status == OK else status
    if indicator & 1:
        status = read_wide_pc(a, c)
    if indicator & 2 and status == OK:
        status = read_ssn(a, c)
    return read_gt(a, c) if a.gti and status == OK else status


cdef inline bint usual_party(const Msg* m, Party* a, Cursor* c) noexcept nogil:
    """SSN and a GT with all that goes with one (Q.713 3.4.2.3.4), no point code: what nearly all of ITU's are."""
    cdef const uint8_t* p = c.p
    if left(c) < 5 or p[0] & 0x3F != 0x12 or m.variant > VARIANT_ITU:
        return False
    a.present = 1
    a.has = HAS_SSN | HAS_TT | HAS_NP | HAS_ES | HAS_NAI | HAS_GT
    a.route_on_ssn = p[0] >> 6 & 1
    a.gti = 4
    a.ssn = p[1]
    a.tt = p[2]
    a.np = p[3] >> 4
    a.es = p[3] & 0x0F
    a.nai = p[4] & 0x7F
    c.p += 5
    read_digits(&a.gt, c, a.es == 1)
    return True


cdef void read_party(Msg* m, Party* a, Cursor* c) noexcept nogil:
    """Called or calling party address: Q.713 3.4, 3.5. The indicator alone is an address.

    Bit 8 is 0 in an ANSI address that is coded to international standards (T1.112.3 3.4.1): such a one is Q.713's.
    """
    cdef uint32_t begin = where(m, c)
    cdef uint8_t indicator = 0
    cdef uint16_t pc = 0
    cdef int status = OK
    if usual_party(m, a, c):
        return
    if read_u8(c, &indicator) != OK:
        fail(m, LAYER_SCCP, E_BAD_LENGTH, begin)
        return
    a.present = 1
    a.gti = indicator >> 2 & 0x0F
    a.route_on_ssn = indicator >> 6 & 1
    if m.variant > VARIANT_ITU and (m.variant == VARIANT_CHINA or indicator & 0x80):
        status = wide_party(m, a, c, indicator)
        if status != OK:
            fail(m, LAYER_SCCP, <uint8_t>status, begin)
        return
    if indicator & 1:
        if read_u16le(c, &pc) != OK:
            fail(m, LAYER_SCCP, E_LENGTH_OVERRUN, begin)
            return
        a.pc = pc & 0x3FFF
        a.has |= HAS_PC
    if indicator & 2:
        if read_u8(c, &a.ssn) != OK:
            fail(m, LAYER_SCCP, E_LENGTH_OVERRUN, begin)
            return
        a.has |= HAS_SSN
    if a.gti:
        status = read_gt(a, c)
    if status != OK:
        fail(m, LAYER_SCCP, <uint8_t>status, begin)


cdef void hop_counter(Msg* m, uint8_t value, uint32_t at) noexcept nogil:
    """Q.713 3.18: 15 down to 1."""
    m.hop_counter = value
    m.has_hop_counter = 1
    if value == 0 or value > 15:
        fail(m, LAYER_SCCP, E_BAD_HOP_COUNTER, at)


cdef void segmentation(Msg* m, Cursor* c) noexcept nogil:
    """Q.713 3.17: first, class, remaining segments; local reference of three octets, kept as sent."""
    cdef uint32_t at = where(m, c)
    cdef uint8_t octet = 0
    cdef int i
    if left(c) != 4:
        fail(m, LAYER_SCCP, E_BAD_LENGTH, at)
        return
    if m.segmented:
        fail(m, LAYER_SCCP, E_DUPLICATE, at)
        return
    read_u8(c, &octet)
    m.segmented = 1
    m.segment_offset = <uint16_t>at
    m.segment_first = octet >> 7
    m.segment_class = octet >> 6 & 1
    m.segment_remaining = octet & 0x0F
    for i in range(3):
        read_u8(c, &m.local_reference[i])


cdef void option(Msg* m, uint8_t name, Cursor* value) noexcept nogil:
    cdef uint32_t at = where(m, value)
    cdef uint8_t hops = 0
    cdef Party* party
    if m.type > SCCP_IT:
        if name == SEGMENTATION:
            segmentation(m, value)
        elif name == CALLED_PARTY or name == CALLING_PARTY or name == DATA or name == LONG_DATA:
            # Mandatory here: as an option it would be a second one, for those who read it.
            fail(m, LAYER_SCCP, E_BAD_TAG, at)
        return
    if name == CALLED_PARTY or name == CALLING_PARTY:
        party = &m.called if name == CALLED_PARTY else &m.calling
        if party.present:
            fail(m, LAYER_SCCP, E_DUPLICATE, at)
        else:
            read_party(m, party, value)
    elif name == HOP_COUNTER:
        if left(value) != 1:
            fail(m, LAYER_SCCP, E_BAD_LENGTH, at)
        else:
            read_u8(value, &hops)
            hop_counter(m, hops, at)


cdef void options(Msg* m, Parts* s, uint32_t at, int wide) noexcept nogil:
    """Optional part: any order, unknown names skipped, ended by a zero (Q.713 3.1)."""
    cdef Cursor c
    cdef Cursor value
    cdef uint8_t name = 0
    cdef uint8_t octets = 0
    cdef uint32_t begin
    cdef int n
    if pointed(m, s, at, wide, &c) != OK:
        return
    begin = where(m, &c)
    for n in range(MAX_OPTIONS + 1):
        if read_u8(&c, &name) != OK:
            fail(m, LAYER_SCCP, E_TRUNCATED, where(m, &c))
            break
        if name == END_OF_OPTIONAL:
            break
        if n == MAX_OPTIONS:
            fail(m, LAYER_SCCP, E_TOO_MANY, where(m, &c) - 1)
            break
        if read_u8(&c, &octets) != OK:
            fail(m, LAYER_SCCP, E_TRUNCATED, where(m, &c))
            break
        if take(&c, octets, &value) != OK:
            fail(m, LAYER_SCCP, E_LENGTH_OVERRUN, where(m, &c) - 1)
            break
        option(m, name, &value)
    if claim(s, begin, where(m, &c)) != OK:
        fail(m, LAYER_SCCP, E_BAD_POINTER, at)


cdef void protocol_class(Msg* m, uint8_t octet, uint32_t at) noexcept nogil:
    """Q.713 3.6: class in the low half; of classes 0 and 1, 8 in the other asks for the message back on error.

    The other values of that half are spare: whoever sends one asked for nothing, and gets no answer.
    """
    m.protocol_class = octet & 0x0F
    m.has_class = 1
    if m.type > SCCP_IT or m.type == SCCP_UDT:
        m.return_on_error = octet >> 4 == 8
        if m.protocol_class > 1:
            fail(m, LAYER_SCCP, E_BAD_VALUE, at)


cdef inline void called_party(Msg* m, Cursor* value) noexcept nogil:
    m.cdpa_offset = <uint16_t>where(m, value)
    m.cdpa_octets = <uint16_t>left(value)
    read_party(m, &m.called, value)


cdef inline void calling_party(Msg* m, Cursor* value) noexcept nogil:
    m.cgpa_offset = <uint16_t>where(m, value)
    m.cgpa_octets = <uint16_t>left(value)
    read_party(m, &m.calling, value)


cdef void unitdata(Msg* m, Parts* s) noexcept nogil:
    """UDT UDTS (Q.713 4.10, 4.11), XUDT XUDTS (4.18, 4.19), LUDT LUDTS (4.20, 4.21): called, calling, data, options."""
    cdef int long_ = m.type == SCCP_LUDT or m.type == SCCP_LUDTS
    cdef uint32_t pointer = 1 + long_
    cdef uint32_t at = 2
    cdef Cursor called, calling, data
    if m.type == SCCP_UDT or m.type == SCCP_XUDT or m.type == SCCP_LUDT:
        protocol_class(m, m.sccp[1], 1)
    else:
        m.return_cause = m.sccp[1]
        m.has_return_cause = 1
    if m.type > SCCP_IT:
        hop_counter(m, m.sccp[2], 2)
        at = 3
    if not long_ and in_order(m, s, at, &called, &calling, &data):
        called_party(m, &called)
        calling_party(m, &calling)
        m.data_offset = where(m, &data)
        m.data = data.p
        m.data_octets = left(&data)
        if m.type <= SCCP_IT:  # nothing stands behind the data
            if m.data_offset + m.data_octets < s.octets:
                fail(m, LAYER_SCCP, E_TRAILING, m.data_offset + m.data_octets)
            return
        claim(s, m.cdpa_offset - 1, m.cdpa_offset + m.cdpa_octets)
        claim(s, m.cgpa_offset - 1, m.cgpa_offset + m.cgpa_octets)
        claim(s, m.data_offset - 1, m.data_offset + m.data_octets)
    else:
        if variable(m, s, at, long_, 0, &called) == OK:
            called_party(m, &called)
        if variable(m, s, at + pointer, long_, 0, &calling) == OK:
            calling_party(m, &calling)
        if variable(m, s, at + 2 * pointer, long_, long_, &data) == OK:
            m.data_offset = where(m, &data)
            if left(&data) > MAX_USER_OCTETS:
                fail(m, LAYER_SCCP, E_BAD_LENGTH, m.data_offset)
            else:
                m.data = data.p
                m.data_octets = left(&data)
    if m.type > SCCP_IT:
        options(m, s, at + 3 * pointer, long_)
    trailing(m, s)


cdef void trailing(Msg* m, const Parts* s) noexcept nogil:
    """Octets behind the last part belong to nobody: another reader may take them for something."""
    cdef uint32_t end = s.fixed
    cdef int i
    for i in range(s.n):
        if s.end[i] > end:
            end = s.end[i]
    if end < s.octets:
        fail(m, LAYER_SCCP, E_TRAILING, end)


cdef void connection(Msg* m, Parts* s, Cursor* c) noexcept nogil:
    """CR CC CREF RLSD (Q.713 4.2 to 4.5): class, addresses, hop counter. Of the others the type is all that is read."""
    cdef uint8_t octet = 0
    cdef Cursor value
    if m.type == SCCP_CR or m.type == SCCP_CC or m.type == SCCP_IT:
        skip(c, 3 if m.type == SCCP_CR else 6)
        read_u8(c, &octet)
        protocol_class(m, octet, where(m, c) - 1)
    if m.type == SCCP_CR and variable(m, s, 5, 0, 0, &value) == OK:
        read_party(m, &m.called, &value)
    if m.type <= SCCP_RLSD:
        options(m, s, s.fixed - 1, 0)


cdef void sccp_message(Msg* m) noexcept nogil:
    cdef Parts s
    cdef Cursor c
    s.octets = m.sccp_octets if m.sccp_octets < MAX_MESSAGE else MAX_MESSAGE
    s.n = 0
    c = cursor(m.sccp, s.octets)
    if read_u8(&c, &m.type) != OK:
        fail(m, LAYER_SCCP, E_TRUNCATED, 0)
        return
    if m.type == 0 or m.type > SCCP_LUDTS:
        fail(m, LAYER_SCCP, E_UNKNOWN_TYPE, 0)
        return
    s.fixed = FIXED_OCTETS[m.type]
    if s.octets < s.fixed:
        fail(m, LAYER_SCCP, E_TRUNCATED, s.octets)
        return
    if m.type > SCCP_IT or m.type == SCCP_UDT or m.type == SCCP_UDTS:
        unitdata(m, &s)
    else:
        connection(m, &s, &c)


cdef void sccp_group(Group* g) noexcept nogil:
    cdef int i
    for i in range(g.n):
        if g.msgs[i].sccp != NULL:
            sccp_message(&g.msgs[i])


cdef void sccp_management(Msg* m) noexcept nogil:
    """SSA SSP SST SOR SOG SSC (Q.713 5.3): affected SSN, affected PC, multiplicity; SSC has a congestion level too.

    ANSI has SBR SNR SRT beside them (T1.112.3), of the same parts. Where a PC has 24 bits it takes three octets.
    """
    cdef Cursor c = cursor(m.data, m.data_octets)
    cdef bint wide = m.variant > VARIANT_ITU
    cdef uint8_t type_ = 0
    cdef uint16_t pc = 0
    if m.data == NULL or read_u8(&c, &type_) != OK or type_ == 0:
        return
    if type_ > SCMG_SSC and not (m.variant == VARIANT_ANSI and type_ >= SCMG_SBR):
        return
    m.management = type_
    if m.data_octets != <uint32_t>(5 + wide + (type_ == SCMG_SSC)):
        fail(m, LAYER_SCCP, E_BAD_LENGTH, m.data_offset)
        return
    read_u8(&c, &m.affected_ssn)
    if wide:
        read_u24le(&c, &m.affected_pc)
    else:
        read_u16le(&c, &pc)
        m.affected_pc = pc & 0x3FFF


cdef dict party_dict(const Party* a):
    if not a.present:
        return None
    gt = "".join(["0123456789abcdef"[digit_at(&a.gt, i)] for i in range(a.gt.count)])
    return {
        "route_on": "ssn" if a.route_on_ssn else "gt",
        "gti": a.gti,
        "tt": a.tt if a.has & HAS_TT else None,
        "np": a.np if a.has & HAS_NP else None,
        "es": a.es if a.has & HAS_ES else None,
        "nai": a.nai if a.has & HAS_NAI else None,
        "digits": gt if a.has & HAS_GT else None,
        "ssn": a.ssn if a.has & HAS_SSN else None,
        "pc": a.pc if a.has & HAS_PC else None,
    }


def parse(const uint8_t[::1] octets not None, uint8_t variant=VARIANT_ITU):
    cdef Msg m
    cdef uint8_t nothing = 0
    memset(&m, 0, sizeof(Msg))
    m.variant = variant
    m.sccp = &octets[0] if octets.shape[0] else &nothing
    m.sccp_octets = <uint32_t>min(octets.shape[0], MAX_MESSAGE)
    sccp_message(&m)
    if m.called.ssn == 1 or m.calling.ssn == 1:
        sccp_management(&m)
    return {
        "type": m.type,
        "class": m.protocol_class if m.has_class else None,
        "return_on_error": bool(m.return_on_error),
        "hop_counter": m.hop_counter if m.has_hop_counter else None,
        "return_cause": m.return_cause if m.has_return_cause else None,
        "called": party_dict(&m.called),
        "calling": party_dict(&m.calling),
        "segmentation": {
            "first": bool(m.segment_first),
            "remaining": m.segment_remaining,
            "local_reference": bytes(<uint8_t[:3]>m.local_reference).hex(),
            "class": m.segment_class,
        } if m.segmented else None,
        "management": {
            "type": m.management,
            "affected_ssn": m.affected_ssn,
            "affected_pc": m.affected_pc,
        } if m.management else None,
        "data": (<const char*>m.data)[:m.data_octets] if m.data != NULL else None,
        "error": (m.error_layer, m.error_code, m.error_offset) if m.error_code else None,
    }
