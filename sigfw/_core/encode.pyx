# JSON and packed records, written straight into a buffer; UDTS, XUDTS and LUDTS for a reject.
#
# The JSON is the decode object of one message; with a policy's Labels the verdict's keys stand in front of it.
# Names are those of sigfw/names.py (tests/unit/test_names.py holds them equal).

from cpython.bytes cimport PyBytes_AS_STRING
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from json import dumps

from sigfw._core.digits cimport sigfw_bswap64
from sigfw._core.limits cimport MAX_DIGITS, MAX_REPLY
from sigfw._core.mapop cimport field_name, operation_application, operation_name
from sigfw._core.msg cimport *
from sigfw._core.out cimport (
    Out,
    decimal_at,
    hex_at,
    out_need,
    put,
    put_c,
    put_hex,
    put_i,
    put_padded,
    put_s,
    put_u,
)
from sigfw._core.pseudonym cimport Key, pseudonym

cdef struct Word:          # of a closed set: copied whole, whatever its length
    char text[31]
    uint8_t n


cdef int set_words(Word* words, list texts) except -1:
    cdef bytes text
    for i, text in enumerate(texts):
        if len(text) > sizeof(words.text):
            raise ValueError(f"{text!r} is too long for a word")
        memset(&words[i], 0, sizeof(Word))
        memcpy(words[i].text, PyBytes_AS_STRING(text), len(text))
        words[i].n = <uint8_t>len(text)
    return 0


cdef str word(const Word* w):
    return w.text[:w.n].decode()


cdef Word PERIMETERS[4]
set_words(PERIMETERS, [b"", b"international", b"national", b"internal"])
cdef Word ENCAPSULATIONS[5]
set_words(ENCAPSULATIONS, [b"", b"sccp", b"mtp3", b"m3ua", b"pcap"])
cdef Word ACTIONS[6]
set_words(ACTIONS, [b"", b"allow", b"hold", b"redirect", b"reject", b"drop"])
cdef Word REASONS[18]
set_words(REASONS, [
    b"", b"rule", b"default", b"malformed", b"unusable_gt", b"not_tcap", b"not_sccp", b"unknown_operation",
    b"segment_held", b"reassembly_timeout", b"reassembly_failed", b"reassembly_orphan", b"limit_exceeded", b"expired",
    b"reject_not_permitted", b"unframed", b"monitor", b"bypass",
])
cdef Word LAYERS[6]
set_words(LAYERS, [b"", b"framing", b"sccp", b"tcap", b"component", b"map"])
cdef Word CODES[N_CODES]
set_words(CODES, [
    b"", b"truncated", b"length_overrun", b"bad_length", b"bad_tag", b"bad_value", b"bad_pointer", b"bad_hop_counter",
    b"missing", b"duplicate", b"trailing", b"too_deep", b"too_many", b"unsupported", b"unknown_type",
    b"no_first", b"too_late", b"out_of_sequence", b"repeated", b"overlapping", b"mismatch", b"too_long", b"no_room",
    b"part_denied",
])
cdef Word SCCP_TYPES[21]
set_words(SCCP_TYPES, [
    b"", b"CR", b"CC", b"CREF", b"RLSD", b"RLC", b"DT1", b"DT2", b"AK", b"UDT", b"UDTS", b"ED", b"EA", b"RSR", b"RSC",
    b"ERR", b"IT", b"XUDT", b"XUDTS", b"LUDT", b"LUDTS",
])
cdef Word MANAGEMENT_TYPES[10]
set_words(MANAGEMENT_TYPES, [b"", b"SSA", b"SSP", b"SST", b"SOR", b"SOG", b"SSC", b"SBR", b"SNR", b"SRT"])
cdef Word VARIANTS[4]
set_words(VARIANTS, [b"", b"itu", b"ansi", b"china"])
cdef Word TCAP_TYPES[11]
set_words(TCAP_TYPES, [
    b"", b"begin", b"continue", b"end", b"abort", b"unidirectional", b"queryWithPerm", b"queryWithoutPerm", b"response",
    b"conversationWithPerm", b"conversationWithoutPerm",
])
cdef Word COMPONENT_TYPES[6]
set_words(COMPONENT_TYPES, [b"", b"invoke", b"returnResultLast", b"returnResultNotLast", b"returnError", b"reject"])
cdef Word OPCODE_FORMS[N_OPCODE_FORMS]
set_words(OPCODE_FORMS, [b"", b"local", b"global", b"national", b"private"])
cdef Word APPLICATIONS[3]
set_words(APPLICATIONS, [b"", b"map", b"cap"])
cdef Word NUMBER_KINDS[7]
set_words(NUMBER_KINDS, [b"", b"imsi", b"msisdn", b"imei", b"lmsi", b"tmsi", b"address"])


cdef const Word* management_name(uint8_t type_) noexcept nogil:
    """By the octet on the wire: 1 to 6, and from FD on those of ANSI."""
    if type_ >= 0xFD:
        return &MANAGEMENT_TYPES[type_ - 0xFD + 7]
    return &MANAGEMENT_TYPES[type_ if type_ < 7 else 0]


