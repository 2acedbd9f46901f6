# Which rule decides: DESIGN's order of decision over rows of rule bits (see tables.pxd).
#
# A message ANDs the rows of its own fields once, then those of each component and reading. The first rule left in a
# category decides for it; the worst of all wins. Shadow rules run beside, in a second decision over the same bits.

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcmp, memcpy, memset

from sigfw._core.msg cimport *
from sigfw._core.tables cimport *
from sigfw import names
from sigfw._core.tables import Tables

__all__ = ["Tables"]

cdef extern from *:
    int __builtin_ctzll(unsigned long long) noexcept nogil

cdef enum Check:               # names.CHECKS
    CHECK_IMSI_IS_HOME = 1
    CHECK_IMSI_IS_FOREIGN
    CHECK_IMSI_MISSING
    CHECK_CALLING_OPERATOR_IS_NOT_IMSI_HOME
    CHECK_CALLING_OPERATOR_UNKNOWN
    CHECK_CALLING_OPERATOR_IS_NOT_MAP_NODE
    CHECK_CALLED_IS_NOT_HOME
    CHECK_ACN_DOES_NOT_FIT_OPERATION
    CHECK_SSN_DOES_NOT_FIT_APPLICATION
    FIRST_STATE_CHECK

cdef enum:
    UNQUALIFIED = 7            # Q.713 3.12: return cause of a reject that an exception asks for
    OF_COMPONENT = 1 << CHECK_IMSI_MISSING | 1 << CHECK_ACN_DOES_NOT_FIT_OPERATION | 1 << CHECK_SSN_DOES_NOT_FIT_APPLICATION
    OF_SEGMENT = EX_MALFORMED | EX_UNUSABLE_GT | EX_LIMIT_EXCEEDED | EX_EXPIRED

cdef struct Tally:             # of a condition over several values
    uint32_t n                 # values that say yes or no
    uint32_t yes
    uint32_t unknown           # values that say neither

cdef enum:                     # what is gathered once a message; a policy of more fields asks again for each component
    INNER_FIELDS = 128
    INNER_WORDS = 1024

cdef struct Inner:             # of a message of several components: what their numbers say, once for all of them
    bint gathered
    uint32_t imsi              # bit a component: it has one, or the dialogue has one for each
    uint32_t node
    uint32_t n                 # number fields
    uint32_t own[INNER_FIELDS]   # as imsi
    bint lacks[INNER_FIELDS]     # nobody has one
    uint64_t values[INNER_WORDS]  # `some` and `all` of each, see one_value

cdef struct Eval:              # one message
    const PolicyTables* t
    Msg* m
    Counters* k
    uint64_t base[MAX_WORDS]   # rules whose message-level fields hold
    uint64_t base_unsure[MAX_WORDS]  # deny rules that hold for some values only: see and_values
    Tally checks[N_CHECKS]
    uint32_t checked           # bit a check of the message: `checks` has it
    Inner inner

cdef struct Decision:
    uint8_t action
    uint8_t reason
    uint8_t component
    uint8_t alert
    uint16_t rule
    uint32_t exceptions        # those that took part


# rows -----------------------------------------------------------------------------------------------------------------

cdef inline const uint64_t* row_of(const PolicyTables* t, uint32_t row) noexcept nogil:
    return t.rows + <size_t>row * t.n_words


cdef inline void and_row(const PolicyTables* t, uint64_t* bits, uint32_t row) noexcept nogil:
    cdef const uint64_t* r = row_of(t, row)
    cdef uint32_t w
    for w in range(t.n_words):
        bits[w] &= r[w]


cdef inline void and_values(
    const PolicyTables* t, uint64_t* bits, uint64_t* unsure, const uint64_t* some, const uint64_t* all_
) noexcept nogil:
    """A field of several values: for a rule that denies one is enough, for one that allows all must hold.

    A deny rule that does not hold for all of them is unsure: it counts, but whoever added a value hides by it neither
    the rules behind it nor the default.
    """
    cdef const uint64_t* deny = row_of(t, t.deny)
    cdef uint32_t w
    for w in range(t.n_words):
        bits[w] &= (some[w] & deny[w]) | (all_[w] & ~deny[w])
        unsure[w] |= some[w] & ~all_[w] & deny[w]


cdef inline void one_value(const PolicyTables* t, uint64_t* some, uint64_t* all_, uint32_t row, bint first) noexcept nogil:
    cdef const uint64_t* r = row_of(t, row)
    cdef uint32_t w
    for w in range(t.n_words):
        some[w] = r[w] if first else some[w] | r[w]
        all_[w] = r[w] if first else all_[w] & r[w]


# values of fields -----------------------------------------------------------------------------------------------------

cdef inline uint32_t given(bint has, uint32_t value) noexcept nogil:
    return value if has else <uint32_t>ABSENT


