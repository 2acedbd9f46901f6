# Fuzz targets of the stages that read wire octets: plain C functions, so that no Python runs an input. Beyond memory
# safety each says what must hold of the stage's result whatever the octets were; where it does not, it aborts.
#
# An input's first octets choose what is no part of the message (encapsulation, subsystem numbers); the rest is wire.

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdio cimport fprintf, stderr
from libc.stdlib cimport abort, calloc
from libc.string cimport memcmp, memcpy, memset

from sigfw._core.batch cimport Record
from sigfw._core.framing cimport (
    FRAME_BROKEN, FRAME_END, FRAME_ERROR, FRAME_OTHER, FRAME_SCCP, Frame, Framer, framer_close, framer_next, framer_open,
    framer_recycle,
)
from sigfw._core.kbatch cimport (
    BATCH_ATTRIBUTES_AT, BATCH_CRC_AT, BATCH_HEADER, BATCH_LENGTH_AT, FOUND_END, FOUND_OTHER, FOUND_RECORDS, Rest, Walk,
    close_batch, next_record, open_batch,
)
from sigfw._core.mapop cimport N_FIELDS, N_OPERATIONS, field_name, mapop_group, operation_application, operation_name
from sigfw._core.msg cimport *
from sigfw._core.normalise cimport normalise_number
from sigfw._core.sccp cimport sccp_group
from sigfw._core.tables cimport CountryCode
from sigfw._core.tcap cimport tcap_group
from sigfw._core.wire cimport cursor

cdef extern from "crc32c.h" nogil:
    void crc32c_fill()
    uint32_t crc32c_by_table(const uint8_t* p, size_t n)

crc32c_fill()

cdef enum:
    MAX_FETCH = 1 << 16    # octets of a fetch that are read here
    SCMG_SSC = 0x06        # the last SCMG message type of Q.713 5.3
    SCMG_SBR = 0xFD        # the first of ANSI's own
    STALE_A = 0xA5         # what stands in a Group before a run must not show in its result
    STALE_B = 0x5A

cdef Group* group = <Group*>calloc(1, sizeof(Group))
cdef Group* again = <Group*>calloc(1, sizeof(Group))
if group == NULL or again == NULL:
    raise MemoryError


cdef inline void must(bint holds, const char* what) noexcept nogil:
    if not holds:
        fprintf(stderr, b"invariant broken: %s\n", what)
        abort()


cdef void read_all(const uint8_t* p, uint64_t n) noexcept nogil:
    """ASan sees it where one of them is not ours to read; volatile, or a compiler reads none."""
    cdef uint64_t i
    cdef volatile uint8_t _octet
    for i in range(n):
        _octet = p[i]


# ---- framing

cdef void frame_holds(const Frame* f, int kind, const Frame* before, uint64_t n) noexcept nogil:
    must(kind == FRAME_SCCP or kind == FRAME_OTHER or kind == FRAME_ERROR or kind == FRAME_BROKEN, b"a frame kind of the set")
    if f.code != E_MISSING:         # what never became whole is told when it is given up
        must(f.frame >= before.frame, b"frames in order")
        if f.frame == before.frame and before.frame:
            must(f.index >= before.index + (kind != FRAME_OTHER), b"messages of a frame in order")
    must(f.offset <= n, b"the offset lies in the record")
    must(f.code < N_CODES, b"a code of the set")
    must(f.encapsulation < ENCAP_PCAP, b"what carries a message is no capture")
    must(f.time_ns >= -1, b"a time, or none")
    if f.has_mtp and kind != FRAME_OTHER and f.code == 0:
        must(f.opc <= 0xFFFFFF or (f.pcs_only and f.opc == NO_PC), b"an OPC of at most 24 bits, or an error")
        must(f.dpc <= 0xFFFFFF or (f.pcs_only and f.dpc == NO_PC), b"a DPC of at most 24 bits, or an error")
        must(f.ni <= 3, b"a network indicator of two bits, or an error")
    if kind == FRAME_SCCP:
        must(f.octets != NULL and f.n > 0, b"an SCCP message has octets")
        must(f.encapsulation != 0, b"an SCCP message has a carrier")
    elif kind != FRAME_OTHER:
        must(f.code != 0, b"an error has a code")


