# TCAP (ITU-T Q.773), as the second stage after SCCP: what a message is, its dialogue portion and every component.
#
#   package  61 Unidirectional  62 Begin  64 End  65 Continue  67 Abort
#     48 OTID  49 DTID  4A P-abort cause
#     6B dialogue portion: 28 EXTERNAL { 06 abstract syntax  A0 { 60 AARQ | 61 AARE | 64 ABRT } }
#     6C component portion: A1 Invoke  A2 ReturnResultLast  A3 ReturnError  A4 Reject  A7 ReturnResultNotLast
#
# What breaks the recommendation is noted once (Msg.error_*) and reading goes on where it can: a message is judged by
# everything it carries, so that a spoilt first component hides no second one.

from libc.stdint cimport int8_t, int32_t, uint8_t, uint16_t, uint32_t
from libc.string cimport memcmp, memcpy, memset

from sigfw._core.ber cimport (
    CONSTRUCTED, TAG_EXTERNAL, TAG_INTEGER, TAG_NULL, TAG_OID, TAG_SEQUENCE, Tlv, ber_arc, ber_find_end, ber_header,
    ber_int, ber_next, ber_next_is,
)
from sigfw._core.msg cimport (
    APP_CAP, APP_MAP, E_BAD_LENGTH, E_BAD_TAG, E_BAD_VALUE, E_DUPLICATE, E_LENGTH_OVERRUN, E_MISSING, E_TOO_MANY,
    E_TRAILING, E_TRUNCATED, EX_NOT_TCAP, HAS_SSN, INVOKE, LAYER_COMPONENT, LAYER_TCAP, MAX_COMPONENTS, OK,
    OPCODE_GLOBAL, OPCODE_LOCAL, REJECT_COMPONENT, RETURN_ERROR, RETURN_RESULT_LAST, RETURN_RESULT_NOT_LAST,
    SEGMENT_FINAL, SEGMENT_NONE, TCAP_ABORT, TCAP_BEGIN, TCAP_CONTINUE, TCAP_END, TCAP_UNIDIRECTIONAL, Component,
    Group, Msg, fail,
)
from sigfw._core.sccp cimport sccp_management
from sigfw._core.tcap_ansi cimport tcap_ansi_message
from sigfw._core.wire cimport Cursor, cursor, left, read_u8

cdef enum:
    SSN_MANAGEMENT = 1     # Q.713 3.4.2.2
    TAG_OTID = 0x48
    TAG_DTID = 0x49
    TAG_P_ABORT = 0x4A
    TAG_DIALOGUE = 0x6B
    TAG_COMPONENTS = 0x6C
    TAG_DESCRIPTOR = 0x07  # ObjectDescriptor
    EXTERNAL_SINGLE = 0xA0     # encodings of an EXTERNAL, X.690 8.18
    EXTERNAL_ALIGNED = 0x81
    EXTERNAL_ARBITRARY = 0x82
    # parts of a package, as bits
    HAS_OTID = 1
    HAS_DTID = 2
    HAS_P_ABORT = 4
    HAS_DIALOGUE = 8
    HAS_COMPONENTS = 16

cdef const char* DIALOGUE_AS = b"\x00\x11\x86\x05\x01\x01\x01"  # 0.0.17.773.1.1.1
cdef const char* UNIDIALOGUE_AS = b"\x00\x11\x86\x05\x01\x02\x01"  # 0.0.17.773.1.2.1
# The usual dialogue portions as far as the ACN: an AARQ and an AARE of version 1.
cdef const char* AARQ_TO_ACN = (b"\x28\x1c\x06\x07\x00\x11\x86\x05\x01\x01\x01\xa0\x11\x60\x0f\x80\x02\x07\x80"
                                b"\xa1\x09\x06\x07")
cdef const char* AARE_TO_ACN = (b"\x28\x28\x06\x07\x00\x11\x86\x05\x01\x01\x01\xa0\x1d\x61\x1b\x80\x02\x07\x80"
                                b"\xa1\x09\x06\x07")
