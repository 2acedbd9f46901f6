"""Reassembly of SCCP segments: a bounded table of what is in flight, keyed as Q.714 4.1.1.2.3 tells segments apart.

An Entry holds the octets it collects and is used again when it ends: at most max_reassemblies in flight, or timed out
but not yet told, and a Group's worth of finished ones. The hash is seeded and its buckets are bounded, as keys are the
sender's choice.
"""

from libc.stdint cimport INT64_MAX, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcmp, memcpy, memset

from sigfw._core.limits cimport GROUP, MAX_CHAIN, MAX_USER_OCTETS
from sigfw._core.msg cimport (
    E_MISMATCH,
    E_NO_FIRST,
    E_NO_ROOM,
    E_OUT_OF_SEQUENCE,
    E_OVERLAPPING,
    E_REPEATED,
    E_TOO_LATE,
    E_TOO_LONG,
    LAYER_SCCP,
    OK,
    SEGMENT_FAILED,
    SEGMENT_FINAL,
    SEGMENT_HELD,
    SEGMENT_ORPHAN,
    Group,
    Msg,
    note_error,
)
from sigfw._core.sccp cimport sccp_group

cdef extern from "<sys/random.h>" nogil:
    int getentropy(void* buffer, size_t octets)


cdef inline uint64_t mix(uint64_t h, uint64_t word, uint64_t multiplier) noexcept nogil:
    h = (h ^ word) * (multiplier | 1)
    return h ^ h >> 29


cdef uint64_t key_hash(const Reassembler* r, const Msg* m, const uint8_t* cgpa, uint32_t octets) noexcept nogil:
    cdef uint64_t h = r.seed[0]
    cdef uint64_t word
    cdef uint32_t at = 0
    h = mix(h, <uint64_t>m.opc << 32 | <uint32_t>m.type << 16 | <uint32_t>m.link << 8 | m.has_mtp, r.seed[1])
    h = mix(h, m.local_reference[0] | m.local_reference[1] << 8 | m.local_reference[2] << 16, r.seed[1])
    while at < octets:
        word = 0
        memcpy(&word, cgpa + at, 8 if octets - at > 8 else octets - at)
        h = mix(h, word, r.seed[1])
        at += 8
    return mix(h, octets, r.seed[1])


cdef inline int same_key(const Entry* e, uint64_t h, const Msg* m, const uint8_t* cgpa, uint8_t octets) noexcept nogil:
    return (
        e.hash == h
        and e.type == m.type
        and e.link == m.link
        and e.has_mtp == m.has_mtp
        and e.opc == m.opc
        and e.cgpa_octets == octets
        and memcmp(e.local_reference, m.local_reference, 3) == 0
        and memcmp(e.cgpa, cgpa, octets) == 0
    )


cdef void push(Entry** head, Entry* e) noexcept nogil:
    e.newer = head[0]
    head[0] = e


cdef void take_out(Reassembler* r, Entry* e) noexcept nogil:
    """Out of its bucket and out of the order of arrival."""
    cdef Entry** at = &r.buckets[e.hash & r.mask]
    while at[0] != e:
        at = &at[0].chain
    at[0] = e.chain
    if r.sweep == e:
        r.sweep = e.newer
    if e.older != NULL:
        e.older.newer = e.newer
    else:
        r.oldest = e.newer
    if e.newer != NULL:
        e.newer.older = e.older
    else:
        r.newest = e.older
    r.in_flight -= 1


cdef Entry* new_entry(Reassembler* r, Msg* m, int64_t now_ns) noexcept nogil:
    cdef Entry* e = r.free
    if e != NULL:
        r.free = e.newer
    else:
        e = <Entry*>malloc(sizeof(Entry))
        if e == NULL:
            return NULL
    memset(e, 0, sizeof(Entry) - sizeof(e.data))
    r.last_id += 1
    if r.last_id == 0:
        r.last_id = 1
    e.id = r.last_id
    e.first_time_ns = now_ns
    e.perimeter = m.perimeter
    e.link = m.link
    e.called = m.called
    e.calling = m.calling
    return e


