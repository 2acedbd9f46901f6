# MAP and CAP over a Group: the readings of each operation code, and the walk through arguments and results.
#
# What an argument holds stands in mapop_tables.h, made from the ASN.1 modules (mapop_tables.py): nodes of edges, an
# edge being identifier -> leaf or node. The walk keeps its own stack; an identifier that a node does not have is an
# extension and is stepped over, but for the argument's own one.

from libc.stdint cimport int8_t, int16_t, int32_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from sigfw._core.ber cimport TAG_OCTET_STRING, Tlv, ber_next, ber_next_is
from sigfw._core.digits cimport binary_digits, isup_digits, tbcd
from sigfw._core.msg cimport (
    APP_CAP, APP_MAP, DIGITS_OVERDECADIC, E_BAD_LENGTH, E_BAD_TAG, E_BAD_VALUE, E_DUPLICATE, E_LENGTH_OVERRUN,
    E_MISSING, E_TOO_DEEP, E_TOO_MANY, E_TRAILING, E_TRUNCATED, HAS_SSN, INVOKE, KIND_ADDRESS, KIND_IMEI, KIND_IMSI,
    KIND_LMSI, KIND_MSISDN, KIND_TMSI, LAYER_MAP, MAX_DEPTH, MAX_NUMBERS, MAX_READINGS, OK, OPCODE_GLOBAL,
    RETURN_RESULT_LAST, RETURN_RESULT_NOT_LAST, ROLE_OPEN_DESTINATION, ROLE_OPEN_ORIGINATION, ROLE_SM_RP_DA,
    ROLE_SM_RP_OA, SEGMENT_NONE, TCAP_BEGIN, TCAP_UNIDIRECTIONAL, Component, Digits, Group, Msg, Number, digit_at, fail,
)
from sigfw._core.sms cimport short_message
from sigfw._core.tcap cimport ssn_is_cap, ssn_is_map, tcap_group
from sigfw._core.wire cimport Cursor, cursor, left

from sigfw import names

cdef extern from "mapop_tables.h" nogil:
    ctypedef struct MapEdge:
        uint16_t tag, next, name
        uint8_t kind, role, must, min, max, after
    ctypedef struct MapNode:
        uint16_t first, count
        uint8_t flags
        uint32_t must
    ctypedef struct MapOperation:
        const char* name
        uint8_t application
        int16_t opcode
        uint8_t identity, flags, n_arguments
        uint16_t argument[2]
        uint16_t result[2]
    ctypedef struct OpcodeSet:
        uint64_t bits[2]
    enum:
        MAPOP_OPERATIONS
        MAPOP_FIELDS
        MAPOP_MAP_CONTEXTS
        MAPOP_CAP_CONTEXTS
        MAPOP_NAME_SC_OA
        MAPOP_NAME_SC_DA
        MAPOP_NAME_DESTINATION
        MAPOP_NAME_ORIGINATION
    const MapEdge* mapop_edges
    const MapNode* mapop_nodes
    const MapOperation* mapop_operations
    const char** mapop_fields
    const uint16_t* mapop_by_opcode         # 128 of MAP, 128 of CAP
    const uint16_t* mapop_errors            # by MAP's local error code: the node of its parameter
    const OpcodeSet mapop_v1
    const OpcodeSet* mapop_contexts         # five an x: versions 0 to 4
    const OpcodeSet* mapop_cap_contexts

cdef extern from *:
    """
    #define MAPOP_NODES (sizeof(mapop_nodes) / sizeof(mapop_nodes[0]))
    static uint8_t mapop_buckets[MAPOP_NODES * 32];
    static uint8_t mapop_following[sizeof(mapop_edges) / sizeof(mapop_edges[0])];
    """
    uint32_t MAPOP_NODES
    uint8_t* mapop_buckets     # BUCKETS a node: place of the first member in it
    uint8_t* mapop_following   # by edge: place of the next in its bucket

cdef enum:
    BUCKETS = 32
    NO_EDGE = 255

cdef enum EdgeKind:        # as in mapop_tables.py
    SKIP
    NODE
    IMSI
    ADDRESS
    MSISDN
    IMEI
    LMSI
    TMSI
    ISUP
    ISUP_GENERIC
    SM_RP_UI
    REQUESTED

cdef enum:
    SSN_GSMSCF = 147       # TS 23.003 8.2
    IN_ORDER = 1           # MapNode.flags: a SEQUENCE
    ONE_OF = 2             # a CHOICE
    CLOSED = 4             # a CHOICE, or a list, that no later release extends
    OPAQUE = 1             # MapOperation.flags: its argument's type is not known here
    OPTIONAL_ARGUMENT = 2
    OLDER_ARGUMENT = 4     # the form of version 2 has fields that the newest has not
    OLDER_RESULT = 8
    OF_CAP_PHASE_2 = 16    # its second form is that of CAP's phases 1 and 2
    NEEDS_IMSI = 1         # MapOperation.identity
    NEEDS_IDENTITY = 2
    IN_BEGIN = 4
    WITH_ACN = 8
    OPCODE_FORWARD_SM = 46
    CONTEXT_MO_RELAY = 21
    CONTEXT_MT_RELAY = 25
    NATURE_AND_PLAN_E212 = 6
    MIN_IMSI_DIGITS = 6    # E.212: MCC of three, MNC of two or three, MSIN
    ENDLESS = 255          # MapEdge.max: no bound
    NO_NODE = 0xFFFF

