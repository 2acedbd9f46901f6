# The state checks. What they remember, by shelf (memory.pxd):
#
#   location   subscriber (IMSI, or MSISDN) and domain -> a: the node's number
#   sms        IMSI, or the correlation id of TR 23.840 in its place -> a, b, c: who was told, the latest first; with MORE_TOLD
#              others were before them
#   dialogue   who gave a transaction id, and the id -> a: who was asked (0: anybody may answer), b: IMSI, c: node, operation
#              with PROFILED, a is the MSISDN that our HLR told of b, and one of ours was asked
#   answer     verdict id -> a: what was asked, known and true of a message, so that it is judged alike when it comes again
#   rate       limit and who -> a: tokens (a double), b: when they were counted
#
# A number is a word: its digits left-aligned, their count in the last four bits (16 is 0 there).

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from sigfw._core.gttable cimport class_of
from sigfw._core.mapop cimport map_operation
from sigfw._core.memory cimport *
from sigfw._core.msg cimport *
from sigfw._core.tables cimport *

from sigfw._core import mapop as _mapop

cdef enum:                 # names.CHECKS, from the first that needs state
    LOCATION_IMPLAUSIBLE = 10
    SMS_ORIGIN_MISMATCH
    DIALOGUE_UNKNOWN
    RATE_EXCEEDED
    TARGET_SCANNED

cdef enum Domain:
    CIRCUIT
    PACKET
    N_DOMAINS

cdef enum Said:
    SAYS_NOTHING
    SAYS_NO
    SAYS_YES

cdef enum:                 # flags of an entry
    MORE_TOLD = 1
    PROFILED = 1

cdef uint16_t UPDATE_LOCATION = map_operation(2)
cdef uint16_t INSERT_SUBSCRIBER_DATA = map_operation(7)
cdef uint16_t UPDATE_GPRS_LOCATION = map_operation(23)
cdef uint16_t MT_FORWARD_SM = map_operation(44)
cdef uint16_t SEND_ROUTING_INFO_FOR_SM = map_operation(45)
cdef uint16_t MO_FORWARD_SM = map_operation(46)
cdef uint16_t MSC_NUMBER = _mapop.FIELD_NAMES.index("msc-Number")
cdef uint16_t VLR_NUMBER = _mapop.FIELD_NAMES.index("vlr-Number")
cdef uint16_t SGSN_NUMBER = _mapop.FIELD_NAMES.index("sgsn-Number")


# words ----------------------------------------------------------------------------------------------------------------

cdef inline uint64_t word(uint64_t key, uint32_t digits) noexcept nogil:
    return (key & ~<uint64_t>15) | (digits & 15)


cdef inline uint64_t gt_word(const Norm* norm) noexcept nogil:
    return word(norm.key, norm.digits)


cdef inline const ClassInfo* class_info(const PolicyTables* t, uint64_t number, uint8_t space) noexcept nogil:
    cdef const GtTable* gt = &t.gt[space]
    return &gt.classes[class_of(gt, number & ~<uint64_t>15, (number & 15) or 16)]


cdef inline uint64_t first_word(const Party* p) noexcept nogil:
    return gt_word(&p.norm[0]) if p.n_norm else 0


cdef bint is_home(const PolicyTables* t, const Party* p) noexcept nogil:
    cdef uint32_t i
    for i in range(p.n_norm):
        if not info(t, &p.norm[i]).home:
            return False
    return p.n_norm > 0


cdef bint holds(const Msg* m, uint8_t type_, uint16_t operation) noexcept nogil:
    """Whether a component of that type has that reading."""
    cdef int i, r
    for i in range(m.n_components):
        if m.components[i].type == type_ or (type_ == RETURN_RESULT_LAST and m.components[i].type == RETURN_RESULT_NOT_LAST):
            for r in range(m.components[i].n_readings):
                if m.components[i].reading[r] == operation:
                    return True
    return False


cdef inline bint registers(const Msg* m, int domain) noexcept nogil:
    return holds(m, INVOKE, UPDATE_LOCATION if domain == CIRCUIT else UPDATE_GPRS_LOCATION)


cdef const Number* of_subscriber(const PolicyTables* t, const Msg* m, uint8_t kind, int* at) noexcept nogil:
    """The next number of that kind that is one of our subscribers; NULL: no more."""
    cdef const Number* n
    while at[0] < m.n_numbers:
        n = &m.numbers[at[0]]
        at[0] += 1
        if n.kind == kind and n.n_norm and number_is_home(t, n):
            return n
    return NULL