cdef void note_part(Entry* e, const Msg* m) noexcept nogil:
    e.starts[e.n] = <uint16_t>e.octets
    e.parts[e.n].offset = m.offset
    e.parts[e.n].frame = m.frame
    e.parts[e.n].index = m.index
    e.n += 1


cdef void fail_segment(Reassembler* r, Msg* m, Entry* e, uint8_t code) noexcept nogil:
    """What was in flight, if anything, ends with it; the message then lists the parts that were held."""
    m.segment_state = SEGMENT_FAILED
    note_error(m, LAYER_SCCP, code, m.segment_offset)
    if e == NULL:
        return
    take_out(r, e)
    push(&r.done, e)
    m.fate = &e.fate
    m.reassembly = e.id
    m.parts = e.n
    m.part_ids = e.parts


cdef void first_segment(Reassembler* r, Msg* m, uint64_t h, uint32_t chain, const uint8_t* cgpa, uint8_t octets,
                        int64_t now_ns) noexcept nogil:
    cdef Entry* e
    cdef int whole = m.segment_remaining == 0
    if not whole and (chain >= MAX_CHAIN or r.in_flight + r.n_late >= r.max_reassemblies):
        fail_segment(r, m, NULL, E_NO_ROOM)
        return
    if m.data_octets > MAX_USER_OCTETS:
        fail_segment(r, m, NULL, E_TOO_LONG)
        return
    e = new_entry(r, m, now_ns)
    if e == NULL:
        fail_segment(r, m, NULL, E_NO_ROOM)
        return
    note_part(e, m)
    m.part = 1
    m.parts = m.segment_remaining + 1
    m.reassembly = e.id
    if whole:
        m.segment_state = SEGMENT_FINAL
        m.part_ids = e.parts
        push(&r.done, e)
        return
    m.segment_state = SEGMENT_HELD
    m.fate = &e.fate
    e.hash = h
    e.type = m.type
    e.protocol_class = m.protocol_class
    e.has_mtp = m.has_mtp
    e.opc = m.opc
    e.remaining = m.segment_remaining
    e.cgpa_octets = octets
    memcpy(e.local_reference, m.local_reference, 3)
    memcpy(e.cgpa, cgpa, octets)
    memcpy(e.data, m.data, m.data_octets)
    e.octets = m.data_octets
    e.first.return_on_error = m.return_on_error
    e.first.remaining = m.segment_remaining
    e.first.protocol_class = m.segment_class
    e.first.cdpa_octets = <uint8_t>(m.cdpa_octets if m.cdpa_octets < 255 else 255)
    memcpy(e.first.cdpa, m.sccp + m.cdpa_offset, e.first.cdpa_octets)
    e.first.data_octets = m.data_octets
    e.chain = r.buckets[h & r.mask]
    r.buckets[h & r.mask] = e
    e.older = r.newest
    if r.newest != NULL:
        r.newest.newer = e
    else:
        r.oldest = e
    r.newest = e
    r.in_flight += 1


cdef uint8_t why_not_next(const Entry* e, const Msg* m) noexcept nogil:
    """OK where m is the next segment of e.

    The parts of one message bear the same called party and class (Q.714 4.1.1.2.2); else the whole would be judged by
    the addresses of one and delivered by those of another. One that comes twice is a fault of sequence as well: what a
    receiver makes of it cannot be told from here.
    """
    cdef int place = e.first.remaining - m.segment_remaining  # from 0
    cdef uint32_t begin, end
    if (
        m.perimeter != e.perimeter
        or m.protocol_class != e.protocol_class
        or m.segment_class != e.first.protocol_class
        or m.cdpa_octets != e.first.cdpa_octets
        or memcmp(e.first.cdpa, m.sccp + m.cdpa_offset, e.first.cdpa_octets) != 0
    ):
        return E_MISMATCH
    if m.segment_first != (place == 0):
        return E_OVERLAPPING
    if place < 0 or place > e.n:
        return E_OUT_OF_SEQUENCE
    if place == e.n:
        return E_TOO_LONG if m.data_octets > MAX_USER_OCTETS - e.octets else OK
    begin = e.starts[place]
    end = e.starts[place + 1] if place + 1 < e.n else e.octets
    if m.data_octets == end - begin and memcmp(e.data + begin, m.data, m.data_octets) == 0:
        return E_REPEATED
    return E_OVERLAPPING


