# One straight line from octets to verdicts: Worker.judge fills a Group of 32 messages from the batch's records and runs
# every stage over it, until the batch or the limit ends. The GIL is released once a call.

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport INT64_MAX, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset

from hashlib import sha256
from json import dumps
from sys import byteorder

from sigfw._core.classifier cimport Tables, classify_group, resolve_links, trace_message
from sigfw._core.encode cimport *
from sigfw._core.encode import names
from sigfw._core.framing cimport (
    FRAME_BROKEN, FRAME_END, FRAME_OTHER, FRAME_SCCP, Frame, Framer, framer_close, framer_next, framer_open,
)
from sigfw._core.gttable cimport gttable_group, operator_digits
from sigfw._core.mapop cimport mapop_group
from sigfw._core.msg cimport *
from sigfw._core.normalise cimport normalise_group
from sigfw._core.out cimport Out, out_free
from sigfw._core.pseudonym cimport Key, key_set
from sigfw._core.reassembly cimport (
    Ended, Reassembler, reassembler_expire, reassembler_free, reassembler_group, reassembler_in_flight, reassembler_new,
    reassembler_recycle,
)
from sigfw._core.sccp cimport sccp_group
from sigfw._core.tables cimport PolicyTables
from sigfw._core.tcap cimport tcap_group

NAMES = names()
cdef tuple SEGMENT_STATES = ("", "held", "final", "failed", "orphan")
cdef tuple EXCEPTIONS = ("malformed", "unusable_gt", "not_tcap", "not_sccp", "unknown_operation", "reassembly_timeout",
                         "limit_exceeded", "expired", "default")
cdef tuple CHECKS = (
    "", "imsi_is_home", "imsi_is_foreign", "imsi_missing", "calling_operator_is_not_imsi_home", "calling_operator_unknown",
    "calling_operator_is_not_map_node", "called_is_not_home", "acn_does_not_fit_operation", "ssn_does_not_fit_application",
    "location_implausible", "sms_origin_mismatch", "dialogue_unknown", "rate_exceeded", "target_scanned",
)
cdef tuple OUTCOMES = ("false", "true", "unknown")
cdef tuple MODES = ("", "enforce", "monitor", "bypass")


cdef int number(str table, object name) except -1:
    """Number of a name in one of the closed sets; ValueError says which names there are."""
    if name is None or name == "":
        return 0
    known = MODES if table == "MODES" else NAMES[table]
    if name not in known:
        raise ValueError(f"{name!r} is none of {', '.join(known[1:])}")
    return known.index(name)


# ---- Labels: the texts of a policy, JSON-escaped, as C

cdef class LabelsOf:
    """The texts of one Tables, held for as long as records are written with it."""

    cdef Labels c
    cdef list held

    def __cinit__(self, Tables tables):
        self.held = []
        self.c.rules = self.texts(tables.rule_ids)
        self.c.categories = self.texts(tables.categories)
        self.c.redirects = self.texts(tables.redirects)
        self.text(&self.c.name, tables.name)
        digest = bytes.fromhex(tables.digest)
        if len(digest) != 8:
            raise ValueError("a policy's digest has 16 hex digits")
        memcpy(self.c.digest, PyBytes_AS_STRING(digest), 8)

    def __dealloc__(self):
        free(self.c.rules)
        free(self.c.categories)
        free(self.c.redirects)

    cdef int text(self, Text* t, str value) except -1:
        escaped = dumps(value)[1:-1].encode()
        self.held.append(escaped)
        t.p = PyBytes_AS_STRING(escaped)
        t.n = <uint32_t>len(escaped)
        return 0

    cdef Text* texts(self, object values) except NULL:
        """By number, 0 unused, as in verdicts."""
        cdef Text* t = <Text*>calloc(len(values) + 1, sizeof(Text))
        if t == NULL:
            raise MemoryError
        for i, value in enumerate(values):
            self.text(&t[i], value)
        return t


# ---- Stream