def names() -> dict:
    """What numbers mean: tests/unit/test_names.py holds it equal to sigfw/names.py."""
    return {
        "PERIMETERS": [word(&PERIMETERS[i]) for i in range(4)],
        "ENCAPSULATIONS": [word(&ENCAPSULATIONS[i]) for i in range(5)],
        "ACTIONS": [word(&ACTIONS[i]) for i in range(6)],
        "REASONS": [word(&REASONS[i]) for i in range(18)],
        "LAYERS": [word(&LAYERS[i]) for i in range(6)],
        "ERROR_CODES": [word(&CODES[i]) for i in range(N_CODES)],
        "SCCP_TYPES": [word(&SCCP_TYPES[i]) for i in range(21)],
        "MANAGEMENT_TYPES": [word(management_name(i)) for i in range(256)],
        "VARIANTS": [word(&VARIANTS[i]) for i in range(4)],
        "TCAP_TYPES": [word(&TCAP_TYPES[i]) for i in range(11)],
        "COMPONENT_TYPES": [word(&COMPONENT_TYPES[i]) for i in range(6)],
        "OPCODE_FORMS": [word(&OPCODE_FORMS[i]) for i in range(N_OPCODE_FORMS)],
        "APPLICATIONS": [word(&APPLICATIONS[i]) for i in range(3)],
        "NUMBER_KINDS": [word(&NUMBER_KINDS[i]) for i in range(7)],
        "MODES": ["", "enforce", "monitor", "bypass"],
        "SEGMENT_STATES": ["", "held", "final", "failed", "orphan"],
        "CHECK_OUTCOMES": ["false", "true", "unknown"],
        "GT_TROUBLES": ["", "gt_empty", "gt_overdecadic", "gt_too_long", "gt_plan", "gt_nature", "gt_prefix"],
        "EXCEPTIONS": [
            "malformed", "unusable_gt", "not_tcap", "not_sccp", "unknown_operation", "reassembly_timeout",
            "limit_exceeded", "expired", "default",
        ],
        "CHECKS": [
            "", "imsi_is_home", "imsi_is_foreign", "imsi_missing", "calling_operator_is_not_imsi_home",
            "calling_operator_unknown", "calling_operator_is_not_map_node", "called_is_not_home",
            "acn_does_not_fit_operation", "ssn_does_not_fit_application", "location_implausible", "sms_origin_mismatch",
            "dialogue_unknown", "rate_exceeded", "target_scanned",
        ],
    }


NAMES = names()

cdef enum:                 # octets at most
    SHOWN = MAX_DIGITS + 5 + 16         # digits, `hmac:` and a pseudonym
    FIELDS_BEFORE = 2 * 21 + 2 * 33 + 1 + 33 + 2 * (SHOWN + 22) + 33 + 2 * 9 + 4  # the operations, but rule and ACN
    FIELDS_BEHIND = 2 * (SHOWN + 1) + 2 * 33 + 21 + 2


cdef bytes escaped(str text):
    """What stands between the quotes of a JSON string."""
    quoted = dumps(text)
    return quoted[1:len(quoted) - 1].encode()


cdef int number(str table, object name) except -1:
    """Number of a name; 0 for None and "". ValueError says which names there are."""
    if name is None or name == "":
        return 0
    if name not in NAMES[table]:
        raise ValueError(f"{name!r} is none of {', '.join(NAMES[table][1:])}")
    return NAMES[table].index(name)


# ---- small pieces

cdef inline uint8_t* word_at(uint8_t* p, const Word* w) noexcept nogil:
    """Writes 32 octets: where the word ends."""
    memcpy(p, w, sizeof(Word))
    return p + w.n


cdef inline uint8_t* octet_at(uint8_t* p, uint8_t octet) noexcept nogil:
    p[0] = octet
    return p + 1


cdef void put_word(Out* o, const Word* w) noexcept nogil:
    if out_need(o, sizeof(Word)):
        o.n = word_at(o.p + o.n, w) - o.p


cdef void put_name(Out* o, const Word* name) noexcept nogil:
    if out_need(o, sizeof(Word) + 2):
        o.n = octet_at(word_at(octet_at(o.p + o.n, b'"'), name), b'"') - o.p


cdef inline void put_text(Out* o, const Text* t) noexcept nogil:
    put_c(o, b'"')
    put(o, t.p, t.n)
    put_c(o, b'"')


cdef inline void put_known(Out* o, int known, uint32_t value) noexcept nogil:
    if known:
        put_u(o, value)
    else:
        put_s(o, b"null")


cdef inline void put_bool(Out* o, int value) noexcept nogil:
    if value:
        put_s(o, b"true")
    else:
        put_s(o, b"false")


