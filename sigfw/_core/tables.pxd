# What a policy is to the stages: read-only arrays that Tables (classifier.pyx) owns. Nothing here is written after it is built.
#
# A rule is a bit. For every field that some rule names, a value leads to a row of bits: those of the rules that the
# value satisfies or that do not name the field. A message ANDs one row a field and is left with the rules that match.

from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t, uint64_t

from sigfw._core.msg cimport MAX_CATEGORIES, N_CHECKS, N_EXCEPTIONS, N_PERIMETERS, N_SPACES, Norm

cdef enum:
    MAX_WORDS = 16         # MAX_RULES bits
    SMALL_VALUES = 257     # a value of one octet, or 256: the message lacks the field
    ABSENT = 256

cdef enum SmallId:         # fields of one octet
    SMALL_PERIMETER
    SMALL_LINK
    SMALL_DIRECTION
    SMALL_ENCAPSULATION
    SMALL_NI
    SMALL_SLS
    SMALL_SCCP_TYPE
    SMALL_RETURN_CAUSE
    SMALL_MANAGEMENT
    SMALL_CALLED_SSN       # the party fields stand as two runs in one order: called, then calling
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

cdef enum IntId:           # fields of more than one octet
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
    uint16_t operator      # from 1; 1 is home; 0: of no operator
    uint8_t home
    uint8_t hosted_abroad

cdef struct GtTable:
    const uint64_t* starts # sorted; starts[0] is 0
    const uint32_t* cls    # of the interval; the top bit: the interval goes on with a shorter prefix
    const uint32_t* bucket # first start at or above bucket << shift, and one more at the end
    uint32_t n             # 1: no prefix at all
    uint32_t shift
    const ClassInfo* classes
    uint32_t n_classes

cdef struct CountryCode:
    uint64_t key           # left-aligned as Digits.hi
    uint8_t digits         # 0: none given

cdef struct Link:
    const uint16_t* topics # numbers of Tables.topic_number
    const uint32_t* opc
    const uint32_t* dpc
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
    const uint32_t* rows   # n, then that of any other value, then that of none

cdef struct OidField:
    uint32_t used
    uint32_t n
    const uint8_t* octets  # content octets end to end
    const uint32_t* starts # n + 1
    const uint32_t* rows   # n, then any other, then none

cdef struct NumberField:
    uint32_t source
    uint32_t selector      # kind or role
    const uint16_t* names
    uint32_t n_names
    const uint32_t* rows[N_SPACES]  # by class; [0]: one row for a number that has no reading
    uint32_t absent

cdef struct Rule:
    uint8_t action
    uint8_t category
    uint8_t final
    uint8_t alert
    uint8_t return_cause
    uint8_t mode
    uint16_t redirect

cdef struct PolicyTables:
    uint32_t n_rules
    uint32_t n_words       # of a row
    const Rule* rules
    const uint64_t* rows   # row r is the n_words from r * n_words
    const uint64_t* enforced  # rules by mode, one row each
    const uint64_t* shadow
    const uint64_t* deny   # rules for which one value of several is enough; of the others all must hold
    const uint64_t* early  # rules that need SCCP, MTP and party fields only
    const uint64_t* names_opcode
    # checks: rules that ask for the check; apart from them, rules that ask for any of theirs, or for all
    uint32_t checks_used   # bit a check
    const uint64_t* check_any[N_CHECKS]
    const uint64_t* check_all[N_CHECKS]
    const uint64_t* has_any
    # fields, those of a message first
    uint32_t n_early       # of `small`: what a segment has
    uint32_t n_message     # of `small`: n_early and what only the whole has
    uint32_t n_small       # of `small`: all, those of a component last
    const SmallField* small
    uint32_t n_ints        # without INT_OPCODE
    const IntField* ints
    IntField opcode        # n_rows 0 where no rule names it: see opcode_used
    uint32_t opcode_used
    OidField global_opcode
    OidField acn
    uint32_t n_party       # of `numbers`: FROM_CALLED and FROM_CALLING first
    uint32_t n_numbers
    const NumberField* numbers
    const uint32_t* operation_rows  # by operation number, NULL: no rule names an operation; 0 is a component without a reading
    const uint32_t* requested_rows  # 32 bits, then the row of none; NULL: not named
    const uint8_t* operation_application
    uint32_t n_operations
    # exceptions
    uint8_t exception_action[N_EXCEPTIONS][N_PERIMETERS]
    # numbers
    GtTable gt[N_SPACES]
    CountryCode country_code
    const uint32_t* home_point_codes
    uint32_t n_home_point_codes
    # links
    const Link* links
    uint32_t n_links
