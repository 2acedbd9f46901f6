# ANSI TCAP (T1.114.3). Its tags are private, those of Q.773 are not: the first octet tells the two apart, on any link.
#
#   package  E1 Unidirectional  E2 E3 Query  E4 Response  E5 E6 Conversation  F6 Abort   (with, without permission)
#     C7 transaction ids: none; originating of a Query; responding of a Response or Abort; both of a Conversation
#     F9 dialogue portion: DA version  DB DC application context, integer or OID  FD user information
#        80 81 security context  A2 confidentiality
#     E8 component sequence: E9 ED Invoke  EA EE Return Result  EB Return Error  EC Reject   (last, not last)
#        CF component ids: invoke id, then correlation id  D0 D1 operation code, national or private
#        D3 D4 error code, national or private  D5 problem code  30 F0 F2 parameters, a sequence or a set
#     D7 P-abort cause  F8 user abort information
#
# As in tcap.pyx, what breaks the standard is noted once and reading goes on. Parts may stand in any order; one that
# stands twice is an error, and the first of the two counts.

from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t
from libc.string cimport memcpy, memset

from sigfw._core.ber cimport TAG_EXTERNAL, TAG_SEQUENCE, Tlv, ber_arc, ber_int, ber_next
from sigfw._core.msg cimport (
    E_BAD_LENGTH, E_BAD_TAG, E_BAD_VALUE, E_DUPLICATE, E_MISSING, E_TOO_MANY, E_TRAILING, INVOKE, LAYER_COMPONENT,
    LAYER_TCAP, MAX_COMPONENTS, OK, OPCODE_NATIONAL, OPCODE_PRIVATE, REJECT_COMPONENT, RETURN_ERROR, RETURN_RESULT_LAST,
    RETURN_RESULT_NOT_LAST, SEGMENT_NONE, TCAP_ABORT, TCAP_CONVERSATION_WITH_PERM, TCAP_CONVERSATION_WITHOUT_PERM,
    TCAP_QUERY_WITH_PERM, TCAP_QUERY_WITHOUT_PERM, TCAP_RESPONSE, TCAP_UNIDIRECTIONAL, Component, Group, Msg, fail,
)
from sigfw._core.wire cimport Cursor, cursor, left

cdef enum:
    TAG_IDS = 0xC7
    TAG_DIALOGUE = 0xF9
    TAG_COMPONENTS = 0xE8
    TAG_P_ABORT = 0xD7
    TAG_USER_ABORT = 0xF8
    TAG_VERSION = 0xDA
    TAG_CONTEXT_INTEGER = 0xDB
    TAG_CONTEXT_OID = 0xDC
    TAG_USER_INFORMATION = 0xFD
    TAG_SECURITY_INTEGER = 0x80
    TAG_SECURITY_OID = 0x81
    TAG_CONFIDENTIALITY = 0xA2
    TAG_COMPONENT_IDS = 0xCF
    TAG_OPERATION_NATIONAL = 0xD0
    TAG_OPERATION_PRIVATE = 0xD1
    TAG_ERROR_NATIONAL = 0xD3
    TAG_ERROR_PRIVATE = 0xD4
    TAG_PROBLEM = 0xD5
    TAG_PARAMETER_SEQUENCE = 0xF0
    TAG_PARAMETER_SET = 0xF2
    # parts of a package, then of a component, as bits
    HAS_IDS = 1
    HAS_DIALOGUE = 2
    HAS_COMPONENTS = 4
    HAS_CAUSE = 8
    HAS_CODE = 2
    HAS_PARAMETER = 4
    REPLY_REQUIRED = 0x8000  # T1.114.3: the top bit of a national operation's family


cdef inline uint32_t at(const Msg* m, const uint8_t* p) noexcept nogil:
    """Octets from the start of the SCCP message (of the reassembled data for a final segment) to p."""
    return <uint32_t>(p - m.data) + (m.data_offset if m.segment_state == SEGMENT_NONE else 0)


cdef inline void bad(Msg* m, int code, const uint8_t* p) noexcept nogil:
    fail(m, LAYER_TCAP, <uint8_t>code, at(m, p))