cdef class Stream:
    cdef Reassembler* reassembler
    cdef Origin origin
    cdef bytes prefix_json
    cdef readonly str prefix
    cdef readonly str topic
    cdef readonly int64_t last_time_ns  # of the message judged last; -1: none had a time

    def __cinit__(self, str prefix, *, bint offsets=True, str topic="", uint32_t max_reassemblies=4096,
                  int64_t max_age_ns=10_000_000_000):
        self.prefix = prefix
        self.topic = topic
        self.last_time_ns = -1
        self.prefix_json = dumps(prefix)[1:-1].encode()
        self.origin.prefix.p = PyBytes_AS_STRING(self.prefix_json)
        self.origin.prefix.n = <uint32_t>len(self.prefix_json)
        self.origin.offsets = offsets
        self.reassembler = reassembler_new(max_reassemblies, max_age_ns)
        if self.reassembler == NULL:
            raise MemoryError

    def __dealloc__(self):
        reassembler_free(self.reassembler)

    @property
    def in_flight(self):
        return reassembler_in_flight(self.reassembler)

    cdef list end(self, Tables tables, int64_t now_ns, str reason):
        cdef Ended e
        cdef int i
        ended = []
        while reassembler_expire(self.reassembler, now_ns, &e):
            ids = [self.id(e.parts[i].offset, e.parts[i].frame, e.parts[i].index) for i in range(e.n)]
            action = "drop"
            if tables is not None:
                action = NAMES["ACTIONS"][tables.c.exception_action[EXCEPTIONS.index("reassembly_timeout")][e.perimeter]]
            ended.append({
                "id": ids[len(ids) - 1], "parts": ids, "reassembly": f"{self.prefix}#{e.reassembly}", "action": action,
                "reason": reason, "perimeter": NAMES["PERIMETERS"][e.perimeter], "frame": e.parts[e.n - 1].frame,
                "index": e.parts[e.n - 1].index, "time_ns": e.first_time_ns, "called": party_digits(&e.called),
                "calling": party_digits(&e.calling),
            })
        return ended

    cdef str id(self, int64_t offset, uint32_t frame, uint16_t index):
        return f"{self.prefix}/{offset}/{frame}/{index}" if self.origin.offsets else f"{self.prefix}/{frame}/{index}"

    def expire(self, Tables tables, int64_t now_ns):
        return self.end(tables, now_ns, "reassembly_timeout")

    def abandon(self, Tables tables):
        return self.end(tables, INT64_MAX, "reassembly_orphan")


cdef object party_digits(const Party* p):
    cdef int i
    if not p.has & HAS_GT:
        return None
    return "".join(["0123456789abcdef"[digit_at(&p.gt, i)] for i in range(p.gt.count)])


# ---- Batch

cdef struct Record:
    Py_buffer view
    uint8_t taken              # view is to be released
    const uint8_t* p           # NULL: a null value
    uint64_t octets
    int64_t offset
    int64_t time_ns
    uint32_t frame
    uint8_t encapsulation
    uint8_t perimeter
    uint8_t has_pcs
    uint32_t opc
    uint32_t dpc