cdef uint32_t party_value(const Party* p, uint32_t which) noexcept nogil:
    """`which` counts from SMALL_CALLED_SSN or SMALL_CALLING_SSN."""
    if which == 0:
        return given(p.has & HAS_SSN, p.ssn)
    if which == 1:
        return given(p.has & HAS_NP, p.np)
    if which == 2:
        return given(p.has & HAS_NAI, p.nai)
    if which == 3:
        return given(p.has & HAS_TT, p.tt)
    if which == 4:
        return given(p.present, p.gti)
    return not p.has & (HAS_GT | HAS_PC | HAS_SSN)


cdef uint32_t small_value(const Msg* m, uint32_t field) noexcept nogil:
    if SMALL_CALLED_SSN <= field <= SMALL_CALLED_ABSENT:
        return party_value(&m.called, field - SMALL_CALLED_SSN)
    if SMALL_CALLING_SSN <= field <= SMALL_CALLING_ABSENT:
        return party_value(&m.calling, field - SMALL_CALLING_SSN)
    if field == SMALL_PERIMETER:
        return m.perimeter
    if field == SMALL_LINK:
        return given(m.link != 0, m.link)
    if field == SMALL_DIRECTION:
        return m.direction
    if field == SMALL_ENCAPSULATION:
        return m.encapsulation
    if field == SMALL_NI:
        return given(m.has_mtp and not m.mtp_from_headers, m.ni)
    if field == SMALL_SLS:
        return given(m.has_mtp and not m.mtp_from_headers, m.sls)
    if field == SMALL_SCCP_TYPE:
        return m.type
    if field == SMALL_RETURN_CAUSE:
        return given(m.has_return_cause, m.return_cause)
    if field == SMALL_MANAGEMENT:
        return given(m.management != 0, m.management)
    if field == SMALL_TCAP_TYPE:
        return given(m.tcap != 0, m.tcap)
    if field == SMALL_COMPONENT_COUNT:
        return given(m.tcap, m.n_components)
    if field == SMALL_SMS_PID:
        return given(m.has_sms, m.sms_pid)
    if field == SMALL_SMS_DCS:
        return given(m.has_sms, m.sms_dcs)
    return ABSENT


cdef uint32_t component_value(const Msg* m, const Component* c, uint32_t application, uint32_t field) noexcept nogil:
    if field == SMALL_MAP_VERSION:
        if m.acn_octets:
            return given(m.acn_application == APP_MAP, m.acn_version)
        # TS 29.002: version 1 has no application context; only what opens a dialogue would name one
        if application == APP_MAP and (m.tcap == TCAP_BEGIN or m.tcap == TCAP_UNIDIRECTIONAL):
            return 1
        return ABSENT
    if field == SMALL_APPLICATION:
        return given(application != 0, application)
    if c == NULL:
        return ABSENT
    if field == SMALL_COMPONENT:
        return c.type
    return given(c.opcode_form != 0, c.opcode_form)


cdef uint32_t int_row(const IntField* f, int64_t value) noexcept nogil:
    cdef uint32_t lo = 0, hi = f.n, mid
    while lo < hi:
        mid = (lo + hi) >> 1
        if f.values[mid] < value:
            lo = mid + 1
        else:
            hi = mid
    return f.rows[lo] if lo < f.n and f.values[lo] == value else f.rows[f.n]


cdef uint32_t int_field(const Msg* m, const IntField* f) noexcept nogil:
    if f.id == INT_OPC:
        return int_row(f, m.opc) if m.has_mtp and m.opc != NO_PC else f.rows[f.n]
    if f.id == INT_DPC:
        return int_row(f, m.dpc) if m.has_mtp and m.dpc != NO_PC else f.rows[f.n]
    if f.id == INT_CALLED_PC:
        return int_row(f, m.called.pc) if m.called.has & HAS_PC else f.rows[f.n]
    return int_row(f, m.calling.pc) if m.calling.has & HAS_PC else f.rows[f.n]


cdef uint32_t oid_row(const OidField* f, const Msg* m, uint32_t offset, uint32_t octets) noexcept nogil:
    cdef uint32_t i
    if octets and m.data != NULL and offset + octets <= m.data_octets:
        for i in range(f.n):
            if f.starts[i + 1] - f.starts[i] == octets and memcmp(f.octets + f.starts[i], m.data + offset, octets) == 0:
                return f.rows[i]
    return f.rows[f.n]


cdef void directions(const PolicyTables* t, const Msg* m, const uint32_t* rows, uint64_t* bits, uint64_t* unsure) noexcept nogil:
    cdef uint64_t some[MAX_WORDS]
    cdef uint64_t all_[MAX_WORDS]
    cdef uint32_t left = m.directions
    while left:
        one_value(t, some, all_, rows[__builtin_ctzll(left)], left == m.directions)
        left &= left - 1
    and_values(t, bits, unsure, some, all_)


cdef inline bint belongs(const Number* n, int component) noexcept nogil:
    """To the component itself, or to the dialogue and so to each. -1: of a message that has but one, all do."""
    return component < 0 or n.origin < 0 or n.origin == component


cdef inline bint concerns(const NumberField* f, const Number* n) noexcept nogil:
    cdef uint32_t i
    if f.source == FROM_KIND:
        return n.kind == f.selector
    if f.source == FROM_ROLE:
        return (n.role & f.selector) != 0
    for i in range(f.n_names):
        if f.names[i] == n.name:
            return True
    return False