cdef const char* MAP_CONTEXT = b"\x04\x00\x00\x01\x00"  # 0.4.0.0.1.0
cdef const char* MAP_DIALOGUE_AS = b"\x04\x00\x00\x01\x01\x01\x01"  # 0.4.0.0.1.1.1.1, TS 29.002 17.4


cdef bint ssn_is_map(uint8_t ssn) noexcept nogil:
    """MAP (5), HLR, VLR, MSC, EIR, AuC (TS 23.003 clause 8, Q.713 3.4.2.2); GMLC, gsmSCF, SIWF, SGSN, GGSN, CSS."""
    return 5 <= ssn <= 10 or ssn == 145 or 147 <= ssn <= 150 or ssn == 248


cdef bint ssn_is_cap(uint8_t ssn) noexcept nogil:
    return ssn == 146  # TS 23.003 clause 8


cdef bint ssn_speaks_tcap(uint8_t ssn) noexcept nogil:
    """What lies on it can only be TCAP; else it may be another user's, whose octets are not ours to judge.

    Beside MAP and CAP: OMAP (4), ISDN supplementary services (11), 12 (international, used for INAP), TC test responder
    (14) of Q.713 3.4.2.2, and 241 (national, used for INAP). Others' are: SCCP management (1), ISUP (3), RANAP (142),
    RNSAP (143), PCAP (249), BSSAP-LE (250 to 252), BSS O&M (253), BSSAP (254) and what is not assigned.
    """
    return ssn_is_map(ssn) or ssn_is_cap(ssn) or ssn == 4 or ssn == 11 or ssn == 12 or ssn == 14 or ssn == 241


cdef inline uint32_t at(const Msg* m, const uint8_t* p) noexcept nogil:
    """Octets from the start of the SCCP message (of the reassembled data for a final segment) to p."""
    return <uint32_t>(p - m.data) + (m.data_offset if m.segment_state == SEGMENT_NONE else 0)


cdef inline void bad(Msg* m, int code, const uint8_t* p) noexcept nogil:
    fail(m, LAYER_TCAP, <uint8_t>code, at(m, p))


cdef inline void bad_component(Msg* m, Component* c, int code, const uint8_t* p) noexcept nogil:
    if c.error_code_ == 0:
        c.error_code_ = <uint8_t>code
    fail(m, LAYER_COMPONENT, <uint8_t>code, at(m, p))


cdef bint salvage(Cursor* c, Tlv* t) noexcept nogil:
    """What there is of a TLV that claims more than its container holds, or never ends: a lax reader sees that, too.

    Behind end-of-contents octets that end nothing, the next TLV; one whose identifier is none has id 0, and ends where
    it says.
    """
    cdef Cursor at = c[0]
    cdef const uint8_t* end
    cdef uint32_t octets = 0
    cdef bint indefinite
    cdef int status
    while left(c) >= 2 and c.p[0] == 0 and c.p[1] == 0:
        c.p += 2
    if at.p != c.p:
        if c.p == c.end:
            return False
        if ber_next(c, t) == OK:
            return True
        at = c[0]
    status = ber_header(&at, &t.id, &octets, &indefinite)
    if (status != OK and status != E_LENGTH_OVERRUN) or (t.id == 0 and c.p[0] == 0):
        return False
    t.start = c.p
    t.content = at
    c.p = c.end
    if t.id == 0 and status == OK:
        if not indefinite:
            c.p = at.p + octets
        elif ber_find_end(at, &end) == OK:
            c.p = end + 2
    return True


cdef uint8_t package_type(uint32_t tag) noexcept nogil:
    if tag == 0x62:
        return TCAP_BEGIN
    if tag == 0x65:
        return TCAP_CONTINUE
    if tag == 0x64:
        return TCAP_END
    if tag == 0x67:
        return TCAP_ABORT
    if tag == 0x61:
        return TCAP_UNIDIRECTIONAL
    return 0