cdef inline uint64_t node_named(const Msg* m, uint16_t name) noexcept nogil:
    cdef int i
    for i in range(m.n_numbers):
        if m.numbers[i].name == name and m.numbers[i].n_norm and m.numbers[i].norm[0].space == SPACE_E164:
            return gt_word(&m.numbers[i].norm[0])
    return 0


cdef uint64_t new_node(const Msg* m, int domain) noexcept nogil:
    """The VLR or SGSN that a registration names, else who sent it; 0: neither."""
    cdef uint64_t node = node_named(m, VLR_NUMBER if domain == CIRCUIT else SGSN_NUMBER)
    if node:
        return node
    return first_word(&m.calling) if m.calling.n_norm and m.calling.norm[0].space == SPACE_E164 else 0


cdef inline uint64_t location_key(const Memory* mem, const Number* n, int domain) noexcept nogil:
    return memory_key(mem, SHELF_LOCATION | <uint64_t>n.kind << 8, gt_word(&n.norm[0]), <uint64_t>domain)


cdef inline uint64_t sms_key(const Memory* mem, const Number* n) noexcept nogil:
    return memory_key(mem, SHELF_SMS, gt_word(&n.norm[0]), 0)


cdef uint64_t dialogue_key(const Memory* mem, const Norm* owner, const uint8_t* tid, uint8_t octets) noexcept nogil:
    cdef uint64_t number = octets
    cdef uint32_t i
    for i in range(octets):
        number = number << 8 | tid[i]
    return memory_key(mem, SHELF_DIALOGUE | <uint64_t>owner.space << 8, gt_word(owner), number)


cdef Remembered* dialogue_of(Memory* mem) noexcept nogil:
    """What the message at hand goes on with: a Continue, End or Abort, by its destination transaction id."""
    cdef Remembered* r
    cdef uint32_t i
    for i in range(mem.n_by_dtid):
        r = recall(mem, SHELF_DIALOGUE, mem.by_dtid[i])
        if r != NULL:
            return r
    return NULL


cdef inline uint64_t answer_key(const Memory* mem, const Msg* m) noexcept nogil:
    return memory_key(mem, SHELF_ANSWER | <uint64_t>m.index << 8 | <uint64_t>m.frame << 32, mem.stream, <uint64_t>m.offset)


# the checks -----------------------------------------------------------------------------------------------------------

cdef inline int worse(int a, int b) noexcept nogil:
    return a if a > b else b


cdef int operators_differ(const PolicyTables* t, uint64_t known, uint8_t space, const Party* p) noexcept nogil:
    """Is a number of another operator than the party? Two that no operator lists are one only if they are equal."""
    cdef uint32_t i
    cdef const ClassInfo* a = class_info(t, known, space)
    cdef const ClassInfo* b
    cdef int said = SAYS_NOTHING
    for i in range(p.n_norm):
        b = info(t, &p.norm[i])
        if a.operator or b.operator:
            said = worse(said, SAYS_NO if is_same_operator(t, a, b) else SAYS_YES)
        elif p.norm[i].space == space and gt_word(&p.norm[i]) == known:
            said = worse(said, SAYS_NO)
    return said


cdef uint32_t zone_of(const PolicyTables* t, uint64_t number) noexcept nogil:
    """0: unknown, ZONE_APART, or FIRST_COUNTRY and the index of a country."""
    cdef uint16_t owner = class_info(t, number, SPACE_E164).operator
    cdef const GtTable* zones = &t.state.zones
    cdef uint16_t zone = zones.classes[class_of(zones, number & ~<uint64_t>15, (number & 15) or 16)].operator
    if zone != ZONE_APART and owner and t.state.operator_country[owner]:
        return FIRST_COUNTRY + t.state.operator_country[owner] - 1
    return zone


cdef inline bint has_prefix(uint64_t number, uint64_t prefix, uint8_t digits) noexcept nogil:
    return digits == 0 or (number ^ prefix) >> (64 - 4 * digits) == 0