cdef api int framing(const uint8_t* p, size_t n) noexcept nogil:
    """First octet: bits 0-1 the encapsulation, bits 2-3 the variant, bit 4: messages given are done with at once."""
    cdef Framer framer
    cdef Frame f, before
    cdef uint64_t found = 0
    cdef int kind
    if n == 0:
        return 0
    memset(&framer, 0, sizeof(framer))
    framer_open(&framer, p + 1, n - 1, <uint8_t>(ENCAP_SCCP + (p[0] & 3)))
    framer.variant = p[0] >> 2 & 3
    memset(&before, 0, sizeof(before))
    while True:
        memset(&f, 0, sizeof(f))
        kind = framer_next(&framer, &f)
        if kind == FRAME_END:
            break
        found += 1
        must(found <= n, b"each thing found takes an octet")
        frame_holds(&f, kind, &before, n - 1)
        if kind == FRAME_SCCP:
            read_all(f.octets, f.n)
        if kind != FRAME_OTHER and f.code != E_MISSING:
            before = f
        if p[0] & 16:
            framer_recycle(&framer)
        if kind == FRAME_BROKEN:
            break
    must(framer_next(&framer, &f) == FRAME_END, b"after the end nothing follows")
    framer_close(&framer)
    return 0


# ---- SCCP

cdef void digits_hold(const Digits* d) noexcept nogil:
    cdef int i
    cdef bint overdecadic = False
    must(d.count <= MAX_DIGITS, b"at most MAX_DIGITS digits")
    for i in range(d.count):
        overdecadic = overdecadic or digit_at(d, i) > 9
    must(overdecadic == (d.flags & DIGITS_OVERDECADIC != 0), b"a digit above 9 is flagged")
    if d.count < 16:
        must(d.lo == 0 and d.hi << (4 * d.count) == 0, b"what is no digit is 0")


cdef void party_holds(const Party* p) noexcept nogil:
    digits_hold(&p.gt)
    must(p.gti <= 15 and p.np <= 15 and p.es <= 15 and p.nai <= 127, b"fields of an address within their bits")
    must(p.n_norm <= 2, b"at most two readings of a GT")
    if not p.has & HAS_GT:
        must(p.gt.count == 0, b"no digits without a GT")


cdef void error_holds(const Msg* m) noexcept nogil:
    must(m.error_code < N_CODES and m.error_layer < N_LAYERS, b"an error of the sets")
    must((m.error_code == 0) == (m.error_layer == 0), b"code and layer go together")
    must(m.error_code != 0 or m.exceptions & (EX_MALFORMED | EX_LIMIT_EXCEEDED) == 0, b"an exception has its error")
    must(m.error_code == 0 or m.exceptions & (EX_MALFORMED | EX_LIMIT_EXCEEDED) != 0, b"an error is an exception")
    must(m.exceptions >> N_EXCEPTIONS == 0, b"exceptions of the set")


cdef void sccp_holds(const Msg* m) noexcept nogil:
    cdef const uint8_t* end = m.sccp + m.sccp_octets
    error_holds(m)
    party_holds(&m.called)
    party_holds(&m.calling)
    must(<uint32_t>m.cdpa_offset + m.cdpa_octets <= m.sccp_octets, b"the CdPA lies in the message")
    must(<uint32_t>m.cgpa_offset + m.cgpa_octets <= m.sccp_octets, b"the CgPA lies in the message")
    if m.data != NULL and m.segment_state == SEGMENT_NONE:
        must(m.data >= m.sccp and m.data <= end and m.data_octets <= <uint64_t>(end - m.data), b"user data lie in the message")
        must(m.data == m.sccp + m.data_offset, b"data_offset is where they begin")
        read_all(m.data, m.data_octets)
    must(m.management <= SCMG_SSC or (m.variant == VARIANT_ANSI and m.management >= SCMG_SBR), b"management of the set")
    must(m.error_code != 0 or not m.has_hop_counter or 1 <= m.hop_counter <= 15, b"hop counter 1 to 15 (Q.713 3.18)")
    must(m.segment_remaining < MAX_SEGMENTS, b"remaining segments in four bits")
    must(m.error_code != 0 or m.type != 0, b"a message without error has a type")


cdef void judge_sccp(Group* g, uint8_t variant, const uint8_t* p, uint32_t n) noexcept nogil:
    cdef Msg* m = &g.msgs[0]
    memset(m, 0, sizeof(Msg))
    m.variant = variant
    m.sccp = p
    m.sccp_octets = n
    m.encapsulation = ENCAP_SCCP
    g.n = 1
    g.n_components = g.n_numbers = 0
    sccp_group(g)


cdef api int sccp(const uint8_t* p, size_t n) noexcept nogil:
    """First octet: the variant. What a message's user data are is TCAP's to find out, which hands management what is its."""
    cdef Msg* m = &group.msgs[0]
    if n == 0:
        return 0
    judge_sccp(group, p[0] & 3, p + 1, <uint32_t>n - 1)
    sccp_holds(m)
    m.data_octets_here = m.data_octets
    run_tcap(group, STALE_A)
    sccp_holds(m)
    tcap_holds(m)
    return 0


# ---- TCAP, MAP, CAP