cdef void not_tcap(Msg* m) noexcept nogil:
    """The user data begin with no tag of TCAP: another user's by its subsystem number, or garbage."""
    cdef uint8_t called = m.called.ssn if m.called.has & HAS_SSN else 0
    cdef uint8_t calling = m.calling.ssn if m.calling.has & HAS_SSN else 0
    if called == SSN_MANAGEMENT or (called == 0 and calling == SSN_MANAGEMENT):
        m.exceptions |= EX_NOT_TCAP
        sccp_management(m)
    elif called != 0 and not ssn_speaks_tcap(called):
        m.exceptions |= EX_NOT_TCAP
    else:
        bad(m, E_BAD_TAG if m.data_octets else E_TRUNCATED, m.data)


cdef void transaction_id(Msg* m, const Tlv* t, uint8_t* octets, uint8_t* n) noexcept nogil:
    """Q.773: one to four octets. What is longer is malformed, and none: its first four may be another dialogue's."""
    cdef uint32_t length = left(&t.content)
    if length == 0 or length > 4:
        bad(m, E_BAD_LENGTH, t.start)
        length = 0
    memcpy(octets, t.content.p, length)
    n[0] = <uint8_t>length


cdef inline bint usual_id(Cursor* c, uint8_t tag, uint8_t* octets, uint8_t* n) noexcept nogil:
    """One of four octets."""
    if left(c) < 6 or c.p[0] != tag or c.p[1] != 4:
        return False
    memcpy(octets, c.p + 2, 4)
    n[0] = 4
    c.p += 6
    return True


cdef uint8_t cap_context(uint32_t x) noexcept nogil:
    """The contexts of TS 29.078, by the last arc under cap3 (20), cap3OE (21), cap4 (22) and cap4OE (23)."""
    if x == 4 or x == 8:  # gsmSSF-scfGeneric, scf-gsmSSFGeneric
        return CAP_GSMSSF
    if x == 6:
        return CAP_ASSIST_GSMSSF
    if x == 14:
        return CAP_GSMSRF
    if x == 50 or x == 51:
        return CAP_GPRSSSF
    if x == 61:
        return CAP_SMS
    return 0


cdef void context_name(Msg* m, const Tlv* t) noexcept nogil:
    """Recognise an ACN: MAP 0.4.0.0.1.0.x.v, CAP 0.4.0.0.1.0.50.x (51, 52), 0.4.0.0.1.y.3.x with y from 20 to 23."""
    cdef uint32_t[8] arcs
    cdef uint32_t arc
    cdef int n = 0
    cdef uint8_t application = 0, context = 0, version = 0
    cdef Cursor c = t.content
    if left(&c) == 0:
        bad(m, E_BAD_LENGTH, t.start)
        return
    if left(&c) == 7 and memcmp(c.p, MAP_CONTEXT, 5) == 0 and not (c.p[5] | c.p[6]) & 0x80:  # nearly all
        application, context, version = APP_MAP, c.p[5], c.p[6]
        c.p = c.end
    while c.p != c.end:
        if ber_arc(&c, &arc) != OK:
            bad(m, E_BAD_VALUE, t.start)
            return
        if n < 8:
            arcs[n] = arc
        n += 1
    # The first subidentifier holds two arcs: 0.4 is 4.
    if n < 7 or arcs[0] != 4 or arcs[1] or arcs[2] or arcs[3] != 1 or arcs[5] > 255 or arcs[6] > 255:
        pass
    elif arcs[4] == 0:
        application = APP_MAP
        context = <uint8_t>arcs[5]
        version = <uint8_t>arcs[6]
    elif 20 <= arcs[4] <= 23 and arcs[5] == 3:
        application = APP_CAP
        context = cap_context(arcs[6])
        version = 3 if arcs[4] < 22 else 4
    if application == APP_MAP and 50 <= context <= 52:  # phases 1 (…50.0) and 2
        application = APP_CAP
        context = <uint8_t>(CAP_GSMSSF + context - 50)
        version = <uint8_t>(version + 1 if version < 255 else 255)
    if m.acn_octets:
        bad(m, E_DUPLICATE, t.start)
        if application != m.acn_application:  # which of the two a receiver takes is not known
            m.acn_contradicts |= <uint8_t>(1 << application | 1 << m.acn_application)
            m.acn_application = 0
        return
    m.acn_offset = <uint16_t>(t.content.p - m.data)
    m.acn_octets = <uint16_t>left(&t.content)
    m.acn_application = application
    m.acn_context = context
    m.acn_version = version
    if application and n > 7:  # further arcs below a known context: seen in the wild to pass filters
        bad(m, E_BAD_VALUE, t.start)


