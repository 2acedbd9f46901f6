# The conditions of all rules at once. A message ANDs the rows of its own fields once, then those of each component and
# reading; the checks of what is left come last.

from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy, memset

from sigfw._core.msg cimport *
from sigfw._core.state cimport state_check
from sigfw._core.tables cimport *

cdef extern from *:
    int __builtin_ctzll(unsigned long long) noexcept nogil


# rows -----------------------------------------------------------------------------------------------------------------

cdef inline void narrow(Left* l) noexcept nogil:
    """Leave away the words at either end in which no rule is left."""
    while l.first < l.end and l.bits[l.first] == 0:
        l.first += 1
    while l.first < l.end and l.bits[l.end - 1] == 0:
        l.end -= 1


cdef inline void and_row(const PolicyTables* t, Left* l, uint32_t row) noexcept nogil:
    cdef const uint64_t* r
    cdef uint32_t w
    if t.n_words == 1:  # up to 64 rules
        l.bits[0] &= t.rows[row]
        return
    r = row_of(t, row)
    for w in range(l.first, l.end):
        l.bits[w] &= r[w]


cdef inline void and_values(const PolicyTables* t, Left* l, const uint64_t* some, const uint64_t* all_) noexcept nogil:
    """A field of several values: for a rule that denies one is enough, for one that allows all must hold.

    A deny rule that does not hold for all of them is unsure: it counts, but whoever added a value hides by it neither
    the rules behind it nor the default.
    """
    cdef const uint64_t* deny = row_of(t, t.deny)
    cdef uint32_t w
    for w in range(l.first, l.end):
        l.bits[w] &= (some[w] & deny[w]) | (all_[w] & ~deny[w])
        l.unsure[w] |= some[w] & ~all_[w] & deny[w]


cdef inline void one_value(
    const PolicyTables* t, const Left* l, uint64_t* some, uint64_t* all_, uint32_t row, bint first
) noexcept nogil:
    cdef const uint64_t* r = row_of(t, row)
    cdef uint32_t w
    for w in range(l.first, l.end):
        some[w] = r[w] if first else some[w] | r[w]
        all_[w] = r[w] if first else all_[w] & r[w]


cdef struct Values:            # of one field; nearly all fields have one, and then its row is all there is to say
    uint32_t n
    uint32_t row               # the only one's
    uint64_t some[MAX_WORDS]
    uint64_t all_[MAX_WORDS]


cdef inline void add_value(const PolicyTables* t, const Left* l, Values* v, uint32_t row) noexcept nogil:
    if v.n == 0:
        v.row = row
    elif v.n == 1 and v.row == row:
        return
    else:
        if v.n == 1:
            one_value(t, l, v.some, v.all_, v.row, True)
        one_value(t, l, v.some, v.all_, row, False)
    v.n += 1


cdef inline void and_all(const PolicyTables* t, Left* l, const Values* v) noexcept nogil:
    if v.n == 1:
        and_row(t, l, v.row)
    else:
        and_values(t, l, v.some, v.all_)


# values of fields -----------------------------------------------------------------------------------------------------

cdef inline uint32_t given(bint has, uint32_t value) noexcept nogil:
    return value if has else <uint32_t>ABSENT


cdef inline uint32_t absent(const Party* p) noexcept nogil:
    return not p.has & (HAS_GT | HAS_PC | HAS_SSN)