cdef void number_field(
    const PolicyTables* t, const Msg* m, const NumberField* f, int component, uint64_t* bits, uint64_t* unsure
) noexcept nogil:
    """A component is asked for the numbers of all; where none of them is its own, it lacks the field as well."""
    cdef uint64_t some[MAX_WORDS]
    cdef uint64_t all_[MAX_WORDS]
    cdef const Party* p
    cdef const Number* n
    cdef uint32_t i, j
    cdef bint first = True, own = False
    if f.source == FROM_CALLED or f.source == FROM_CALLING:
        p = &m.called if f.source == FROM_CALLED else &m.calling
        if p.n_norm == 0:
            and_row(t, bits, f.none)
            return
        if p.n_norm == 1:
            and_row(t, bits, f.rows[p.norm[0].space][p.norm[0].cls])
            return
        for i in range(p.n_norm):
            one_value(t, some, all_, f.rows[p.norm[i].space][p.norm[i].cls], i == 0)
        and_values(t, bits, unsure, some, all_)
        return
    for i in range(m.n_numbers):
        n = &m.numbers[i]
        if not concerns(f, n):
            continue
        own = own or belongs(n, component)
        if n.n_norm == 0:
            one_value(t, some, all_, f.none, first)
            first = False
        for j in range(n.n_norm):
            one_value(t, some, all_, f.rows[n.norm[j].space][n.norm[j].cls], first)
            first = False
    if first:
        and_row(t, bits, f.none)
        return
    if not own:
        one_value(t, some, all_, f.none, False)
    and_values(t, bits, unsure, some, all_)


cdef void requested_info(const PolicyTables* t, const Msg* m, const Component* c, uint64_t* bits, uint64_t* unsure) noexcept nogil:
    """c: as number_field's component; NULL: of a message that has but one."""
    cdef uint64_t some[MAX_WORDS]
    cdef uint64_t all_[MAX_WORDS]
    cdef uint32_t left = m.requested_info
    if left == 0:
        and_row(t, bits, t.requested_rows[32])
        return
    while left:
        one_value(t, some, all_, t.requested_rows[__builtin_ctzll(left)], left == m.requested_info)
        left &= left - 1
    if c != NULL and c.requested_info == 0:
        one_value(t, some, all_, t.requested_rows[32], False)
    and_values(t, bits, unsure, some, all_)


