# One straight line from octets to verdicts: Worker.judge fills a Group of 32 messages from the batch's records and runs
# every stage over it, until the batch or the limit ends. The GIL is released once a call.

from cpython.bytes cimport PyBytes_AS_STRING
from libc.stdint cimport INT64_MAX, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from hashlib import sha256

from sigfw._core.batch cimport Batch, next_message
from sigfw._core.classifier cimport Tables, classify_group, resolve_links
from sigfw._core.conditions cimport FIRST_STATE_CHECK
from sigfw._core.encode cimport Entry, Labels, Origin, encode_entry, encode_fields, encode_json, escaped, number
from sigfw._core.encode import NAMES
from sigfw._core.facts cimport message_facts
from sigfw._core.flood cimport Flood, Kind, Tellings, Told, Windows, flood_ask
from sigfw._core.framing cimport framer_recycle
from sigfw._core.gttable cimport gttable_group, operator_digits
from sigfw._core.limits cimport MAX_AGE_SECONDS, MAX_REASSEMBLIES, REPLIES_PER_SECOND
from sigfw._core.mapop cimport mapop_group
from sigfw._core.memory cimport Memory, State
from sigfw._core.msg cimport *
from sigfw._core.normalise cimport normalise_group
from sigfw._core.pseudonym cimport Key, key_set
from sigfw._core.reassembly cimport (
    Ended, Reassembler, reassembler_expire, reassembler_free, reassembler_group, reassembler_in_flight, reassembler_new,
    reassembler_recycle,
)
from sigfw._core.sccp cimport sccp_group
from sigfw._core.state cimport state_begin, state_clock, state_wants
from sigfw._core.tables cimport PolicyTables
from sigfw._core.tcap cimport tcap_group
from sigfw._core.trace cimport trace_message
from sigfw._core.out cimport Out, put
from sigfw._core.verdicts cimport Judged, LabelsOf, Verdicts, grow

cdef extern from *:
    """
    #ifndef SIGFW_TRAINED
    #define SIGFW_TRAINED 0
    #endif
    """
    bint SIGFW_TRAINED

TRAINED = SIGFW_TRAINED            # built by `make pgo`

# ---- Stream

cdef class Stream:
    cdef Reassembler* reassembler
    cdef Origin origin
    cdef bytes prefix_json
    cdef bint remembered           # memory has seen messages of it
    cdef uint64_t number           # stands for the prefix in memory; 0: its messages do not come again
    cdef readonly str prefix
    cdef readonly str topic
    cdef readonly int64_t last_time_ns  # of the message judged last; -1: none had a time

    def __cinit__(self, str prefix, *, bint offsets=True, str topic="", uint32_t max_reassemblies=MAX_REASSEMBLIES,
                  int64_t max_age_ns=<int64_t>MAX_AGE_SECONDS * 1_000_000_000):
        self.prefix = prefix
        self.topic = topic
        self.last_time_ns = -1
        self.prefix_json = escaped(prefix)
        self.number = int.from_bytes(sha256(prefix.encode()).digest()[:8], "little") | 1 if offsets else 0
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
            if tables is not None and not e.denied:
                action = NAMES["ACTIONS"][tables.c.exception_action[NAMES["EXCEPTIONS"].index("reassembly_timeout")][e.perimeter]]
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


# ---- Worker

cdef enum:
    ROUND = 8                      # groups decoded before a shared store is asked: 256 messages, whose answers fit into 5 ms


