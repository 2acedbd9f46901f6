# Which rule decides: DESIGN's order of decision over the rules whose conditions hold (conditions.pyx).
#
# The first rule left in a category decides for it; the worst of all wins. Shadow rules run beside, in a second decision
# over the same bits.

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memset

from sigfw._core.conditions cimport Eval, Left, component_fields, copy, gather, message_fields, row_of, run_checks, side
from sigfw._core.encode cimport encode_reply
from sigfw._core.limits cimport MAX_REPLY, REPLIES_PER_SECOND
from sigfw._core.memory cimport Memory
from sigfw._core.msg cimport *
from sigfw._core.state cimport state_clock, state_learn
from sigfw._core.tables cimport *
from sigfw._core.tables import Tables

__all__ = ["Tables"]

cdef extern from *:
    int __builtin_ctzll(unsigned long long) noexcept nogil

cdef enum:
    UNQUALIFIED = 7            # Q.713 3.12: return cause of a reject that an exception asks for
    OF_SEGMENT = EX_MALFORMED | EX_UNUSABLE_GT | EX_LIMIT_EXCEEDED | EX_EXPIRED

cdef struct Decision:
    uint8_t action
    uint8_t reason
    uint8_t component
    uint16_t rule
    uint16_t alert             # the first rule that asks for an event
    uint32_t exceptions        # those that took part


# decision -------------------------------------------------------------------------------------------------------------

cdef uint8_t reason_of(const Msg* m, uint32_t exception) noexcept nogil:
    """`exception` counts as names.EXCEPTIONS."""
    if m.sccp == NULL and exception == 0:
        return REASON_UNFRAMED
    if exception == 0:
        return REASON_MALFORMED
    if exception == 1:
        return REASON_UNUSABLE_GT
    if exception == 2:
        return REASON_NOT_TCAP
    if exception == 3:
        return REASON_NOT_SCCP
    if exception == 4:
        return REASON_UNKNOWN_OPERATION
    if exception == 5:
        if m.segment_state == SEGMENT_FAILED:
            return REASON_REASSEMBLY_FAILED
        return REASON_REASSEMBLY_ORPHAN if m.segment_state == SEGMENT_ORPHAN else REASON_REASSEMBLY_TIMEOUT
    if exception == 6:
        return REASON_LIMIT_EXCEEDED
    return REASON_EXPIRED if exception == 7 else REASON_DEFAULT


cdef inline void take(Decision* d, uint8_t action, uint8_t reason, uint16_t rule, uint8_t component) noexcept nogil:
    """The worst wins; at a tie the lowest component, then the first rule, then what came first."""
    if action > d.action or (action == d.action and component == d.component and rule
                             and (d.rule == 0 or rule < d.rule)):
        d.action = action
        d.reason = reason
        d.rule = rule
        d.component = component


cdef inline void note_alert(Decision* d, const Rule* rule, uint32_t i) noexcept nogil:
    if rule.alert and d.alert == 0:
        d.alert = <uint16_t>(i + 1)


cdef void take_exceptions(const PolicyTables* t, const Msg* m, uint32_t exceptions, uint8_t component, Decision* d) noexcept nogil:
    cdef uint32_t i
    d.exceptions |= exceptions
    while exceptions:
        i = __builtin_ctzll(exceptions)
        exceptions &= exceptions - 1
        take(d, t.exception_action[i][m.perimeter], reason_of(m, i), 0, component)


cdef bint take_rules(
    Eval* e, const Left* l, uint32_t mask, uint8_t component, uint64_t* counted, Decision* d
) noexcept nogil:
    """The first rule of each category; true where there is one. counted: rules counted for this component, or NULL.

    An unsure rule decides nothing for good: the next one of its category is asked, too, and the worse counts.
    """
    cdef const PolicyTables* t = e.t
    cdef const uint64_t* in_force = row_of(t, mask)
    cdef const Rule* rule
    cdef uint64_t left
    cdef uint32_t w, i, done = 0
    for w in range(l.first, l.end):
        left = l.bits[w] & in_force[w]
        while left:
            i = w * 64 + __builtin_ctzll(left)
            left &= left - 1
            rule = &t.rules[i]
            if done >> rule.category & 1:
                continue
            if not l.unsure[w] >> (i & 63) & 1:
                done |= 1 << rule.category
            if counted != NULL and not counted[w] >> (i & 63) & 1:
                counted[w] |= <uint64_t>1 << (i & 63)
                e.k.rules[i + 1] += 1
            note_alert(d, rule, i)
            take(d, rule.action, REASON_RULE, <uint16_t>(i + 1), component)
            if rule.final and rule.action == ALLOW:
                return True
    return done != 0