cdef void map_dialogue(Msg* m, const Tlv* encoding) noexcept nogil:
    """What an EXTERNAL holds (X.690 8.18), by any of its encodings, as MAP's dialogue PDU: map-open alone says anything."""
    cdef Cursor pdus = encoding.content
    cdef Tlv pdu
    cdef uint8_t unused_bits = 0
    cdef int status
    if encoding.id == EXTERNAL_ARBITRARY and (read_u8(&pdus, &unused_bits) != OK or unused_bits):
        bad(m, E_BAD_VALUE, encoding.start)
        return
    status = ber_next(&pdus, &pdu)
    if status != OK:
        bad(m, status, pdus.p)
    elif pdus.p != pdus.end:
        bad(m, E_TRAILING, pdus.p)
    elif pdu.id == 0xA0 and left(&pdu.content):
        if m.open_octets:
            bad(m, E_DUPLICATE, pdu.start)
        else:
            m.open_offset = <uint16_t>(pdu.content.p - m.data)
            m.open_octets = <uint16_t>left(&pdu.content)


cdef void external(Msg* m, const Tlv* whole) noexcept nogil:
    """One EXTERNAL of the user information. Another's abstract syntax is nobody's business here; none at all may be MAP's."""
    cdef Cursor parts = whole.content
    cdef Tlv part, encoding
    cdef bint named = False, is_map = False
    cdef int status
    memset(&encoding, 0, sizeof(Tlv))
    while parts.p != parts.end:
        status = ber_next(&parts, &part)
        if status != OK:
            bad(m, status, parts.p)
            break
        if part.id == TAG_OID:
            if named:
                bad(m, E_DUPLICATE, part.start)
            elif encoding.start != NULL:  # a SEQUENCE, and the name comes first in it
                bad(m, E_BAD_TAG, part.start)
            named = True
            is_map |= left(&part.content) == 7 and memcmp(part.content.p, MAP_DIALOGUE_AS, 7) == 0
        elif part.id == EXTERNAL_SINGLE or part.id == EXTERNAL_ALIGNED or part.id == EXTERNAL_ARBITRARY:
            if encoding.start != NULL:
                bad(m, E_DUPLICATE, part.start)
            else:
                encoding = part
        elif part.id != TAG_INTEGER and part.id != TAG_DESCRIPTOR:
            bad(m, E_BAD_TAG, part.start)
    if not named:
        bad(m, E_MISSING, whole.start)
    if encoding.start != NULL and (is_map or not named):
        map_dialogue(m, &encoding)


cdef void user_information(Msg* m, const Tlv* information) noexcept nogil:
    """SEQUENCE OF EXTERNAL; of interest is the MAP-OpenInfo of MAP's dialogue PDUs (TS 29.002 17.4)."""
    cdef Cursor externals = information.content
    cdef Tlv t
    cdef int status
    while externals.p != externals.end:
        status = ber_next(&externals, &t)
        if status != OK:
            bad(m, status, externals.p)
            return
        if t.id != TAG_EXTERNAL:
            bad(m, E_BAD_TAG, t.start)
        else:
            external(m, &t)