cdef class Worker:
    cdef Group* group
    cdef Group* groups[ROUND]      # group is the first; the others where a shared store is asked
    cdef readonly State state      # None: nothing is remembered
    cdef object exchange           # of a shared store
    cdef Counters* counts
    cdef Key key
    cdef bint keyed
    cdef int form                  # 0 none, 1 json, 2 packed, 3 fields
    cdef Tables tables             # of the last judge call
    cdef Batch batch               # its octets and its reassemblies: facts and trace read the last message's
    cdef Stream stream
    cdef LabelsOf labels
    cdef dict rules_before         # (rule, mode) -> count under tables that were replaced
    cdef dict verdicts_before
    cdef bint octets               # events have those of their message
    cdef Bucket replies

    def __cinit__(self, *, str verdicts="json", key=None, State state=None, exchange=None, bint octets=False):
        cdef int i
        memset(self.groups, 0, sizeof(self.groups))
        self.state = state
        self.exchange = exchange
        if state is not None and state.c.shared != (exchange is not None):
            raise ValueError("a shared state has a store to exchange with, and no other state has")
        for i in range(ROUND if exchange is not None else 1):
            self.groups[i] = <Group*>calloc(1, sizeof(Group))
            if self.groups[i] == NULL:
                raise MemoryError
        self.group = self.groups[0]
        self.counts = <Counters*>calloc(1, sizeof(Counters))
        if self.counts == NULL:
            raise MemoryError
        if verdicts not in ("none", "json", "packed", "fields"):
            raise ValueError("verdicts is none, json, packed or fields")
        self.form = ("none", "json", "packed", "fields").index(verdicts)
        self.rules_before = {}
        self.verdicts_before = {}
        self.octets = octets
        self.replies.tokens = REPLIES_PER_SECOND
        if key is not None:
            secret = bytes(key)
            if len(secret) > 64:
                secret = sha256(secret).digest()         # RFC 2104, 2
            key_set(&self.key, secret, len(secret))
            self.keyed = True

    def __dealloc__(self):
        cdef int i
        for i in range(ROUND):
            free(self.groups[i])
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
              modes=None, int64_t now_ns=0, int64_t deadline_ns=0, Py_ssize_t limit=0, Flood flood=None):
        cdef Context ctx
        cdef Verdicts out = Verdicts.__new__(Verdicts)
        cdef const PolicyTables* t = NULL
        cdef const Labels* labels = NULL
        cdef Memory* mem = NULL
        cdef Windows* windows = NULL
        cdef int ok
        if tables is not None or self.tables is None:
            self.use(tables)
        memset(&ctx, 0, sizeof(ctx))
        ctx.perimeter = number("PERIMETERS", perimeter)
        ctx.variant = number("VARIANTS", variant)
        ctx.now_ns = now_ns
        ctx.deadline_ns = deadline_ns
        ctx.replies = &self.replies
        for name, mode in (modes or {}).items():
            ctx.mode[number("PERIMETERS", name)] = number("MODES", mode)
        if tables is not None:
            t = &tables.c
            labels = &self.labels.c
            ctx.topic = tables.topic_number(stream.topic)
            out.rule_ids = tables.rule_ids
        batch.variant = ctx.variant
        if flood is not None and tables is not None:
            flood.use(tables.rule_ids)
            windows = &flood.c
        out.batch = batch
        out.labels = self.labels
        out.is_packed = self.form == 2
        if t != NULL and self.state is not None and t.checks_used >> FIRST_STATE_CHECK:
            mem = &self.state.c
            mem.stream = stream.number
            mem.another_stream |= not stream.remembered
            stream.remembered = True
            state_begin(t, mem)
        self.batch = batch
        self.stream = stream
        with nogil:
            ok = run(self, t, labels, &ctx, mem, windows, stream, batch, out, limit)
        if not ok:
            raise MemoryError("no memory for verdicts")
        return out

    def trace(self, Tables tables not None):
        if self.group.n == 0:
            return []
        return trace_message(tables, &self.group.msgs[self.group.n - 1])

    def facts(self, Tables tables not None):
        if self.group.n == 0:
            return None
        return message_facts(tables, &self.group.msgs[self.group.n - 1])

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
            "exceptions": {(NAMES["EXCEPTIONS"][i], NAMES["ACTIONS"][j]): k.exceptions[i][j]
                           for i in range(N_EXCEPTIONS) for j in range(1, N_ACTIONS) if k.exceptions[i][j]},
            "checks": {(NAMES["CHECKS"][i], NAMES["CHECK_OUTCOMES"][j]): k.checks[i][j]
                       for i in range(1, N_CHECKS) for j in range(3) if k.checks[i][j]},
            "opcode_forms": {(NAMES["OPCODE_FORMS"][i],): k.opcode_forms[i] for i in range(1, N_OPCODE_FORMS)},
            "unusable_gts": {(NAMES["GT_TROUBLES"][i],): k.unusable_gts[i] for i in range(1, N_GT_TROUBLES)},
            "segments": {(NAMES["SEGMENT_STATES"][i],): k.segments[i] for i in range(1, 5)},
            "padded_opcodes": {(): k.padded_opcodes},
            "link_header_conflicts": {(): k.link_header_conflicts},
            "not_sccp": {(): k.not_sccp},
            "unframed": {(): k.unframed},
        }