cdef void decide(Eval* e, const Component* c, const Left* l, uint32_t mask, uint8_t component, int reading,
                 uint64_t* counted, Decision* d) noexcept nogil:
    """One component in one reading."""
    cdef const PolicyTables* t = e.t
    cdef const uint64_t* in_force = row_of(t, mask)
    cdef const uint64_t* by_opcode = row_of(t, t.names_opcode)
    cdef uint32_t exceptions = e.m.exceptions & ~<uint32_t>(EX_UNKNOWN_OPERATION | EX_NOT_SCCP | EX_REASSEMBLY | EX_DEFAULT)
    cdef uint64_t named = 0
    cdef uint32_t w
    cdef bint matched
    if c != NULL and c.type == INVOKE and reading < 0:
        for w in range(l.first, l.end):
            named |= l.bits[w] & in_force[w] & by_opcode[w]
        if named == 0:
            exceptions |= EX_UNKNOWN_OPERATION
    matched = take_rules(e, l, mask, component, counted, d)
    if exceptions:
        take_exceptions(t, e.m, exceptions, component, d)
    elif not matched:
        take_exceptions(t, e.m, EX_DEFAULT, component, d)


cdef inline bint has_shadow(const PolicyTables* t, const Left* l) noexcept nogil:
    """Whether a rule that is not enforced is among them."""
    cdef const uint64_t* enforced = row_of(t, t.enforced)
    cdef const uint64_t* all_ = row_of(t, t.with_shadow)
    cdef uint64_t found = 0
    cdef uint32_t w
    for w in range(l.first, l.end):
        found |= l.bits[w] & all_[w] & ~enforced[w]
    return found != 0


cdef void decide_whole(Eval* e, Decision* d, Decision* shadow) noexcept nogil:
    """Until a shadow rule holds, what shadow rules would decide is what is decided."""
    cdef const PolicyTables* t = e.t
    cdef Msg* m = e.m
    cdef const Component* c
    cdef Left left
    cdef uint64_t counted[MAX_WORDS]
    cdef uint32_t w
    cdef int i, r
    cdef bint apart = False
    message_fields(t, m, &e.base, False)
    if m.n_components > 1:
        gather(t, m, &e.base, &e.inner)
    for i in range(m.n_components or 1):
        c = &m.components[i] if m.n_components else NULL
        for w in range(e.base.first, e.base.end):
            counted[w] = 0
        for r in range(-1 if c == NULL or c.n_readings == 0 else 0, c.n_readings if c != NULL else 0):
            copy(&e.base, &left)
            component_fields(t, m, c, r, &e.inner if e.inner.gathered else NULL, &left)
            if t.checks_used:
                run_checks(e, c, r, &left)
            if not apart and t.with_shadow != NO_ROW and has_shadow(t, &left):
                apart = True
                shadow[0] = d[0]
            decide(e, c, &left, t.enforced, <uint8_t>i, r, counted, d)
            if apart:
                decide(e, c, &left, t.with_shadow, <uint8_t>i, r, counted, shadow)
    if not apart and t.with_shadow != NO_ROW:
        shadow[0] = d[0]