cdef inline uint64_t eight_digits(uint32_t eight) noexcept nogil:
    """Their text, as it lies in memory."""
    cdef uint64_t digits = (eight | <uint64_t>eight << 16) & 0x0000FFFF0000FFFFULL
    digits = (digits | digits << 8) & 0x00FF00FF00FF00FFULL
    digits = (digits | digits << 4) & 0x0F0F0F0F0F0F0F0FULL
    return sigfw_bswap64(digits + 0x3030303030303030ULL + (digits + 0x0606060606060606ULL >> 4 & 0x0101010101010101ULL) * 39)


cdef inline uint8_t* digits_at(uint8_t* p, const Digits* d) noexcept nogil:
    """Writes MAX_DIGITS octets: where the digits end."""
    cdef uint64_t text[4]
    text[0] = eight_digits(<uint32_t>(d.hi >> 32))
    text[1] = eight_digits(<uint32_t>d.hi)
    text[2] = eight_digits(<uint32_t>(d.lo >> 32))
    text[3] = eight_digits(<uint32_t>d.lo)
    memcpy(p, text, MAX_DIGITS)
    return p + d.count


cdef uint8_t* pseudonym_at(uint8_t* p, uint8_t* end, const Key* key, uint32_t clear) noexcept nogil:
    """In place of the digits from p to end the first `clear` of them and the pseudonym of all."""
    cdef uint8_t keyed[8]
    cdef uint32_t n = <uint32_t>(end - p)
    if n == 0:
        return p
    pseudonym(key, p, n, keyed)
    p += clear if clear < n else 0
    memcpy(p, b"hmac:", 5)
    return hex_at(p + 5, keyed, 8)


cdef inline uint8_t* shown_at(uint8_t* p, const Digits* d, const Key* key, uint32_t clear) noexcept nogil:
    """Writes at most SHOWN octets: digits; with a key the first `clear` of them and the pseudonym of all."""
    cdef uint8_t* end = digits_at(p, d)
    return end if key == NULL else pseudonym_at(p, end, key, clear)


cdef void put_digits(Out* o, const Digits* d, const Key* key, uint32_t clear) noexcept nogil:
    if out_need(o, SHOWN + 2):
        o.n = octet_at(shown_at(octet_at(o.p + o.n, b'"'), d, key, clear), b'"') - o.p


