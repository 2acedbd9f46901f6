# What the stages hand on: a Group of messages, filled from left to right by
#
#   framing -> links -> sccp -> reassembly -> tcap -> mapop -> normalise -> gttable -> classifier -> encode
#
# Each stage is one call a Group. A stage writes its own part of each Msg and reads those before it. Numbers of closed
# sets are those of sigfw/names.py (0: none); tests/unit/test_names.py holds the two equal.

from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from sigfw._core.limits cimport (
    GROUP, MAX_CATEGORIES, MAX_COMPONENTS, MAX_DEPTH, MAX_DIGITS, MAX_NUMBERS, MAX_READINGS, MAX_RULES, MAX_SEGMENTS,
    MAX_USER_OCTETS,
)

cdef enum:
    NO_PC = 0x7FFFFFFF     # beyond the 24 bits of any variant

cdef enum Status:          # of an inline reader; anything but OK is an ErrorCode of names.ERROR_CODES
    OK = 0
    E_TRUNCATED = 1
    E_LENGTH_OVERRUN
    E_BAD_LENGTH
    E_BAD_TAG
    E_BAD_VALUE
    E_BAD_POINTER
    E_BAD_HOP_COUNTER
    E_MISSING
    E_DUPLICATE
    E_TRAILING
    E_TOO_DEEP
    E_TOO_MANY
    E_UNSUPPORTED
    E_UNKNOWN_TYPE
    E_NO_FIRST             # from here on: of reassembly
    E_TOO_LATE
    E_OUT_OF_SEQUENCE
    E_REPEATED
    E_OVERLAPPING
    E_MISMATCH
    E_TOO_LONG
    E_NO_ROOM
    E_PART_DENIED

cdef enum Layer:
    LAYER_FRAMING = 1
    LAYER_SCCP
    LAYER_TCAP
    LAYER_COMPONENT
    LAYER_MAP

cdef enum Encapsulation:
    ENCAP_SCCP = 1
    ENCAP_MTP3
    ENCAP_M3UA
    ENCAP_PCAP

cdef enum Variant:         # the dialect of SCCP and of MTP's label; 0, where nobody said, is read as ITU
    VARIANT_ITU = 1
    VARIANT_ANSI
    VARIANT_CHINA

cdef enum Perimeter:
    PERIMETER_INTERNATIONAL = 1
    PERIMETER_NATIONAL
    PERIMETER_INTERNAL

cdef enum Direction:
    DIRECTION_INBOUND = 1
    DIRECTION_OUTBOUND
    DIRECTION_TRANSIT
    DIRECTION_UNKNOWN

cdef enum Mode:
    MODE_ENFORCE = 1
    MODE_MONITOR
    MODE_BYPASS

cdef enum RuleMode:
    RULE_ENFORCE = 1
    RULE_SHADOW
    RULE_OFF

cdef enum Action:          # in order of severity
    ALLOW = 1
    HOLD
    REDIRECT
    REJECT
    DROP

cdef enum Reason:
    REASON_RULE = 1
    REASON_DEFAULT
    REASON_MALFORMED
    REASON_UNUSABLE_GT
    REASON_NOT_TCAP
    REASON_NOT_SCCP
    REASON_UNKNOWN_OPERATION
    REASON_SEGMENT_HELD
    REASON_REASSEMBLY_TIMEOUT
    REASON_REASSEMBLY_FAILED
    REASON_REASSEMBLY_ORPHAN
    REASON_LIMIT_EXCEEDED
    REASON_EXPIRED
    REASON_REJECT_NOT_PERMITTED
    REASON_UNFRAMED
    REASON_MONITOR
    REASON_BYPASS

cdef enum SccpType:        # Q.713 2.1
    SCCP_CR = 0x01
    SCCP_UDT = 0x09
    SCCP_UDTS = 0x0A
    SCCP_IT = 0x10         # the last of the connection-oriented ones
    SCCP_XUDT = 0x11
    SCCP_XUDTS = 0x12
    SCCP_LUDT = 0x13
    SCCP_LUDTS = 0x14