cdef void early_rules(Eval* e, const Left* l, uint32_t mask, uint64_t* counted, Decision* d) noexcept nogil:
    """What is certain before the whole is there: a deny that nothing still unseen could come before."""
    cdef const PolicyTables* t = e.t
    cdef const uint64_t* in_force = row_of(t, mask)
    cdef const uint64_t* early = row_of(t, t.early)
    cdef const Rule* rule
    cdef uint64_t left
    cdef uint32_t w, i, done = 0, unseen_drop = 0
    cdef uint32_t closed = 0  # categories that a rule surely decides: a later `final` there hides nothing
    for w in range(l.first, l.end):
        left = l.bits[w] & in_force[w]
        while left:
            i = w * 64 + __builtin_ctzll(left)
            left &= left - 1
            rule = &t.rules[i]
            if rule.final and rule.action == ALLOW and not closed >> rule.category & 1:
                return
            if (early[w] & ~l.unsure[w]) >> (i & 63) & 1:
                closed |= 1 << rule.category
            if done >> rule.category & 1:
                continue
            if not early[w] >> (i & 63) & 1 and rule.action == DROP:
                unseen_drop |= 1 << rule.category  # it drops or is not there: a drop below stays certain
                continue
            if not (early[w] & l.unsure[w]) >> (i & 63) & 1:
                done |= 1 << rule.category
            if rule.action != ALLOW and early[w] >> (i & 63) & 1 \
                    and (rule.action == DROP or not unseen_drop >> rule.category & 1):
                if not counted[w] >> (i & 63) & 1:
                    counted[w] |= <uint64_t>1 << (i & 63)
                    e.k.rules[i + 1] += 1
                note_alert(d, rule, i)
                take(d, rule.action, REASON_RULE, <uint16_t>(i + 1), 0)


cdef void close_segment(Eval* e, const Left* l, uint32_t mask, uint64_t* counted, Decision* d) noexcept nogil:
    cdef uint32_t exceptions = e.m.exceptions & OF_SEGMENT
    if e.m.segment_state != SEGMENT_HELD:
        exceptions |= EX_REASSEMBLY
    early_rules(e, l, mask, counted, d)
    take_exceptions(e.t, e.m, exceptions, 0, d)
    if e.m.segment_state == SEGMENT_HELD and d.action <= REDIRECT:  # a redirected one would be gone before the rest is seen
        d.action = HOLD
        d.reason = REASON_SEGMENT_HELD
        d.rule = 0


cdef void decide_segment(Eval* e, Decision* d, Decision* shadow) noexcept nogil:
    """A segment by itself: the rules and exceptions that need SCCP alone, else hold."""
    cdef const PolicyTables* t = e.t
    cdef const uint64_t* early = row_of(t, t.early)
    cdef Left left
    cdef uint64_t counted[MAX_WORDS]
    cdef uint32_t w
    message_fields(t, e.m, &e.base, True)
    copy(&e.base, &left)
    for w in range(left.first, left.end):
        left.bits[w] &= early[w]
        counted[w] = 0
    if t.checks_used:
        run_checks(e, NULL, -1, &left)
    for w in range(left.first, left.end):
        left.bits[w] |= e.base.bits[w] & ~early[w]
    close_segment(e, &left, t.enforced, counted, d)
    if t.with_shadow != NO_ROW:
        close_segment(e, &left, t.with_shadow, counted, shadow)


cdef bint may_reject(const Msg* m) noexcept nogil:
    """Q.714 4.2: only where return on error is asked for, never for a service message; a reply goes to the first segment."""
    cdef uint8_t reply[MAX_REPLY]
    cdef bint asked = m.first.return_on_error if m.first != NULL else m.return_on_error
    if not asked or not (m.type == SCCP_UDT or m.type == SCCP_XUDT or m.type == SCCP_LUDT):
        return False
    if (m.error_layer == LAYER_FRAMING or m.error_layer == LAYER_SCCP) and m.exceptions & (EX_MALFORMED | EX_LIMIT_EXCEEDED):
        return False                                    # whom to answer is not sure
    if not m.calling.has & (HAS_GT | HAS_SSN | HAS_PC):
        return False                                    # nobody to answer: an address that says nothing (Q.713 3.5)
    if not (m.segment_state == SEGMENT_FINAL or not m.segmented or m.segment_first):
        return False
    return encode_reply(m, UNQUALIFIED, reply) > 0      # addresses laid out so that no service message can be


cdef void finish(const Msg* m, Decision* d) noexcept nogil:
    if d.action == REJECT and not may_reject(m):
        refuse_reply(d)


cdef bint deny_with_the_rest(const Msg* m, Decision* d) noexcept nogil:
    """Whether it would have passed by itself."""
    if d.action == REJECT and m.fate.answered:
        refuse_reply(d)
    elif d.action < REJECT:
        d.action = DROP
        d.reason = REASON_REASSEMBLY_FAILED
        d.rule = 0
        return True
    return False