cdef void decode(Worker w, const PolicyTables* t, Context* ctx, Stream s, Batch b, Group* g, Py_ssize_t room) noexcept nogil:
    """The next messages of a batch, up to GROUP of them, as far as they tell by themselves."""
    cdef Msg* m
    cdef int i
    g.n = g.n_components = g.n_numbers = 0
    while g.n < GROUP and g.n < room and next_message(b, &g.msgs[g.n]):
        m = &g.msgs[g.n]
        if m.time_ns >= 0:
            s.last_time_ns = m.time_ns
        m.expired = ctx.deadline_ns > 0 and m.time_ns >= 0 and ctx.now_ns - m.time_ns > ctx.deadline_ns
        m.variant = ctx.variant
        g.n += 1
    if g.n == 0:
        return
    if t != NULL:
        resolve_links(t, ctx, g, w.counts)            # what MTP says picks the link, and the link how SCCP is read
    sccp_group(g)
    for i in range(g.n):
        g.msgs[i].data_octets_here = g.msgs[i].data_octets
    reassembler_group(s.reassembler, g)
    tcap_group(g)
    mapop_group(g)
    if t != NULL:
        normalise_group(t, g)
        gttable_group(t, g)


cdef int consult(Worker w, const PolicyTables* t, Context* ctx, Memory* mem, int groups) except -1 nogil:
    """One round trip to the shared store: what these messages may ask is then in memory, or memory knows it is not."""
    cdef int i, j
    cdef uint32_t k
    mem.wanted.n = 0
    for i in range(groups):
        for j in range(w.groups[i].n):
            state_clock(mem, &w.groups[i].msgs[j], ctx.now_ns)
            state_wants(t, mem, &w.groups[i].msgs[j])
    with gil:
        asked = {}                 # each name once
        for k in range(mem.wanted.n):
            asked[w.state.name(&mem.wanted.p[k])] = k
        values = w.exchange(w.state.changes(), list(asked))
        mem.away = values is None
        for k, value in zip(asked.values(), values or ()):
            w.state.take(&mem.wanted.p[k], value)
    return 0


cdef int run(Worker w, const PolicyTables* t, const Labels* labels, Context* ctx, Memory* mem, Windows* windows,
             Stream s, Batch b, Verdicts out, Py_ssize_t limit) except -1 nogil:
    """The line from record to verdict: 1, or 0 where memory ended."""
    cdef int i, j, n, most = ROUND if mem != NULL and mem.shared else 1
    cdef Py_ssize_t read = 0
    cdef uint64_t other = b.not_sccp
    while limit == 0 or out.n < limit:
        reassembler_recycle(s.reassembler)
        framer_recycle(&b.framer)
        n = 0
        while n < most:
            decode(w, t, ctx, s, b, w.groups[n], limit - read if limit else GROUP)
            if w.groups[n].n == 0:
                break
            read += w.groups[n].n
            n += 1
        if n == 0:
            break
        if most > 1:
            consult(w, t, ctx, mem, n)
        for i in range(n):
            if t != NULL:
                classify_group(t, ctx, mem, w.groups[i], w.counts)
            for j in range(w.groups[i].n):
                if not emit(w, t, labels, windows, s, out, &w.groups[i].msgs[j]):
                    return 0
        w.group = w.groups[n - 1]
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