cdef void later_segment(Reassembler* r, Msg* m, Entry* e) noexcept nogil:
    cdef uint8_t code = why_not_next(e, m)
    if code != OK:
        fail_segment(r, m, e, code)
        return
    note_part(e, m)
    memcpy(e.data + e.octets, m.data, m.data_octets)
    e.octets += m.data_octets
    e.remaining = m.segment_remaining
    m.fate = &e.fate
    m.part = e.n
    m.parts = e.n + e.remaining
    m.reassembly = e.id
    if e.remaining:
        m.segment_state = SEGMENT_HELD
        return
    take_out(r, e)
    push(&r.done, e)
    m.segment_state = SEGMENT_FINAL
    m.part_ids = e.parts
    m.first = &e.first
    m.data = e.data
    m.data_octets = e.octets


cdef inline int too_old(const Reassembler* r, const Entry* e, int64_t now_ns) noexcept nogil:
    return 0 <= e.first_time_ns < now_ns and now_ns - e.first_time_ns > r.max_age_ns


cdef void take_segment(Reassembler* r, Msg* m) noexcept nogil:
    cdef const uint8_t* cgpa = m.sccp + m.cgpa_offset
    cdef uint8_t octets = <uint8_t>(m.cgpa_octets if m.cgpa_octets < 255 else 255)
    cdef uint64_t h = key_hash(r, m, cgpa, octets)
    cdef Entry* e = r.buckets[h & r.mask]
    cdef uint32_t chain = 0
    cdef uint8_t missing = E_NO_FIRST
    cdef int64_t now_ns
    if m.time_ns >= 0:
        r.last_time_ns = m.time_ns
    now_ns = r.last_time_ns
    while e != NULL and not same_key(e, h, m, cgpa, octets):
        e = e.chain
        chain += 1
    if e != NULL and too_old(r, e, now_ns):
        take_out(r, e)
        push(&r.late, e)
        r.n_late += 1
        e = NULL
        missing = E_TOO_LATE
    if m.data == NULL or m.error_code:
        fail_segment(r, m, e, m.error_code)
    elif e != NULL:
        if e.first_time_ns < 0:
            e.first_time_ns = now_ns
        later_segment(r, m, e)
    elif m.segment_first:
        first_segment(r, m, h, chain, cgpa, octets, now_ns)
    else:
        m.segment_state = SEGMENT_ORPHAN
        note_error(m, LAYER_SCCP, missing, m.segment_offset)


cdef Reassembler* reassembler_new(uint32_t max_reassemblies, int64_t max_age_ns) noexcept nogil:
    cdef uint64_t buckets = 1
    cdef Reassembler* r = <Reassembler*>calloc(1, sizeof(Reassembler))
    if r == NULL:
        return NULL
    while buckets < max_reassemblies:
        buckets <<= 1
    r.buckets = <Entry**>calloc(buckets, sizeof(Entry*))
    if r.buckets == NULL or getentropy(r.seed, sizeof(r.seed)) != 0:
        reassembler_free(r)
        return NULL
    r.mask = buckets - 1
    r.max_reassemblies = max_reassemblies
    r.max_age_ns = max_age_ns
    r.last_time_ns = -1
    return r


cdef void free_list(Entry* e) noexcept nogil:
    cdef Entry* following
    while e != NULL:
        following = e.newer
        free(e)
        e = following


cdef void reassembler_free(Reassembler* r) noexcept nogil:
    if r == NULL:
        return
    free_list(r.oldest)
    free_list(r.late)
    free_list(r.done)
    free_list(r.free)
    free(r.buckets)
    free(r)


cdef void reassembler_group(Reassembler* r, Group* g) noexcept nogil:
    cdef int i
    for i in range(g.n):
        if g.msgs[i].segmented:
            take_segment(r, &g.msgs[i])