cdef uint32_t small_value(const Msg* m, uint32_t field) noexcept nogil:
    """One chain of comparisons with one variable: a jump table in C."""
    if field == SMALL_PERIMETER:
        return m.perimeter
    elif field == SMALL_LINK:
        return given(m.link != 0, m.link)
    elif field == SMALL_DIRECTION:
        return m.direction
    elif field == SMALL_ENCAPSULATION:
        return m.encapsulation
    elif field == SMALL_NI:
        return given(m.has_mtp and not m.mtp_from_headers, m.ni)
    elif field == SMALL_SLS:
        return given(m.has_mtp and not m.mtp_from_headers, m.sls)
    elif field == SMALL_SCCP_TYPE:
        return m.type
    elif field == SMALL_RETURN_CAUSE:
        return given(m.has_return_cause, m.return_cause)
    elif field == SMALL_MANAGEMENT:
        return given(m.management != 0, m.management)
    elif field == SMALL_CALLED_SSN:
        return given(m.called.has & HAS_SSN, m.called.ssn)
    elif field == SMALL_CALLED_NP:
        return given(m.called.has & HAS_NP, m.called.np)
    elif field == SMALL_CALLED_NAI:
        return given(m.called.has & HAS_NAI, m.called.nai)
    elif field == SMALL_CALLED_TT:
        return given(m.called.has & HAS_TT, m.called.tt)
    elif field == SMALL_CALLED_GTI:
        return given(m.called.present, m.called.gti)
    elif field == SMALL_CALLED_ABSENT:
        return absent(&m.called)
    elif field == SMALL_CALLING_SSN:
        return given(m.calling.has & HAS_SSN, m.calling.ssn)
    elif field == SMALL_CALLING_NP:
        return given(m.calling.has & HAS_NP, m.calling.np)
    elif field == SMALL_CALLING_NAI:
        return given(m.calling.has & HAS_NAI, m.calling.nai)
    elif field == SMALL_CALLING_TT:
        return given(m.calling.has & HAS_TT, m.calling.tt)
    elif field == SMALL_CALLING_GTI:
        return given(m.calling.present, m.calling.gti)
    elif field == SMALL_CALLING_ABSENT:
        return absent(&m.calling)
    elif field == SMALL_TCAP_TYPE:
        return given(m.tcap != 0, m.tcap)
    elif field == SMALL_COMPONENT_COUNT:
        return given(m.tcap, m.n_components)
    elif field == SMALL_SMS_PID:
        return given(m.has_sms, m.sms_pid)
    elif field == SMALL_SMS_DCS:
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


cdef void directions(const PolicyTables* t, const Msg* m, const uint32_t* rows, Left* l) noexcept nogil:
    cdef Values v
    cdef uint32_t left = m.directions
    v.n = 0
    while left:
        add_value(t, l, &v, rows[__builtin_ctzll(left)])
        left &= left - 1
    and_all(t, l, &v)


cdef void contradicting(const PolicyTables* t, const Msg* m, const uint32_t* rows, Left* l) noexcept nogil:
    """The applications of two contexts: of what has no reading of its own, either may be meant."""
    cdef Values v
    cdef uint32_t left = m.acn_contradicts
    cdef uint32_t application
    v.n = 0
    while left:
        application = __builtin_ctzll(left)
        add_value(t, l, &v, rows[given(application != 0, application)])
        left &= left - 1
    and_all(t, l, &v)


cdef inline bint belongs(const Number* n, int component) noexcept nogil:
    """To the component itself, or to the dialogue and so to each. -1: of a message that has but one, all do."""
    return component < 0 or n.origin < 0 or n.origin == component


cdef inline uint64_t concerned(const PolicyTables* t, const Number* n) noexcept nogil:
    """NumberField.bit of all fields that ask for this number."""
    cdef uint64_t fields = t.of_kind[n.kind & 7]
    cdef uint32_t roles = n.role
    while roles:
        fields |= t.of_role[__builtin_ctzll(roles)]
        roles &= roles - 1
    return fields | t.of_name[n.name] if n.name < t.n_names else fields


cdef bint among_many(const NumberField* f, const Number* n) noexcept nogil:
    """As `concerned`, of a field that has no bit."""
    cdef uint32_t i
    if f.source == FROM_KIND:
        return n.kind == f.selector
    if f.source == FROM_ROLE:
        return (n.role & f.selector) != 0
    for i in range(f.n_names):
        if f.names[i] == n.name:
            return True
    return False


cdef inline bint concerns(const NumberField* f, const Number* n, uint64_t fields) noexcept nogil:
    return (fields & f.bit) != 0 if f.bit else among_many(f, n)


cdef inline void party_field(const PolicyTables* t, const Party* p, const NumberField* f, Left* l) noexcept nogil:
    cdef Values v
    cdef uint32_t i
    v.n = 0
    for i in range(p.n_norm):
        add_value(t, l, &v, f.rows[p.norm[i].space][p.norm[i].cls])
    if v.n == 0:
        and_row(t, l, f.none)
    else:
        and_all(t, l, &v)


cdef void number_field(
    const PolicyTables* t, const Msg* m, const NumberField* f, const uint64_t* fields, int component, Left* l
) noexcept nogil:
    """fields: what each number concerns.

    A component is asked for the numbers of all; where none of them is its own, it lacks the field as well.
    """
    cdef Values v
    cdef const Number* n
    cdef uint32_t i, j
    cdef bint own = False
    v.n = 0
    for i in range(m.n_numbers):
        n = &m.numbers[i]
        if not concerns(f, n, fields[i]):
            continue
        own = own or belongs(n, component)
        if n.n_norm == 0:
            add_value(t, l, &v, f.none)
        for j in range(n.n_norm):
            add_value(t, l, &v, f.rows[n.norm[j].space][n.norm[j].cls])
    if not own:
        add_value(t, l, &v, f.none)
    and_all(t, l, &v)