cdef void share_fate(Msg* m, Decision* d, Decision* shadow) noexcept nogil:
    """All parts of a message are released or none: what was denied at once takes the others along, and one reply is enough."""
    if m.fate.denied:
        if deny_with_the_rest(m, d):
            note_error(m, LAYER_SCCP, E_PART_DENIED, 0 if m.segment_state == SEGMENT_FINAL else m.segment_offset)
        deny_with_the_rest(m, shadow)
    m.fate.denied |= d.action >= REJECT
    m.fate.answered |= d.action == REJECT


cdef bint has_token(Bucket* b, int64_t now_ns) noexcept nogil:
    """Whether one more reply is within the rate; `now_ns` below the last is a clock that was set back, or disorder."""
    cdef int64_t waited = now_ns - b.at_ns
    if waited > 0:
        b.tokens = min(<double>REPLIES_PER_SECOND, b.tokens + waited * (REPLIES_PER_SECOND / 1e9))
    if waited > 0 or waited < -1_000_000_000:
        b.at_ns = now_ns
    return b.tokens >= 1


cdef void limit_replies(const Context* ctx, const Msg* m, Decision* d, Decision* shadow) noexcept nogil:
    """By the service's clock, in a capture by the capture's own; without either nothing is limited."""
    cdef int64_t now_ns = ctx.now_ns if ctx.now_ns else m.time_ns
    if ctx.replies == NULL or now_ns < 0 or (d.action != REJECT and shadow.action != REJECT):
        return
    if not has_token(ctx.replies, now_ns):
        refuse_reply(d)
        refuse_reply(shadow)
    elif d.action == REJECT:                            # what a shadow rule would have sent takes nothing
        ctx.replies.tokens -= 1


cdef void refuse_reply(Decision* d) noexcept nogil:
    if d.action == REJECT:
        d.action = DROP
        d.reason = REASON_REJECT_NOT_PERMITTED


cdef void write(const PolicyTables* t, const Decision* d, Verdict* v) noexcept nogil:
    cdef const Rule* rule
    v.action = d.action
    v.reason = d.reason
    v.component = d.component
    v.alert = d.alert
    v.rule = d.rule
    if d.rule:
        rule = &t.rules[d.rule - 1]
        v.category = rule.category
        v.redirect = rule.redirect if d.action == REDIRECT else 0
    if d.action == REJECT:
        v.return_cause = t.rules[d.rule - 1].return_cause if d.rule else UNQUALIFIED


cdef void write_shadow(const Decision* d, Verdict* v) noexcept nogil:
    v.shadow_action = d.action
    v.shadow_reason = d.reason
    v.shadow_rule = d.rule


cdef void write_monitor(const Decision* d, Verdict* v) noexcept nogil:
    """What enforcing would have given goes into the shadow; everything passes."""
    write_shadow(d, v)
    v.action = ALLOW
    v.reason = REASON_MONITOR
    v.alert = d.alert


cdef void classify(const PolicyTables* t, const Context* ctx, Memory* mem, Msg* m, Counters* k) noexcept nogil:
    cdef Eval e
    cdef Decision d, shadow
    cdef Verdict* v = &m.verdict
    cdef uint32_t i, exceptions
    memset(v, 0, sizeof(Verdict))
    v.mode = ctx.mode[m.perimeter] or <uint8_t>MODE_ENFORCE
    if v.mode == MODE_BYPASS:
        v.action = ALLOW
        v.reason = REASON_BYPASS
        return
    if m.expired:
        m.exceptions |= EX_EXPIRED
    e.t = t
    e.m = m
    e.k = k
    e.mem = mem
    e.whole.asked = e.whole.yes = e.whole.sure = 0
    e.inner.gathered = e.last[0].filled = e.last[1].filled = False
    memset(&d, 0, sizeof(d))
    memset(&shadow, 0, sizeof(shadow))
    if m.sccp == NULL:
        exceptions = (m.exceptions & EX_EXPIRED) | (EX_NOT_SCCP if m.exceptions & EX_NOT_SCCP else EX_MALFORMED)
        take_exceptions(t, m, exceptions, 0, &d)
        shadow = d
    elif m.segment_state == SEGMENT_NONE or m.segment_state == SEGMENT_FINAL:
        decide_whole(&e, &d, &shadow)
    else:
        decide_segment(&e, &d, &shadow)
    finish(m, &d)
    finish(m, &shadow)
    if m.fate != NULL:
        share_fate(m, &d, &shadow)
    limit_replies(ctx, m, &d, &shadow)
    exceptions = d.exceptions
    while exceptions:
        i = __builtin_ctzll(exceptions)
        exceptions &= exceptions - 1
        k.exceptions[i][t.exception_action[i][m.perimeter]] += 1
    if v.mode == MODE_MONITOR:
        write_monitor(&d, v)
        return
    write(t, &d, v)
    if t.with_shadow != NO_ROW:
        if shadow.action != d.action or shadow.reason != d.reason or shadow.rule != d.rule:
            write_shadow(&shadow, v)