cdef void run_tcap(Group* g, int stale) noexcept nogil:
    memset(g.components, stale, sizeof(Component) * MAX_COMPONENTS)
    memset(g.numbers, stale, sizeof(Number) * MAX_NUMBERS)
    tcap_group(g)
    mapop_group(g)


cdef void within(const Msg* m, uint32_t offset, uint32_t octets, const char* what) noexcept nogil:
    must(offset + octets <= m.data_octets, what)


cdef void component_holds(const Msg* m, const Component* c) noexcept nogil:
    cdef int i
    cdef uint32_t readings = <uint32_t>(1 << c.n_readings) - 1
    must(c.type <= REJECT_COMPONENT and c.opcode_form <= OPCODE_PRIVATE, b"a component of the sets")
    must(c.error_code_ < N_CODES, b"a component's error of the set")
    must(c.error_code_ == 0 or m.error_code != 0, b"a component's error is the message's")
    must(c.type != 0 or c.error_code_ != 0, b"a component without a type is malformed")
    must(c.n_readings <= MAX_READINGS, b"at most MAX_READINGS readings")
    must((c.acn_misfit | c.ssn_misfit | c.imsi_missing) & ~readings == 0, b"bits of readings that stand")
    must(-128 <= c.invoke_id <= 255 or c.error_code_ != 0, b"an InvokeId of one octet (Q.773 4.2.2), or a component id (T1.114.3)")
    within(m, c.oid_offset, c.oid_octets, b"the global opcode lies in the data")
    within(m, c.argument_offset, c.argument_octets, b"the argument lies in the data")
    for i in range(c.n_readings):
        must(0 < c.reading[i] < N_OPERATIONS, b"an operation of the table")
        must(operation_name(c.reading[i]) != NULL, b"an operation with a name")
        must(0 < operation_application(c.reading[i]) <= APP_CAP, b"an operation of an application")


cdef void number_holds(const Msg* m, const Number* n) noexcept nogil:
    digits_hold(&n.d)
    must(0 < n.kind <= KIND_ADDRESS, b"a kind of the set")
    must(n.name < N_FIELDS and field_name(n.name) != NULL, b"a field of the table")
    must(-1 <= n.origin < m.n_components, b"an origin that stands")
    must(n.n_norm <= 2, b"at most two readings of a number")


cdef void tcap_holds(const Msg* m) noexcept nogil:
    cdef int i
    error_holds(m)
    must(m.tcap <= TCAP_CONVERSATION_WITHOUT_PERM, b"a package of the set")
    must(m.otid_octets <= 4 and m.dtid_octets <= 4, b"transaction ids of at most four octets")
    must(m.n_components <= MAX_COMPONENTS and m.n_numbers <= MAX_NUMBERS, b"counts within their bounds")
    must(m.acn_application <= APP_CAP, b"an application of the set")
    must(m.tcap == 0 or m.exceptions & EX_NOT_TCAP == 0, b"what is TCAP is no other user's")
    if m.data_octets <= MAX_USER_OCTETS:
        within(m, m.acn_offset, m.acn_octets, b"the ACN lies in the data")
        within(m, m.open_offset, m.open_octets, b"the MAP-OpenInfo lies in the data")
        for i in range(m.n_components):
            component_holds(m, &m.components[i])
    for i in range(m.n_numbers):
        number_holds(m, &m.numbers[i])
    if m.segment_state == SEGMENT_NONE and m.data_octets and m.type in (SCCP_UDT, SCCP_XUDT) and not m.segmented:
        must(m.tcap != 0 or m.exceptions != 0, b"nothing undecodable passes in silence")


cdef void judge_tcap(Group* g, const uint8_t* p, uint32_t n, int stale) noexcept nogil:
    cdef Msg* m = &g.msgs[0]
    memset(m, 0, sizeof(Msg))
    m.sccp = m.data = p + 2
    m.sccp_octets = m.data_octets = m.data_octets_here = n - 2
    m.encapsulation = ENCAP_SCCP
    m.type = SCCP_UDT
    m.called.present = m.calling.present = 1
    if p[0]:
        m.called.has = HAS_SSN
        m.called.ssn = p[0]
    if p[1]:
        m.calling.has = HAS_SSN
        m.calling.ssn = p[1]
    g.n = 1
    g.n_components = g.n_numbers = 0
    run_tcap(g, stale)


cdef void normalised(Msg* m) noexcept nogil:
    """Every number and what it may be looked up as: decimal digits of its length."""
    cdef CountryCode cc
    cdef const Norm* norm
    cdef int i, j
    cc.key = <uint64_t>0x44 << 56
    cc.digits = 2
    for i in range(m.n_numbers):
        normalise_number(&cc, &m.numbers[i])
        must(m.numbers[i].n_norm <= 2, b"at most two readings")
        for j in range(m.numbers[i].n_norm):
            norm = &m.numbers[i].norm[j]
            must(1 <= norm.digits <= 16 and 0 < norm.space < N_SPACES, b"a normalised number has digits and a space")
            must(norm.digits == 16 or norm.key << (4 * norm.digits) == 0, b"nothing stands behind the digits")