cdef void dialogue_pdu(Msg* m, const Tlv* pdu, bint structured) noexcept nogil:
    """AARQ and AUDT (60), AARE (61), ABRT (64) of Q.773. A missing protocol version means version 1."""
    cdef Cursor c = pdu.content
    cdef Cursor names
    cdef Tlv t, name
    cdef int status
    cdef bint acn = False
    if pdu.id != 0x60 and not (structured and (pdu.id == 0x61 or pdu.id == 0x64)):
        bad(m, E_BAD_TAG, pdu.start)
        if pdu.id != 0x61 and pdu.id != 0x64:  # an AARE for an AUDT carries an ACN all the same
            return
    while c.p != c.end:
        status = ber_next(&c, &t)
        if status != OK:
            bad(m, status, c.p)
            return
        if t.id == 0xBE:
            user_information(m, &t)
        elif t.id == 0x80:
            continue  # protocol version; abort source in ABRT
        elif t.id == 0xA1 and pdu.id != 0x64:
            names = t.content
            status = ber_next(&names, &name)
            if status != OK:
                bad(m, status, names.p)
            elif name.id != TAG_OID:
                bad(m, E_BAD_TAG, name.start)
            else:
                acn = True
                context_name(m, &name)
                if names.p != names.end:
                    bad(m, E_TRAILING, names.p)
        elif not (pdu.id == 0x61 and (t.id == 0xA2 or t.id == 0xA3)):  # result, result source diagnostic
            bad(m, E_BAD_TAG, t.start)
    if not acn and pdu.id != 0x64:
        bad(m, E_MISSING, pdu.start)


cdef inline bint usual_dialogue(Msg* m, const Cursor* c) noexcept nogil:
    """The dialogue portions that nearly all senders write, recognised by the octets that any_dialogue looks at.

    28 L 06 07 DIALOGUE_AS A0 L 60 L 80 02 version A1 09 06 07 ACN, or 61 and behind the ACN A2 03 result A3 05 diagnostic.
    Anything else, and whatever has user information, is any_dialogue's.
    """
    cdef const uint8_t* p = c.p
    cdef uint32_t n = left(c)
    cdef Tlv name
    if n == 30:
        if memcmp(p, AARQ_TO_ACN, 23) != 0:
            return False
    elif n != 42 or memcmp(p, AARE_TO_ACN, 23) != 0 or p[30] != 0xA2 or p[31] != 3 or p[35] != 0xA3 or p[36] != 5:
        return False
    name.start = p + 21
    name.id = TAG_OID
    name.content = cursor(p + 23, 7)
    context_name(m, &name)
    return True


cdef void dialogue_portion(Msg* m, const Tlv* portion) noexcept nogil:
    if not usual_dialogue(m, &portion.content):
        any_dialogue(m, portion)


cdef void any_dialogue(Msg* m, const Tlv* portion) noexcept nogil:
    cdef Cursor c = portion.content
    cdef Cursor pdus
    cdef Tlv whole, t, pdu
    cdef int status = ber_next(&c, &whole)
    cdef bint known = False, structured = True, carries = False
    if status != OK:
        bad(m, status, c.p)
        return
    if whole.id != TAG_EXTERNAL:
        bad(m, E_BAD_TAG, whole.start)
        return
    if c.p != c.end:
        bad(m, E_TRAILING, c.p)
    c = whole.content
    while c.p != c.end:
        status = ber_next(&c, &t)
        if status != OK:
            bad(m, status, c.p)
            return
        if t.id == TAG_OID:
            known = left(&t.content) == 7
            if known and memcmp(t.content.p, UNIDIALOGUE_AS, 7) == 0:
                structured = False
            else:
                known = known and memcmp(t.content.p, DIALOGUE_AS, 7) == 0
            if not known:  # Q.773 lets others define theirs; none is read here, and none may hide an ACN
                bad(m, E_BAD_VALUE, t.start)
        elif t.id == 0xA0 or t.id == 0x81 or t.id == 0x82:
            carries = True
            pdus = t.content
            if t.id != 0xA0:  # Q.773 has single-ASN1-type alone; an ACN in another encoding is read all the same
                bad(m, E_BAD_TAG, t.start)
            if t.id == 0x82 and pdus.p != pdus.end:  # unused bits
                pdus.p += 1
            status = ber_next(&pdus, &pdu)
            if status != OK:
                bad(m, status, pdus.p)
                continue
            dialogue_pdu(m, &pdu, structured)
            if pdus.p != pdus.end:
                bad(m, E_TRAILING, pdus.p)
            if not known:
                bad(m, E_MISSING, whole.start)
        else:
            bad(m, E_BAD_TAG, t.start)
    if not carries:
        bad(m, E_MISSING, whole.start)