cdef void reassembler_recycle(Reassembler* r) noexcept nogil:
    cdef Entry* e
    while r.done != NULL:
        e = r.done
        r.done = e.newer
        push(&r.free, e)


cdef int end_with(Reassembler* r, Entry* e, Ended* out) noexcept nogil:
    out.reassembly = e.id
    memcpy(out.parts, e.parts, sizeof(e.parts))
    out.n = e.n
    out.first_time_ns = e.first_time_ns
    out.perimeter = e.perimeter
    out.link = e.link
    out.denied = e.fate.denied
    out.called = e.called
    out.calling = e.calling
    push(&r.free, e)
    return 1


cdef int reassembler_expire(Reassembler* r, int64_t now_ns, Ended* out) noexcept nogil:
    cdef Entry* e
    if r.late != NULL:
        e = r.late
        r.late = e.newer
        r.n_late -= 1
        return end_with(r, e, out)
    # Times need not rise, so all are looked at; a sweep that ended one goes on behind it.
    if r.sweep == NULL:
        r.sweep = r.oldest
    while r.sweep != NULL:
        e = r.sweep
        r.sweep = e.newer
        if e.first_time_ns < 0 and now_ns != INT64_MAX:  # its age counts from the first time that is known
            e.first_time_ns = now_ns
        if now_ns == INT64_MAX or too_old(r, e, now_ns):
            take_out(r, e)
            return end_with(r, e, out)
    return 0


cdef uint32_t reassembler_in_flight(const Reassembler* r) noexcept nogil:
    return r.in_flight


cdef class Harness:
    cdef Reassembler* r
    cdef Group* g
    cdef uint32_t frame

    def __cinit__(self, uint32_t max_reassemblies, int64_t max_age_ns):
        self.r = reassembler_new(max_reassemblies, max_age_ns)
        self.g = <Group*>calloc(1, sizeof(Group))
        if self.r == NULL or self.g == NULL:
            raise MemoryError

    def __dealloc__(self):
        reassembler_free(self.r)
        free(self.g)

    @property
    def in_flight(self):
        return reassembler_in_flight(self.r)

    def feed(self, list messages not None):
        found = []
        for start in range(0, len(messages), GROUP):
            found += self._group(messages[start : start + GROUP])
        return found

    cdef list _group(self, list messages):
        cdef Msg* m
        cdef int i, k
        cdef const uint8_t[::1] octets
        kept = [bytes(message[0]) + b"\0" for message in messages]  # never empty, so that it has an address
        self.g.n = <int>len(messages)
        for i in range(self.g.n):
            m = &self.g.msgs[i]
            octets = kept[i]
            memset(m, 0, sizeof(Msg))
            self.frame += 1
            m.sccp = &octets[0]
            m.sccp_octets = <uint32_t>(octets.shape[0] - 1)
            m.time_ns = messages[i][1]
            m.frame = self.frame
        sccp_group(self.g)
        reassembler_group(self.r, self.g)
        found = []
        for i in range(self.g.n):
            m = &self.g.msgs[i]
            found.append({
                "state": ("none", "held", "final", "failed", "orphan")[m.segment_state],
                "part": m.part,
                "parts": m.parts,
                "reassembly": m.reassembly,
                "error": (m.error_code, m.error_offset) if m.error_code else None,
                "frames": [m.part_ids[k].frame for k in range(m.parts)] if m.part_ids != NULL else [],
                "data": (<const char*>m.data)[:m.data_octets] if m.data != NULL else None,
            })
        reassembler_recycle(self.r)
        return found

    def expire(self, int64_t now_ns):
        cdef Ended ended
        cdef int k
        found = []
        while reassembler_expire(self.r, now_ns, &ended):
            found.append({
                "reassembly": ended.reassembly,
                "frames": [ended.parts[k].frame for k in range(ended.n)],
                "first_time_ns": ended.first_time_ns,
                "called_ssn": ended.called.ssn,
                "calling_ssn": ended.calling.ssn,
            })
        return found