cdef int N_OPERATIONS = MAPOP_OPERATIONS
cdef int N_FIELDS = MAPOP_FIELDS
cdef uint16_t MO_FORWARD_SM = mapop_by_opcode[46]
cdef uint16_t MT_FORWARD_SM = mapop_by_opcode[44]
cdef uint16_t MT_FORWARD_SM_VGCS = mapop_by_opcode[21]

cdef struct Frame:
    Cursor rest            # behind the member that was entered
    const MapEdge* edges   # of the node
    uint64_t seen          # those met, by place in the node
    uint32_t missing       # mandatory members not met
    uint16_t node
    uint16_t place         # of the edge after the last one met
    uint16_t count
    uint8_t flags

cdef struct Walk:
    Msg* m
    int8_t origin
    uint8_t status         # the first thing wrong, and where
    const uint8_t* at
    const uint8_t* implausible  # the first number that can be none: no matter of the form that the argument has
    Cursor sm_rp_ui
    uint32_t requested
    uint16_t later         # in an older form: the root of the newest one, then the node of its members, or NO_NODE
    bint unknown           # an identifier that its node does not have
    bint foreign           # one among the argument's own members
    bint other             # the argument's own identifier is another
    bint brief             # nothing more is asked of the form once something is wrong with it,
    bint strict            # or foreign to it
    bint unlikely          # octets that the type does not have room for, or a type not known here


cdef const char* operation_name(uint16_t op) noexcept nogil:
    return mapop_operations[op].name if op < MAPOP_OPERATIONS else mapop_operations[0].name


cdef uint16_t map_operation(uint32_t opcode) noexcept nogil:
    return mapop_by_opcode[opcode & 127]


cdef uint8_t operation_application(uint16_t op) noexcept nogil:
    return mapop_operations[op].application if op < MAPOP_OPERATIONS else 0


cdef const char* field_name(uint16_t name) noexcept nogil:
    return mapop_fields[name] if name < MAPOP_FIELDS else mapop_fields[0]


cdef inline void wrong(Walk* w, int status, const uint8_t* at) noexcept nogil:
    if w.status == OK:
        w.status = <uint8_t>status
        w.at = at


# ---- leaves ---------------------------------------------------------------------------------------------------------

cdef Number* new_number(Msg* m, uint8_t kind, uint16_t name, uint8_t role, int8_t origin) noexcept nogil:
    cdef Number* n
    if m.n_numbers >= MAX_NUMBERS:
        return NULL
    n = &m.numbers[m.n_numbers]
    memset(n, 0, sizeof(Number))
    n.kind = kind
    n.name = name
    n.role = role
    n.origin = origin
    m.n_numbers += 1
    return n


cdef inline void address_string(Number* n, Cursor c) noexcept nogil:
    """AddressString (TS 29.002 17.7.8): nature and plan, then TBCD. Not empty."""
    n.nature = c.p[0] >> 4 & 7
    n.plan = c.p[0] & 15
    c.p += 1
    tbcd(&n.d, c)


cdef inline bint plausible(const Number* n) noexcept nogil:
    """Whether it can be what it stands for: an IMSI holds MCC, MNC and more; no subscriber and no node has a digit above 9.

    A reader that stops at such a digit, or steps over it, sees another number than the one that was looked up.
    """
    if n.kind == KIND_IMSI:
        return n.d.count >= MIN_IMSI_DIGITS and not n.d.flags & DIGITS_OVERDECADIC
    if n.kind == KIND_LMSI or n.kind == KIND_TMSI:  # four octets of any value
        return True
    return not (n.d.flags & DIGITS_OVERDECADIC and (n.kind == KIND_MSISDN or n.role))


cdef void leaf(Walk* w, const MapEdge* e, const Tlv* t) noexcept nogil:
    cdef Cursor c = t.content
    cdef Number* n
    cdef uint8_t kind = KIND_ADDRESS
    cdef bint odd
    if e.kind == REQUESTED:
        w.requested |= <uint32_t>1 << e.next
        return
    if e.kind == SM_RP_UI:
        w.sm_rp_ui = c
        return
    if left(&c) < <uint32_t>(3 if e.kind == ISUP_GENERIC else 2 if e.kind == ISUP else 1):
        wrong(w, E_BAD_LENGTH, t.start)
        return
    if e.kind == IMSI:
        kind = KIND_IMSI
    elif e.kind == MSISDN:
        kind = KIND_MSISDN
    elif e.kind == IMEI:
        kind = KIND_IMEI
    elif e.kind == LMSI:
        kind = KIND_LMSI
    elif e.kind == TMSI:
        kind = KIND_TMSI
    n = new_number(w.m, kind, e.name, e.role, w.origin)
    if n == NULL:
        fail(w.m, LAYER_MAP, E_TOO_MANY, offset(w.m, t.start))
        return
    if e.kind == ADDRESS or e.kind == MSISDN:
        address_string(n, c)
    elif e.kind == IMSI or e.kind == IMEI:
        tbcd(&n.d, c)
        if e.kind == IMSI and left(&c) > 8:  # SIZE (3..8)
            wrong(w, E_BAD_LENGTH, t.start)
    elif e.kind == LMSI or e.kind == TMSI:
        binary_digits(&n.d, c)
    else:
        if e.kind == ISUP_GENERIC:  # number qualifier
            c.p += 1
        odd = c.p[0] >> 7
        n.nature = c.p[0] & 0x7F
        n.plan = c.p[1] >> 4 & 7
        c.p += 2
        isup_digits(&n.d, c, odd)
    if n.d.count == 0:
        w.m.n_numbers -= 1
        if e.kind != ISUP and e.kind != ISUP_GENERIC and w.implausible == NULL:  # Q.763 3.10: address not available
            w.implausible = t.start
    elif w.implausible == NULL and not plausible(n):
        w.implausible = t.start