cdef enum TcapType:
    TCAP_BEGIN = 1
    TCAP_CONTINUE
    TCAP_END
    TCAP_ABORT
    TCAP_UNIDIRECTIONAL
    TCAP_QUERY_WITH_PERM   # from here on T1.114's, which shares Abort and Unidirectional
    TCAP_QUERY_WITHOUT_PERM
    TCAP_RESPONSE
    TCAP_CONVERSATION_WITH_PERM
    TCAP_CONVERSATION_WITHOUT_PERM

cdef enum ComponentType:
    INVOKE = 1
    RETURN_RESULT_LAST
    RETURN_RESULT_NOT_LAST
    RETURN_ERROR
    REJECT_COMPONENT

cdef enum OpcodeForm:
    OPCODE_LOCAL = 1
    OPCODE_GLOBAL
    OPCODE_NATIONAL        # of T1.114: family << 8 | specifier
    OPCODE_PRIVATE

cdef enum Application:
    APP_MAP = 1
    APP_CAP

cdef enum Space:
    SPACE_E164 = 1
    SPACE_E214
    SPACE_E212
    SPACE_MSISDN
    N_SPACES

cdef enum NumberKind:
    KIND_IMSI = 1
    KIND_MSISDN
    KIND_IMEI
    KIND_LMSI
    KIND_TMSI
    KIND_ADDRESS

cdef enum Exception_:      # bits of Msg.exceptions, in the order of names.EXCEPTIONS; `default` is the classifier's own
    EX_MALFORMED = 1 << 0
    EX_UNUSABLE_GT = 1 << 1
    EX_NOT_TCAP = 1 << 2
    EX_NOT_SCCP = 1 << 3
    EX_UNKNOWN_OPERATION = 1 << 4
    EX_REASSEMBLY = 1 << 5
    EX_LIMIT_EXCEEDED = 1 << 6
    EX_EXPIRED = 1 << 7
    EX_DEFAULT = 1 << 8
    N_EXCEPTIONS = 9

cdef enum:                 # bits of Party.has
    HAS_PC = 1 << 0
    HAS_SSN = 1 << 1
    HAS_TT = 1 << 2
    HAS_NP = 1 << 3
    HAS_ES = 1 << 4
    HAS_NAI = 1 << 5
    HAS_GT = 1 << 6        # digits, be it none of them

cdef enum GtTrouble:       # why a GT cannot be looked up
    GT_EMPTY = 1
    GT_OVERDECADIC
    GT_TOO_LONG
    GT_PLAN
    GT_NATURE
    GT_PREFIX

cdef enum:                 # bits of Digits.flags
    DIGITS_OVERDECADIC = 1 << 0  # a digit above 9 (a filler is no digit)
    DIGITS_CUT = 1 << 1          # there were more than MAX_DIGITS

cdef enum:                 # bits of Number.role
    ROLE_SM_RP_OA = 1 << 0
    ROLE_SM_RP_DA = 1 << 1
    ROLE_CAMEL_GSMSCF = 1 << 2   # the gsmSCF-Address of a CAMEL subscription (CSI)
    ROLE_NODE = 1 << 3           # of the node that speaks, comparable with the CgPA (msc-Number, vlr-Number, …)
    ROLE_OPEN_DESTINATION = 1 << 4
    ROLE_OPEN_ORIGINATION = 1 << 5

cdef enum SegmentState:
    SEGMENT_NONE = 0
    SEGMENT_HELD           # taken, more to come
    SEGMENT_FINAL          # the last one: Msg.data is the whole
    SEGMENT_FAILED         # out of sequence, too long, or no room
    SEGMENT_ORPHAN         # a part of nothing we hold

cdef struct Digits:
    uint64_t hi            # digits 1 to 16, the first in the top four bits; what is unused is 0
    uint64_t lo            # digits 17 to 32
    uint8_t count          # 0 to MAX_DIGITS
    uint8_t flags