cdef void operation_code(Msg* m, Component* c, const Tlv* t) noexcept nogil:
    """Local integer or global OID (Q.773). A global one is read by its last arc, and keeps its octets."""
    cdef Cursor arcs
    cdef uint32_t arc = 0
    cdef int status
    if t.id == TAG_INTEGER:
        c.opcode_form = OPCODE_LOCAL
        status = ber_int(&t.content, &c.opcode)
        if status == OK and c.opcode < 0:
            status = E_BAD_VALUE
        c.opcode_padded = status == OK and left(&t.content) > 1 and t.content.p[0] == 0 and t.content.p[1] < 0x80
        if status != OK:
            c.opcode = -1
            bad_component(m, c, status, t.start)
        return
    if t.id != TAG_OID:
        bad_component(m, c, E_BAD_TAG, t.start)
        return
    c.opcode_form = OPCODE_GLOBAL
    c.opcode = -1
    c.oid_offset = <uint16_t>(t.content.p - m.data)
    c.oid_octets = <uint16_t>left(&t.content)
    arcs = t.content
    status = OK if arcs.p != arcs.end else E_BAD_LENGTH
    while status == OK and arcs.p != arcs.end:
        status = ber_arc(&arcs, &arc)
    if status != OK:
        bad_component(m, c, E_BAD_VALUE, t.start)
    else:
        c.opcode = <int32_t>arc


cdef void parameter(Msg* m, Component* c, Cursor* rest) noexcept nogil:
    """What follows the code: one TLV at most. Where there is none, argument_offset is where it would stand."""
    cdef Tlv t
    cdef int status
    c.argument_offset = <uint16_t>(rest.p - m.data)
    if rest.p == rest.end:
        return
    status = ber_next(rest, &t)
    if status != OK:
        bad_component(m, c, status, rest.p)
        return
    c.argument_offset = <uint16_t>(t.start - m.data)
    c.argument_octets = <uint16_t>(rest.p - t.start)
    if rest.p != rest.end:
        bad_component(m, c, E_TRAILING, rest.p)


cdef bint next_part(Msg* m, Component* c, Cursor* rest, Tlv* t) noexcept nogil:
    """The next TLV of a component where there must be one."""
    cdef int status = E_MISSING if rest.p == rest.end else ber_next(rest, t)
    if status != OK:
        bad_component(m, c, status, rest.p)
    return status == OK


cdef void invoke_identifier(Msg* m, Component* c, const Tlv* t) noexcept nogil:
    cdef int status
    if t.id == TAG_NULL and c.type == REJECT_COMPONENT and left(&t.content) == 0:
        return
    if t.id != TAG_INTEGER:
        bad_component(m, c, E_BAD_TAG, t.start)
        return
    status = ber_int(&t.content, &c.invoke_id)
    if status == OK and not -128 <= c.invoke_id <= 127:  # Q.773: InvokeIdType
        status = E_BAD_VALUE
    if status != OK:
        bad_component(m, c, status, t.start)
    else:
        c.invoke_id_present = 1


cdef inline bint usual_invoke(Component* c, Cursor* rest) noexcept nogil:
    """Identifier and local code, an octet each."""
    cdef const uint8_t* p = rest.p
    if left(rest) < 6 or p[0] != TAG_INTEGER or p[1] != 1 or p[3] != TAG_INTEGER or p[4] != 1 or p[5] & 0x80:
        return False
    c.invoke_id = <int8_t>p[2]
    c.invoke_id_present = 1
    c.opcode_form = OPCODE_LOCAL
    c.opcode = p[5]
    rest.p += 6
    return True