# ---- the walk -------------------------------------------------------------------------------------------------------

cdef inline uint32_t offset(const Msg* m, const uint8_t* p) noexcept nogil:
    return <uint32_t>(p - m.data) + (m.data_offset if m.segment_state == SEGMENT_NONE else 0)


cdef inline uint32_t bucket(uint32_t tag) noexcept nogil:
    """Both forms of an identifier, primitive and constructed, are in one."""
    return ((tag & ~<uint32_t>0x20) ^ tag >> 8) & (BUCKETS - 1)


cdef void make_buckets() noexcept nogil:
    """Members by their identifiers, each bucket in the members' order: a sender may pick the last of many each time."""
    cdef uint32_t n, i, b
    memset(mapop_buckets, NO_EDGE, MAPOP_NODES * BUCKETS)
    for n in range(MAPOP_NODES):
        for i in range(mapop_nodes[n].count, 0, -1):
            b = n * BUCKETS + bucket(mapop_edges[mapop_nodes[n].first + i - 1].tag)
            mapop_following[mapop_nodes[n].first + i - 1] = mapop_buckets[b]
            mapop_buckets[b] = <uint8_t>(i - 1)


make_buckets()


cdef inline int find_edge(uint32_t node, uint32_t place, uint32_t tag) noexcept nogil:
    """Place in the node of the member with this identifier, from `place` on, then from the first.

    -1: none; -2: none, but one with the other form (primitive, constructed).
    """
    cdef uint32_t first = mapop_nodes[node].first
    cdef uint8_t i
    cdef int found = -1
    if place < mapop_nodes[node].count and mapop_edges[first + place].tag == tag:  # in order: nearly all of them
        return <int>place
    i = mapop_buckets[node * BUCKETS + bucket(tag)]
    while i != NO_EDGE:
        if mapop_edges[first + i].tag == tag:
            if i >= place:
                return i
            if found < 0:
                found = i
        elif found == -1 and mapop_edges[first + i].tag == tag ^ 0x20:
            found = -2
        i = mapop_following[first + i]
    return found


cdef inline uint16_t members_of(uint16_t root, uint32_t tag) noexcept nogil:
    """The node of an argument of this identifier, or NO_NODE."""
    cdef const MapEdge* e
    cdef int i = find_edge(root, 0, tag)
    if i < 0:
        return NO_NODE
    e = &mapop_edges[mapop_nodes[root].first + i]
    return e.next if e.kind == NODE else NO_NODE


cdef const MapEdge* later_member(Walk* w, const Tlv* t) noexcept nogil:
    """A member that an older form does not have, as the newest one has it, or NULL: a peer may read it by that."""
    cdef int i
    if w.later == NO_NODE or not t.id & 0x80:
        return NULL
    i = find_edge(w.later, 0, t.id)
    if i == -2:
        wrong(w, E_BAD_TAG, t.start)
    return &mapop_edges[mapop_nodes[w.later].first + i] if i >= 0 else NULL


cdef inline void enter(Frame* f, uint16_t node) noexcept nogil:
    cdef const MapNode* n = &mapop_nodes[node]
    f.edges = &mapop_edges[n.first]
    f.seen = 0
    f.missing = n.must
    f.node = node
    f.place = 0
    f.count = n.count
    f.flags = n.flags


