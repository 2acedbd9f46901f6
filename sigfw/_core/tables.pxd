# What a policy is to the stages: read-only arrays that Tables owns. Nothing here is written after it is built.
#
# A rule is a bit. For every field that some rule names, a value leads to a row of bits: those of the rules that the
# value satisfies or that do not name the field. A message ANDs one row a field and is left with the rules that match.
# A value that no rule names and a field that the message lacks have one row: `in` is false there, `not_in` true.

from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t, uint64_t

from sigfw._core.msg cimport N_CHECKS, N_EXCEPTIONS, N_PERIMETERS, N_SPACES, Norm, Number

cdef enum:
    MAX_WORDS = 16         # MAX_RULES bits
    SMALL_VALUES = 257     # a value of one octet, or ABSENT
    ABSENT = 256
    NO_ROW = 0xFFFFFFFF

cdef enum SmallId:         # fields of one octet, in the order of compiler.SMALL
    SMALL_PERIMETER
    SMALL_LINK
    SMALL_DIRECTION
    SMALL_ENCAPSULATION
    SMALL_NI
    SMALL_SLS
    SMALL_SCCP_TYPE
    SMALL_RETURN_CAUSE
    SMALL_MANAGEMENT
    SMALL_CALLED_SSN
    SMALL_CALLED_NP
    SMALL_CALLED_NAI
    SMALL_CALLED_TT
    SMALL_CALLED_GTI
    SMALL_CALLED_ABSENT
    SMALL_CALLING_SSN
    SMALL_CALLING_NP
    SMALL_CALLING_NAI
    SMALL_CALLING_TT
    SMALL_CALLING_GTI
    SMALL_CALLING_ABSENT
    SMALL_TCAP_TYPE        # from here on a segment does not have them yet
    SMALL_COMPONENT_COUNT
    SMALL_SMS_PID
    SMALL_SMS_DCS
    SMALL_COMPONENT        # from here on they belong to a component and reading
    SMALL_OPCODE_FORM
    SMALL_MAP_VERSION
    SMALL_APPLICATION

cdef enum IntId:           # fields of more than one octet, in the order of compiler.INTS
    INT_OPC
    INT_DPC
    INT_CALLED_PC
    INT_CALLING_PC
    INT_OPCODE             # of a component

cdef enum NumberSource:    # where a number field finds its values
    FROM_CALLED
    FROM_CALLING
    FROM_KIND              # Number.kind
    FROM_ROLE              # bits of Number.role
    FROM_NAME              # Number.name

cdef struct ClassInfo:     # what the numbers of a class have in common, as far as checks and direction ask
    uint16_t operator      # 1 is home; 0: of no operator
    uint16_t also          # where in PolicyTables.also the operators begin whose it counts as, too; 0: none's
    uint8_t home
    uint8_t hosted_abroad

cdef struct GtTable:
    # Starts of the intervals, sorted, 4 octets each or, where `wide`, 8: encoded numbers without their last `cut` bits,
    # and in 4 octets without the digits that all of a bucket share.
    const void* starts
    const void* cls        # of the interval, 2 octets each or, where `many`, 4
    const uint32_t* bucket # first start at or above those of a bucket's first digits, and one more at the end
    uint32_t n             # 1: no prefix at all
    uint32_t n_buckets
    uint8_t shift          # of the first digits in an encoded number
    uint8_t cut
    uint8_t wide
    uint8_t many
    const ClassInfo* classes
    uint32_t n_classes

cdef struct CountryCode:
    uint64_t key           # left-aligned as Digits.hi
    uint8_t digits         # 0: none given

cdef struct Link:
    const uint16_t* topics # numbers of Tables.topic_number
    const int32_t* opc
    const int32_t* dpc
    uint32_t n_topics      # 0: any
    uint32_t n_opc
    uint32_t n_dpc
    uint32_t ni            # bit n: network indicator n (Q.704 14.2.2); 0: any
    uint8_t perimeter
    uint8_t variant
    CountryCode country_code

cdef struct SmallField:
    uint32_t id
    const uint32_t* rows   # SMALL_VALUES of them

cdef struct IntField:
    uint32_t id
    uint32_t n
    const int32_t* values  # sorted
    const uint32_t* rows   # n, then that of anything else

cdef struct OidField:
    uint32_t n
    const uint8_t* octets  # content octets end to end
    const uint32_t* starts # n + 1
    const uint32_t* rows   # n, then that of anything else; NULL: no rule names the field

cdef struct NumberField:
    uint64_t bit           # in of_kind, of_role and of_name; 0: there are more fields than bits, or it is a party's
    uint32_t source
    uint32_t selector      # kind or role
    const uint16_t* names
    uint32_t n_names
    uint32_t none          # the row of a number that is in no list and of no operator, and of no number
    const uint32_t* rows[N_SPACES]  # by class

cdef struct Rule:
    uint8_t action
    uint8_t category
    uint8_t final
    uint8_t alert
    uint8_t return_cause
    uint8_t mode
    uint16_t redirect

cdef enum:                 # bits of StateRules.needs: what is learned, as far as an enabled check asks for it
    NEEDS_DIALOGUES = 1 << 0
    NEEDS_LOCATIONS = 1 << 1
    NEEDS_SMS = 1 << 2

cdef enum:
    ZONE_APART = 1         # of StateRules.zones: a network in the air, at sea or everywhere
    FIRST_COUNTRY = 2
    NO_MINUTES = 0xFFFF

cdef enum:                 # bits of RateLimit.by
    BY_CALLING_GT = 1 << 0
    BY_CALLING_OPERATOR = 1 << 1
    BY_OPERATION = 1 << 2

cdef struct Journey:       # the operator's own: from numbers of one prefix to those of another
    uint64_t old           # left-aligned as Digits.hi
    uint64_t new
    uint16_t minutes
    uint8_t old_digits
    uint8_t new_digits