cdef void component(Msg* m, Component* c, const Tlv* whole) noexcept nogil:
    cdef Cursor rest = whole.content
    cdef Tlv t
    cdef int status
    if c.type == INVOKE and usual_invoke(c, &rest):
        parameter(m, c, &rest)
        return
    if not next_part(m, c, &rest, &t):
        return
    invoke_identifier(m, c, &t)
    if c.type == INVOKE:
        if not next_part(m, c, &rest, &t):
            return
        if t.id == 0x80 or t.id == 0x80 | CONSTRUCTED:  # linked id, which is primitive; some read on behind another one
            if t.id != 0x80:
                bad_component(m, c, E_BAD_TAG, t.start)
            elif left(&t.content) == 0 or left(&t.content) > 4:
                bad_component(m, c, E_BAD_LENGTH, t.start)
            if not next_part(m, c, &rest, &t):
                return
        operation_code(m, c, &t)
        parameter(m, c, &rest)
    elif c.type == RETURN_ERROR:
        if not next_part(m, c, &rest, &t):
            return
        if t.id == TAG_INTEGER:
            status = ber_int(&t.content, &c.error_code)
            c.error_code_present = status == OK
            if status != OK:
                bad_component(m, c, status, t.start)
        elif t.id != TAG_OID:  # a global error code is one
            bad_component(m, c, E_BAD_TAG, t.start)
        parameter(m, c, &rest)
    elif c.type == REJECT_COMPONENT:
        if not next_part(m, c, &rest, &t):
            return
        if not 0x80 <= t.id <= 0x83:  # general, invoke, returnResult, returnError problem
            bad_component(m, c, E_BAD_TAG, t.start)
        if rest.p != rest.end:
            bad_component(m, c, E_TRAILING, rest.p)
    elif rest.p != rest.end:
        if not next_part(m, c, &rest, &t):
            return
        if t.id != TAG_SEQUENCE:
            bad_component(m, c, E_BAD_TAG, t.start)
            return
        if rest.p != rest.end:
            bad_component(m, c, E_TRAILING, rest.p)
        rest = t.content
        if next_part(m, c, &rest, &t):
            operation_code(m, c, &t)
            parameter(m, c, &rest)


cdef uint8_t component_type(uint32_t tag) noexcept nogil:
    if tag == 0xA1:
        return INVOKE
    if tag == 0xA2:
        return RETURN_RESULT_LAST
    if tag == 0xA3:
        return RETURN_ERROR
    if tag == 0xA4:
        return REJECT_COMPONENT
    if tag == 0xA7:
        return RETURN_RESULT_NOT_LAST
    return 0


cdef void component_portion(Group* g, Msg* m, const Tlv* portion) noexcept nogil:
    cdef Cursor rest = portion.content
    cdef Component* c
    cdef Tlv t
    cdef uint8_t kind
    cdef int status
    if rest.p == rest.end:  # Q.773: a component portion holds at least one
        fail(m, LAYER_COMPONENT, E_MISSING, at(m, portion.start))
    while rest.p != rest.end:
        status = ber_next(&rest, &t)
        if status != OK:
            fail(m, LAYER_COMPONENT, <uint8_t>status, at(m, rest.p))
            if not salvage(&rest, &t):
                return
        kind = component_type(t.id)
        if kind == 0:
            fail(m, LAYER_COMPONENT, E_BAD_TAG, at(m, t.start))
            continue
        if m.n_components == MAX_COMPONENTS:
            fail(m, LAYER_COMPONENT, E_TOO_MANY, at(m, t.start))
            return
        c = &m.components[m.n_components]
        memset(c, 0, sizeof(Component))
        m.n_components += 1
        g.n_components += 1
        c.type = kind
        component(m, c, &t)
        # Nothing was asked before a Begin, and nothing can be answered outside a transaction.
        if kind != INVOKE and (m.tcap == TCAP_BEGIN or (m.tcap == TCAP_UNIDIRECTIONAL and kind != REJECT_COMPONENT)):
            bad_component(m, c, E_BAD_VALUE, t.start)


