# Digits as they came -> digits as they are looked up. docs/normalisation.md is the table, tests/unit/test_normalise.py its rows.

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memset

from sigfw._core.digits cimport above_nine, drop_last, first_digits
from sigfw._core.limits cimport MAX_E164, MAX_KEY_DIGITS
from sigfw._core.msg cimport (
    DIGITS_CUT,
    Digits,
    digit_at,
    EX_UNUSABLE_GT,
    Group,
    GT_EMPTY,
    GT_NATURE,
    GT_OVERDECADIC,
    GT_PLAN,
    GT_PREFIX,
    GT_TOO_LONG,
    HAS_ES,
    HAS_GT,
    HAS_NAI,
    HAS_NP,
    KIND_ADDRESS,
    KIND_IMSI,
    KIND_MSISDN,
    Msg,
    Norm,
    Number,
    Party,
    push_digit,
    SPACE_E164,
    SPACE_E212,
    SPACE_E214,
    SPACE_MSISDN,
    VARIANT_ANSI,
)
from sigfw._core.tables cimport CountryCode, PolicyTables

cdef enum:                 # Q.713 3.4.2.3.1 (table 4) and 3.4.2.3.3
    NP_UNKNOWN = 0
    NP_E164 = 1
    NP_GENERIC = 2
    NP_E212 = 6
    NP_E214 = 7

cdef enum:                 # Q.713 3.4.2.3.1: nature of address indicator
    NAI_UNKNOWN = 0
    NAI_NATIONAL = 3
    NAI_INTERNATIONAL = 4

cdef enum:
    ANSI_NATIONAL_DIGITS = 10  # in country code 1: area code and exchange, which begin with 2 to 9, and four digits

cdef enum:                 # TS 29.002 17.7.8, AddressString: nature of address, numbering plan
    NATURE_UNKNOWN = 0
    NATURE_INTERNATIONAL = 1
    NATURE_NATIONAL = 2
    PLAN_E212 = 6
    PLAN_E214 = 7

cdef struct Readings:      # of one number; at most two stay
    uint8_t n
    Norm* norm
    uint8_t space
    uint32_t limit         # digits that a reading may have
    bint cut               # what goes beyond is left away, not refused


cdef inline uint64_t from_digit(const Digits* d, int first) noexcept nogil:
    """Digits `first` to `first` + 15, left-aligned; what is beyond the last is 0."""
    if first == 0:
        return d.hi
    if first < 16:
        return d.hi << (4 * first) | d.lo >> (64 - 4 * first)
    return d.lo << (4 * (first - 16)) if first < 32 else 0


cdef void add(Readings* r, const CountryCode* cc, const Digits* d, int first) noexcept nogil:
    """One reading: the country code, where one is given, and the digits from `first` on."""
    cdef uint32_t digits = d.count - first, before = 0
    cdef uint64_t key = from_digit(d, first)
    cdef Norm* norm
    if cc != NULL:
        before = cc.digits
        digits += before
        key = cc.key | key >> (4 * before)
    if r.n == 2 or d.count <= first or (digits > r.limit and not r.cut):
        return
    if digits > r.limit:
        digits = r.limit
        key = first_digits(key, digits)
    if r.n == 1 and r.norm[0].key == key and r.norm[0].digits == digits:
        return
    norm = &r.norm[r.n]
    norm.key = key
    norm.digits = <uint8_t>digits
    norm.space = r.space
    norm.cls = 0
    r.n += 1


cdef bint begins_with(const Digits* d, const CountryCode* cc) noexcept nogil:
    return (cc.digits > 0 and d.count > cc.digits
            and (d.hi ^ cc.key) >> (64 - 4 * cc.digits) == 0)


cdef void international(Readings* r, const Digits* d) noexcept nogil:
    """As it stands; no country code begins with 0, so 00 is the international prefix and one 0 is nothing we know."""
    if digit_at(d, 0) != 0:
        add(r, NULL, d, 0)
    elif d.count > 2 and digit_at(d, 1) == 0 and digit_at(d, 2) != 0:
        add(r, NULL, d, 2)


cdef void national(Readings* r, const CountryCode* cc, const Digits* d) noexcept nogil:
    """With our country code, and as it stands where it begins with that already."""
    if cc.digits == 0:
        international(r, d)
    elif digit_at(d, 0) != 0:
        add(r, cc, d, 0)
        if begins_with(d, cc):
            add(r, NULL, d, 0)
    elif d.count > 1 and digit_at(d, 1) == 0:
        international(r, d)
    else:  # a trunk prefix, or a plan whose numbers begin with 0
        add(r, cc, d, 1)
        add(r, cc, d, 0)