cdef struct RateLimit:
    double per_second
    double burst
    uint32_t by
    const uint8_t* operations  # by operation number: counted or not; NULL: all

cdef struct StateRules:    # what the policy's `checks` says
    uint32_t needs
    uint32_t dialogue_seconds
    uint32_t warm_up_seconds
    uint32_t sms_seconds
    const uint8_t* hub[N_SPACES]  # by class: the number is a hub's; NULL: none is
    uint32_t unknown_subscriber   # 0 unknown, 1 true, 2 false
    const Journey* journeys
    uint32_t n_journeys
    GtTable zones          # E.164 country codes; ClassInfo.operator is a zone
    const uint16_t* minutes       # n_countries x n_countries, row by row
    uint32_t n_countries
    const uint16_t* operator_country  # by operator number: index + 1, 0 unknown
    const RateLimit* limits
    uint32_t n_limits
    uint32_t scan_seconds
    uint32_t subscribers_per_caller   # 0: not asked
    uint32_t callers_per_subscriber

cdef struct PolicyTables:
    uint32_t n_rules
    uint32_t n_words       # of a row
    const Rule* rules
    const uint64_t* rows   # row r is the n_words from r * n_words
    # rows of their own
    uint32_t enforced
    uint32_t with_shadow   # enforced and shadow rules; NO_ROW: the policy has no shadow rule
    uint32_t deny          # rules for which one value of several is enough; of the others all must hold
    uint32_t early         # rules that need SCCP, MTP and party fields only
    uint32_t names_opcode
    uint32_t has_any       # rules with checks of which any is enough
    uint32_t has_checks    # rules with checks
    const uint32_t* rule_checks  # by rule, from 0: bit a check that it asks for
    uint32_t checks_used   # bit a check
    const uint64_t* asks   # N_CHECKS a word: rules that ask for the check
    # fields
    uint32_t n_early       # of `small`: what a segment has
    uint32_t n_message     # of `small`: n_early and what only the whole has
    uint32_t n_small       # of `small`: all, those of a component last
    const SmallField* small
    uint32_t n_ints        # without that of a component
    const IntField* ints
    IntField opcode        # rows NULL: not named
    OidField global_opcode
    OidField acn
    uint32_t n_party       # of `numbers`: those of called and calling first
    uint32_t n_numbers
    const NumberField* numbers
    uint64_t of_kind[8]    # which fields concern a number of this Number.kind: NumberField.bit,
    uint64_t of_role[8]    # of a role, by its bit,
    const uint64_t* of_name  # of a name
    uint32_t n_names
    const uint32_t* operation_rows  # by operation number, 0: a component without a reading; NULL: not named
    const uint32_t* requested_rows  # by bit, then that of none; NULL: not named
    const uint8_t* operation_application
    uint32_t n_operations
    uint8_t exception_action[N_EXCEPTIONS][N_PERIMETERS]
    GtTable gt[N_SPACES]
    const uint16_t* also   # operators, a 0 behind each row of them; first a 0
    CountryCode country_code
    const int32_t* home_point_codes
    uint32_t n_home_point_codes
    const Link* links
    uint32_t n_links
    StateRules state


cdef inline const ClassInfo* info(const PolicyTables* t, const Norm* norm) noexcept nogil:
    return &t.gt[norm.space].classes[norm.cls]


cdef inline bint counts_as(const PolicyTables* t, uint32_t also, uint16_t operator) noexcept nogil:
    while t.also[also]:
        if t.also[also] == operator:
            return True
        also += 1
    return False


cdef inline bint is_same_operator(const PolicyTables* t, const ClassInfo* a, const ClassInfo* b) noexcept nogil:
    """Both are one operator's, or one of them counts as the other's, too."""
    if a.operator == b.operator:
        return True
    return (a.also | b.also) != 0 and (counts_as(t, a.also, b.operator) or counts_as(t, b.also, a.operator))


cdef inline bint number_is_home(const PolicyTables* t, const Number* n) noexcept nogil:
    cdef uint32_t i
    for i in range(n.n_norm):
        if info(t, &n.norm[i]).home:
            return True
    return False


cdef class Tables:
    cdef PolicyTables c
    cdef list keep                      # what the pointers of c point into
    cdef dict topics
    cdef tuple spaces                   # PrefixTable by space, 0 unused
    cdef tuple list_names               # by list number of the prefix tables; "": values written out in a rule
    cdef tuple small_names              # names of the fields, as `small`, `ints` and `numbers` stand
    cdef tuple int_names
    cdef tuple number_names
    cdef readonly str name
    cdef readonly str digest            # 16 hex digits
    cdef readonly tuple rule_ids        # by number, 0 unused, as in all of these
    cdef readonly tuple rule_modes
    cdef readonly tuple categories
    cdef readonly tuple redirects       # digits
    cdef readonly tuple operators       # TADIG codes; 1 is home
    cdef readonly tuple countries       # by operator; "": not given
    cdef readonly tuple links           # names
    cdef const uint8_t* u8(self, object values) except? NULL
    cdef const uint16_t* u16(self, object values) except? NULL
    cdef const int32_t* i32(self, object values) except? NULL
    cdef const uint32_t* u32(self, object values) except? NULL
    cdef const uint64_t* u64(self, object values) except? NULL
    cdef void* room(self, size_t octets) except NULL
    cdef int put_masks(self, dict masks) except -1
    cdef int put_fields(self, dict fields) except -1
    cdef int put_concerned(self) except -1
    cdef int put_oid(self, OidField* f, tuple parts) except -1
    cdef int put_links(self, list links) except -1
    cdef int put_state(self, dict state) except -1
    cpdef int topic_number(self, str topic)