cdef class Batch:
    cdef Record* records
    cdef Py_ssize_t n
    cdef Py_ssize_t held           # buffers to release
    cdef readonly bint capture
    cdef readonly uint64_t not_sccp
    cdef readonly uint64_t messages
    # where judging stands
    cdef Py_ssize_t current
    cdef Framer framer
    cdef int framing               # the framer is open on records[current]
    cdef uint64_t entries          # of records[current] so far
    cdef uint32_t last_frame
    cdef Frame trouble             # what ended the framing of a record
    cdef uint64_t trouble_octets   # of that record
    cdef int troubled

    def __cinit__(self, values, str encapsulation, *, offsets=None, times_ns=None, frames=None, meta=None,
                  bint capture=False):
        cdef Py_ssize_t i, n = len(values)
        cdef Record* r
        cdef uint8_t encap = number("ENCAPSULATIONS", encapsulation)
        if encap == 0:
            raise ValueError("a batch needs an encapsulation")
        for name, given in (("offsets", offsets), ("times_ns", times_ns), ("frames", frames), ("meta", meta)):
            if given is not None and len(given) != n:
                raise ValueError(f"{name} has {len(given)} items for {n} values")
        self.capture = capture
        self.records = <Record*>calloc(n if n else 1, sizeof(Record))
        if self.records == NULL:
            raise MemoryError
        for i in range(n):
            r = &self.records[i]
            r.encapsulation = encap
            r.offset = offsets[i] if offsets is not None else 0
            r.time_ns = times_ns[i] if times_ns is not None else -1
            r.frame = frames[i] if frames is not None else 1
            if meta is not None and meta[i] is not None:
                self.take_meta(r, meta[i])
            value = values[i]
            if value is not None:
                PyObject_GetBuffer(value, &r.view, PyBUF_SIMPLE)
                r.taken = 1
                r.p = <const uint8_t*>r.view.buf
                r.octets = r.view.len
            self.held = i + 1
        self.n = n

    cdef int take_meta(self, Record* r, tuple meta) except -1:
        encapsulation, perimeter, opc, dpc = meta
        if encapsulation is not None:
            r.encapsulation = number("ENCAPSULATIONS", encapsulation)
        if perimeter is not None:
            r.perimeter = number("PERIMETERS", perimeter)
        if opc is not None or dpc is not None:
            r.has_pcs = 1
            r.opc = opc or 0
            r.dpc = dpc or 0
        return 0

    def __dealloc__(self):
        cdef Py_ssize_t i
        if self.records == NULL:
            return
        for i in range(self.held):
            if self.records[i].taken:
                PyBuffer_Release(&self.records[i].view)
        if self.framing:
            framer_close(&self.framer)
        free(self.records)

    def __len__(self):
        return self.n

    @property
    def done(self):
        return self.current >= self.n

    @property
    def problem(self):
        if not self.troubled:
            return None
        code = NAMES["ERROR_CODES"][self.trouble.code]
        return f"frame {self.trouble.frame}: framing {code} at octet {self.trouble.offset} of {self.trouble_octets}"

    def ages(self, int64_t now_ns, bounds_ns):
        """How many records are at most so old: one count a bound and one for what is beyond, and the sum in ns."""
        cdef list counts = [0] * (len(bounds_ns) + 1)
        cdef int64_t age, total = 0
        cdef Py_ssize_t i, k, n = len(bounds_ns)
        for i in range(self.n):
            if self.records[i].time_ns < 0:
                continue
            age = now_ns - self.records[i].time_ns
            age = age if age > 0 else 0
            total += age
            k = 0
            while k < n and age > <int64_t>bounds_ns[k]:
                k += 1
            counts[k] += 1
        return counts, total


cdef int next_message(Batch b, Msg* m) noexcept nogil:
    """Fill the framing part of the next message: 1, or 0 where the batch is done."""
    cdef Frame f
    cdef Record* r
    cdef int kind
    while b.current < b.n:
        r = &b.records[b.current]
        if r.p == NULL:                                   # a null value: a record without a message
            memset(&f, 0, sizeof(f))
            start(m, b, r, &f, b.current)
            fail(m, LAYER_FRAMING, E_MISSING, 0)
            b.current += 1
            b.messages += 1
            return 1
        if not b.framing:
            framer_open(&b.framer, r.p, r.octets, r.encapsulation)
            b.framing = 1
            b.entries = 0
            b.last_frame = r.frame
        memset(&f, 0, sizeof(f))
        kind = framer_next(&b.framer, &f)
        if kind == FRAME_OTHER:
            b.not_sccp += 1
            continue
        if kind == FRAME_END:
            framer_close(&b.framer)
            b.framing = 0
            b.current += 1
            if b.entries or b.capture:
                continue
            start(m, b, r, &f, b.current - 1)            # nothing to judge in it: still one line
            m.frame = b.last_frame
            m.exceptions = EX_NOT_SCCP
            return 1
        b.last_frame = f.frame
        if kind == FRAME_BROKEN:
            b.trouble = f
            b.trouble_octets = r.octets
            b.troubled = 1
            if b.capture:
                continue
        b.entries += 1
        b.messages += 1
        start(m, b, r, &f, b.current)
        if kind == FRAME_SCCP:
            m.sccp = f.octets
            m.sccp_octets = f.n
        if f.code:
            fail(m, LAYER_FRAMING, f.code, <uint32_t>(f.offset if f.offset < 0xFFFF else 0xFFFF))
        return 1
    return 0