cdef void walk(Walk* w, Cursor whole, uint16_t root) noexcept nogil:
    """Every leaf under `root`. What is wrong is noted once; the rest is read all the same."""
    cdef Frame[MAX_DEPTH] stack
    cdef Frame* f = &stack[0]
    cdef Cursor c = whole
    cdef const MapEdge* e
    cdef Tlv t
    cdef uint32_t octets
    cdef int depth = 0, status, i
    enter(f, root)
    while True:
        if w.brief and (w.status != OK or (w.strict and w.foreign)):
            return
        if c.p == c.end:
            if f.missing or (f.flags & ONE_OF and not f.seen):
                wrong(w, E_MISSING, whole.p if depth == 0 else stack[depth - 1].rest.p)
            if depth == 0:
                return
            depth -= 1
            f = &stack[depth]
            c = f.rest
            continue
        if f.place < f.count and ber_next_is(&c, f.edges[f.place].tag, &t):  # in order: nearly all of them
            i = f.place
        else:
            status = ber_next(&c, &t)
            if status != OK:
                wrong(w, status, c.p)
                c.p = c.end
                continue
            i = find_edge(f.node, f.place, t.id)
        if i < 0:
            # The argument's own identifier, or a member's with the other form: no extension looks like that.
            if depth == 0 or i == -2 or f.flags & CLOSED:
                wrong(w, E_BAD_TAG, t.start)
                w.other = w.other or depth == 0
            w.unknown = True
            w.foreign = w.foreign or depth == 1
            f.seen |= f.flags & ONE_OF
            e = later_member(w, &t) if depth == 1 else NULL
            if e == NULL:
                continue
        else:
            e = &f.edges[i]
            if f.flags & IN_ORDER:
                if i < f.place and t.id == TAG_OCTET_STRING:  # its place was its only name
                    wrong(w, E_BAD_TAG, t.start)
                if i < 64:
                    if f.seen >> i & 1:
                        wrong(w, E_DUPLICATE, t.start)
                    f.seen |= <uint64_t>1 << i
                f.place = e.after
            elif f.flags & ONE_OF:
                if f.seen:
                    wrong(w, E_TRAILING, t.start)
                f.seen = ONE_OF
            if e.must:
                f.missing &= ~(<uint32_t>1 << (e.must - 1))
        if e.kind == NODE:
            if depth + 1 == MAX_DEPTH:
                wrong(w, E_TOO_DEEP, t.start)
                continue
            if depth == 0 and w.later != NO_NODE:
                w.later = members_of(w.later, t.id)
            f.rest = c
            depth += 1
            f = &stack[depth]
            enter(f, e.next)
            c = t.content
            continue
        octets = left(&t.content)
        w.unlikely |= octets < e.min or (octets > e.max and e.max != ENDLESS)
        if e.kind != SKIP:
            leaf(w, e, &t)


cdef int forward_sm_direction(const Msg* m, int first_number) noexcept nogil:
    """What SM-RP-DA and SM-RP-OA say of an opcode 46: 1 MO, 2 MT, 3 both, 0 nothing."""
    cdef int i, said = 0
    cdef const Number* n
    for i in range(first_number, m.n_numbers):
        n = &m.numbers[i]
        if n.role & ROLE_SM_RP_DA:
            said |= 1 if n.name == MAPOP_NAME_SC_DA else 2
        elif n.role & ROLE_SM_RP_OA:
            said |= 2 if n.name == MAPOP_NAME_SC_OA else 1
    return said


# ---- readings -------------------------------------------------------------------------------------------------------

cdef inline bint holds(const OpcodeSet* s, int32_t opcode) noexcept nogil:
    return (s.bits[opcode >> 6] >> (opcode & 63)) & 1


cdef uint8_t[256] ssn_applications
for _ssn in range(256):
    ssn_applications[_ssn] = APP_MAP if ssn_is_map(_ssn) else APP_CAP if ssn_is_cap(_ssn) else 0


cdef inline uint8_t application_of(uint8_t ssn) noexcept nogil:
    return ssn_applications[ssn]


cdef bint ssn_names(const Msg* m, uint8_t application) noexcept nogil:
    """Whether a subsystem number of either party is one of the application's. 147 is none here: gsmSCFs bear it for both."""
    return ((m.called.has & HAS_SSN != 0 and m.called.ssn != SSN_GSMSCF and application_of(m.called.ssn) == application)
            or (m.calling.has & HAS_SSN != 0 and m.calling.ssn != SSN_GSMSCF
                and application_of(m.calling.ssn) == application))


cdef inline bint fits_context(const Msg* m, uint8_t application, int32_t opcode) noexcept nogil:
    if application == APP_MAP:
        return (m.acn_context < MAPOP_MAP_CONTEXTS and 1 <= m.acn_version <= 4
                and holds(&mapop_contexts[5 * m.acn_context + m.acn_version], opcode))
    return m.acn_context < MAPOP_CAP_CONTEXTS and holds(&mapop_cap_contexts[m.acn_context], opcode)


cdef inline int candidates(const Msg* m, const Component* c, uint16_t* ops, bint* misfit) noexcept nogil:
    """Operation numbers that the opcode may stand for, the plainest first."""
    if not 0 <= c.opcode <= 127:
        return 0
    if m.acn_application:
        ops[0] = mapop_by_opcode[c.opcode if m.acn_application == APP_MAP else 128 + c.opcode]
        misfit[0] = not fits_context(m, m.acn_application, c.opcode)
        return 1 if ops[0] else 0
    return unnamed(m, c, ops, misfit)