cdef void put_time(Out* o, int64_t time_ns) noexcept nogil:
    """ISO 8601 with microseconds, UTC; the civil date by counting 400-year eras from 0000-03-01."""
    cdef int64_t us, seconds, days, era, day_of_era, year_of_era, day_of_year, month, year
    if time_ns < 0:
        put_s(o, b"null")
        return
    us = time_ns // 1000
    seconds = us // 1000000
    days = seconds // 86400 + 719468
    era = days // 146097
    day_of_era = days % 146097
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month = (5 * day_of_year + 2) // 153
    year = year_of_era + era * 400 + (1 if month >= 10 else 0)
    put_c(o, b'"')
    put_padded(o, <uint32_t>year, 4)
    put_c(o, b'-')
    put_padded(o, <uint32_t>(month + 3 if month < 10 else month - 9), 2)
    put_c(o, b'-')
    put_padded(o, <uint32_t>(day_of_year - (153 * month + 2) // 5 + 1), 2)
    put_c(o, b'T')
    put_padded(o, <uint32_t>(seconds % 86400 // 3600), 2)
    put_c(o, b':')
    put_padded(o, <uint32_t>(seconds % 3600 // 60), 2)
    put_c(o, b':')
    put_padded(o, <uint32_t>(seconds % 60), 2)
    put_c(o, b'.')
    put_padded(o, <uint32_t>(us % 1000000), 6)
    put_s(o, b'Z"')


cdef uint8_t* arcs_at(uint8_t* p, const uint8_t* octets, uint32_t n) noexcept nogil:
    """Writes at most 4 * n + 4 octets: the dotted form (X.690 8.19).

    An arc beyond 64 bits, or one that does not end, is shown as `?`.
    """
    cdef uint64_t arc = 0
    cdef uint32_t i
    cdef int first = 1, overflow = 0
    for i in range(n):
        overflow |= arc >> 57 != 0
        arc = arc << 7 | (octets[i] & 0x7F)
        if octets[i] & 0x80:
            continue
        if first:
            p = octet_at(p, <uint8_t>(48 + (2 if arc >= 80 else arc // 40)))
            arc = arc - 80 if arc >= 80 else arc % 40
            first = 0
        p = octet_at(p, b'.')
        p = octet_at(p, b'?') if overflow else decimal_at(p, arc)
        arc = 0
        overflow = 0
    if n and octets[n - 1] & 0x80:
        memcpy(p, b".?", 2)
        p += 2
    return p


cdef void put_arcs(Out* o, const uint8_t* octets, uint32_t n) noexcept nogil:
    if out_need(o, 4 * <size_t>n + 4):
        o.n = arcs_at(o.p + o.n, octets, n) - o.p


cdef void put_oid(Out* o, const uint8_t* p, uint32_t octets) noexcept nogil:
    put_c(o, b'"')
    put_arcs(o, p, octets)
    put_c(o, b'"')


cdef void put_id(Out* o, const Origin* origin, int64_t offset, uint32_t frame, uint16_t index) noexcept nogil:
    put_c(o, b'"')
    put(o, origin.prefix.p, origin.prefix.n)
    if origin.offsets:
        put_c(o, b'/')
        put_i(o, offset)
    put_c(o, b'/')
    put_u(o, frame)
    put_c(o, b'/')
    put_u(o, index)
    put_c(o, b'"')


# ---- SCCP

cdef void put_party_digits(Out* o, const Msg* m, int called, const Key* key) noexcept nogil:
    cdef const Party* p = &m.called if called else &m.calling
    if p.has & HAS_GT:
        put_digits(o, &p.gt, key, p.norm[0].operator_digits if p.n_norm else 0)
    else:
        put_s(o, b"null")


cdef void put_party(Out* o, const Msg* m, int called, const Key* key) noexcept nogil:
    cdef const Party* p = &m.called if called else &m.calling
    if not p.present:
        put_s(o, b"null")
        return
    put_s(o, b'{"route_on":"ssn","gti":' if p.route_on_ssn else b'{"route_on":"gt","gti":')
    put_u(o, p.gti)
    put_s(o, b',"tt":')
    put_known(o, p.has & HAS_TT, p.tt)
    put_s(o, b',"np":')
    put_known(o, p.has & HAS_NP, p.np)
    put_s(o, b',"es":')
    put_known(o, p.has & HAS_ES, p.es)
    put_s(o, b',"nai":')
    put_known(o, p.has & HAS_NAI, p.nai)
    put_s(o, b',"digits":')
    put_party_digits(o, m, called, key)
    put_s(o, b',"ssn":')
    put_known(o, p.has & HAS_SSN, p.ssn)
    put_s(o, b',"pc":')
    put_known(o, p.has & HAS_PC, p.pc)
    put_c(o, b'}')


cdef void put_sccp(Out* o, const Msg* m, const Key* key) noexcept nogil:
    if m.sccp == NULL or m.type == 0 or m.type > SCCP_LUDTS:
        put_s(o, b"null")
        return
    put_s(o, b'{"type":')
    put_name(o, &SCCP_TYPES[m.type])
    put_s(o, b',"class":')
    put_known(o, m.has_class, m.protocol_class)
    put_s(o, b',"return_on_error":')
    put_bool(o, m.return_on_error)
    put_s(o, b',"hop_counter":')
    put_known(o, m.has_hop_counter, m.hop_counter)
    put_s(o, b',"return_cause":')
    put_known(o, m.has_return_cause, m.return_cause)
    put_s(o, b',"called":')
    put_party(o, m, 1, key)
    put_s(o, b',"calling":')
    put_party(o, m, 0, key)
    put_s(o, b',"segmentation":')
    if m.segmented:
        put_s(o, b'{"first":')
        put_bool(o, m.segment_first)
        put_s(o, b',"remaining":')
        put_u(o, m.segment_remaining)
        put_s(o, b',"local_reference":"')
        put_hex(o, m.local_reference, 3)
        put_s(o, b'","class":')
        put_u(o, m.segment_class)
        put_c(o, b'}')
    else:
        put_s(o, b"null")
    put_s(o, b',"management":')
    if m.management:
        put_s(o, b'{"type":')
        put_name(o, management_name(m.management))
        put_s(o, b',"affected_ssn":')
        put_u(o, m.affected_ssn)
        put_s(o, b',"affected_pc":')
        put_u(o, m.affected_pc)
        put_c(o, b'}')
    else:
        put_s(o, b"null")
    put_c(o, b'}')


cdef void put_reassembly(Out* o, const Msg* m, const Origin* origin) noexcept nogil:
    cdef int i
    if m.reassembly == 0:
        put_s(o, b"null")
        return
    put_s(o, b'{"id":"')
    put(o, origin.prefix.p, origin.prefix.n)
    put_c(o, b'#')
    put_u(o, m.reassembly)
    put_s(o, b'","part":')
    put_known(o, m.part, m.part)
    put_s(o, b',"final":')
    put_bool(o, m.segment_state == SEGMENT_FINAL)
    put_s(o, b',"parts":[')
    if m.part_ids != NULL:                              # of the whole, or what was held of one that failed
        for i in range(m.parts):
            if i:
                put_c(o, b',')
            put_id(o, origin, m.part_ids[i].offset, m.part_ids[i].frame, m.part_ids[i].index)
    put_s(o, b"]}")


# ---- TCAP, MAP and CAP

cdef void put_component(Out* o, const Msg* m, const Component* c) noexcept nogil:
    cdef int i
    put_s(o, b'{"type":')
    put_name(o, &COMPONENT_TYPES[c.type])
    put_s(o, b',"invoke_id":')
    if c.invoke_id_present:
        put_i(o, c.invoke_id)
    else:
        put_s(o, b"null")
    put_s(o, b',"opcode":')
    if c.opcode_form == 0:
        put_s(o, b'null,"opcode_form":null')
    else:
        if c.opcode_form == OPCODE_GLOBAL:
            put_oid(o, m.data + c.oid_offset, c.oid_octets)
        else:
            put_known(o, c.opcode >= 0, <uint32_t>c.opcode)  # what is no opcode has its error
        put_s(o, b',"opcode_form":')
        put_name(o, &OPCODE_FORMS[c.opcode_form])
    put_s(o, b',"error_code":')
    if c.error_code_present:
        put_i(o, c.error_code)
    else:
        put_s(o, b"null")
    if c.n_readings == 0:
        put_s(o, b',"application":null,"operation":null,"readings":[]}')
        return
    put_s(o, b',"application":')
    put_name(o, &APPLICATIONS[operation_application(c.reading[0])])
    put_s(o, b',"operation":')
    put_c(o, b'"')
    put_s(o, operation_name(c.reading[0]))
    put_c(o, b'"')
    put_s(o, b',"readings":[')
    for i in range(c.n_readings):
        put_s(o, b',"' if i else b'"')
        put_word(o, &APPLICATIONS[operation_application(c.reading[i])])
        put_c(o, b':')
        put_s(o, operation_name(c.reading[i]))
        put_c(o, b'"')
    put_s(o, b"]}")


cdef void put_tcap(Out* o, const Msg* m) noexcept nogil:
    cdef int i
    if m.tcap == 0:
        put_s(o, b"null")
        return
    put_s(o, b'{"type":')
    put_name(o, &TCAP_TYPES[m.tcap])
    put_s(o, b',"otid":')
    put_transaction(o, m.otid, m.otid_octets)
    put_s(o, b',"dtid":')
    put_transaction(o, m.dtid, m.dtid_octets)
    put_s(o, b',"acn":')
    if m.acn_octets:
        put_oid(o, m.data + m.acn_offset, m.acn_octets)
    elif m.acn_is_integer:
        put_c(o, b'"')
        put_i(o, m.acn_integer)
        put_c(o, b'"')
    else:
        put_s(o, b"null")
    put_s(o, b',"components":[')
    for i in range(m.n_components):
        if i:
            put_c(o, b',')
        put_component(o, m, &m.components[i])
    put_s(o, b"]}")


cdef void put_transaction(Out* o, const uint8_t* id, uint8_t octets) noexcept nogil:
    if octets == 0:
        put_s(o, b"null")
        return
    put_c(o, b'"')
    put_hex(o, id, octets)
    put_c(o, b'"')


cdef const Number* first_number(const Msg* m, uint8_t kind, uint8_t role) noexcept nogil:
    cdef int i
    for i in range(m.n_numbers):
        if (kind and m.numbers[i].kind == kind) or (role and m.numbers[i].role & role):
            return &m.numbers[i]
    return NULL


cdef void put_number_or_null(Out* o, const Number* n, const Key* key) noexcept nogil:
    if n == NULL:
        put_s(o, b"null")
    else:
        put_digits(o, &n.d, key, 0)


cdef inline int is_plain_address(const Number* n) noexcept nogil:
    """An address that MAP or CAP names; those of MAP-OpenInfo stand under `open`."""
    return n.kind == KIND_ADDRESS and n.role & (ROLE_OPEN_DESTINATION | ROLE_OPEN_ORIGINATION) == 0


cdef void put_addresses(Out* o, const Msg* m, const Key* key) noexcept nogil:
    """Grouped by name, in order of first appearance."""
    cdef const Number* n
    cdef int i, k, seen, groups = 0, many
    for i in range(m.n_numbers):
        n = &m.numbers[i]
        if not is_plain_address(n):
            continue
        seen = 0
        for k in range(i):
            if is_plain_address(&m.numbers[k]) and m.numbers[k].name == n.name:
                seen = 1
                break
        if seen:
            continue
        put_s(o, b',"' if groups else b'"')
        groups += 1
        put_s(o, field_name(n.name))
        put_s(o, b'":[')
        many = 0
        for k in range(i, m.n_numbers):
            if is_plain_address(&m.numbers[k]) and m.numbers[k].name == n.name:
                if many:
                    put_c(o, b',')
                many = 1
                put_digits(o, &m.numbers[k].d, key,
                           m.numbers[k].norm[0].operator_digits if m.numbers[k].n_norm else 0)
        put_c(o, b']')


cdef void put_map(Out* o, const Msg* m, const Key* key) noexcept nogil:
    cdef const Number* n
    cdef int i, many = 0
    if m.tcap == 0:
        put_s(o, b"null")
        return
    put_s(o, b'{"imsi":')
    put_number_or_null(o, first_number(m, KIND_IMSI, 0), key)
    put_s(o, b',"msisdn":')
    put_number_or_null(o, first_number(m, KIND_MSISDN, 0), key)
    put_s(o, b',"identities":[')
    for i in range(m.n_numbers):
        n = &m.numbers[i]
        if n.kind == KIND_ADDRESS:
            continue
        put_s(o, b',{"kind":' if many else b'{"kind":')
        many = 1
        put_name(o, &NUMBER_KINDS[n.kind])
        put_s(o, b',"digits":')
        put_digits(o, &n.d, key, 0)
        if n.origin < 0:
            put_s(o, b',"origin":"dialogue"}')
        else:
            put_s(o, b',"origin":"component ')
            put_u(o, n.origin)
            put_s(o, b'"}')
    put_s(o, b'],"addresses":{')
    put_addresses(o, m, key)
    put_s(o, b'},"open":{"destination_reference":')
    put_number_or_null(o, first_number(m, 0, ROLE_OPEN_DESTINATION), key)
    put_s(o, b',"origination_reference":')
    put_number_or_null(o, first_number(m, 0, ROLE_OPEN_ORIGINATION), key)
    put_s(o, b"}}")


# ---- verdict

cdef void put_rule(Out* o, const Labels* l, uint16_t rule) noexcept nogil:
    if rule:
        put_text(o, &l.rules[rule])
    else:
        put_s(o, b"null")


cdef void put_verdict(Out* o, const Msg* m, const Origin* origin, const Labels* l) noexcept nogil:
    cdef const Verdict* v = &m.verdict
    cdef uint8_t reply[MAX_REPLY]
    cdef uint32_t n
    put_s(o, b'"id":')
    put_id(o, origin, m.offset, m.frame, m.index)
    put_s(o, b',"action":')
    put_name(o, &ACTIONS[v.action])
    put_s(o, b',"reason":')
    put_name(o, &REASONS[v.reason])
    put_s(o, b',"rule":')
    put_rule(o, l, v.rule)
    put_s(o, b',"category":')
    if v.category:
        put_text(o, &l.categories[v.category])
    else:
        put_s(o, b"null")
    put_s(o, b',"perimeter":')
    put_name(o, &PERIMETERS[m.perimeter])
    put_s(o, b',"shadow":')
    if v.shadow_action:
        put_s(o, b'{"action":')
        put_name(o, &ACTIONS[v.shadow_action])
        put_s(o, b',"rule":')
        put_rule(o, l, v.shadow_rule)
        put_s(o, b',"reason":')
        put_name(o, &REASONS[v.shadow_reason])
        put_c(o, b'}')
    else:
        put_s(o, b"null")
    put_s(o, b',"policy":{"name":')
    put_text(o, &l.name)
    put_s(o, b',"digest":"')
    put_hex(o, l.digest, 8)
    put_s(o, b'"},')
    if v.action == REJECT:
        n = encode_reply(m, v.return_cause, reply)
        put_s(o, b'"reply":"')
        put_hex(o, reply, n)
        put_s(o, b'",')
    elif v.action == REDIRECT and v.redirect:
        put_s(o, b'"redirect":')
        put_text(o, &l.redirects[v.redirect])
        put_c(o, b',')


cdef void encode_json(Out* o, const Msg* m, const Origin* origin, const Labels* labels, const Key* key) noexcept nogil:
    """One object and a line feed. labels NULL: the decode object alone; key NULL: identities in clear."""
    put_c(o, b'{')
    if labels != NULL:
        put_verdict(o, m, origin, labels)
    put_s(o, b'"frame":')
    put_u(o, m.frame)
    put_s(o, b',"index":')
    put_u(o, m.index)
    put_s(o, b',"time":')
    put_time(o, m.time_ns)
    put_s(o, b',"encapsulation":')
    put_name(o, &ENCAPSULATIONS[m.encapsulation])
    put_s(o, b',"opc":')
    put_known(o, m.has_mtp and m.opc != NO_PC, m.opc)
    put_s(o, b',"dpc":')
    put_known(o, m.has_mtp and m.dpc != NO_PC, m.dpc)
    put_s(o, b',"sls":')
    put_known(o, m.has_mtp and not m.mtp_from_headers, m.sls)
    put_s(o, b',"ni":')
    put_known(o, m.has_mtp and not m.mtp_from_headers, m.ni)
    put_s(o, b',"sccp":')
    put_sccp(o, m, key)
    put_s(o, b',"reassembly":')
    put_reassembly(o, m, origin)
    put_s(o, b',"tcap":')
    put_tcap(o, m)
    put_s(o, b',"map":')
    put_map(o, m, key)
    if m.error_code:
        put_s(o, b',"error":{"layer":')
        put_name(o, &LAYERS[m.error_layer])
        put_s(o, b',"code":')
        put_name(o, &CODES[m.error_code])
        put_s(o, b',"offset":')
        put_u(o, m.error_offset)
        put_s(o, b"}}\n")
    else:
        put_s(o, b',"error":null}\n')


# ---- fields

cdef inline uint8_t* party_at(uint8_t* p, const Party* party, const Key* key) noexcept nogil:
    """Writes at most SHOWN + 22 octets."""
    if party.has & HAS_GT:
        p = shown_at(p, &party.gt, key, party.norm[0].operator_digits if party.n_norm else 0)
    p = octet_at(p, b'\t')
    if party.has & HAS_SSN:
        p = decimal_at(p, party.ssn)
    return octet_at(p, b'\t')


cdef inline uint8_t* number_at(uint8_t* p, const Number* n, const Key* key) noexcept nogil:
    """Writes at most SHOWN + 1 octets."""
    if n != NULL:
        p = shown_at(p, &n.d, key, 0)
    return octet_at(p, b'\t')


cdef void put_operations(Out* o, const Msg* m) noexcept nogil:
    """Of each component with an opcode the operation's name, or the opcode where it is none we know."""
    cdef const Component* c
    cdef int i, many = 0
    for i in range(m.n_components):
        c = &m.components[i]
        if c.n_readings == 0 and c.opcode_form == 0:
            continue
        if many:
            put_c(o, b',')
        many = 1
        if c.n_readings:
            put_s(o, operation_name(c.reading[0]))
        elif c.opcode_form == OPCODE_GLOBAL:
            put_arcs(o, m.data + c.oid_offset, c.oid_octets)
        elif c.opcode >= 0:
            put_u(o, <uint64_t>c.opcode)


cdef void encode_fields(Out* o, const Msg* m, const Labels* labels, const Key* key) noexcept nogil:
    """names.FIELDS between tabs and a line feed; what a message does not have is empty. A NULL key: in clear."""
    cdef const Text* rule = &labels.rules[m.verdict.rule] if labels != NULL and m.verdict.rule else NULL
    cdef uint8_t* p
    if not out_need(o, FIELDS_BEFORE + (rule.n if rule != NULL else 0) + 4 * <size_t>m.acn_octets):
        return
    p = octet_at(decimal_at(o.p + o.n, m.frame), b'\t')
    p = octet_at(decimal_at(p, m.index), b'\t')
    p = octet_at(word_at(p, &ACTIONS[m.verdict.action]), b'\t')
    p = octet_at(word_at(p, &REASONS[m.verdict.reason]), b'\t')
    if rule != NULL:
        memcpy(p, rule.p, rule.n)
        p += rule.n
    p = octet_at(p, b'\t')
    if m.sccp != NULL and m.type <= SCCP_LUDTS:
        p = word_at(p, &SCCP_TYPES[m.type])
    p = octet_at(p, b'\t')
    p = party_at(p, &m.called, key)
    p = party_at(p, &m.calling, key)
    p = octet_at(word_at(p, &TCAP_TYPES[m.tcap]), b'\t')
    p = octet_at(hex_at(p, m.otid, m.otid_octets), b'\t')
    p = octet_at(hex_at(p, m.dtid, m.dtid_octets), b'\t')
    if m.acn_octets:
        p = arcs_at(p, m.data + m.acn_offset, m.acn_octets)
    o.n = p - o.p
    if m.acn_is_integer and not m.acn_octets:
        put_i(o, m.acn_integer)
    put_c(o, b'\t')
    put_operations(o, m)
    if not out_need(o, FIELDS_BEHIND):
        return
    p = octet_at(o.p + o.n, b'\t')
    p = number_at(p, first_number(m, KIND_IMSI, 0), key)
    p = number_at(p, first_number(m, KIND_MSISDN, 0), key)
    if m.error_code:
        p = octet_at(word_at(p, &LAYERS[m.error_layer]), b' ')
        p = octet_at(word_at(p, &CODES[m.error_code]), b' ')
        p = decimal_at(p, m.error_offset)
    o.n = octet_at(p, b'\n') - o.p


# ---- packed

cdef void put_le(Out* o, uint64_t v, int octets) noexcept nogil:
    cdef int i
    for i in range(octets):
        put_c(o, <char>(v >> (8 * i) & 0xFF))


cdef void blob_head(Out* o, uint8_t type, uint32_t octets) noexcept nogil:
    put_le(o, type, 1)
    put_le(o, octets, 2)


cdef void encode_entry(Entry* e, Out* blobs, const Msg* m, const Labels* labels) noexcept nogil:
    """One entry, its blobs appended to `blobs`; blob_offset is the offset there, the engine makes it the record's."""
    cdef const Verdict* v = &m.verdict
    cdef uint8_t reply[MAX_REPLY]
    cdef uint32_t n
    cdef size_t start = blobs.n
    cdef int i
    memset(e, 0, sizeof(Entry))
    e.frame = m.frame
    e.index = m.index
    e.action = v.action
    e.reason = v.reason
    e.rule = v.rule
    e.shadow_rule = v.shadow_rule
    e.category = v.category
    e.flags = <uint8_t>(v.shadow_action | m.perimeter << 6)
    if v.alert:
        e.flags |= FLAG_ALERT
    if m.segment_state != SEGMENT_NONE:
        e.flags |= FLAG_SEGMENT
    e.error_layer = m.error_layer
    e.error_code = m.error_code
    e.error_offset = m.error_offset
    e.component = v.component
    e.reassembly = m.reassembly
    if v.action == REJECT:
        n = encode_reply(m, v.return_cause, reply)
        blob_head(blobs, BLOB_REPLY, n)
        put(blobs, reply, n)
    elif v.action == REDIRECT and v.redirect:
        blob_head(blobs, BLOB_REDIRECT, labels.redirects[v.redirect].n)
        put(blobs, labels.redirects[v.redirect].p, labels.redirects[v.redirect].n)
    if m.segment_state == SEGMENT_FINAL:
        e.flags |= FLAG_FINAL
    if m.part_ids != NULL:
        blob_head(blobs, BLOB_PARTS, 14 * m.parts)
        for i in range(m.parts):
            put_le(blobs, <uint64_t>m.part_ids[i].offset, 8)
            put_le(blobs, m.part_ids[i].frame, 4)
            put_le(blobs, m.part_ids[i].index, 2)
    if v.shadow_action and v.shadow_reason != REASON_RULE:
        blob_head(blobs, BLOB_SHADOW, 1)
        put_le(blobs, v.shadow_reason, 1)
    if blobs.n > start:
        e.blob_offset = <uint32_t>start
        e.blob_octets = <uint16_t>(blobs.n - start)


# ---- reply

cdef uint32_t encode_reply(const Msg* m, uint8_t return_cause, uint8_t* out) noexcept nogil:
    """UDTS (Q.713 4.11), XUDTS (4.19) or LUDTS (4.21) for m into out (MAX_REPLY octets): the octets written, 0 where it
    does not fit. Addresses change places (Q.714 4.2), the hop counter starts anew at 15 (Q.713 3.18), a segmentation
    parameter goes back as it came; of a segmented message the first segment is answered."""
    cdef const FirstSegment* first = m.first
    cdef const uint8_t* cdpa = m.sccp + m.cdpa_offset if first == NULL else first.cdpa
    cdef const uint8_t* data = m.sccp + m.data_offset if first == NULL else m.data
    cdef uint32_t cdpa_octets = m.cdpa_octets if first == NULL else first.cdpa_octets
    cdef uint32_t data_octets = m.data_octets_here if first == NULL else first.data_octets
    cdef uint32_t remaining = m.segment_remaining if first == NULL else first.remaining
    cdef int in_sequence = m.segment_class if first == NULL else first.protocol_class
    cdef uint32_t pointer = 2 if m.type == SCCP_LUDT else 1  # octets of a pointer, and of the length of data
    cdef uint32_t fixed = 2 if m.type == SCCP_UDT else 3
    cdef uint32_t at = fixed + pointer * (3 if m.type == SCCP_UDT else 4)
    cdef uint32_t data_at = at + 2 + cdpa_octets + m.cgpa_octets
    cdef uint32_t end = data_at + pointer + data_octets
    cdef uint32_t most = (1 << 8 * pointer) - 1         # what a pointer, and the length of data, can say
    if m.type != SCCP_UDT and m.type != SCCP_XUDT and m.type != SCCP_LUDT:
        return 0
    if end + 7 > MAX_REPLY or data_octets > most or data_at - (fixed + 3 * pointer - 1) > most:
        return 0
    if m.segmented and end - (fixed + 4 * pointer - 1) > most:
        return 0
    out[0] = SCCP_UDTS if m.type == SCCP_UDT else <uint8_t>(m.type + 1)
    out[1] = return_cause
    out[2] = 15
    at = put_part(out, fixed, 0, pointer, at, 1, m.sccp + m.cgpa_offset, m.cgpa_octets)  # the caller is called now
    at = put_part(out, fixed, 1, pointer, at, 1, cdpa, cdpa_octets)
    at = put_part(out, fixed, 2, pointer, at, pointer, data, data_octets)
    if m.type == SCCP_UDT:
        return at
    put_pointer(out, fixed, 3, pointer, at if m.segmented else 0)
    if not m.segmented:
        return at
    out[at] = 0x10                                      # segmentation (Q.713 3.17), then end of optional parameters
    out[at + 1] = 4
    out[at + 2] = <uint8_t>(0x80 | (0x40 if in_sequence else 0) | remaining)
    memcpy(out + at + 3, m.local_reference, 3)
    out[at + 6] = 0
    return at + 7


cdef uint32_t put_part(uint8_t* out, uint32_t fixed, uint32_t which, uint32_t pointer, uint32_t at, uint32_t length_octets,
                       const uint8_t* part, uint32_t octets) noexcept nogil:
    """Pointer number `which`, and at `at` what it leads to: length and octets; where the next part begins."""
    put_pointer(out, fixed, which, pointer, at)
    out[at] = <uint8_t>(octets & 0xFF)
    if length_octets == 2:
        out[at + 1] = <uint8_t>(octets >> 8)
    memcpy(out + at + length_octets, part, octets)
    return at + length_octets + octets


cdef void put_pointer(uint8_t* out, uint32_t fixed, uint32_t which, uint32_t octets, uint32_t to) noexcept nogil:
    """Pointer number `which`, to the octet `to` (0: the part is absent); counted from the pointer's last octet (Q.713 2.3)."""
    cdef uint32_t at = fixed + which * octets
    cdef uint32_t value = to - (at + octets - 1) if to else 0
    out[at] = <uint8_t>(value & 0xFF)
    if octets == 2:
        out[at + 1] = <uint8_t>(value >> 8)