cdef inline void start(Msg* m, Batch b, Record* r, const Frame* f, Py_ssize_t record) noexcept nogil:
    memset(m, 0, sizeof(Msg))
    m.record = <uint32_t>record
    m.offset = r.offset
    m.frame = f.frame if r.encapsulation == ENCAP_PCAP else r.frame
    m.index = f.index
    m.time_ns = f.time_ns if r.encapsulation == ENCAP_PCAP and f.time_ns >= 0 else r.time_ns
    m.encapsulation = f.encapsulation if f.encapsulation else r.encapsulation
    m.has_mtp = f.has_mtp
    m.opc = f.opc
    m.dpc = f.dpc
    m.sls = f.sls
    m.ni = f.ni
    m.header_perimeter = r.perimeter
    if r.has_pcs and not f.has_mtp:
        m.has_mtp = 1
        m.mtp_from_headers = 1
        m.opc = r.opc
        m.dpc = r.dpc


# ---- Verdicts

cdef struct Judged:
    Entry entry
    uint32_t record
    uint8_t event
    uint64_t json_start
    uint32_t json_octets


cdef class Verdicts:
    cdef Judged* judged
    cdef Py_ssize_t n
    cdef Py_ssize_t room
    cdef Out json
    cdef Out blobs
    cdef bint is_packed
    cdef Batch batch
    cdef LabelsOf labels
    cdef tuple rule_ids

    def __dealloc__(self):
        free(self.judged)
        out_free(&self.json)
        out_free(&self.blobs)

    def __len__(self):
        return self.n

    @property
    def counts(self):
        counts = {}
        cdef Py_ssize_t i
        cdef const Entry* e
        numbers = {}
        for i in range(self.n):
            e = &self.judged[i].entry
            key = (e.action, e.reason, e.rule)
            numbers[key] = numbers.get(key, 0) + 1
        for (action, reason, rule), count in numbers.items():
            counts[NAMES["ACTIONS"][action], NAMES["REASONS"][reason], self.rule_ids[rule]] = count
        return counts

    def lines(self):
        return PyBytes_FromStringAndSize(<char*>self.json.p, self.json.n) if self.json.n else b""

    def events(self):
        cdef Py_ssize_t i
        return [
            PyBytes_FromStringAndSize(<char*>self.json.p + self.judged[i].json_start, self.judged[i].json_octets - 1)
            for i in range(self.n) if self.judged[i].event
        ]

    def values(self):
        """See engine.pyi. Records whose judging a limit cut in two must not be asked for."""
        cdef Py_ssize_t i = 0, first, r
        cdef list out = []
        for r in range(self.batch.n):
            first = i
            while i < self.n and self.judged[i].record == r:
                i += 1
            out.append(self.packed_value(first, i, r) if self.is_packed else self.json_value(first, i))
        return out

    cdef bytes json_value(self, Py_ssize_t first, Py_ssize_t end):
        cdef uint64_t start
        if first == end:
            return b""
        start = self.judged[first].json_start
        return PyBytes_FromStringAndSize(
            <char*>self.json.p + start, self.judged[end - 1].json_start + self.judged[end - 1].json_octets - 1 - start)

    cdef bytes packed_value(self, Py_ssize_t first, Py_ssize_t end, Py_ssize_t record):
        """docs/packed.md: header, entries, blobs."""
        cdef uint32_t count = <uint32_t>(end - first)
        cdef uint64_t blob_start = 0, blob_end = 0
        cdef Py_ssize_t i
        cdef bytes value
        cdef uint8_t* p
        cdef Entry* e
        cdef int64_t base = self.batch.records[record].offset
        for i in range(first, end):
            if self.judged[i].entry.blob_octets:
                if blob_end == 0:
                    blob_start = self.judged[i].entry.blob_offset
                blob_end = self.judged[i].entry.blob_offset + self.judged[i].entry.blob_octets
        value = PyBytes_FromStringAndSize(NULL, 32 + 32 * count + (blob_end - blob_start))
        p = <uint8_t*>PyBytes_AS_STRING(value)
        memset(p, 0, 32)
        memcpy(p, b"SGV1", 4)
        p[4] = 32
        p[8] = <uint8_t>(count & 0xFF)
        p[9] = <uint8_t>(count >> 8 & 0xFF)
        p[10] = <uint8_t>(count >> 16 & 0xFF)
        p[11] = <uint8_t>(count >> 24)
        memcpy(p + 16, self.labels.c.digest, 8)
        for i in range(8):
            p[24 + i] = <uint8_t>(<uint64_t>base >> (8 * i) & 0xFF)
        for i in range(first, end):
            e = <Entry*>(p + 32 + 32 * (i - first))
            memcpy(e, &self.judged[i].entry, sizeof(Entry))  # little-endian machines alone (checked at import)
            if e.blob_octets:
                e.blob_offset = <uint32_t>(32 + 32 * count + (e.blob_offset - blob_start))
        if blob_end:
            memcpy(p + 32 + 32 * count, self.blobs.p + blob_start, blob_end - blob_start)
        return value

    def dead(self):
        cdef Py_ssize_t i
        dead = {}
        for i in range(self.n):
            if self.judged[i].entry.error_layer == LAYER_FRAMING and self.judged[i].record not in dead:
                code = NAMES["ERROR_CODES"][self.judged[i].entry.error_code]
                dead[self.judged[i].record] = (
                    f"frame {self.judged[i].entry.frame}: framing {code} at octet {self.judged[i].entry.error_offset}")
        return list(dead.items())