cdef uint32_t travel_minutes(const PolicyTables* t, uint64_t old, uint64_t new) noexcept nogil:
    """The operator's own journeys first, the longest prefixes of them; then from country to country."""
    cdef const Journey* j
    cdef const Journey* found = NULL
    cdef uint32_t i, a, b
    for i in range(t.state.n_journeys):
        j = &t.state.journeys[i]
        if has_prefix(old, j.old, j.old_digits) and has_prefix(new, j.new, j.new_digits) \
                and (found == NULL or j.old_digits + j.new_digits > found.old_digits + found.new_digits):
            found = j
    if found != NULL:
        return found.minutes
    a = zone_of(t, old)
    b = zone_of(t, new)
    if a == ZONE_APART or b == ZONE_APART or (a == b and a != 0):
        return 0
    if a == 0 or b == 0:
        return NO_MINUTES
    return t.state.minutes[(a - FIRST_COUNTRY) * t.state.n_countries + b - FIRST_COUNTRY]


cdef int journey(const PolicyTables* t, Memory* mem, const Number* n, int domain, uint64_t new) noexcept nogil:
    cdef const Remembered* r = recall(mem, SHELF_LOCATION, location_key(mem, n, domain))
    cdef uint32_t minutes
    if r == NULL:
        return SAYS_NOTHING if t.state.unknown_subscriber == 0 else \
            SAYS_YES if t.state.unknown_subscriber == 1 else SAYS_NO
    if r.a == new:
        return SAYS_NO
    minutes = travel_minutes(t, r.a, new)
    if minutes == NO_MINUTES:
        return SAYS_NOTHING
    return SAYS_YES if (mem.now - r.seconds if mem.now > r.seconds else r.seconds - mem.now) < minutes * 60 else SAYS_NO


cdef int location_implausible(const PolicyTables* t, Memory* mem, const Msg* m) noexcept nogil:
    cdef const Number* n
    cdef uint64_t new, msc
    cdef int domain, at, said = SAYS_NOTHING
    if not registers(m, CIRCUIT) and not registers(m, PACKET):
        return SAYS_NO
    for domain in range(N_DOMAINS):
        if not registers(m, domain):
            continue
        new = new_node(m, domain)
        msc = node_named(m, MSC_NUMBER) if domain == CIRCUIT else 0     # it gets calls and short messages
        at = 0
        n = of_subscriber(t, m, KIND_IMSI, &at)
        while new and n != NULL:
            said = worse(said, journey(t, mem, n, domain, new))
            if msc and msc != new:
                said = worse(said, journey(t, mem, n, domain, msc))
            n = of_subscriber(t, m, KIND_IMSI, &at)
    return said


cdef inline bint is_hub(const PolicyTables* t, const Party* p) noexcept nogil:
    cdef uint32_t i
    for i in range(p.n_norm):
        if t.state.hub[p.norm[i].space] != NULL and t.state.hub[p.norm[i].space][p.norm[i].cls]:
            return True
    return False


cdef int told_another(const PolicyTables* t, Memory* mem, const Msg* m, const Number* n) noexcept nogil:
    """Was the address of this subscriber told to others only?"""
    cdef const Remembered* r = recall(mem, SHELF_SMS, sms_key(mem, n))
    cdef uint64_t told[3]
    cdef int i, one, said = SAYS_NOTHING
    if r == NULL:
        return SAYS_NOTHING
    told[0], told[1], told[2] = r.a, r.b, r.c
    for i in range(3):
        if told[i]:
            one = operators_differ(t, told[i], SPACE_E164, &m.calling)
            if one == SAYS_NO:
                return SAYS_NO
            said = worse(said, one)
    return said if not r.flags & MORE_TOLD else SAYS_NOTHING    # whoever asks much shall not make forgers of the others


cdef int is_elsewhere(const PolicyTables* t, Memory* mem, const Msg* m, const Number* n) noexcept nogil:
    """Is the subscriber registered with other operators only than the one that sends?"""
    cdef const Remembered* r
    cdef int domain, one, said = SAYS_NOTHING
    for domain in range(N_DOMAINS):
        r = recall(mem, SHELF_LOCATION, location_key(mem, n, domain))
        if r != NULL:
            one = operators_differ(t, r.a, SPACE_E164, &m.calling)
            if one == SAYS_NO:
                return SAYS_NO
            said = worse(said, one)
    return said