cdef int unnamed(const Msg* m, const Component* c, uint16_t* ops, bint* misfit) noexcept nogil:
    """Candidates where no ACN says which application it is."""
    cdef uint16_t map_op = mapop_by_opcode[c.opcode], cap_op = mapop_by_opcode[128 + c.opcode]
    cdef uint8_t called, calling
    cdef bint first, map_misfit, cap_misfit
    cdef int n = 0
    called = application_of(m.called.ssn) if m.called.has & HAS_SSN else 0
    calling = application_of(m.calling.ssn) if m.calling.has & HAS_SSN else 0
    first = m.tcap == TCAP_BEGIN or m.tcap == TCAP_UNIDIRECTIONAL
    # A name that nobody knows fits nothing. No name at all is version 1 in MAP: later operations, which a careless peer
    # may still obey, stay a reading that does not fit.
    cap_misfit = m.acn_octets != 0
    map_misfit = cap_misfit or (first and not holds(&mapop_v1, c.opcode))
    if cap_op and (called if called else calling) == APP_CAP:
        ops[n] = cap_op
        misfit[n] = cap_misfit
        n += 1
        cap_op = 0
    if map_op:
        ops[n] = map_op
        misfit[n] = map_misfit
        n += 1
    if cap_op:
        ops[n] = cap_op
        misfit[n] = cap_misfit
        n += 1
    return n


cdef bint named_by_both(const Msg* m) noexcept nogil:
    """Amid a dialogue both subsystem numbers name one application, the first candidate's where it has the opcode."""
    return (m.tcap != TCAP_BEGIN and m.tcap != TCAP_UNIDIRECTIONAL and m.called.has & m.calling.has & HAS_SSN != 0
            and application_of(m.called.ssn) != 0 and application_of(m.called.ssn) == application_of(m.calling.ssn))


cdef void add_reading(const Msg* m, Component* c, uint16_t op, bint misfit) noexcept nogil:
    cdef uint8_t bit = <uint8_t>(1 << c.n_readings)
    cdef uint8_t application = mapop_operations[op].application
    if c.n_readings == MAX_READINGS:
        return
    c.reading[c.n_readings] = op
    c.n_readings += 1
    if misfit:
        c.acn_misfit |= bit
    if not ((m.called.has & HAS_SSN and application_of(m.called.ssn) == application)
            or (m.calling.has & HAS_SSN and application_of(m.calling.ssn) == application)):
        c.ssn_misfit |= bit


cdef void add_readings(const Msg* m, Component* c, uint16_t op, bint misfit, int direction) noexcept nogil:
    """One, but for opcode 46 where the message does not say whether it is MO or MT."""
    if op != MO_FORWARD_SM:
        add_reading(m, c, op, misfit)
        return
    if direction & 1:
        add_reading(m, c, MO_FORWARD_SM, misfit)
    if direction & 2:
        add_reading(m, c, MT_FORWARD_SM, misfit)


cdef int context_direction(const Msg* m) noexcept nogil:
    """What the context says of opcode 46: 1 MO, 2 MT, 0 nothing (no ACN; version 1 had one context for both)."""
    if m.acn_application != APP_MAP:
        return 0
    if m.acn_context == CONTEXT_MT_RELAY and m.acn_version <= 2:
        return 2
    if m.acn_context == CONTEXT_MO_RELAY and m.acn_version >= 2:
        return 1
    return 0


# ---- components -----------------------------------------------------------------------------------------------------

cdef inline void start_walk(Walk* w, Msg* m, int8_t origin) noexcept nogil:
    memset(w, 0, sizeof(Walk))
    w.m = m
    w.origin = origin
    w.later = NO_NODE


cdef inline void walk_forms(Walk* w, Cursor whole, const uint16_t* roots, int n, bint older) noexcept nogil:
    """Walk the newest form, which took most of the older one in; the older one where that fails, or has more fields."""
    cdef uint8_t before = w.m.n_numbers
    walk(w, whole, roots[0])
    if n > 1 and (w.status != OK or (older and w.unknown)):
        walk_older(w, whole, roots, before)


cdef void walk_older(Walk* w, Cursor whole, const uint16_t* roots, uint8_t before) noexcept nogil:
    """Of two that decode the one with more numbers stays; of two that do not, the newest."""
    cdef Walk newest = w[0]
    cdef Number[MAX_NUMBERS] kept  # what the newest form found: a third walk would find it again, at a third more
    cdef Number* first = &w.m.numbers[before]
    cdef uint8_t found = w.m.n_numbers
    memcpy(kept, first, (found - before) * sizeof(Number))
    w.m.n_numbers = before
    start_walk(w, w.m, w.origin)
    w.later = roots[0]
    w.brief = newest.status != OK
    w.strict = not newest.other and not (w.m.acn_application == APP_MAP and w.m.acn_version <= 2)
    walk(w, whole, roots[1])
    # Not where it is the older one only by stepping over what it does not have: that is the newest, broken, where neither
    # its own identifier nor the context speaks against it.
    if w.status == OK and (w.m.n_numbers > found if newest.status == OK else not (w.strict and w.foreign)):
        return
    memcpy(first, kept, (found - before) * sizeof(Number))
    w.m.n_numbers = found
    w[0] = newest