# ---- Worker

cdef class Worker:
    cdef Group* group
    cdef Counters* counts
    cdef Key key
    cdef bint keyed
    cdef int form                  # 0 none, 1 json, 2 packed
    cdef Tables tables             # of the last judge call
    cdef LabelsOf labels
    cdef dict rules_before         # (rule, mode) -> count under tables that were replaced
    cdef dict verdicts_before

    def __cinit__(self, *, str verdicts="json", key=None):
        self.group = <Group*>calloc(1, sizeof(Group))
        self.counts = <Counters*>calloc(1, sizeof(Counters))
        if self.group == NULL or self.counts == NULL:
            raise MemoryError
        if verdicts not in ("none", "json", "packed"):
            raise ValueError("verdicts is none, json or packed")
        self.form = ("none", "json", "packed").index(verdicts)
        self.rules_before = {}
        self.verdicts_before = {}
        if key is not None:
            secret = bytes(key)
            if len(secret) > 64:
                secret = sha256(secret).digest()         # RFC 2104, 2
            key_set(&self.key, secret, len(secret))
            self.keyed = True

    def __dealloc__(self):
        free(self.group)
        free(self.counts)

    cdef int use(self, Tables tables) except -1:
        """Take up other tables: counts by rule and category are kept by name, their numbers mean other things now."""
        if tables is self.tables:
            return 0
        labels = LabelsOf(tables) if tables is not None else None
        if self.tables is not None:
            self.rules_before = self.rule_matches()
            self.verdicts_before = self.verdict_counts()
            memset(self.counts.rules, 0, sizeof(self.counts.rules))
            memset(self.counts.verdicts, 0, sizeof(self.counts.verdicts))
        self.tables = tables
        self.labels = labels
        return 0

    def judge(self, Tables tables, Stream stream not None, Batch batch not None, *, str perimeter="", str variant="itu",
              modes=None, int64_t now_ns=0, int64_t deadline_ns=0, Py_ssize_t limit=0):
        cdef Context ctx
        cdef Verdicts out = Verdicts.__new__(Verdicts)
        cdef const PolicyTables* t = NULL
        cdef const Labels* labels = NULL
        cdef int ok
        if tables is not None or self.tables is None:
            self.use(tables)
        memset(&ctx, 0, sizeof(ctx))
        ctx.perimeter = number("PERIMETERS", perimeter)
        ctx.variant = 1                                   # itu: the one there is, the loader refuses others by name
        ctx.now_ns = now_ns
        ctx.deadline_ns = deadline_ns
        for name, mode in (modes or {}).items():
            ctx.mode[number("PERIMETERS", name)] = number("MODES", mode)
        if tables is not None:
            t = &tables.c
            labels = &self.labels.c
            ctx.topic = tables.topic_number(stream.topic)
            out.rule_ids = tables.rule_ids
        out.batch = batch
        out.labels = self.labels
        out.is_packed = self.form == 2
        with nogil:
            ok = run(self, t, labels, &ctx, stream, batch, out, limit)
        if not ok:
            raise MemoryError("no memory for verdicts")
        return out

    def trace(self, Tables tables not None, *, str perimeter="", str topic=""):
        """Every rule tried on the last message judged: see classifier.pyi. For `explain`, one message a judge call."""
        cdef Context ctx
        memset(&ctx, 0, sizeof(ctx))
        ctx.perimeter = number("PERIMETERS", perimeter)
        ctx.variant = 1
        ctx.topic = tables.topic_number(topic)
        if self.group.n == 0:
            return []
        return trace_message(tables, &ctx, &self.group.msgs[self.group.n - 1])

    cdef dict rule_matches(self):
        cdef int i
        counts = dict(self.rules_before)
        if self.tables is not None:
            for i in range(1, len(self.tables.rule_ids)):
                key = (self.tables.rule_ids[i], self.tables.rule_modes[i])
                counts[key] = counts.get(key, 0) + self.counts.rules[i]
        return counts

    cdef dict verdict_counts(self):
        cdef int a, r, c, p
        counts = dict(self.verdicts_before)
        categories = self.tables.categories if self.tables is not None else ("",)
        for a in range(1, N_ACTIONS):
            for r in range(1, N_REASONS):
                for c in range(len(categories)):
                    for p in range(1, N_PERIMETERS):
                        if self.counts.verdicts[a][r][c][p]:
                            key = (NAMES["ACTIONS"][a], NAMES["REASONS"][r], categories[c], NAMES["PERIMETERS"][p])
                            counts[key] = counts.get(key, 0) + self.counts.verdicts[a][r][c][p]
        return counts

    def counters(self):
        cdef const Counters* k = self.counts
        cdef int a, i, j
        return {
            "messages": {(NAMES["ENCAPSULATIONS"][i], NAMES["PERIMETERS"][j]): k.messages[i][j]
                         for i in range(1, N_ENCAPSULATIONS) for j in range(1, N_PERIMETERS) if k.messages[i][j]},
            "verdicts": self.verdict_counts(),
            "shadow_verdicts": {
                (NAMES["ACTIONS"][a], NAMES["REASONS"][i], NAMES["PERIMETERS"][j]): k.shadow_verdicts[a][i][j]
                for a in range(1, N_ACTIONS) for i in range(1, N_REASONS) for j in range(1, N_PERIMETERS)
                if k.shadow_verdicts[a][i][j]
            },
            "rule_matches": self.rule_matches(),
            "decode_errors": {(NAMES["LAYERS"][i], NAMES["ERROR_CODES"][j]): k.decode_errors[i][j]
                              for i in range(1, N_LAYERS) for j in range(1, N_CODES) if k.decode_errors[i][j]},
            "exceptions": {(EXCEPTIONS[i], NAMES["ACTIONS"][j]): k.exceptions[i][j]
                           for i in range(N_EXCEPTIONS) for j in range(1, N_ACTIONS) if k.exceptions[i][j]},
            "checks": {(CHECKS[i], OUTCOMES[j]): k.checks[i][j]
                       for i in range(1, N_CHECKS) for j in range(3) if k.checks[i][j]},
            "opcode_forms": {(NAMES["OPCODE_FORMS"][i],): k.opcode_forms[i] for i in range(1, 3)},
            "segments": {(SEGMENT_STATES[i],): k.segments[i] for i in range(1, 5)},
            "link_header_conflicts": {(): k.link_header_conflicts},
            "not_sccp": {(): k.not_sccp},
            "unframed": {(): k.unframed},
        }