# links and direction --------------------------------------------------------------------------------------------------

cdef inline bint among(const int32_t* values, uint32_t n, uint32_t value) noexcept nogil:
    cdef uint32_t i
    for i in range(n):
        if <uint32_t>values[i] == value:
            return True
    return False


cdef bint link_matches(const Link* link, const Context* ctx, const Msg* m) noexcept nogil:
    cdef uint32_t i
    cdef bint found = link.n_topics == 0
    for i in range(link.n_topics):
        if link.topics[i] == ctx.topic:
            found = True
    if not found:
        return False
    if (link.ni or link.n_opc or link.n_dpc) and not m.has_mtp:
        return False
    if link.ni and (m.mtp_from_headers or not link.ni >> (m.ni & 3) & 1):
        return False
    return ((link.n_opc == 0 or among(link.opc, link.n_opc, m.opc))
            and (link.n_dpc == 0 or among(link.dpc, link.n_dpc, m.dpc)))


cdef void resolve_links(const PolicyTables* t, const Context* ctx, Group* g, Counters* k) noexcept nogil:
    cdef uint32_t i
    cdef int j
    cdef Msg* m
    for j in range(g.n):
        m = &g.msgs[j]
        m.link = 0
        m.variant = ctx.variant
        m.perimeter = ctx.perimeter or m.header_perimeter or <uint8_t>PERIMETER_INTERNATIONAL
        for i in range(t.n_links):
            if link_matches(&t.links[i], ctx, m):
                m.link = <uint8_t>(i + 1)
                m.variant = t.links[i].variant
                m.perimeter = t.links[i].perimeter
                if m.header_perimeter and m.header_perimeter != m.perimeter:
                    m.perimeter = PERIMETER_INTERNATIONAL
                    k.link_header_conflicts += 1
                break
        if m.perimeter >= N_PERIMETERS:
            m.perimeter = PERIMETER_INTERNATIONAL


cdef uint8_t direction_of(int called, int calling) noexcept nogil:
    """A calling address that says nothing does not take away that a message comes in."""
    if called == 1 and calling != 1:
        return DIRECTION_INBOUND
    if calling == 1 and called != 1:
        return DIRECTION_OUTBOUND
    return DIRECTION_TRANSIT if called == -1 and calling == -1 else DIRECTION_UNKNOWN


cdef void direction(const PolicyTables* t, Msg* m) noexcept nogil:
    """One, or all that two readings of a GT leave: then inbound where it may be that."""
    cdef bint to = m.has_mtp and m.dpc != NO_PC, from_ = m.has_mtp and m.opc != NO_PC
    cdef int called = side(t, &m.called, to, m.dpc, False)
    cdef int calling = side(t, &m.calling, from_, m.opc, True)
    cdef int called_surely = called, calling_maybe = calling
    m.direction = direction_of(called, calling)
    m.directions = 0
    if m.called.n_norm > 1:
        called_surely = side(t, &m.called, to, m.dpc, True)
    if m.calling.n_norm > 1:
        calling_maybe = side(t, &m.calling, from_, m.opc, False)
    if called != called_surely or calling != calling_maybe:
        m.directions = <uint8_t>(1 << m.direction | 1 << direction_of(called, calling_maybe)
                                 | 1 << direction_of(called_surely, calling)
                                 | 1 << direction_of(called_surely, calling_maybe))


cdef void classify_group(const PolicyTables* t, const Context* ctx, Memory* mem, Group* g, Counters* k) noexcept nogil:
    """In the order of the messages: each sees what those before it taught."""
    cdef int i
    for i in range(g.n):
        direction(t, &g.msgs[i])
        if mem == NULL:
            classify(t, ctx, NULL, &g.msgs[i], k)
        else:
            state_clock(mem, &g.msgs[i], ctx.now_ns)
            classify(t, ctx, mem, &g.msgs[i], k)
            state_learn(t, mem, &g.msgs[i])