cdef void argument_as(Walk* w, const Component* c, const MapOperation* op) noexcept nogil:
    """Decode the argument as this operation's; w.status says whether it could be one."""
    cdef Msg* m = w.m
    cdef Cursor whole = cursor(m.data + c.argument_offset, c.argument_octets)
    if c.argument_octets == 0:
        if op.n_arguments and not op.flags & (OPAQUE | OPTIONAL_ARGUMENT):
            wrong(w, E_MISSING, whole.p)
        w.unlikely = op.flags & OPAQUE != 0
        return
    if op.n_arguments == 0:
        if not op.flags & OPAQUE:
            wrong(w, E_BAD_TAG, whole.p)
        w.unlikely = True
        return
    if op.flags & OF_CAP_PHASE_2:
        walk(w, whole, op.argument[m.acn_application == APP_CAP and m.acn_version <= 2])
    else:
        walk_forms(w, whole, op.argument, op.n_arguments, op.flags & OLDER_ARGUMENT)
    if w.implausible != NULL:
        wrong(w, E_BAD_VALUE, w.implausible)


cdef inline void only_encoding(Walk* w) noexcept nogil:
    if w.status not in (E_TRUNCATED, E_LENGTH_OVERRUN, E_TOO_DEEP, E_TOO_MANY):
        w.status = OK


cdef void result_as(Walk* w, const Component* c, const MapOperation* op) noexcept nogil:
    """The addresses of a result. Only what breaks the encoding counts: results are not ours to hold to their type."""
    cdef Cursor whole = cursor(w.m.data + c.argument_offset, c.argument_octets)
    if c.argument_octets == 0 or op.result[0] == 0:
        return
    walk_forms(w, whole, op.result, 2 if op.result[1] else 1, op.flags & OLDER_RESULT)
    only_encoding(w)


cdef void settle(Msg* m, Component* c, Walk* w, const uint16_t op, bint misfit, int first_number) noexcept nogil:
    """Take a candidate in: its readings, its short message, what it asks for."""
    cdef int direction = 0, status
    if op == MO_FORWARD_SM:
        direction = context_direction(m) | forward_sm_direction(m, first_number)  # what denies the context adds a reading
        if direction == 0:
            direction = 3
    add_readings(m, c, op, misfit, direction)
    m.requested_info |= w.requested
    c.requested_info |= w.requested
    if w.sm_rp_ui.p != NULL and (op == MO_FORWARD_SM or op == MT_FORWARD_SM or op == MT_FORWARD_SM_VGCS):
        if direction == 3:  # the message type itself: SUBMIT and COMMAND are from the mobile, DELIVER is to it
            direction = 1 if left(&w.sm_rp_ui) and w.sm_rp_ui.p[0] & 3 == 1 else 2
        elif direction == 0:
            direction = 2
        if m.has_sms:  # one TP-PID is kept: a second short message would hide the first
            wrong(w, E_DUPLICATE, w.sm_rp_ui.p)
        status = short_message(m, w.sm_rp_ui, direction == 1)
        if status != OK:
            wrong(w, status, w.sm_rp_ui.p)


cdef void note(Msg* m, Component* c, const Walk* w) noexcept nogil:
    if w.status != OK:
        if c.error_code_ == 0:
            c.error_code_ = w.status
        fail(m, LAYER_MAP, w.status, offset(m, w.at))


cdef void read_as(Msg* m, Component* c, int8_t origin, uint16_t op, bint misfit) noexcept nogil:
    cdef Walk w
    cdef int numbers = m.n_numbers
    start_walk(&w, m, origin)
    argument_as(&w, c, &mapop_operations[op])
    settle(m, c, &w, op, misfit, numbers)
    note(m, c, &w)


cdef void choose(Msg* m, Component* c, int8_t origin, const uint16_t* ops, const bint* misfit, int n) noexcept nogil:
    """Which of several operations an Invoke may be."""
    cdef Walk w
    cdef int i
    cdef uint8_t numbers
    cdef uint32_t named = 0  # bit a candidate that falls away, but speaks of somebody
    cdef bint decoded = False, settled = False, likely = False
    for i in range(n):
        numbers = m.n_numbers
        start_walk(&w, m, origin)
        argument_as(&w, c, &mapop_operations[ops[i]])
        # A peer may be laxer than this decoder: what a subsystem number names stays, though it be malformed. Where both
        # name what decodes, another application's operation must decode to the octet and speak of somebody to be a
        # reading beside it: whoever picks the subsystem numbers takes no such reading away by them.
        if ssn_names(m, mapop_operations[ops[i]].application) \
                or (w.status == OK and not (settled and (w.unlikely or m.n_numbers == numbers))):
            settled = w.status == OK and named_by_both(m)
            decoded = True
            likely = likely or (w.status == OK and not w.unlikely)
            settle(m, c, &w, ops[i], misfit[i], numbers)
            note(m, c, &w)
        else:
            named |= <uint32_t>(m.n_numbers > numbers) << i
            m.n_numbers = numbers
    if likely:
        return
    for i in range(n):  # none decodes, or none but by octets that its type has no room for: all stand, with what each finds
        if not decoded or named >> i & 1:
            read_as(m, c, origin, ops[i], misfit[i])