cdef int run(Worker w, const PolicyTables* t, const Labels* labels, Context* ctx, Stream s, Batch b, Verdicts out,
             Py_ssize_t limit) noexcept nogil:
    """The line from record to verdict: 1, or 0 where memory ended."""
    cdef Group* g = w.group
    cdef Msg* m
    cdef int i, room
    cdef uint64_t other = b.not_sccp
    while limit == 0 or out.n < limit:
        reassembler_recycle(s.reassembler)
        g.n = g.n_components = g.n_numbers = 0
        room = GROUP if limit == 0 or limit - out.n > GROUP else <int>(limit - out.n)
        while g.n < room and next_message(b, &g.msgs[g.n]):
            m = &g.msgs[g.n]
            if m.time_ns >= 0:
                s.last_time_ns = m.time_ns
            m.expired = ctx.deadline_ns > 0 and m.time_ns >= 0 and ctx.now_ns - m.time_ns > ctx.deadline_ns
            g.n += 1
        if g.n == 0:
            break
        sccp_group(g)
        for i in range(g.n):
            g.msgs[i].data_octets_here = g.msgs[i].data_octets
        if t != NULL:
            resolve_links(t, ctx, g, w.counts)
        reassembler_group(s.reassembler, g)
        tcap_group(g)
        mapop_group(g)
        if t != NULL:
            normalise_group(t, g)
            gttable_group(t, g)
            classify_group(t, ctx, g, w.counts)
        for i in range(g.n):
            if not emit(w, t, labels, s, out, &g.msgs[i]):
                return 0
    w.counts.not_sccp += b.not_sccp - other
    return 1