cdef int sms_origin_mismatch(const PolicyTables* t, Memory* mem, const Msg* m) noexcept nogil:
    cdef const Number* n
    cdef int at = 0, said = SAYS_NOTHING
    cdef bint mt = holds(m, INVOKE, MT_FORWARD_SM), mo = holds(m, INVOKE, MO_FORWARD_SM)
    if not mt and not mo:
        return SAYS_NO
    if is_hub(t, &m.calling):
        return SAYS_NOTHING
    n = of_subscriber(t, m, KIND_IMSI, &at)
    while n != NULL:
        if mt:
            said = worse(said, told_another(t, mem, m, n))
        if mo:
            said = worse(said, is_elsewhere(t, mem, m, n))
        n = of_subscriber(t, m, KIND_IMSI, &at)
    at = 0
    n = of_subscriber(t, m, KIND_MSISDN, &at)
    while mo and n != NULL:
        if n.role & ROLE_SM_RP_OA:
            said = worse(said, is_elsewhere(t, mem, m, n))
        n = of_subscriber(t, m, KIND_MSISDN, &at)
    return said


cdef int answers_another(const PolicyTables* t, const Msg* m, const Remembered* r) noexcept nogil:
    """Was another operator asked in dialogue r than the one that sends?"""
    if r.flags & PROFILED:
        return SAYS_NO if is_home(t, &m.calling) else SAYS_YES
    return operators_differ(t, r.a, r.space, &m.calling) if r.a else SAYS_NO


cdef int dialogue_unknown(const PolicyTables* t, Memory* mem, const Msg* m) noexcept nogil:
    cdef const Remembered* r
    cdef const Shelf* s = &mem.shelves[SHELF_DIALOGUE]
    if m.tcap == TCAP_BEGIN or m.tcap == TCAP_UNIDIRECTIONAL:
        return SAYS_NO
    if m.has_return_cause or m.called.n_norm == 0 or m.dtid_octets == 0:
        return SAYS_NOTHING
    r = dialogue_of(mem)
    if r != NULL:
        return answers_another(t, m, r)
    if mem.seen & (1 << DIRECTION_INBOUND | 1 << DIRECTION_OUTBOUND) != \
            (1 << DIRECTION_INBOUND | 1 << DIRECTION_OUTBOUND):
        return SAYS_NOTHING
    if mem.now < mem.first_seconds + t.state.warm_up_seconds:
        return SAYS_NOTHING
    if s.evicted_seconds and mem.now <= s.evicted_seconds + s.lifetime_seconds:
        return SAYS_NOTHING    # it may have been there
    return SAYS_YES


cdef bint spend(Memory* mem, const RateLimit* limit, uint64_t key) noexcept nogil:
    """Take a token; false: there is none."""
    cdef Remembered* r = recall(mem, SHELF_RATE, key)
    cdef double tokens = limit.burst
    cdef int64_t counted_ns = mem.now_ns
    if r != NULL:
        tokens = (<double*>&r.a)[0]
        if mem.now_ns > <int64_t>r.b:
            tokens += <double>(mem.now_ns - <int64_t>r.b) * 1e-9 * limit.per_second
        else:
            counted_ns = <int64_t>r.b      # what comes late earns nothing, and the next one not twice
        if tokens > limit.burst:
            tokens = limit.burst
    r = remember(mem, SHELF_RATE, key)
    (<double*>&r.a)[0] = tokens - 1 if tokens >= 1 else tokens
    r.b = <uint64_t>counted_ns
    return tokens >= 1


cdef uint16_t counted_operation(const Msg* m, const RateLimit* limit) noexcept nogil:
    """The first operation that a limit counts; 0: none."""
    cdef int i, r
    for i in range(m.n_components):
        if m.components[i].type == INVOKE:
            for r in range(m.components[i].n_readings):
                if limit.operations == NULL or limit.operations[m.components[i].reading[r]]:
                    return m.components[i].reading[r]
    return 0


cdef int rate_exceeded(const PolicyTables* t, Memory* mem, const Msg* m) noexcept nogil:
    cdef const RateLimit* limit
    cdef uint16_t operation
    cdef uint64_t who
    cdef uint32_t i
    cdef int said = SAYS_NO if t.state.n_limits else SAYS_NOTHING
    for i in range(t.state.n_limits):
        limit = &t.state.limits[i]
        operation = counted_operation(m, limit)
        if operation == 0 and limit.operations != NULL:
            continue
        who = <uint64_t>(operation if limit.by & BY_OPERATION else 0) << 16
        if limit.by & BY_CALLING_OPERATOR and m.calling.n_norm:
            who |= info(t, &m.calling.norm[0]).operator
        said = worse(said, SAYS_NO if spend(mem, limit, memory_key(
            mem, SHELF_RATE | <uint64_t>i << 8, first_word(&m.calling) if limit.by & BY_CALLING_GT else 0, who)) else SAYS_YES)
    return said