cdef inline void invoke(Msg* m, Component* c, int8_t origin) noexcept nogil:
    cdef uint16_t[2] ops
    cdef bint[2] misfit
    cdef int n = candidates(m, c, ops, misfit)
    if n == 1:
        read_as(m, c, origin, ops[0], misfit[0])
    elif n:
        choose(m, c, origin, ops, misfit, n)


cdef void result(Msg* m, Component* c, int8_t origin) noexcept nogil:
    cdef uint16_t[2] ops
    cdef bint[2] misfit
    cdef Walk w
    cdef int i, direction, n = candidates(m, c, ops, misfit)
    if n == 2 and named_by_both(m):
        n = 1
    for i in range(n):
        start_walk(&w, m, origin)
        result_as(&w, c, &mapop_operations[ops[i]])
        direction = context_direction(m)
        add_readings(m, c, ops[i], misfit[i], direction if direction else 3)
        if n == 1:
            note(m, c, &w)


cdef void error(Msg* m, Component* c, int8_t origin) noexcept nogil:
    """Whom the parameter of a MAP error names: absentSubscriberSM (TS 29.002 17.6). Not held to its type, as results.

    No error of CAP names anybody: without an ACN it is MAP's.
    """
    cdef Walk w
    if m.acn_application == APP_CAP or not 0 <= c.error_code <= 127 or mapop_errors[c.error_code] == 0:
        return
    start_walk(&w, m, origin)
    walk(&w, cursor(m.data + c.argument_offset, c.argument_octets), mapop_errors[c.error_code])
    only_encoding(&w)
    note(m, c, &w)


cdef void open_info(Msg* m) noexcept nogil:
    """MAP-OpenInfo (TS 29.002 17.4): destinationReference [0], originationReference [1]. An IMSI goes by its plan."""
    cdef Cursor c = cursor(m.data + m.open_offset, m.open_octets)
    cdef Tlv t
    cdef Number* n
    cdef int status
    while c.p != c.end:
        status = ber_next(&c, &t)
        if status != OK:
            fail(m, LAYER_MAP, <uint8_t>status, offset(m, c.p))
            return
        if t.id != 0x80 and t.id != 0x81:
            if t.id == 0xA0 or t.id == 0xA1:
                fail(m, LAYER_MAP, E_BAD_TAG, offset(m, t.start))
            continue
        if left(&t.content) == 0:
            fail(m, LAYER_MAP, E_BAD_LENGTH, offset(m, t.start))
            continue
        if t.id == 0x80:
            n = new_number(m, KIND_ADDRESS, MAPOP_NAME_DESTINATION, ROLE_OPEN_DESTINATION, -1)
        else:
            n = new_number(m, KIND_ADDRESS, MAPOP_NAME_ORIGINATION, ROLE_OPEN_ORIGINATION, -1)
        if n == NULL:
            fail(m, LAYER_MAP, E_TOO_MANY, offset(m, t.start))
            return
        address_string(n, t.content)
        if n.plan == NATURE_AND_PLAN_E212:
            n.kind = KIND_IMSI
            if not plausible(n):
                fail(m, LAYER_MAP, E_BAD_VALUE, offset(m, t.start))


cdef void identities_missing(Msg* m) noexcept nogil:
    """Component.imsi_missing, once all of the message is read: a component's own numbers and the dialogue's count."""
    cdef int i, k
    cdef uint8_t needs
    cdef uint64_t imsi = 0, identity = 0, mine  # bit n: of component n - 1; bit 0: of the dialogue portion
    cdef Component* c
    for i in range(m.n_numbers):
        if m.numbers[i].kind != KIND_ADDRESS and m.numbers[i].d.count:
            mine = <uint64_t>1 << (m.numbers[i].origin + 1)
            identity |= mine
            if m.numbers[i].kind == KIND_IMSI:
                imsi |= mine
    for i in range(m.n_components):
        c = &m.components[i]
        if c.type != INVOKE:
            continue
        mine = <uint64_t>2 << i | 1
        for k in range(c.n_readings):
            needs = mapop_operations[c.reading[k]].identity
            if ((needs & NEEDS_IMSI and not imsi & mine) or (needs & NEEDS_IDENTITY and not identity & mine)) \
                    and not (needs & IN_BEGIN and m.tcap != TCAP_BEGIN) \
                    and not (needs & WITH_ACN and m.acn_octets == 0):
                c.imsi_missing |= <uint8_t>(1 << k)


cdef void mapop_group(Group* g) noexcept nogil:
    cdef int i, k
    cdef Msg* m
    cdef Component* c
    for i in range(g.n):
        m = &g.msgs[i]
        m.numbers = &g.numbers[g.n_numbers]
        m.n_numbers = 0
        if m.tcap == 0:
            continue
        if m.open_octets:
            open_info(m)
        for k in range(m.n_components):
            c = &m.components[k]
            if c.error_code_present and c.argument_octets:
                error(m, c, <int8_t>k)
            if c.opcode_form == 0 or c.opcode_form > OPCODE_GLOBAL:  # T1.114's numbers are no operations of MAP or CAP
                continue
            if c.type == INVOKE:
                invoke(m, c, <int8_t>k)
            elif c.type == RETURN_RESULT_LAST or c.type == RETURN_RESULT_NOT_LAST:
                result(m, c, <int8_t>k)
        identities_missing(m)
        g.n_numbers += m.n_numbers