cdef struct Norm:          # one reading of a number, ready to be looked up
    uint64_t key           # Digits.hi of the normalised digits
    uint8_t digits         # 1 to 16
    uint8_t space
    uint8_t operator_digits  # of the number as it stood on the wire: its operator's prefix, clear beside a pseudonym
    uint32_t cls           # its class in the table of that space; 0: in no list and of no operator

cdef struct Party:         # Q.713 3.4 (CdPA), 3.5 (CgPA)
    Digits gt
    uint32_t pc
    uint8_t present        # the parameter stands in the message
    uint8_t has
    uint8_t route_on_ssn
    uint8_t gti
    uint8_t tt
    uint8_t np
    uint8_t es
    uint8_t nai
    uint8_t ssn
    uint8_t trouble        # a GtTrouble where there is a GT that cannot be normalised
    uint8_t n_norm         # 0: no GT, or one that cannot be normalised
    Norm norm[2]           # two where the NAI leaves two readings

cdef struct Number:        # an identity or an address, with where it stood
    Digits d
    uint8_t kind
    uint8_t nature         # nature of address and numbering plan as on the wire (TS 29.002 AddressString, Q.763), 0 where none
    uint8_t plan
    uint8_t role
    uint16_t name          # index into mapop.FIELD_NAMES: the ASN.1 identifier
    int8_t origin          # index of the component; -1: dialogue portion
    uint8_t n_norm
    Norm norm[2]

cdef struct Component:
    uint8_t type
    uint8_t opcode_form
    uint8_t error_code_present
    uint8_t invoke_id_present
    int32_t invoke_id
    int32_t opcode         # a number; of a global one the last arc; -1: none
    int32_t error_code     # returnError: local error code
    uint16_t oid_offset    # global opcode: content octets of the OID in Msg.data
    uint16_t oid_octets
    uint16_t argument_offset  # the parameter's TLV in Msg.data; 0 octets: none
    uint16_t argument_octets
    uint16_t reading[MAX_READINGS]  # operation numbers (mapop), the plainest first; none: unknown
    uint8_t n_readings
    uint8_t opcode_padded  # a local one in more octets than it needs (X.690 8.3.2)
    uint8_t error_code_     # of this component's own decode, 0: none; the first one of the message is in Msg too
    uint8_t acn_misfit     # bit a reading: the operation does not belong to the ACN's context and version
    uint8_t ssn_misfit     # bit a reading: no subsystem of the message is one of the application's
    uint8_t imsi_missing   # bit a reading: an identity is mandatory there, and neither it nor the dialogue has one
    uint32_t requested_info  # as Msg's, of this component

cdef struct PartId:        # of a held segment: record offset, frame, index
    int64_t offset
    uint32_t frame
    uint16_t index

cdef struct FirstSegment:  # what a reply to a segmented message is built from
    uint8_t return_on_error
    uint8_t remaining
    uint8_t protocol_class # in sequence asked for (Q.713 3.17)
    uint8_t cdpa_octets
    uint8_t cdpa[255]
    uint32_t data_octets   # of the whole's, those that stood in it

cdef struct Fate:          # what the parts of one message share: all are released, or none
    uint8_t denied         # a part was
    uint8_t answered       # and a reply was sent for it

cdef struct Verdict:
    uint8_t action
    uint8_t reason
    uint8_t category       # number of the category from 1 in order of first use in the policy; 0: none
    uint8_t component      # index of the component that decided
    uint16_t rule          # from 1 in policy order; 0: none
    uint16_t shadow_rule
    uint8_t shadow_action  # 0: nothing differs
    uint8_t shadow_reason
    uint8_t alert
    uint8_t mode           # of the service for this perimeter
    uint16_t redirect      # number of the redirect GT in the policy from 1; 0: none
    uint8_t return_cause   # of a reject