cdef inline void mark_operator(const PolicyTables* t, const Digits* wire, uint8_t n_norm, Norm* norm) noexcept nogil:
    """Only where the digits were looked up as they stand: of others no part is known to be the operator's."""
    if n_norm and norm.key == wire.hi and norm.digits == wire.count:
        norm.operator_digits = <uint8_t>operator_digits(t, norm)


cdef void mark_operators(const PolicyTables* t, Msg* m) noexcept nogil:
    """How much of each GT and address is the operator's prefix, and stays clear beside a pseudonym."""
    cdef int i
    mark_operator(t, &m.called.gt, m.called.n_norm, &m.called.norm[0])
    mark_operator(t, &m.calling.gt, m.calling.n_norm, &m.calling.norm[0])
    for i in range(m.n_numbers):
        if m.numbers[i].kind == KIND_ADDRESS:
            mark_operator(t, &m.numbers[i].d, m.numbers[i].n_norm, &m.numbers[i].norm[0])


cdef int emit(Worker w, const PolicyTables* t, const Labels* labels, Stream s, Verdicts out, Msg* m) noexcept nogil:
    """Count the message and write what leaves: 1, or 0 where memory ended."""
    cdef Judged* j
    cdef const Verdict* v = &m.verdict
    if not grow(out):
        return 0
    j = &out.judged[out.n]
    j.record = m.record
    j.event = v.action >= REDIRECT or v.shadow_action >= REDIRECT or v.alert
    count(w.counts, m)
    if labels != NULL:
        encode_entry(&j.entry, &out.blobs, m, labels)
    else:
        memset(&j.entry, 0, sizeof(Entry))
    j.json_start = out.json.n
    if w.form == 1 or (j.event and w.form):
        if w.keyed and t != NULL:
            mark_operators(t, m)
        encode_json(&out.json, m, &s.origin, labels, &w.key if w.keyed else NULL)
    j.json_octets = <uint32_t>(out.json.n - j.json_start)
    out.n += 1
    return not (out.json.failed or out.blobs.failed)


cdef int grow(Verdicts out) noexcept nogil:
    cdef Py_ssize_t room
    cdef Judged* p
    if out.n < out.room:
        return 1
    room = out.room * 2 if out.room else 1024
    p = <Judged*>malloc(room * sizeof(Judged))
    if p == NULL:
        return 0
    if out.n:
        memcpy(p, out.judged, out.n * sizeof(Judged))
    free(out.judged)
    out.judged = p
    out.room = room
    return 1


cdef inline void count(Counters* k, const Msg* m) noexcept nogil:
    cdef int i
    k.messages[m.encapsulation][m.perimeter] += 1
    k.verdicts[m.verdict.action][m.verdict.reason][m.verdict.category][m.perimeter] += 1
    if m.verdict.shadow_action:
        k.shadow_verdicts[m.verdict.shadow_action][m.verdict.shadow_reason][m.perimeter] += 1
    k.segments[m.segment_state] += 1
    if m.error_code:
        k.decode_errors[m.error_layer][m.error_code] += 1
        k.unframed += m.error_layer == LAYER_FRAMING and m.sccp == NULL
    for i in range(m.n_components):
        k.opcode_forms[m.components[i].opcode_form] += 1


if byteorder != "little":
    raise ImportError("packed records are written as the machine lays out integers: sigfw runs on little-endian machines")