cdef int target_scanned(const PolicyTables* t, Memory* mem, const Msg* m) noexcept nogil:
    """IMSIs are the subscribers asked about; where there is none, MSISDNs."""
    cdef const StateRules* s = &t.state
    cdef const Number* n
    cdef uint64_t caller = first_word(&m.calling), subscriber, who
    cdef uint8_t kind = KIND_MSISDN
    cdef int i, said = SAYS_NOTHING
    for i in range(m.n_numbers):
        if m.numbers[i].kind == KIND_IMSI:
            kind = KIND_IMSI
    for i in range(m.n_numbers):
        n = &m.numbers[i]
        if n.kind != kind or n.n_norm == 0 or caller == 0:
            continue
        subscriber = memory_key(mem, N_SHELVES, gt_word(&n.norm[0]), kind)
        said = worse(said, SAYS_NO)
        who = memory_key(mem, N_SHELVES + 1, caller, 0)
        if s.subscribers_per_caller \
                and count_distinct(mem, &mem.callers, who, subscriber, s.scan_seconds) > s.subscribers_per_caller:
            said = SAYS_YES
        if s.callers_per_subscriber and number_is_home(t, n) \
                and count_distinct(mem, &mem.targets, subscriber, who, s.scan_seconds) > s.callers_per_subscriber:
            said = SAYS_YES
    return said


cdef void recall_answers(Memory* mem, Msg* m) noexcept nogil:
    """A record that comes again is judged as the first time, and is counted nowhere twice."""
    cdef const Remembered* r
    if mem.stream and not m.state_asked:
        r = recall(mem, SHELF_ANSWER, answer_key(mem, m))
        if r != NULL and r.seconds == mem.now:  # another time: another record under that id, of a topic made anew
            m.state_repeated = True
            m.state_asked = <uint8_t>r.a
            m.state_known = <uint8_t>r.b
            m.state_yes = <uint8_t>r.c


cdef void state_check(const PolicyTables* t, Memory* mem, Msg* m, uint32_t check) noexcept nogil:
    cdef uint8_t bit = <uint8_t>(1 << (check - LOCATION_IMPLAUSIBLE))
    cdef int said = SAYS_NOTHING
    if m.state_asked & bit or mem == NULL:
        return
    recall_answers(mem, m)
    if m.state_asked & bit:
        return
    if mem.away and check <= DIALOGUE_UNKNOWN:
        pass                   # others may know better than what is left here
    elif check == LOCATION_IMPLAUSIBLE:
        said = location_implausible(t, mem, m)
    elif check == SMS_ORIGIN_MISMATCH:
        said = sms_origin_mismatch(t, mem, m)
    elif check == DIALOGUE_UNKNOWN:
        said = dialogue_unknown(t, mem, m)
    elif check == RATE_EXCEEDED:
        said = rate_exceeded(t, mem, m)
    else:
        said = target_scanned(t, mem, m)
    m.state_asked |= bit
    if said != SAYS_NOTHING:
        m.state_known |= bit
    if said == SAYS_YES:
        m.state_yes |= bit


# learning -------------------------------------------------------------------------------------------------------------

cdef void learn_location(Memory* mem, uint64_t key, uint64_t node) noexcept nogil:
    """What is older than what is known teaches nothing: it came late, or again."""
    cdef Remembered* r = recall(mem, SHELF_LOCATION, key)
    if node and (r == NULL or r.seconds <= mem.now):
        r = remember(mem, SHELF_LOCATION, key)
        r.a = node