# ---- for Python -----------------------------------------------------------------------------------------------------

OPERATIONS = tuple(
    (names.APPLICATIONS[mapop_operations[i].application], mapop_operations[i].name.decode())
    for i in range(MAPOP_OPERATIONS)
)
FIELD_NAMES = tuple(mapop_fields[i].decode() for i in range(MAPOP_FIELDS))

cdef Group _group


cdef str digits_text(const Digits* d):
    return "".join("0123456789abcdef"[digit_at(d, i)] for i in range(d.count))


cdef str oid_text(bytes content):
    cdef list arcs = []
    value = 0
    for octet in content:
        value = value << 7 | (octet & 0x7F)
        if not octet & 0x80:
            arcs.append(value)
            value = 0
    if not arcs:
        return ""
    head = min(arcs[0] // 40, 2)
    return ".".join(map(str, [head, arcs[0] - 40 * head, *arcs[1:]]))


cdef dict component_dict(const Msg* m, const Component* c, bytes data):
    form = names.OPCODE_FORMS[c.opcode_form]
    opcode = c.opcode if form else None
    if form == "global":
        opcode = oid_text(data[c.oid_offset:c.oid_offset + c.oid_octets])
    return {
        "type": names.COMPONENT_TYPES[c.type],
        "invoke_id": c.invoke_id if c.invoke_id_present else None,
        "opcode": opcode,
        "opcode_form": form or None,
        "error_code": c.error_code if c.error_code_present else None,
        "readings": [":".join(OPERATIONS[c.reading[k]]) for k in range(c.n_readings)],
        "acn_misfit": [bool(c.acn_misfit >> k & 1) for k in range(c.n_readings)],
        "ssn_misfit": [bool(c.ssn_misfit >> k & 1) for k in range(c.n_readings)],
        "imsi_missing": [bool(c.imsi_missing >> k & 1) for k in range(c.n_readings)],
    }


cdef dict number_dict(const Number* n):
    return {
        "kind": names.NUMBER_KINDS[n.kind],
        "name": FIELD_NAMES[n.name],
        "digits": digits_text(&n.d),
        "nature": n.nature,
        "plan": n.plan,
        "role": n.role,
        "origin": n.origin,
        "overdecadic": bool(n.d.flags & DIGITS_OVERDECADIC),
    }


def parse(bytes data not None, int called_ssn=6, int calling_ssn=6):
    cdef Group* g = &_group
    cdef Msg* m = &g.msgs[0]
    g.n = 1
    g.n_components = 0
    g.n_numbers = 0
    memset(m, 0, sizeof(Msg))
    m.data = data
    m.data_octets = <uint32_t>len(data)
    if called_ssn >= 0:
        m.called.has, m.called.ssn = HAS_SSN, <uint8_t>called_ssn
    if calling_ssn >= 0:
        m.calling.has, m.calling.ssn = HAS_SSN, <uint8_t>calling_ssn
    with nogil:
        tcap_group(g)
        mapop_group(g)
    error = names.LAYERS[m.error_layer], names.ERROR_CODES[m.error_code], m.error_offset
    return {
        "type": names.TCAP_TYPES[m.tcap] or None,
        "otid": bytes(m.otid[:m.otid_octets]).hex() or None,
        "dtid": bytes(m.dtid[:m.dtid_octets]).hex() or None,
        "acn": oid_text(data[m.acn_offset:m.acn_offset + m.acn_octets]) if m.acn_octets else None,
        "acn_application": names.APPLICATIONS[m.acn_application],
        "components": [component_dict(m, &m.components[k], data) for k in range(m.n_components)],
        "numbers": [number_dict(&m.numbers[k]) for k in range(m.n_numbers)],
        "requested_info": [name for k, name in enumerate(names.REQUESTED_INFO) if m.requested_info >> k & 1],
        "sms": (m.sms_pid, m.sms_dcs) if m.has_sms else None,
        "management": m.management,
        "exceptions": [name for k, name in enumerate(names.EXCEPTIONS) if m.exceptions >> k & 1],
        "error": error if m.error_code else None,
    }


def repeat(list messages, int rounds):
    cdef Group* g = &_group
    cdef const uint8_t* data[32]
    cdef uint32_t[32] octets
    cdef int i, n = min(len(messages), 32), _r
    cdef uint64_t total = 0
    for i in range(n):
        data[i] = messages[i]
        octets[i] = <uint32_t>len(messages[i])
    with nogil:
        for _r in range(rounds):
            g.n, g.n_components, g.n_numbers = n, 0, 0
            for i in range(n):
                memset(&g.msgs[i], 0, sizeof(Msg))
                g.msgs[i].data, g.msgs[i].data_octets = data[i], octets[i]
                g.msgs[i].called.has = g.msgs[i].calling.has = HAS_SSN
                g.msgs[i].called.ssn = g.msgs[i].calling.ssn = 6
            tcap_group(g)
            mapop_group(g)
            total += g.n_components
    return total