cdef void unknown(Readings* r, const CountryCode* cc, const Digits* d) noexcept nogil:
    """Nobody says what it is: international, and national where it may be that."""
    if digit_at(d, 0) != 0:
        add(r, NULL, d, 0)
        if cc.digits:
            add(r, cc, d, 0)
    elif d.count > 1 and digit_at(d, 1) == 0:
        international(r, d)
    elif cc.digits:
        add(r, cc, d, 1)


cdef bint plain(const Digits* d, bint even, Digits* out) noexcept nogil:
    """Without fillers that were counted as digits; false where any other digit is above 9 or there are too many."""
    out[0] = d[0]
    if d.flags & DIGITS_CUT or d.count == 0:
        return False
    while out.count and digit_at(out, out.count - 1) == 15:
        drop_last(out)
    if out.count == MAX_E164 + 1 and digit_at(out, MAX_E164) == 0 and even:
        drop_last(out)
    return 0 < out.count <= MAX_E164 and not above_nine(out.hi)


cdef uint8_t why_unusable(const CountryCode* cc, const Party* p) noexcept nogil:
    """Of a GT without a reading, the first thing that stands against one."""
    cdef Digits d
    cdef uint8_t np = p.np if p.has & HAS_NP else NP_E164
    cdef uint8_t nai = p.nai if p.has & HAS_NAI else NAI_INTERNATIONAL
    cdef int i
    if not plain(&p.gt, not p.has & HAS_ES or p.es != 1, &d):
        if d.count == 0:
            return GT_EMPTY
        for i in range(d.count):
            if digit_at(&d, i) > 9:
                return GT_OVERDECADIC
        return GT_TOO_LONG
    if np not in (NP_UNKNOWN, NP_E164, NP_GENERIC, NP_E212, NP_E214):
        return GT_PLAN
    if nai not in (NAI_UNKNOWN, NAI_NATIONAL, NAI_INTERNATIONAL):
        return GT_NATURE
    if digit_at(&d, 0) == 0 and (nai == NAI_INTERNATIONAL or cc.digits == 0 or d.count == 1 or digit_at(&d, 1) == 0):
        return GT_PREFIX
    return GT_TOO_LONG


cdef void normalise_party(const CountryCode* cc, Party* p) noexcept nogil:
    cdef Readings r
    cdef Digits d
    cdef uint8_t np = p.np if p.has & HAS_NP else NP_E164
    cdef uint8_t nai = p.nai if p.has & HAS_NAI else NAI_INTERNATIONAL
    r.n = 0
    r.norm = p.norm
    r.limit = MAX_E164
    r.cut = False
    p.n_norm = 0
    if not p.has & HAS_GT:
        return
    # Without an encoding scheme (GTI 2) nothing says odd or even: a 16th digit of 0 may be a filler there, too.
    if not plain(&p.gt, not p.has & HAS_ES or p.es != 1, &d):
        p.trouble = why_unusable(cc, p)
        return
    if np == NP_E212:
        r.space = SPACE_E212
        if nai == NAI_UNKNOWN or nai == NAI_NATIONAL or nai == NAI_INTERNATIONAL:
            add(&r, NULL, &d, 0)
    elif np == NP_E164 or np == NP_UNKNOWN or np == NP_GENERIC or np == NP_E214:
        r.space = SPACE_E214 if np == NP_E214 else SPACE_E164
        if nai == NAI_INTERNATIONAL:
            international(&r, &d)
        elif nai == NAI_NATIONAL:
            national(&r, cc, &d)
        elif nai == NAI_UNKNOWN:
            unknown(&r, cc, &d)
    p.n_norm = r.n
    if r.n == 0:
        p.trouble = why_unusable(cc, p)


cdef void national_without_nature(const CountryCode* cc, Party* p) noexcept nogil:
    """A GT of T1.112.3 has no nature of address: in country code 1 ten digits are a national number as well."""
    cdef Readings r
    cdef Digits d
    if (p.n_norm != 1 or p.has & HAS_NAI or p.norm[0].space == SPACE_E212 or p.norm[0].digits != ANSI_NATIONAL_DIGITS
            or p.norm[0].key >> 60 < 2 or cc.digits != 1 or cc.key >> 60 != 1):
        return
    d.hi = p.norm[0].key
    d.lo = 0
    d.count = p.norm[0].digits
    d.flags = 0
    r.n = 1
    r.norm = p.norm
    r.space = p.norm[0].space
    r.limit = MAX_E164
    r.cut = False
    add(&r, cc, &d, 0)
    p.n_norm = r.n