cdef void learn_begin(const PolicyTables* t, Memory* mem, const Msg* m) noexcept nogil:
    cdef const Number* n
    cdef Remembered* r
    cdef int i, domain, at = 0
    cdef uint64_t imsi = 0, node = 0
    cdef uint16_t operation = SEND_ROUTING_INFO_FOR_SM if holds(m, INVOKE, SEND_ROUTING_INFO_FOR_SM) else 0
    cdef bint to_subscriber = False
    for domain in range(N_DOMAINS):
        if registers(m, domain):
            n = of_subscriber(t, m, KIND_IMSI, &at)
            if n != NULL:
                imsi = gt_word(&n.norm[0])
                node = new_node(m, domain)
                operation = UPDATE_LOCATION if domain == CIRCUIT else UPDATE_GPRS_LOCATION
                if m.perimeter == PERIMETER_INTERNAL:
                    learn_location(mem, location_key(mem, n, domain), node)
    for i in range(m.n_numbers):  # who is asked by a subscriber's number is asked wherever that was ported to
        n = &m.numbers[i]
        if n.kind == KIND_MSISDN and n.n_norm and m.called.n_norm and gt_word(&n.norm[0]) == gt_word(&m.called.norm[0]):
            to_subscriber = True
    for i in range(<int>mem.n_by_otid):
        r = remember(mem, SHELF_DIALOGUE, mem.by_otid[i])
        r.flags = 0
        r.a = 0 if to_subscriber or m.verdict.action == REDIRECT else first_word(&m.called)
        r.space = m.called.norm[0].space if m.called.n_norm else <uint8_t>SPACE_E164
        r.b = imsi
        r.c = node
        r.operation = operation


cdef void learn_results(const PolicyTables* t, Memory* mem, const Msg* m, const Remembered* r) noexcept nogil:
    """r: the dialogue that the message goes on with.

    Only what comes from within is ours, whatever GT it has. Where nothing ever comes from within, links tell no sides
    apart, and the GT has to do: a message to somebody outside is not routed to us from there.
    """
    cdef int domain = PACKET if r.operation == UPDATE_GPRS_LOCATION else CIRCUIT
    cdef bint registered = r.b and (r.operation == UPDATE_LOCATION or r.operation == UPDATE_GPRS_LOCATION)
    cdef const Number* n
    cdef Remembered* told
    cdef Remembered* open_
    cdef uint64_t who = first_word(&m.called)
    cdef int at = 0
    if not is_home(t, &m.calling) or (m.perimeter != PERIMETER_INTERNAL and (mem.inside or is_home(t, &m.called))):
        return
    if registered and holds(m, RETURN_RESULT_LAST, r.operation):
        learn_location(mem, memory_key(mem, SHELF_LOCATION | <uint64_t>KIND_IMSI << 8, r.b, <uint64_t>domain), r.c)
        if r.flags & PROFILED:
            learn_location(mem, memory_key(mem, SHELF_LOCATION | <uint64_t>KIND_MSISDN << 8, r.a, <uint64_t>domain), r.c)
    elif registered and m.tcap == TCAP_CONTINUE and holds(m, INVOKE, INSERT_SUBSCRIBER_DATA):
        n = of_subscriber(t, m, KIND_MSISDN, &at)
        if n != NULL:
            open_ = remember(mem, SHELF_DIALOGUE, r.key)
            open_[0] = r[0]
            open_.seconds = mem.now
            open_.a = gt_word(&n.norm[0])
            open_.flags |= PROFILED
    at = 0
    if t.state.needs & NEEDS_SMS and r.operation == SEND_ROUTING_INFO_FOR_SM \
            and holds(m, RETURN_RESULT_LAST, SEND_ROUTING_INFO_FOR_SM):
        n = of_subscriber(t, m, KIND_IMSI, &at)
        if n != NULL:
            told = remember(mem, SHELF_SMS, sms_key(mem, n))
            if told.a != who:
                if told.b != who:
                    if told.c and told.c != who:
                        told.flags |= MORE_TOLD
                    told.c = told.b
                told.b = told.a
                told.a = who


cdef void learn_continue(Memory* mem, const Msg* m) noexcept nogil:
    cdef Remembered* r
    cdef uint32_t i
    for i in range(mem.n_by_otid):
        r = recall(mem, SHELF_DIALOGUE, mem.by_otid[i])
        if r != NULL:
            remember(mem, SHELF_DIALOGUE, mem.by_otid[i])
            continue
        r = remember(mem, SHELF_DIALOGUE, mem.by_otid[i])
        r.a = first_word(&m.called)
        r.space = m.called.norm[0].space if m.called.n_norm else <uint8_t>SPACE_E164