cdef inline void bad_component(Msg* m, Component* c, int code, const uint8_t* p) noexcept nogil:
    if c.error_code_ == 0:
        c.error_code_ = <uint8_t>code
    fail(m, LAYER_COMPONENT, <uint8_t>code, at(m, p))


cdef uint8_t package_type(uint32_t tag) noexcept nogil:
    if tag == 0xE1:
        return TCAP_UNIDIRECTIONAL
    if tag == 0xE2:
        return TCAP_QUERY_WITH_PERM
    if tag == 0xE3:
        return TCAP_QUERY_WITHOUT_PERM
    if tag == 0xE4:
        return TCAP_RESPONSE
    if tag == 0xE5:
        return TCAP_CONVERSATION_WITH_PERM
    if tag == 0xE6:
        return TCAP_CONVERSATION_WITHOUT_PERM
    return TCAP_ABORT if tag == 0xF6 else 0


cdef bint is_query(uint8_t tcap) noexcept nogil:
    return tcap == TCAP_QUERY_WITH_PERM or tcap == TCAP_QUERY_WITHOUT_PERM


cdef bint is_conversation(uint8_t tcap) noexcept nogil:
    return tcap == TCAP_CONVERSATION_WITH_PERM or tcap == TCAP_CONVERSATION_WITHOUT_PERM


cdef void transaction_ids(Msg* m, const Tlv* t) noexcept nogil:
    """Each has four octets; how many there are is the package's to say."""
    cdef uint32_t octets = left(&t.content)
    cdef const uint8_t* p = t.content.p
    if octets != <uint32_t>(0 if m.tcap == TCAP_UNIDIRECTIONAL else 8 if is_conversation(m.tcap) else 4):
        bad(m, E_BAD_LENGTH, t.start)
        return
    if is_query(m.tcap) or is_conversation(m.tcap):
        memcpy(m.otid, p, 4)
        m.otid_octets = 4
        p += 4
    if m.tcap != TCAP_UNIDIRECTIONAL and not is_query(m.tcap):
        memcpy(m.dtid, p, 4)
        m.dtid_octets = 4


cdef void context(Msg* m, const Tlv* t) noexcept nogil:
    """The application context: an OID is kept as that of Q.773 is, an integer beside it."""
    cdef Cursor c = t.content
    cdef uint32_t arc
    cdef int status
    if m.acn_octets or m.acn_is_integer:
        bad(m, E_DUPLICATE, t.start)
        return
    if t.id == TAG_CONTEXT_INTEGER:
        status = ber_int(&c, &m.acn_integer)
        if status != OK:
            bad(m, status, t.start)
        else:
            m.acn_is_integer = 1
        return
    if c.p == c.end:
        bad(m, E_BAD_LENGTH, t.start)
        return
    while c.p != c.end:
        if ber_arc(&c, &arc) != OK:
            bad(m, E_BAD_VALUE, t.start)
            return
    m.acn_offset = <uint16_t>(t.content.p - m.data)
    m.acn_octets = <uint16_t>left(&t.content)


cdef void externals(Msg* m, const Tlv* information) noexcept nogil:
    cdef Cursor c = information.content
    cdef Tlv t
    cdef int status
    while c.p != c.end:
        status = ber_next(&c, &t)
        if status != OK:
            bad(m, status, c.p)
            return
        if t.id != TAG_EXTERNAL:
            bad(m, E_BAD_TAG, t.start)


cdef void dialogue_portion(Msg* m, const Tlv* portion) noexcept nogil:
    cdef Cursor c = portion.content
    cdef Tlv t
    cdef int status
    while c.p != c.end:
        status = ber_next(&c, &t)
        if status != OK:
            bad(m, status, c.p)
            return
        if t.id == TAG_CONTEXT_INTEGER or t.id == TAG_CONTEXT_OID:
            context(m, &t)
        elif t.id == TAG_USER_INFORMATION:
            externals(m, &t)
        elif t.id == TAG_VERSION:
            if left(&t.content) != 1:
                bad(m, E_BAD_LENGTH, t.start)
        elif t.id != TAG_SECURITY_INTEGER and t.id != TAG_SECURITY_OID and t.id != TAG_CONFIDENTIALITY:
            bad(m, E_BAD_TAG, t.start)