cdef struct Msg:
    # framing
    const uint8_t* sccp    # NULL: there was no SCCP (unframed, or another MTP user)
    uint32_t sccp_octets
    uint32_t record        # index in the batch
    int64_t offset         # of its record on Kafka, or 0
    int64_t time_ns        # since the epoch; -1: none
    uint32_t frame         # from 1
    uint16_t index         # from 0 in the frame
    uint8_t encapsulation
    uint8_t has_mtp        # opc, dpc, sls and ni are known
    uint8_t mtp_from_headers  # opc and dpc alone, from headers or an exported PDU; one of them may be NO_PC
    uint32_t opc
    uint32_t dpc
    uint8_t sls
    uint8_t ni
    uint8_t header_perimeter  # from the record's headers; 0: none
    uint8_t expired
    # SCCP
    uint8_t type
    uint8_t protocol_class
    uint8_t return_on_error
    uint8_t has_class
    uint8_t hop_counter
    uint8_t has_hop_counter
    uint8_t return_cause
    uint8_t has_return_cause
    uint8_t segmented      # a segmentation parameter stands in the message (Q.713 3.17)
    uint8_t segment_first
    uint8_t segment_remaining
    uint8_t segment_class
    uint8_t local_reference[3]
    uint16_t segment_offset  # the parameter's content within the SCCP message
    uint8_t management     # SCMG message type, 0: none
    uint8_t affected_ssn
    uint32_t affected_pc
    uint16_t cgpa_offset   # the CgPA's octets within the SCCP message: part of the reassembly key
    uint16_t cgpa_octets
    uint16_t cdpa_offset
    uint16_t cdpa_octets
    Party called
    Party calling
    const uint8_t* data    # user data; the whole of it after reassembly
    uint32_t data_octets
    uint32_t data_offset   # of the user data within the SCCP message
    uint32_t data_octets_here  # of it in this message: less than data_octets after reassembly
    # reassembly
    uint8_t segment_state
    uint8_t part           # from 1
    uint8_t parts
    uint32_t reassembly    # from 1 within the stream; 0: none
    const PartId* part_ids # `parts` of them: the whole's where segment_state is FINAL, those that were held where FAILED
    const FirstSegment* first  # of a FINAL segment that is not itself the first; else NULL
    Fate* fate             # of a message in several segments that are or were in flight; else NULL
    # TCAP
    uint8_t tcap
    uint8_t otid_octets
    uint8_t dtid_octets
    uint8_t otid[4]
    uint8_t dtid[4]
    uint16_t acn_offset    # content octets of the ACN's OID in data; 0 octets: none
    uint16_t acn_octets
    uint8_t acn_application  # recognised: APP_MAP or APP_CAP
    uint8_t acn_contradicts  # where two contexts name different applications: a bit each of them (0: none known); else 0
    uint8_t acn_context    # MAP: x of 0.4.0.0.1.0.x.v; CAP: number of mapop's table
    uint8_t acn_version
    uint8_t acn_is_integer # T1.114: the application context is a number, no OID
    int32_t acn_integer
    uint16_t open_offset   # content octets of the MAP-OpenInfo (TS 29.002 17.4) in data; 0 octets: none
    uint16_t open_octets
    uint8_t n_components
    uint8_t n_numbers
    Component* components  # of the Group's pool
    Number* numbers
    # MAP and CAP
    uint8_t has_sms
    uint8_t sms_pid        # TP-PID, TP-DCS (TS 23.040 9.2.3.9, 9.2.3.10)
    uint8_t sms_dcs
    uint32_t requested_info  # bit n: names.REQUESTED_INFO[n]
    # the first error: octets from the start of the SCCP message (of the reassembled data for a FINAL segment)
    uint8_t error_layer
    uint8_t error_code
    uint16_t error_offset
    uint32_t exceptions
    # policy
    uint8_t link           # from 1 in policy order; 0: none
    uint8_t perimeter
    uint8_t direction
    uint8_t directions     # bit a direction that the readings of the GTs leave, where there is more than one; else 0
    uint8_t variant
    uint8_t state_asked    # bit a state check, from that of FIRST_STATE_CHECK: it was asked of this message,
    uint8_t state_known    # state could say,
    uint8_t state_yes      # and it holds
    uint8_t state_repeated # the answers are those of the first time that this record came
    Verdict verdict