cdef void gather(const PolicyTables* t, const Msg* m, Inner* inner) noexcept nogil:
    """A sender may bring 32 components and 64 numbers: no component may ask for the numbers of all again."""
    cdef const NumberField* f
    cdef const Number* n
    cdef uint64_t* some
    cdef uint32_t i, j, k, whose
    cdef bint first
    inner.gathered = True
    inner.imsi = inner.node = 0
    inner.n = min(t.n_numbers - t.n_party, <uint32_t>INNER_FIELDS, INNER_WORDS // (2 * t.n_words or 1))
    for i in range(m.n_numbers):
        whose = ~<uint32_t>0 if m.numbers[i].origin < 0 else <uint32_t>1 << m.numbers[i].origin
        if m.numbers[i].kind == KIND_IMSI:
            inner.imsi |= whose
        if m.numbers[i].role & ROLE_NODE:
            inner.node |= whose
    for k in range(inner.n):
        f = &t.numbers[t.n_party + k]
        some = &inner.values[2 * k * t.n_words]
        inner.own[k] = 0
        first = True
        for i in range(m.n_numbers):
            n = &m.numbers[i]
            if not concerns(f, n):
                continue
            inner.own[k] |= ~<uint32_t>0 if n.origin < 0 else <uint32_t>1 << n.origin
            if n.n_norm == 0:
                one_value(t, some, some + t.n_words, f.none, first)
                first = False
            for j in range(n.n_norm):
                one_value(t, some, some + t.n_words, f.rows[n.norm[j].space][n.norm[j].cls], first)
                first = False
        inner.lacks[k] = first


cdef void gathered_field(
    const PolicyTables* t, const Inner* inner, uint32_t k, int component, uint64_t* bits, uint64_t* unsure
) noexcept nogil:
    """As number_field."""
    cdef uint64_t with_none[2 * MAX_WORDS]
    cdef const uint64_t* some = &inner.values[2 * k * t.n_words]
    if inner.lacks[k]:
        and_row(t, bits, t.numbers[t.n_party + k].none)
        return
    if not inner.own[k] >> component & 1:
        memcpy(with_none, some, 2 * t.n_words * sizeof(uint64_t))
        one_value(t, with_none, with_none + t.n_words, t.numbers[t.n_party + k].none, False)
        some = with_none
    and_values(t, bits, unsure, some, some + t.n_words)


cdef void inner_fields(
    const PolicyTables* t, const Msg* m, int component, const Inner* inner, uint64_t* bits, uint64_t* unsure
) noexcept nogil:
    """Fields of what stands in arguments and in the dialogue portion. inner: NULL, or what is gathered."""
    cdef uint32_t k
    for k in range(t.n_numbers - t.n_party):
        if inner != NULL and k < inner.n:
            gathered_field(t, inner, k, component, bits, unsure)
        else:
            number_field(t, m, &t.numbers[t.n_party + k], component, bits, unsure)
    if t.requested_rows != NULL:
        requested_info(t, m, &m.components[component] if component >= 0 else NULL, bits, unsure)


cdef void message_fields(const PolicyTables* t, const Msg* m, uint64_t* bits, uint64_t* unsure, bint segment) noexcept nogil:
    cdef uint32_t i
    memset(bits, 0xFF, t.n_words * sizeof(uint64_t))
    memset(unsure, 0, t.n_words * sizeof(uint64_t))
    for i in range(t.n_early if segment else t.n_message):
        if t.small[i].id == SMALL_DIRECTION and m.directions:
            directions(t, m, t.small[i].rows, bits, unsure)
        else:
            and_row(t, bits, t.small[i].rows[small_value(m, t.small[i].id)])
    for i in range(t.n_ints):
        and_row(t, bits, int_field(m, &t.ints[i]))
    for i in range(t.n_party):
        number_field(t, m, &t.numbers[i], -1, bits, unsure)
    if segment:
        return
    if t.acn.rows != NULL:
        and_row(t, bits, oid_row(&t.acn, m, m.acn_offset, m.acn_octets))
    if m.n_components <= 1:
        inner_fields(t, m, -1, NULL, bits, unsure)


cdef void component_fields(
    const PolicyTables* t, const Msg* m, const Component* c, int reading, const Inner* inner, uint64_t* bits, uint64_t* unsure
) noexcept nogil:
    """c NULL: a message without components; reading -1: a component without readings; inner: as inner_fields'."""
    cdef uint32_t operation = c.reading[reading] if reading >= 0 else 0
    cdef uint32_t application = t.operation_application[operation] if 0 < operation < t.n_operations else 0
    cdef uint64_t some[MAX_WORDS]
    cdef uint64_t all_[MAX_WORDS]
    cdef uint32_t i
    if reading < 0 and m.acn_application:
        application = m.acn_application  # an unknown operation of a known context, or a dialogue without components
    for i in range(t.n_message, t.n_small):
        and_row(t, bits, t.small[i].rows[component_value(m, c, application, t.small[i].id)])
    if t.operation_rows != NULL:
        and_row(t, bits, t.operation_rows[operation if operation < t.n_operations else 0])
    if m.n_components > 1:
        inner_fields(t, m, <int>(c - m.components), inner, bits, unsure)
    if t.opcode.rows != NULL:
        if c != NULL and c.opcode_form == OPCODE_GLOBAL:  # the OID, and the number it is read as
            one_value(t, some, all_, oid_row(&t.global_opcode, m, c.oid_offset, c.oid_octets), True)
            one_value(t, some, all_, int_row(&t.opcode, c.opcode), False)
            and_values(t, bits, unsure, some, all_)
        elif c != NULL and c.opcode_form:
            and_row(t, bits, int_row(&t.opcode, c.opcode))
        else:
            and_row(t, bits, t.opcode.rows[t.opcode.n])


# checks ---------------------------------------------------------------------------------------------------------------

cdef inline void count(Tally* tally, bint yes) noexcept nogil:
    tally.n += 1
    tally.yes += yes


cdef inline const ClassInfo* info(const PolicyTables* t, const Norm* norm) noexcept nogil:
    return &t.gt[norm.space].classes[norm.cls]


cdef bint is_home_pc(const PolicyTables* t, uint32_t pc) noexcept nogil:
    cdef uint32_t i
    for i in range(t.n_home_point_codes):
        if <uint32_t>t.home_point_codes[i] == pc:
            return True
    return False


cdef bint number_is_home(const PolicyTables* t, const Number* n) noexcept nogil:
    cdef uint32_t i
    for i in range(n.n_norm):
        if info(t, &n.norm[i]).home:
            return True
    return False


cdef int side(const PolicyTables* t, const Party* p, bint has_mtp, uint32_t pc, bint sure) noexcept nogil:
    """1: ours, -1: another's, 0: nothing says. A GT decides; without one the point code of the address, or of MTP.

    sure: a GT of two readings is ours only if both are.
    """
    cdef uint32_t i, home = 0
    if p.has & HAS_GT:
        for i in range(p.n_norm):
            home += info(t, &p.norm[i]).home
        return 1 if home and (home == p.n_norm or not sure) else -1
    if t.n_home_point_codes == 0 or not (p.has & HAS_PC or has_mtp):
        return 0
    return 1 if is_home_pc(t, p.pc if p.has & HAS_PC else pc) else -1


cdef void compare(const PolicyTables* t, const Party* p, const Number* n, bint both, Tally* tally) noexcept nogil:
    """Does the operator of the number differ from the party's? both: where both are known; else where one is."""
    cdef uint32_t i, j
    cdef uint16_t a, b
    for i in range(p.n_norm or 1):
        a = info(t, &p.norm[i]).operator if p.n_norm else 0
        for j in range(n.n_norm or 1):
            b = info(t, &n.norm[j]).operator if n.n_norm else 0
            if (a and b) or (not both and (a or b)):
                count(tally, a != b)
            else:
                tally.unknown += 1


cdef void message_check(const PolicyTables* t, const Msg* m, uint32_t check, Tally* tally) noexcept nogil:
    cdef const Number* n
    cdef uint32_t i
    cdef int where
    cdef bint home
    tally.n = 0
    tally.yes = 0
    tally.unknown = 0
    if check == CHECK_CALLING_OPERATOR_UNKNOWN:
        if m.calling.n_norm == 0:
            count(tally, True)
        for i in range(m.calling.n_norm):
            count(tally, info(t, &m.calling.norm[i]).operator == 0)
    elif check == CHECK_CALLED_IS_NOT_HOME:
        for i in range(m.called.n_norm):
            count(tally, not info(t, &m.called.norm[i]).home)
        if m.called.n_norm == 0 and m.called.has & HAS_GT:
            count(tally, True)
        elif not m.called.has & HAS_GT:
            where = side(t, &m.called, m.has_mtp and m.dpc != NO_PC, m.dpc, False)
            if where != 0:
                count(tally, where < 0)
    else:
        for i in range(m.n_numbers):
            n = &m.numbers[i]
            if check == CHECK_CALLING_OPERATOR_IS_NOT_MAP_NODE:
                if n.role & ROLE_NODE:
                    compare(t, &m.calling, n, False, tally)
            elif n.kind == KIND_IMSI:
                if check == CHECK_CALLING_OPERATOR_IS_NOT_IMSI_HOME:
                    compare(t, &m.calling, n, True, tally)
                else:
                    home = number_is_home(t, n)
                    count(tally, home if check == CHECK_IMSI_IS_HOME else not home)


cdef void component_check(const Component* c, int reading, uint32_t check, Tally* tally) noexcept nogil:
    cdef uint32_t bits
    tally.n = 0
    tally.yes = 0
    tally.unknown = 0
    if reading < 0:
        return
    if check == CHECK_IMSI_MISSING:
        bits = c.imsi_missing
    elif check == CHECK_ACN_DOES_NOT_FIT_OPERATION:
        bits = c.acn_misfit
    else:
        bits = c.ssn_misfit
    count(tally, (bits >> reading) & 1)


cdef bint has_own(Eval* e, int component, uint32_t check) noexcept nogil:
    """Whether the component, of several, has what the check compares, or the dialogue has it for each."""
    if check == CHECK_CALLING_OPERATOR_UNKNOWN or check == CHECK_CALLED_IS_NOT_HOME:
        return True
    if not e.inner.gathered:
        gather(e.t, e.m, &e.inner)
    return (e.inner.node if check == CHECK_CALLING_OPERATOR_IS_NOT_MAP_NODE else e.inner.imsi) >> component & 1


cdef void run_checks(Eval* e, const Component* c, int reading, uint64_t* bits, uint64_t* unsure) noexcept nogil:
    """Take away the rules whose checks do not hold. A check runs only where the rest of a rule that asks for it holds."""
    cdef const PolicyTables* t = e.t
    cdef uint64_t ok[MAX_WORDS]
    cdef uint64_t failed[MAX_WORDS]
    cdef uint64_t surely_ok[MAX_WORDS]
    cdef uint64_t surely_failed[MAX_WORDS]
    cdef const uint64_t* deny = row_of(t, t.deny)
    cdef const uint64_t* with_any = row_of(t, t.has_any)
    cdef const uint64_t* any_
    cdef const uint64_t* all_
    cdef uint32_t left = t.checks_used
    cdef uint32_t check, w
    cdef uint64_t asked, true_, surely
    cdef Tally tally
    for w in range(t.n_words):
        ok[w] = 0
        failed[w] = 0
        surely_ok[w] = 0
        surely_failed[w] = 0
    while left:
        check = __builtin_ctzll(left)
        left &= left - 1
        any_ = row_of(t, t.check_any[check])
        all_ = row_of(t, t.check_all[check])
        asked = 0
        for w in range(t.n_words):
            asked |= bits[w] & (any_[w] | all_[w])
        if asked == 0:
            continue
        tally.n = 0
        tally.yes = 0
        tally.unknown = 0
        if e.checked >> check & 1:
            tally = e.checks[check]
        else:
            if (1 << check) & OF_COMPONENT:
                component_check(c, reading, check, &tally)
            elif check < FIRST_STATE_CHECK:
                message_check(t, e.m, check, &tally)
            if not (1 << check) & OF_COMPONENT:
                e.checked |= 1 << check
                e.checks[check] = tally
            e.k.checks[check][2 if tally.n == 0 else 1 if tally.yes else 0] += 1
        if tally.yes and e.m.n_components > 1 and not (1 << check) & OF_COMPONENT \
                and not has_own(e, <int>(c - e.m.components), check):
            tally.unknown += 1  # of this component by itself nothing is known
        surely = ~<uint64_t>0 if tally.n and tally.yes == tally.n and tally.unknown == 0 else 0
        for w in range(t.n_words):
            true_ = (deny[w] if tally.yes else 0) | (~deny[w] & surely)
            ok[w] |= any_[w] & true_
            failed[w] |= all_[w] & ~true_
            surely_ok[w] |= any_[w] & surely
            surely_failed[w] |= all_[w] & ~surely
    for w in range(t.n_words):
        bits[w] &= (ok[w] | ~with_any[w]) & ~failed[w]
        unsure[w] |= (with_any[w] & ~surely_ok[w]) | surely_failed[w]


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


cdef void take_exceptions(const PolicyTables* t, const Msg* m, uint32_t exceptions, uint8_t component, Decision* d) noexcept nogil:
    cdef uint32_t i
    d.exceptions |= exceptions
    while exceptions:
        i = __builtin_ctzll(exceptions)
        exceptions &= exceptions - 1
        take(d, t.exception_action[i][m.perimeter], reason_of(m, i), 0, component)


cdef bint take_rules(
    Eval* e, const uint64_t* bits, const uint64_t* unsure, uint32_t mask, uint8_t component, uint64_t* counted, Decision* d
) noexcept nogil:
    """The first rule of each category; true where there is one. counted: rules counted for this component, or NULL.

    An unsure rule decides nothing for good: the next one of its category is asked, too, and the worse counts.
    """
    cdef const PolicyTables* t = e.t
    cdef const uint64_t* in_force = row_of(t, mask)
    cdef const Rule* rule
    cdef uint64_t left
    cdef uint32_t w, i, done = 0
    for w in range(t.n_words):
        left = bits[w] & in_force[w]
        while left:
            i = w * 64 + __builtin_ctzll(left)
            left &= left - 1
            rule = &t.rules[i]
            if done >> rule.category & 1:
                continue
            if not unsure[w] >> (i & 63) & 1:
                done |= 1 << rule.category
            if counted != NULL and not counted[w] >> (i & 63) & 1:
                counted[w] |= <uint64_t>1 << (i & 63)
                e.k.rules[i + 1] += 1
            d.alert |= rule.alert
            take(d, rule.action, REASON_RULE, <uint16_t>(i + 1), component)
            if rule.final and rule.action == ALLOW:
                return True
    return done != 0


cdef void decide(Eval* e, const Component* c, const uint64_t* bits, const uint64_t* unsure, uint32_t mask,
                 uint8_t component, int reading, uint64_t* counted, Decision* d) noexcept nogil:
    """One component in one reading."""
    cdef const PolicyTables* t = e.t
    cdef const uint64_t* in_force = row_of(t, mask)
    cdef const uint64_t* by_opcode = row_of(t, t.names_opcode)
    cdef uint32_t exceptions = e.m.exceptions & ~<uint32_t>(EX_UNKNOWN_OPERATION | EX_NOT_SCCP | EX_REASSEMBLY | EX_DEFAULT)
    cdef uint64_t named = 0
    cdef uint32_t w
    cdef bint matched
    if c != NULL and c.type == INVOKE and reading < 0:
        for w in range(t.n_words):
            named |= bits[w] & in_force[w] & by_opcode[w]
        if named == 0:
            exceptions |= EX_UNKNOWN_OPERATION
    matched = take_rules(e, bits, unsure, mask, component, counted, d)
    if exceptions:
        take_exceptions(t, e.m, exceptions, component, d)
    elif not matched:
        take_exceptions(t, e.m, EX_DEFAULT, component, d)


cdef void decide_whole(Eval* e, Decision* d, Decision* shadow) noexcept nogil:
    cdef const PolicyTables* t = e.t
    cdef Msg* m = e.m
    cdef const Component* c
    cdef uint64_t bits[MAX_WORDS]
    cdef uint64_t unsure[MAX_WORDS]
    cdef uint64_t counted[MAX_WORDS]
    cdef uint32_t w
    cdef int i, r
    message_fields(t, m, e.base, e.base_unsure, False)
    if m.n_components > 1:
        gather(t, m, &e.inner)
    for i in range(m.n_components or 1):
        c = &m.components[i] if m.n_components else NULL
        memset(counted, 0, t.n_words * sizeof(uint64_t))
        for r in range(-1 if c == NULL or c.n_readings == 0 else 0, c.n_readings if c != NULL else 0):
            for w in range(t.n_words):
                bits[w] = e.base[w]
                unsure[w] = e.base_unsure[w]
            component_fields(t, m, c, r, &e.inner if e.inner.gathered else NULL, bits, unsure)
            if t.checks_used:
                run_checks(e, c, r, bits, unsure)
            decide(e, c, bits, unsure, t.enforced, <uint8_t>i, r, counted, d)
            if t.with_shadow != NO_ROW:
                decide(e, c, bits, unsure, t.with_shadow, <uint8_t>i, r, counted, shadow)


cdef void early_rules(
    Eval* e, const uint64_t* early_bits, const uint64_t* unsure, uint32_t mask, uint64_t* counted, Decision* d
) noexcept nogil:
    """What is certain before the whole is there: a deny that nothing still unseen could come before."""
    cdef const PolicyTables* t = e.t
    cdef const uint64_t* in_force = row_of(t, mask)
    cdef const uint64_t* early = row_of(t, t.early)
    cdef const Rule* rule
    cdef uint64_t left
    cdef uint32_t w, i, done = 0, unseen_drop = 0
    cdef uint32_t closed = 0  # categories that a rule surely decides: a later `final` there hides nothing
    for w in range(t.n_words):
        left = early_bits[w] & in_force[w]
        while left:
            i = w * 64 + __builtin_ctzll(left)
            left &= left - 1
            rule = &t.rules[i]
            if rule.final and rule.action == ALLOW and not closed >> rule.category & 1:
                return
            if (early[w] & ~unsure[w]) >> (i & 63) & 1:
                closed |= 1 << rule.category
            if done >> rule.category & 1:
                continue
            if not early[w] >> (i & 63) & 1 and rule.action == DROP:
                unseen_drop |= 1 << rule.category  # it drops or is not there: a drop below stays certain
                continue
            if not (early[w] & unsure[w]) >> (i & 63) & 1:
                done |= 1 << rule.category
            if rule.action != ALLOW and early[w] >> (i & 63) & 1 \
                    and (rule.action == DROP or not unseen_drop >> rule.category & 1):
                if not counted[w] >> (i & 63) & 1:
                    counted[w] |= <uint64_t>1 << (i & 63)
                    e.k.rules[i + 1] += 1
                d.alert |= rule.alert
                take(d, rule.action, REASON_RULE, <uint16_t>(i + 1), 0)


cdef void close_segment(
    Eval* e, const uint64_t* bits, const uint64_t* unsure, uint32_t mask, uint64_t* counted, Decision* d
) noexcept nogil:
    cdef uint32_t exceptions = e.m.exceptions & OF_SEGMENT
    if e.m.segment_state != SEGMENT_HELD:
        exceptions |= EX_REASSEMBLY
    early_rules(e, bits, unsure, mask, counted, d)
    take_exceptions(e.t, e.m, exceptions, 0, d)
    if e.m.segment_state == SEGMENT_HELD and d.action <= REDIRECT:  # a redirected one would be gone before the rest is seen
        d.action = HOLD
        d.reason = REASON_SEGMENT_HELD
        d.rule = 0


cdef void decide_segment(Eval* e, Decision* d, Decision* shadow) noexcept nogil:
    """A segment by itself: the rules and exceptions that need SCCP alone, else hold."""
    cdef const PolicyTables* t = e.t
    cdef const uint64_t* early = row_of(t, t.early)
    cdef uint64_t bits[MAX_WORDS]
    cdef uint64_t unsure[MAX_WORDS]
    cdef uint64_t counted[MAX_WORDS]
    cdef uint32_t w
    message_fields(t, e.m, e.base, e.base_unsure, True)
    for w in range(t.n_words):
        bits[w] = e.base[w] & early[w]
        unsure[w] = e.base_unsure[w]
        counted[w] = 0
    if t.checks_used:
        run_checks(e, NULL, -1, bits, unsure)
    for w in range(t.n_words):
        bits[w] |= e.base[w] & ~early[w]
    close_segment(e, bits, unsure, t.enforced, counted, d)
    if t.with_shadow != NO_ROW:
        close_segment(e, bits, unsure, t.with_shadow, counted, shadow)


cdef bint may_reject(const Msg* m) noexcept nogil:
    """Q.714 4.2: only where return on error is asked for, never for a service message; a reply goes to the first segment."""
    cdef bint asked = m.first.return_on_error if m.first != NULL else m.return_on_error
    if not asked or not (m.type == SCCP_UDT or m.type == SCCP_XUDT or m.type == SCCP_LUDT):
        return False
    if (m.error_layer == LAYER_FRAMING or m.error_layer == LAYER_SCCP) and m.exceptions & (EX_MALFORMED | EX_LIMIT_EXCEEDED):
        return False                                    # whom to answer is not sure
    return m.segment_state == SEGMENT_FINAL or not m.segmented or m.segment_first


cdef void finish(const Msg* m, Decision* d) noexcept nogil:
    if d.action == REJECT and not may_reject(m):
        d.action = DROP
        d.reason = REASON_REJECT_NOT_PERMITTED


cdef bint deny_with_the_rest(const Msg* m, Decision* d) noexcept nogil:
    """Whether it would have passed by itself."""
    if d.action == REJECT and m.fate.answered:
        d.action = DROP
        d.reason = REASON_REJECT_NOT_PERMITTED
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


cdef void classify(const PolicyTables* t, const Context* ctx, Msg* m, Counters* k) noexcept nogil:
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
    e.checked = 0
    e.inner.gathered = False
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
    for i in range(N_EXCEPTIONS):
        if d.exceptions >> i & 1:
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


cdef void classify_group(const PolicyTables* t, const Context* ctx, Group* g, Counters* k) noexcept nogil:
    cdef int i
    for i in range(g.n):
        direction(t, &g.msgs[i])
        classify(t, ctx, &g.msgs[i], k)


# explain --------------------------------------------------------------------------------------------------------------

cdef list failed_in(const PolicyTables* t, const uint64_t* bits, str name, list failed):
    cdef uint32_t i
    for i in range(t.n_rules):
        if not bits[i >> 6] >> (i & 63) & 1:
            failed[i].append(name)
    return failed


cdef list failed_fields(Tables tables, const Msg* m, const Component* c, int reading, uint64_t* any_unsure):
    """By rule, the fields that do not hold: each field alone, by the rows that decide. any_unsure: see and_values."""
    cdef const PolicyTables* t = &tables.c
    cdef PolicyTables one
    cdef uint64_t bits[MAX_WORDS]
    cdef uint64_t unsure[MAX_WORDS]
    cdef uint32_t i, w
    failed = [[] for _ in range(t.n_rules)]

    for i in range(t.n_small + t.n_ints + t.n_numbers + 4):
        one = t[0]
        one.n_early = one.n_message = one.n_small = one.n_ints = one.n_party = one.n_numbers = 0
        one.acn.rows = one.opcode.rows = one.operation_rows = one.requested_rows = NULL
        if i < t.n_small:
            one.small = &t.small[i]
            one.n_small = 1
            one.n_message = i < t.n_message
            name = tables.small_names[i]
        elif i - t.n_small < t.n_ints:
            one.ints = &t.ints[i - t.n_small]
            one.n_ints = 1
            name = tables.int_names[i - t.n_small]
        elif i - t.n_small - t.n_ints < t.n_numbers:
            one.numbers = &t.numbers[i - t.n_small - t.n_ints]
            one.n_numbers = 1
            one.n_party = i - t.n_small - t.n_ints < t.n_party
            name = tables.number_names[i - t.n_small - t.n_ints]
        else:
            name = ("acn", "opcode", "operation", "requested_info")[i - t.n_small - t.n_ints - t.n_numbers]
            if name == "acn":
                one.acn = t.acn
            elif name == "opcode":
                one.opcode = t.opcode
            elif name == "operation":
                one.operation_rows = t.operation_rows
            else:
                one.requested_rows = t.requested_rows
        message_fields(&one, m, bits, unsure, False)
        component_fields(&one, m, c, reading, NULL, bits, unsure)
        for w in range(t.n_words):
            any_unsure[w] |= unsure[w]
        failed_in(t, bits, name, failed)
    return failed


cdef list trace_reading(Tables tables, Msg* m, const Component* c, int reading, Counters* k):
    cdef Eval e
    cdef uint64_t bits[MAX_WORDS]
    cdef uint64_t unsure[MAX_WORDS]
    cdef uint32_t i
    memset(unsure, 0, sizeof(unsure))
    failed = failed_fields(tables, m, c, reading, unsure)
    memset(&e, 0, sizeof(e))
    memset(bits, 0xFF, sizeof(bits))
    e.t = &tables.c
    e.m = m
    e.k = k
    run_checks(&e, c, reading, bits, unsure)
    failed_in(&tables.c, bits, "check", failed)
    rules = []
    done = {"enforce": set(), "shadow": set()}
    for i in range(tables.c.n_rules):
        rule = &tables.c.rules[i]
        mode = tables.rule_modes[i + 1]
        decided = False
        if not failed[i] and mode != "off":
            decided = done[mode] is not None and rule.category not in done[mode]
            for one in ("enforce", "shadow") if mode == "enforce" else ("shadow",):
                if done[one] is None or rule.category in done[one]:
                    continue
                if not unsure[i >> 6] >> (i & 63) & 1:
                    done[one].add(rule.category)
                if rule.final and rule.action == ALLOW:
                    done[one] = None
        rules.append((i + 1, not failed[i], failed[i], decided))
    return rules


cdef dict check_outcomes(Tables tables, const Msg* m, const Component* c, int reading):
    cdef uint32_t check
    cdef Tally tally
    said = {}
    for check in range(1, N_CHECKS):
        tally.n = 0
        tally.yes = 0
        if (1 << check) & OF_COMPONENT:
            component_check(c, reading, check, &tally)
        elif check < FIRST_STATE_CHECK:
            message_check(&tables.c, m, check, &tally)
        if tally.n == 0:
            said[names.CHECKS[check]] = "unknown"
        elif tally.yes and tally.yes < tally.n:
            said[names.CHECKS[check]] = "both"
        else:
            said[names.CHECKS[check]] = "true" if tally.yes else "false"
    return said


cdef list trace_message(Tables tables, const Context* ctx, Msg* m):
    cdef const Component* c
    cdef int i, r
    cdef Counters* k = <Counters*>calloc(1, sizeof(Counters))
    if k == NULL:
        raise MemoryError
    try:
        found = []
        for i in range(m.n_components or 1):
            c = &m.components[i] if m.n_components else NULL
            for r in range(-1 if c == NULL or c.n_readings == 0 else 0, c.n_readings if c != NULL else 0):
                found.append((i if c != NULL else -1, r, trace_reading(tables, m, c, r, k)))
        return found
    finally:
        free(k)