cdef void component_ids(Msg* m, Component* c, const Tlv* t) noexcept nogil:
    """An Invoke has an invoke id, a correlation id behind it, or none; what answers one has the id it answers."""
    cdef uint32_t octets = left(&t.content)
    if octets:
        c.invoke_id = t.content.p[0]
        c.invoke_id_present = 1
    if octets > <uint32_t>(2 if c.type == INVOKE else 1) or (
            octets == 0 and c.type != INVOKE and c.type != REJECT_COMPONENT):
        bad_component(m, c, E_BAD_LENGTH, t.start)


cdef void operation_code(Msg* m, Component* c, const Tlv* t) noexcept nogil:
    """Family and specifier, as the one number family << 8 | specifier.

    That a national one asks for a reply is no part of what it is. More octets than two are read by their value, so that
    a padded code is the plain one.
    """
    cdef int32_t value = 0
    cdef int status = ber_int(&t.content, &value)
    c.opcode_form = OPCODE_NATIONAL if t.id == TAG_OPERATION_NATIONAL else OPCODE_PRIVATE
    c.opcode = -1
    if status == OK and value < -0x8000:
        status = E_BAD_VALUE
    if status != OK:
        bad_component(m, c, status, t.start)
        return
    c.opcode = value & 0xFFFF if value < 0 else value
    if c.opcode_form == OPCODE_NATIONAL:
        if left(&t.content) != 2:
            bad_component(m, c, E_BAD_LENGTH, t.start)
        c.opcode &= 0xFFFF & ~REPLY_REQUIRED


cdef void error_code(Msg* m, Component* c, const Tlv* t) noexcept nogil:
    """A code of one or two octets, without a sign: those of ANSI-41 begin at 129."""
    cdef uint32_t octets = left(&t.content)
    if octets != 1 and octets != 2:
        bad_component(m, c, E_BAD_LENGTH, t.start)
        return
    c.error_code = t.content.p[0] if octets == 1 else t.content.p[0] << 8 | t.content.p[1]
    c.error_code_present = 1


cdef bint is_code(const Component* c, uint32_t tag) noexcept nogil:
    """What says which operation, error or problem it is: one that this type of component has."""
    if c.type == INVOKE:
        return tag == TAG_OPERATION_NATIONAL or tag == TAG_OPERATION_PRIVATE
    if c.type == RETURN_ERROR:
        return tag == TAG_ERROR_NATIONAL or tag == TAG_ERROR_PRIVATE
    return c.type == REJECT_COMPONENT and tag == TAG_PROBLEM


cdef void component(Msg* m, Component* c, const Tlv* whole) noexcept nogil:
    cdef Cursor rest = whole.content
    cdef Tlv t
    cdef int status
    cdef uint32_t seen = 0, part, must
    must = HAS_CODE if c.type == INVOKE or c.type == REJECT_COMPONENT else \
        HAS_IDS | HAS_CODE if c.type == RETURN_ERROR else HAS_IDS
    while rest.p != rest.end:
        status = ber_next(&rest, &t)
        if status != OK:
            bad_component(m, c, status, rest.p)
            break
        if t.id == TAG_COMPONENT_IDS:
            part = HAS_IDS
        elif is_code(c, t.id):
            part = HAS_CODE
        elif t.id == TAG_PARAMETER_SEQUENCE or t.id == TAG_PARAMETER_SET or t.id == TAG_SEQUENCE:
            part = HAS_PARAMETER
        else:
            bad_component(m, c, E_BAD_TAG, t.start)
            continue
        if part & seen:
            bad_component(m, c, E_DUPLICATE, t.start)
            continue
        seen |= part
        if part == HAS_IDS:
            component_ids(m, c, &t)
        elif part == HAS_PARAMETER:
            c.argument_offset = <uint16_t>(t.start - m.data)
            c.argument_octets = <uint16_t>(rest.p - t.start)
        elif c.type == INVOKE:
            operation_code(m, c, &t)
        elif c.type == RETURN_ERROR:
            error_code(m, c, &t)
    if must & ~seen:
        bad_component(m, c, E_MISSING, whole.start)