cdef void package(Group* g, Msg* m, const Tlv* whole) noexcept nogil:
    """What each package type must and may hold. Order is not held against it."""
    cdef Cursor rest = whole.content
    cdef Tlv t
    cdef int status
    cdef uint32_t seen = 0, part, must, may
    if m.tcap == TCAP_BEGIN:
        must, may = HAS_OTID, HAS_DIALOGUE | HAS_COMPONENTS
    elif m.tcap == TCAP_CONTINUE:
        must, may = HAS_OTID | HAS_DTID, HAS_DIALOGUE | HAS_COMPONENTS
    elif m.tcap == TCAP_END:
        must, may = HAS_DTID, HAS_DIALOGUE | HAS_COMPONENTS
    elif m.tcap == TCAP_ABORT:
        must, may = HAS_DTID, HAS_DIALOGUE | HAS_P_ABORT
    else:
        must, may = HAS_COMPONENTS, HAS_DIALOGUE
    # As nearly all senders write them; what is left then is read part by part.
    if must & HAS_OTID and usual_id(&rest, TAG_OTID, m.otid, &m.otid_octets):
        seen |= HAS_OTID
    if must & HAS_DTID and usual_id(&rest, TAG_DTID, m.dtid, &m.dtid_octets):
        seen |= HAS_DTID
    if ber_next_is(&rest, TAG_DIALOGUE, &t):
        dialogue_portion(m, &t)
        seen |= HAS_DIALOGUE
    if (must | may) & HAS_COMPONENTS and ber_next_is(&rest, TAG_COMPONENTS, &t):
        component_portion(g, m, &t)
        seen |= HAS_COMPONENTS
    while rest.p != rest.end:
        status = ber_next(&rest, &t)
        if status != OK:
            bad(m, status, rest.p)
            if not salvage(&rest, &t):
                return
        if t.id == TAG_OTID:
            part = HAS_OTID
        elif t.id == TAG_DTID:
            part = HAS_DTID
        elif t.id == TAG_P_ABORT:
            part = HAS_P_ABORT
        elif t.id == TAG_DIALOGUE:
            part = HAS_DIALOGUE
        elif t.id == TAG_COMPONENTS:
            part = HAS_COMPONENTS
        else:
            bad(m, E_BAD_TAG, t.start)
            continue
        if not part & (must | may):  # read all the same: an Abort's Invokes count
            bad(m, E_BAD_TAG, t.start)
        if part & seen:
            bad(m, E_DUPLICATE, t.start)
        if part == HAS_DIALOGUE:
            dialogue_portion(m, &t)
        elif part == HAS_COMPONENTS:
            component_portion(g, m, &t)
        elif part == HAS_OTID and not part & seen:
            transaction_id(m, &t, m.otid, &m.otid_octets)
        elif part == HAS_DTID and not part & seen:
            transaction_id(m, &t, m.dtid, &m.dtid_octets)
        seen |= part
    if must & ~seen:
        bad(m, E_MISSING, whole.start)
    if m.tcap == TCAP_ABORT and seen & HAS_P_ABORT and seen & HAS_DIALOGUE:  # one reason: Q.773 has a CHOICE there
        bad(m, E_DUPLICATE, whole.start)


cdef void tcap_message(Group* g, Msg* m) noexcept nogil:
    cdef Cursor c = cursor(m.data, m.data_octets)
    cdef Tlv whole
    cdef int status
    cdef uint8_t kind
    status = ber_next(&c, &whole)
    kind = package_type(whole.id)  # of one that is cut or claims too much as well
    if kind == 0:
        if not tcap_ansi_message(g, m):
            not_tcap(m)
        return
    if m.data_octets > 0xFFFF:  # offsets are 16 bits wide; no SCCP message is longer
        bad(m, E_TOO_MANY, m.data)
        return
    m.tcap = kind
    if status != OK:
        bad(m, status, m.data)
        if not salvage(&c, &whole):
            return
    package(g, m, &whole)
    if c.p != c.end:
        bad(m, E_TRAILING, c.p)


cdef void tcap_group(Group* g) noexcept nogil:
    cdef int i
    cdef Msg* m
    for i in range(g.n):
        m = &g.msgs[i]
        m.components = &g.components[g.n_components]
        m.n_components = 0
        if m.data != NULL and (m.segment_state == SEGMENT_NONE or m.segment_state == SEGMENT_FINAL):
            tcap_message(g, m)