cdef api int tcap(const uint8_t* p, size_t n) noexcept nogil:
    """First octets: the subsystem numbers of the CdPA and CgPA, 0 none. The rest is user data."""
    cdef Msg* m = &group.msgs[0]
    cdef Msg* other = &again.msgs[0]
    if n < 2:
        return 0
    judge_tcap(group, p, <uint32_t>n, STALE_A)
    tcap_holds(m)
    judge_tcap(again, p, <uint32_t>n, STALE_B)
    must(m.n_components == other.n_components and m.n_numbers == other.n_numbers, b"the same counts again")
    must(memcmp(m.components, other.components, m.n_components * sizeof(Component)) == 0, b"the same components again")
    must(memcmp(m.numbers, other.numbers, m.n_numbers * sizeof(Number)) == 0, b"the same numbers again")
    other.components = m.components
    other.numbers = m.numbers
    must(memcmp(m, other, sizeof(Msg)) == 0, b"the same message again")
    normalised(m)
    return 0


# ---- Kafka's record batches

cdef uint8_t* fetch = <uint8_t*>calloc(1, MAX_FETCH)
if fetch == NULL:
    raise MemoryError


cdef void mend(uint8_t* p, uint64_t n) noexcept nogil:
    """Give every batch the CRC that it should have, as no mutation finds one."""
    cdef uint64_t octets
    cdef uint32_t checksum, i
    while n >= BATCH_HEADER:
        octets = BATCH_LENGTH_AT + (<uint64_t>p[8] << 24 | p[9] << 16 | p[10] << 8 | p[11])
        if not BATCH_HEADER <= octets <= n:
            return
        checksum = crc32c_by_table(p + BATCH_ATTRIBUTES_AT, octets - BATCH_ATTRIBUTES_AT)
        for i in range(4):
            p[BATCH_CRC_AT + i] = <uint8_t>(checksum >> 8 * (3 - i))
        p += octets
        n -= octets


cdef void span_holds(const uint8_t* p, uint64_t n, const Walk* w, const char* what) noexcept nogil:
    must(p == NULL or (p >= w.all.p and p + n <= w.all.p + w.octets), what)
    if p != NULL:
        read_all(p, n)


cdef void record_holds(const Walk* w, const Record* r, const Rest* rest) noexcept nogil:
    must(r.offset >= w.base_offset, b"an offset from the batch's on")
    must(r.time_ns == -1 or r.time_ns == rest.time_ms * 1_000_000, b"one time")
    must(r.encapsulation < N_ENCAPSULATIONS and r.perimeter < N_PERIMETERS, b"names of the sets")
    must(not (r.unreadable and r.encapsulation), b"an encapsulation, or none that is known")
    must(r.opc <= 0xFFFFFF or r.opc == NO_PC, b"an OPC of at most 24 bits, or none")
    must(r.dpc <= 0xFFFFFF or r.dpc == NO_PC, b"a DPC of at most 24 bits, or none")
    must(rest.key != NULL or rest.key_octets == 0, b"a null key has no octets")
    must(2 * <uint64_t>rest.n_headers <= rest.headers_octets, b"a header takes two octets")
    span_holds(r.p, r.octets, w, b"the value lies in the batch")
    span_holds(rest.key, rest.key_octets, w, b"the key lies in the batch")
    span_holds(rest.headers, rest.headers_octets, w, b"the headers lie in the batch")


cdef api int kbatch(const uint8_t* p, size_t n) noexcept nogil:
    """First octet: 0: the CRCs are mended. The rest is a fetch."""
    cdef Walk w
    cdef Record r
    cdef Rest rest
    cdef uint64_t records = 0
    cdef int found, got
    if not 1 < n <= MAX_FETCH:
        return 0
    memcpy(fetch, p + 1, n - 1)
    if p[0] == 0:
        mend(fetch, n - 1)
    memset(&w, 0, sizeof(w))
    w.all = cursor(fetch, <uint32_t>n - 1)
    while True:
        found = open_batch(&w)
        must(w.open == (found == FOUND_RECORDS), b"what is plain is open")
        if found == FOUND_END:
            break
        must(found == FOUND_OTHER or w.octets >= BATCH_HEADER, b"a batch has a header")
        got = 1 if found == FOUND_RECORDS else 0
        while got > 0:
            got = next_record(&w, &r, &rest)
            if got > 0:
                records += 1
                record_holds(&w, &r, &rest)
        must(records <= n, b"each record takes an octet")
        if w.octets == 0:
            break
        close_batch(&w)
    return 0