cdef void requested_info(const PolicyTables* t, const Msg* m, const Component* c, Left* l) noexcept nogil:
    """c: as number_field's component; NULL: of a message that has but one."""
    cdef Values v
    cdef uint32_t left = m.requested_info
    v.n = 0
    while left:
        add_value(t, l, &v, t.requested_rows[__builtin_ctzll(left)])
        left &= left - 1
    if m.requested_info == 0 or (c != NULL and c.requested_info == 0):
        add_value(t, l, &v, t.requested_rows[32])
    and_all(t, l, &v)


cdef void gather(const PolicyTables* t, const Msg* m, const Left* l, Inner* inner) noexcept nogil:
    """A sender may bring 32 components and 64 numbers: no component may ask for the numbers of all again."""
    cdef const NumberField* f
    cdef const Number* n
    cdef uint64_t* some
    cdef uint64_t fields[MAX_NUMBERS]
    cdef uint32_t i, j, k, whose
    cdef bint first
    inner.gathered = True
    inner.imsi = inner.node = 0
    inner.n = min(t.n_numbers - t.n_party, <uint32_t>INNER_FIELDS, INNER_WORDS // (2 * t.n_words or 1))
    for i in range(m.n_numbers):
        fields[i] = concerned(t, &m.numbers[i])
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
            if not concerns(f, n, fields[i]):
                continue
            inner.own[k] |= ~<uint32_t>0 if n.origin < 0 else <uint32_t>1 << n.origin
            if n.n_norm == 0:
                one_value(t, l, some, some + t.n_words, f.none, first)
                first = False
            for j in range(n.n_norm):
                one_value(t, l, some, some + t.n_words, f.rows[n.norm[j].space][n.norm[j].cls], first)
                first = False
        inner.lacks[k] = first


cdef void gathered_field(const PolicyTables* t, const Inner* inner, uint32_t k, int component, Left* l) noexcept nogil:
    """As number_field."""
    cdef uint64_t with_none[2 * MAX_WORDS]
    cdef const uint64_t* some = &inner.values[2 * k * t.n_words]
    if inner.lacks[k]:
        and_row(t, l, t.numbers[t.n_party + k].none)
        return
    if not inner.own[k] >> component & 1:
        memcpy(with_none, some, 2 * t.n_words * sizeof(uint64_t))
        one_value(t, l, with_none, with_none + t.n_words, t.numbers[t.n_party + k].none, False)
        some = with_none
    and_values(t, l, some, some + t.n_words)


cdef void inner_fields(const PolicyTables* t, const Msg* m, int component, const Inner* inner, Left* l) noexcept nogil:
    """Fields of what stands in arguments and in the dialogue portion. inner: NULL, or what is gathered."""
    cdef const NumberField* f = t.numbers + t.n_party
    cdef uint64_t fields[MAX_NUMBERS]
    cdef uint64_t any_ = 0
    cdef uint32_t gathered = inner.n if inner != NULL else 0
    cdef uint32_t i, k
    for k in range(gathered):
        gathered_field(t, inner, k, component, l)
    if gathered < t.n_numbers - t.n_party:
        for i in range(m.n_numbers):
            fields[i] = concerned(t, &m.numbers[i])
            any_ |= fields[i]
    for k in range(gathered, t.n_numbers - t.n_party):
        if f[k].bit and not any_ & f[k].bit:
            and_row(t, l, f[k].none)
        else:
            number_field(t, m, &f[k], fields, component, l)
    if t.requested_rows != NULL:
        requested_info(t, m, &m.components[component] if component >= 0 else NULL, l)


cdef void message_fields(const PolicyTables* t, const Msg* m, Left* l, bint segment) noexcept nogil:
    """The parties first: of many rules they leave few, and all else is asked of those alone."""
    cdef uint32_t i
    l.first = 0
    l.end = t.n_words
    memset(l.bits, 0xFF, t.n_words * sizeof(uint64_t))
    memset(l.unsure, 0, t.n_words * sizeof(uint64_t))
    for i in range(t.n_party):
        party_field(t, &m.called if t.numbers[i].source == FROM_CALLED else &m.calling, &t.numbers[i], l)
    if t.n_words > 1:
        narrow(l)
    for i in range(t.n_early if segment else t.n_message):
        if t.small[i].id == SMALL_DIRECTION and m.directions:
            directions(t, m, t.small[i].rows, l)
        else:
            and_row(t, l, t.small[i].rows[small_value(m, t.small[i].id)])
    for i in range(t.n_ints):
        and_row(t, l, int_field(m, &t.ints[i]))
    if segment:
        return
    if t.acn.rows != NULL:
        and_row(t, l, oid_row(&t.acn, m, m.acn_offset, m.acn_octets))
    if m.n_components <= 1:
        inner_fields(t, m, -1, NULL, l)
    if t.n_words > 1:
        narrow(l)


cdef void component_fields(
    const PolicyTables* t, const Msg* m, const Component* c, int reading, const Inner* inner, Left* l
) noexcept nogil:
    """c NULL: a message without components; reading -1: a component without readings; inner: as inner_fields'."""
    cdef uint32_t operation = c.reading[reading] if reading >= 0 else 0
    cdef uint32_t application = t.operation_application[operation] if 0 < operation < t.n_operations else 0
    cdef Values v
    cdef uint32_t i
    if reading < 0 and m.acn_application:
        application = m.acn_application  # an unknown operation of a known context, or a dialogue without components
    for i in range(t.n_message, t.n_small):
        if reading < 0 and m.acn_contradicts and t.small[i].id == SMALL_APPLICATION:
            contradicting(t, m, t.small[i].rows, l)
        else:
            and_row(t, l, t.small[i].rows[component_value(m, c, application, t.small[i].id)])
    if t.operation_rows != NULL:
        and_row(t, l, t.operation_rows[operation if operation < t.n_operations else 0])
    if m.n_components > 1:
        inner_fields(t, m, <int>(c - m.components), inner, l)
    if t.opcode.rows != NULL:
        if c != NULL and c.opcode_form == OPCODE_GLOBAL:  # the OID, and the number it is read as
            v.n = 0
            add_value(t, l, &v, oid_row(&t.global_opcode, m, c.oid_offset, c.oid_octets))
            add_value(t, l, &v, int_row(&t.opcode, c.opcode))
            and_all(t, l, &v)
        elif c != NULL and c.opcode_form:
            and_row(t, l, int_row(&t.opcode, c.opcode))
        else:
            and_row(t, l, t.opcode.rows[t.opcode.n])


# checks ---------------------------------------------------------------------------------------------------------------

cdef inline void count(Tally* tally, bint yes) noexcept nogil:
    tally.n += 1
    tally.yes += yes


cdef bint is_home_pc(const PolicyTables* t, uint32_t pc) noexcept nogil:
    cdef uint32_t i
    for i in range(t.n_home_point_codes):
        if <uint32_t>t.home_point_codes[i] == pc:
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
    cdef ClassInfo nobody
    cdef const ClassInfo* a
    cdef const ClassInfo* b
    memset(&nobody, 0, sizeof(nobody))
    for i in range(p.n_norm or 1):
        a = info(t, &p.norm[i]) if p.n_norm else &nobody
        for j in range(n.n_norm or 1):
            b = info(t, &n.norm[j]) if n.n_norm else &nobody
            if (a.operator and b.operator) or (not both and (a.operator or b.operator)):
                count(tally, not is_same_operator(t, a, b))
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


cdef inline uint32_t component_yes(const Component* c, int reading) noexcept nogil:
    """Bit a check that is true of the component in this reading."""
    if reading < 0:
        return 0
    return (<uint32_t>(c.imsi_missing >> reading & 1) << CHECK_IMSI_MISSING
            | <uint32_t>(c.acn_misfit >> reading & 1) << CHECK_ACN_DOES_NOT_FIT_OPERATION
            | <uint32_t>(c.ssn_misfit >> reading & 1) << CHECK_SSN_DOES_NOT_FIT_APPLICATION)


cdef void component_check(const Component* c, int reading, uint32_t check, Tally* tally) noexcept nogil:
    tally.n = reading >= 0
    tally.yes = component_yes(c, reading) >> check & 1
    tally.unknown = 0


cdef void state_tally(const Msg* m, uint32_t check, Tally* tally) noexcept nogil:
    """What state said of the message, if it was asked."""
    cdef uint8_t bit = <uint8_t>(1 << (check - FIRST_STATE_CHECK))
    tally.n = (m.state_known & bit) != 0
    tally.yes = (m.state_yes & bit) != 0
    tally.unknown = 0


cdef void ask(Eval* e, uint32_t checks) noexcept nogil:
    """Run checks of what the message says: once for all of its components."""
    cdef Tally tally
    cdef uint32_t check, bit
    e.whole.asked |= checks
    while checks:
        check = __builtin_ctzll(checks)
        bit = 1 << check
        checks ^= bit
        if check < FIRST_STATE_CHECK:
            message_check(e.t, e.m, check, &tally)
        else:
            state_check(e.t, e.mem, e.m, check)
            state_tally(e.m, check, &tally)
        if tally.yes:
            e.whole.yes |= bit
            e.whole.sure |= bit if tally.yes == tally.n and tally.unknown == 0 else 0
        e.k.checks[check][2 if tally.n == 0 else 1 if tally.yes else 0] += 1


cdef inline void count_component(Eval* e, uint32_t checks, int reading, uint32_t yes) noexcept nogil:
    cdef uint32_t check
    checks &= OF_COMPONENT
    while checks:
        check = __builtin_ctzll(checks)
        checks &= checks - 1
        e.k.checks[check][2 if reading < 0 else yes >> check & 1] += 1


cdef uint32_t knows(Eval* e, const Component* c) noexcept nogil:
    """Bit a check whose answer holds for this component by itself: it, or the dialogue, has what the check compares."""
    cdef uint32_t known = ~<uint32_t>0
    cdef int i
    if c == NULL or e.m.n_components <= 1:
        return known
    if not e.inner.gathered:
        gather(e.t, e.m, &e.base, &e.inner)
    i = <int>(c - e.m.components)
    if not e.inner.imsi >> i & 1:
        known &= ~<uint32_t>OF_IMSI
    if not e.inner.node >> i & 1:
        known &= ~<uint32_t>(1 << CHECK_CALLING_OPERATOR_IS_NOT_MAP_NODE)
    return known


cdef inline bint is_same(const Left* a, const Left* b) noexcept nogil:
    cdef uint64_t differ = 0
    cdef uint32_t w
    if a.first != b.first or a.end != b.end:
        return False
    for w in range(a.first, a.end):
        differ |= a.bits[w] ^ b.bits[w] | a.unsure[w] ^ b.unsure[w]
    return differ == 0


cdef void run_checks(Eval* e, const Component* c, int reading, Left* l) noexcept nogil:
    """Take away the rules whose checks do not hold. A check runs only where the rest of a rule that asks for it holds."""
    cdef uint32_t own = component_yes(c, reading), known = knows(e, c)
    cdef Checked* last
    if c == NULL or (e.m.n_components == 1 and c.n_readings <= 1):
        count_component(e, by_checks(e, own, known, l), reading, own)
        return
    last = &e.last[reading & 1]
    if not last.filled or last.own != own or last.known != known or not is_same(&last.before, l):
        copy(l, &last.before)
        last.wanted = by_checks(e, own, known, l)
        copy(l, &last.after)
        last.own, last.known, last.filled = own, known, True
    else:
        copy(&last.after, l)
    count_component(e, last.wanted, reading, own)


cdef uint32_t by_checks(Eval* e, uint32_t own, uint32_t known, Left* l) noexcept nogil:
    """The checks that the rules left so far ask for; what is left of the rules is in l."""
    cdef const PolicyTables* t = e.t
    cdef const uint64_t* with_checks = row_of(t, t.has_checks)
    cdef const uint64_t* with_any = row_of(t, t.has_any)
    cdef const uint64_t* deny = row_of(t, t.deny)
    cdef uint32_t w, check, yes, sure, left, wanted = 0
    cdef uint64_t rules, holds, surely, any_holds, any_sure, asks, if_deny, if_all
    for w in range(l.first, l.end):
        rules = l.bits[w] & with_checks[w]
        while rules:
            wanted |= t.rule_checks[w * 64 + __builtin_ctzll(rules)]
            rules &= rules - 1
    wanted &= t.checks_used
    ask(e, wanted & ~e.whole.asked & ~<uint32_t>OF_COMPONENT)
    yes = e.whole.yes | own
    sure = e.whole.sure & known | own  # true of all values
    for w in range(l.first, l.end):
        rules = l.bits[w] & with_checks[w]
        if rules == 0:
            continue
        holds = surely = rules & ~with_any[w]
        any_holds = any_sure = 0
        left = wanted
        while left:
            check = __builtin_ctzll(left)
            left &= left - 1
            asks = t.asks[w * N_CHECKS + check]
            if_all = -<uint64_t>(sure >> check & 1)
            if_deny = if_all | -<uint64_t>(yes >> check & 1) & deny[w]
            holds &= ~asks | if_deny
            surely &= ~asks | if_all
            any_holds |= asks & if_deny
            any_sure |= asks & if_all
        holds |= any_holds & with_any[w]
        surely |= any_sure & with_any[w]
        l.bits[w] &= ~rules | holds
        l.unsure[w] |= rules & ~surely
    return wanted