cdef struct Group:
    int n
    Msg msgs[GROUP]
    int n_components       # used of the pools; a message's are consecutive
    int n_numbers
    Component components[GROUP * MAX_COMPONENTS]
    Number numbers[GROUP * MAX_NUMBERS]


cdef inline void note_error(Msg* m, uint8_t layer, uint8_t code, uint32_t offset) noexcept nogil:
    """Note what went wrong where the message itself is well formed."""
    if m.error_code == 0:
        m.error_layer = layer
        m.error_code = code
        m.error_offset = <uint16_t>(offset if offset < 0xFFFF else 0xFFFF)


cdef inline void fail(Msg* m, uint8_t layer, uint8_t code, uint32_t offset) noexcept nogil:
    """Note the first error; too_deep and too_many are limits, all else is malformed."""
    note_error(m, layer, code, offset)
    m.exceptions |= EX_LIMIT_EXCEEDED if code == E_TOO_DEEP or code == E_TOO_MANY else EX_MALFORMED


cdef inline void push_digit(Digits* d, uint8_t nibble) noexcept nogil:
    if d.count >= MAX_DIGITS:
        d.flags |= DIGITS_CUT
        return
    if nibble > 9:
        d.flags |= DIGITS_OVERDECADIC
    if d.count < 16:
        d.hi |= <uint64_t>nibble << (60 - 4 * d.count)
    else:
        d.lo |= <uint64_t>nibble << (60 - 4 * (d.count - 16))
    d.count += 1


cdef inline uint8_t digit_at(const Digits* d, int i) noexcept nogil:
    return <uint8_t>((d.hi >> (60 - 4 * i)) & 15) if i < 16 else <uint8_t>((d.lo >> (60 - 4 * (i - 16))) & 15)


cdef enum:
    N_CHECKS = 15          # names.CHECKS, number 0 unused
    N_REASONS = 18
    N_ACTIONS = 6
    N_CODES = 24
    N_OPCODE_FORMS = 5
    N_GT_TROUBLES = 7
    N_LAYERS = 6
    N_PERIMETERS = 4
    N_ENCAPSULATIONS = 5

cdef struct Bucket:
    double tokens
    int64_t at_ns          # when they were counted

cdef struct Context:       # what a batch brings beside its octets
    uint8_t encapsulation
    uint8_t perimeter      # of the topic's configuration; 0: none
    uint8_t variant
    uint8_t mode[N_PERIMETERS]
    uint16_t topic         # number of the topic among those that links name (Tables.topic_number); 0: none of them
    int64_t now_ns
    int64_t deadline_ns    # 0: nothing expires
    Bucket* replies        # of the Worker: what UDTS, XUDTS and LUDTS it may still have sent; NULL: no limit

cdef struct Counters:      # one a Worker, read at scrape; indices are the numbers of names.py
    uint64_t messages[N_ENCAPSULATIONS][N_PERIMETERS]
    uint64_t verdicts[N_ACTIONS][N_REASONS][MAX_CATEGORIES + 1][N_PERIMETERS]
    uint64_t shadow_verdicts[N_ACTIONS][N_REASONS][N_PERIMETERS]  # where they differ from what was given
    uint64_t decode_errors[N_LAYERS][N_CODES]
    uint64_t exceptions[N_EXCEPTIONS][N_ACTIONS]  # applied, by what the policy made of them
    uint64_t checks[N_CHECKS][3]                  # false, true, unknown
    uint64_t rules[MAX_RULES + 1]                 # components in which the rule was the first match of its category
    uint64_t opcode_forms[N_OPCODE_FORMS]
    uint64_t unusable_gts[N_GT_TROUBLES]
    uint64_t segments[5]                          # by SegmentState
    uint64_t padded_opcodes
    uint64_t link_header_conflicts
    uint64_t not_sccp
    uint64_t unframed