cdef void decimal_part(const Digits* d, Digits* out) noexcept nogil:
    """Without digits above 9 in front, up to the next of them."""
    cdef int i
    out.hi = 0
    out.count = 0
    for i in range(min(d.count, <int>MAX_KEY_DIGITS)):
        if digit_at(d, i) <= 9:
            push_digit(out, digit_at(d, i))
        elif out.count:
            break


cdef void normalise_number(const CountryCode* cc, Number* n) noexcept nogil:
    cdef Readings r
    cdef Digits d
    cdef int i
    r.n = 0
    r.norm = n.norm
    r.limit = MAX_KEY_DIGITS
    r.cut = True
    n.n_norm = 0
    # Too many digits, or one above 9, must not hide what the number begins with.
    d.hi = n.d.hi
    d.lo = 0
    d.count = <uint8_t>min(n.d.count, <int>MAX_KEY_DIGITS)
    d.flags = 0
    if above_nine(d.hi):
        decimal_part(&n.d, &d)
    if d.count == 0:
        return
    if n.kind == KIND_IMSI or (n.kind == KIND_ADDRESS and n.plan == PLAN_E212):
        r.space = SPACE_E212
        add(&r, NULL, &d, 0)
    elif n.kind == KIND_ADDRESS or n.kind == KIND_MSISDN:
        r.space = SPACE_MSISDN if n.kind == KIND_MSISDN else SPACE_E214 if n.plan == PLAN_E214 else SPACE_E164
        if n.nature == NATURE_NATIONAL:
            national(&r, cc, &d)
        elif n.nature == NATURE_UNKNOWN:
            unknown(&r, cc, &d)
        else:
            international(&r, &d)
        i = 0
        while r.n == 0 and i < d.count:  # zeros that are no prefix known must not hide it either
            if digit_at(&d, i) != 0:
                add(&r, NULL, &d, i)
            i += 1
    n.n_norm = r.n


cdef void normalise_group(const PolicyTables* t, Group* g) noexcept nogil:
    cdef int i, j
    cdef Msg* m
    cdef const CountryCode* cc
    for i in range(g.n):
        m = &g.msgs[i]
        cc = &t.country_code
        if m.link and m.link <= t.n_links and t.links[m.link - 1].country_code.digits:
            cc = &t.links[m.link - 1].country_code
        normalise_party(cc, &m.called)
        normalise_party(cc, &m.calling)
        if m.variant == VARIANT_ANSI:
            national_without_nature(cc, &m.called)
            national_without_nature(cc, &m.calling)
        if m.called.trouble or m.calling.trouble:
            m.exceptions |= EX_UNUSABLE_GT
        for j in range(m.n_numbers):
            normalise_number(cc, &m.numbers[j])


cdef int put_digits(Digits* d, str digits) except -1:
    """Digits 0-9 and a-f into a cleared struct."""
    for character in digits:
        push_digit(d, int(character, 16))
    return 0


cdef CountryCode country_code(str digits) except *:
    cdef Digits d
    cdef CountryCode cc
    memset(&d, 0, sizeof(d))
    put_digits(&d, digits)
    cc.key = d.hi
    cc.digits = d.count
    return cc


cdef list readings(const Norm* norm, int n):
    cdef int i, j
    return [
        (norm[i].space, "".join(["%x" % ((norm[i].key >> (60 - 4 * j)) & 15) for j in range(norm[i].digits)]))
        for i in range(n)
    ]


def gt_readings(str digits, *, np=None, nai=None, es=None, str home_country_code="", bint ansi=False):
    cdef Party p
    cdef CountryCode cc = country_code(home_country_code)
    memset(&p, 0, sizeof(p))
    put_digits(&p.gt, digits)
    p.has = HAS_GT
    if np is not None:
        p.has |= HAS_NP
        p.np = np
    if nai is not None:
        p.has |= HAS_NAI
        p.nai = nai
    if es is not None:
        p.has |= HAS_ES
        p.es = es
    normalise_party(&cc, &p)
    if ansi:
        national_without_nature(&cc, &p)
    return readings(p.norm, p.n_norm)


def number_readings(str digits, int kind, *, int nature=0, int plan=0, str home_country_code=""):
    cdef Number n
    cdef CountryCode cc = country_code(home_country_code)
    memset(&n, 0, sizeof(n))
    put_digits(&n.d, digits)
    n.kind = kind
    n.nature = nature
    n.plan = plan
    normalise_number(&cc, &n)
    return readings(n.norm, n.n_norm)