cdef uint8_t component_type(uint32_t tag) noexcept nogil:
    """Whether more Invokes follow does not change what an Invoke asks for: both kinds are one."""
    if tag == 0xE9 or tag == 0xED:
        return INVOKE
    if tag == 0xEA:
        return RETURN_RESULT_LAST
    if tag == 0xEB:
        return RETURN_ERROR
    if tag == 0xEC:
        return REJECT_COMPONENT
    return RETURN_RESULT_NOT_LAST if tag == 0xEE else 0


cdef void component_sequence(Group* g, Msg* m, const Tlv* sequence) noexcept nogil:
    cdef Cursor rest = sequence.content
    cdef Component* c
    cdef Tlv t
    cdef uint8_t kind
    cdef int status
    if rest.p == rest.end:
        fail(m, LAYER_COMPONENT, E_MISSING, at(m, sequence.start))
    while rest.p != rest.end:
        status = ber_next(&rest, &t)
        if status != OK:
            fail(m, LAYER_COMPONENT, <uint8_t>status, at(m, rest.p))
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
        # Nothing was asked before a Query, and nothing can be answered outside a transaction.
        if kind != INVOKE and (is_query(m.tcap) or (m.tcap == TCAP_UNIDIRECTIONAL and kind != REJECT_COMPONENT)):
            bad_component(m, c, E_BAD_VALUE, t.start)


cdef void package(Group* g, Msg* m, const Tlv* whole) noexcept nogil:
    cdef Cursor rest = whole.content
    cdef Tlv t
    cdef int status
    cdef uint32_t seen = 0, part
    cdef uint32_t must = HAS_IDS | HAS_COMPONENTS if m.tcap == TCAP_UNIDIRECTIONAL else HAS_IDS
    cdef uint32_t may = HAS_IDS | HAS_DIALOGUE | (HAS_CAUSE if m.tcap == TCAP_ABORT else HAS_COMPONENTS)
    while rest.p != rest.end:
        status = ber_next(&rest, &t)
        if status != OK:
            bad(m, status, rest.p)
            return
        if t.id == TAG_IDS:
            part = HAS_IDS
        elif t.id == TAG_DIALOGUE:
            part = HAS_DIALOGUE
        elif t.id == TAG_COMPONENTS:
            part = HAS_COMPONENTS
        elif t.id == TAG_P_ABORT or t.id == TAG_USER_ABORT:
            part = HAS_CAUSE
        else:
            bad(m, E_BAD_TAG, t.start)
            continue
        if not part & may:  # read all the same: an Abort's Invokes count
            bad(m, E_BAD_TAG, t.start)
        if part & seen:
            bad(m, E_DUPLICATE, t.start)
        if part == HAS_DIALOGUE:
            dialogue_portion(m, &t)
        elif part == HAS_COMPONENTS:
            component_sequence(g, m, &t)
        elif part == HAS_IDS and not part & seen:
            transaction_ids(m, &t)
        elif t.id == TAG_USER_ABORT:
            if left(&t.content) == 0:
                bad(m, E_MISSING, t.start)
            externals(m, &t)
        seen |= part
    if must & ~seen:
        bad(m, E_MISSING, whole.start)


cdef bint tcap_ansi_message(Group* g, Msg* m) noexcept nogil:
    cdef Cursor c = cursor(m.data, m.data_octets)
    cdef Tlv whole
    cdef int status
    cdef uint8_t kind
    status = ber_next(&c, &whole)
    kind = package_type(whole.id)
    if kind == 0:
        return False
    if m.data_octets > 0xFFFF:  # offsets are 16 bits wide; no SCCP message is longer
        bad(m, E_TOO_MANY, m.data)
        return True
    m.tcap = kind
    if status != OK:
        bad(m, status, m.data)
        return True
    package(g, m, &whole)
    if c.p != c.end:
        bad(m, E_TRAILING, c.p)
    return True