cdef void learn_dialogue(const PolicyTables* t, Memory* mem, const Msg* m) noexcept nogil:
    cdef Remembered* r
    cdef Remembered known
    if m.tcap == TCAP_BEGIN:
        learn_begin(t, mem, m)
        return
    if m.tcap != TCAP_CONTINUE and m.tcap != TCAP_END and m.tcap != TCAP_ABORT:
        return
    r = dialogue_of(mem)
    if r == NULL:
        return                 # nobody's: what it says is no answer to anything
    if answers_another(t, m, r) == SAYS_YES:
        return                 # whoever was not asked ends nothing, and does not keep it going
    known = r[0]               # its place may be another's once more is remembered
    if m.tcap == TCAP_CONTINUE:
        remember(mem, SHELF_DIALOGUE, known.key)
        learn_continue(mem, m)
    else:
        forget(mem, SHELF_DIALOGUE, known.key)
    if t.state.needs & (NEEDS_LOCATIONS | NEEDS_SMS) and m.n_components:
        learn_results(t, mem, m, &known)


cdef void state_learn(const PolicyTables* t, Memory* mem, const Msg* m) noexcept nogil:
    cdef Remembered* r
    if m.state_asked and mem.stream and not m.state_repeated:
        r = remember(mem, SHELF_ANSWER, answer_key(mem, m))
        r.a = m.state_asked
        r.b = m.state_known
        r.c = m.state_yes
    if t.state.needs == 0 or m.tcap == 0 or m.error_code or m.expired or m.has_return_cause \
            or (m.verdict.action != ALLOW and m.verdict.action != REDIRECT):
        return
    mem.seen |= <uint8_t>(1 << m.direction)
    learn_dialogue(t, mem, m)


# the clock, and the store ---------------------------------------------------------------------------------------------

cdef void state_begin(const PolicyTables* t, Memory* mem) noexcept nogil:
    mem.needs = t.state.needs
    mem.shelves[SHELF_DIALOGUE].lifetime_seconds = t.state.dialogue_seconds
    mem.shelves[SHELF_SMS].lifetime_seconds = t.state.sms_seconds


cdef void find_dialogues(Memory* mem, const Msg* m) noexcept nogil:
    """Where the message's dialogues are or will be, well before they are asked for: fetched while rules are tried."""
    cdef uint32_t i
    mem.n_by_dtid = m.called.n_norm if mem.needs and m.dtid_octets else 0
    mem.n_by_otid = m.calling.n_norm if mem.needs and m.otid_octets else 0
    for i in range(mem.n_by_dtid):
        mem.by_dtid[i] = dialogue_key(mem, &m.called.norm[i], m.dtid, m.dtid_octets)
        fetch_ahead(mem, SHELF_DIALOGUE, mem.by_dtid[i])
    for i in range(mem.n_by_otid):
        mem.by_otid[i] = dialogue_key(mem, &m.calling.norm[i], m.otid, m.otid_octets)
        fetch_ahead(mem, SHELF_DIALOGUE, mem.by_otid[i])


cdef void state_clock(Memory* mem, const Msg* m, int64_t now_ns) noexcept nogil:
    """The record's time, never ahead of ours; without one ours; without either time stands still."""
    mem.now_ns = m.time_ns if m.time_ns > 0 and (now_ns == 0 or m.time_ns < now_ns) else now_ns
    mem.now = <uint32_t>(mem.now_ns // 1_000_000_000)
    if mem.now == 0:
        mem.now = 1
    mem.inside |= m.perimeter == PERIMETER_INTERNAL
    if mem.another_stream:
        mem.another_stream = False
        mem.first_seconds = max(mem.first_seconds, mem.now)
    find_dialogues(mem, m)


cdef void state_wants(const PolicyTables* t, Memory* mem, const Msg* m) noexcept nogil:
    cdef const Number* n
    cdef int i, domain
    cdef bint registered = registers(m, CIRCUIT) or registers(m, PACKET)
    cdef bint sent = holds(m, INVOKE, MO_FORWARD_SM)
    if m.tcap == 0:
        return
    if mem.stream:
        want(mem, SHELF_ANSWER, answer_key(mem, m))
    if t.state.needs & NEEDS_DIALOGUES:
        for i in range(<int>mem.n_by_dtid):
            want(mem, SHELF_DIALOGUE, mem.by_dtid[i])
    for i in range(m.n_numbers):
        n = &m.numbers[i]
        if n.n_norm == 0 or (n.kind != KIND_IMSI and n.kind != KIND_MSISDN) or not number_is_home(t, n):
            continue
        if t.state.needs & NEEDS_LOCATIONS and (registered or sent):
            for domain in range(N_DOMAINS):
                want(mem, SHELF_LOCATION, location_key(mem, n, domain))
        if t.state.needs & NEEDS_SMS and n.kind == KIND_IMSI:
            want(mem, SHELF_SMS, sms_key(mem, n))