cdef int emit(Worker w, const PolicyTables* t, const Labels* labels, Windows* windows, Stream s, Verdicts out,
              Msg* m) noexcept nogil:
    """Count the message and write what leaves: 1, or 0 where memory ended."""
    cdef Judged* j
    cdef const Verdict* v = &m.verdict
    cdef const Key* key = &w.key if w.keyed else NULL
    if not grow(out):
        return 0
    j = &out.judged[out.n]
    j.record = m.record
    count(w.counts, m)
    if labels != NULL:
        encode_entry(&j.entry, &out.blobs, m, labels)
    else:
        memset(&j.entry, 0, sizeof(Entry))
    j.json_start = out.json.n
    if w.form in (1, 3) and w.keyed and t != NULL:
        mark_operators(t, m)
    if w.form == 3:
        encode_fields(&out.json, m, labels, key)
    elif w.form == 1:
        encode_json(&out.json, m, &s.origin, labels, key)
    j.json_octets = <uint32_t>(out.json.n - j.json_start)
    out.n += 1
    if windows != NULL and (v.action >= REDIRECT or v.shadow_action >= REDIRECT or v.alert):
        tell(w, t, labels, windows, s, &out.json, j, m)
        if windows.now.text.failed or windows.kept.text.failed:
            return 0
    return not (out.json.failed or out.blobs.failed)


cdef void tell(Worker w, const PolicyTables* t, const Labels* labels, Windows* windows, Stream s, const Out* json,
               const Judged* j, Msg* m) noexcept nogil:
    """Ask for the event of a message. Where it is to be told by itself, or the first to be counted, it is kept."""
    cdef Kind kind
    cdef Tellings* where
    cdef Told* told
    memset(&kind, 0, sizeof(kind))
    kind.wire[0], kind.wire[1], kind.wire_digits = m.calling.gt.hi, m.calling.gt.lo, m.calling.gt.count
    kind.rule = j.entry.rule if j.entry.rule else j.entry.shadow_rule
    kind.action, kind.reason, kind.flags = j.entry.action, j.entry.reason, j.entry.flags
    where = flood_ask(windows, &kind)
    if where == NULL:
        return
    told = &where.p[where.n - 1]
    told.alert = m.verdict.alert
    if m.calling.n_norm:
        told.calling, told.calling_digits = m.calling.norm[0].key, m.calling.norm[0].digits
    if m.called.n_norm:
        told.called, told.called_digits = m.called.norm[0].key, m.called.norm[0].digits
    if w.form == 1:
        put(&where.text, json.p + j.json_start, j.json_octets)
    else:
        if w.keyed:
            mark_operators(t, m)
        encode_json(&where.text, m, &s.origin, labels, &w.key if w.keyed else NULL)
    where.text.n -= where.text.n > told.start      # an event has no end of line
    told.line_octets = <uint32_t>(where.text.n - told.start)
    if w.octets and m.sccp != NULL:
        told.octets = m.sccp_octets
        put(&where.text, m.sccp, m.sccp_octets)


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
    k.unusable_gts[m.called.trouble] += 1
    k.unusable_gts[m.calling.trouble] += 1
    for i in range(m.n_components):
        k.opcode_forms[m.components[i].opcode_form] += 1
        k.padded_opcodes += m.components[i].opcode_padded


def _count_again(Worker worker not None, int times):
    """For bench: what counting costs. The last messages judged are counted again."""
    cdef int i
    while times > 0:
        for i in range(worker.group.n):
            count(worker.counts, &worker.group.msgs[i])
        times -= 1
