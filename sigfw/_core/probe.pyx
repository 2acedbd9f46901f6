# A message written down by hand, through the stages that judge: how the tests ask the classifier without octets.

from libc.stdlib cimport calloc, free
from libc.stdint cimport uint32_t

from sigfw._core.classifier cimport classify_group, resolve_links
from sigfw._core.gttable cimport gttable_group, operator_digits
from sigfw._core.msg cimport *
from sigfw._core.normalise cimport normalise_group
from sigfw._core.tables cimport Tables
from sigfw._core.trace cimport trace_message


cdef int put_digits(Digits* d, str digits) except -1:
    for character in digits:
        push_digit(d, int(character, 16))
    return 0


cdef int put_party(Party* p, dict values) except -1:
    p.present = 1
    if "gt" in values:
        p.has |= HAS_GT
        put_digits(&p.gt, values["gt"])
    if "pc" in values:
        p.has |= HAS_PC
        p.pc = values["pc"]
    if "ssn" in values:
        p.has |= HAS_SSN
        p.ssn = values["ssn"]
    if "tt" in values:
        p.has |= HAS_TT
        p.tt = values["tt"]
    if "np" in values:
        p.has |= HAS_NP
        p.np = values["np"]
    if "nai" in values:
        p.has |= HAS_NAI
        p.nai = values["nai"]
    p.gti = values.get("gti", 0)
    return 0


cdef int put_component(Component* c, dict values) except -1:
    c.type = values.get("type", INVOKE)
    c.opcode_form = values.get("opcode_form", OPCODE_LOCAL)
    c.opcode = values.get("opcode", 0)
    c.oid_offset = values.get("oid_offset", 0)
    c.oid_octets = values.get("oid_octets", 0)
    for reading in values.get("readings", ())[:MAX_READINGS]:
        c.reading[c.n_readings] = reading
        c.n_readings += 1
    c.acn_misfit = values.get("acn_misfit", 0)
    c.ssn_misfit = values.get("ssn_misfit", 0)
    c.imsi_missing = values.get("imsi_missing", 0)
    c.requested_info = values.get("requested_info", 0)
    return 0


cdef int put_number(Number* n, dict values) except -1:
    put_digits(&n.d, values["digits"])
    n.kind = values["kind"]
    n.nature = values.get("nature", 1)
    n.plan = values.get("plan", 1)
    n.role = values.get("role", 0)
    n.name = values.get("name", 0)
    n.origin = values.get("origin", 0)
    return 0


cdef int put_message(Group* g, Msg* m, dict values, const unsigned char[::1] data) except -1:
    m.sccp = &data[0] if values.get("sccp", True) else NULL
    m.data = &data[0]
    m.data_octets = <uint32_t>data.shape[0]
    m.encapsulation = values.get("encapsulation", ENCAP_SCCP)
    m.type = values.get("type", SCCP_UDT)
    m.tcap = values.get("tcap", 0)
    m.return_on_error = values.get("return_on_error", 0)
    m.has_mtp = "opc" in values
    m.mtp_from_headers = values.get("mtp_from_headers", 0)
    m.opc = values.get("opc", 0)
    m.dpc = values.get("dpc", 0)
    m.sls = values.get("sls", 0)
    m.ni = values.get("ni", 0)
    m.header_perimeter = values.get("header_perimeter", 0)
    m.expired = values.get("expired", 0)
    m.has_return_cause = "return_cause" in values
    m.return_cause = values.get("return_cause", 0)
    m.segmented = values.get("segmented", 0)
    m.segment_first = values.get("segment_first", 0)
    m.segment_state = values.get("segment_state", SEGMENT_NONE)
    m.management = values.get("management", 0)
    m.acn_offset = values.get("acn_offset", 0)
    m.acn_octets = values.get("acn_octets", 0)
    m.acn_application = values.get("acn_application", 0)
    m.acn_version = values.get("acn_version", 0)
    m.has_sms = "sms_pid" in values
    m.sms_pid = values.get("sms_pid", 0)
    m.sms_dcs = values.get("sms_dcs", 0)
    m.requested_info = values.get("requested_info", 0)
    m.exceptions = values.get("exceptions", 0)
    put_party(&m.called, values.get("called", {}))
    put_party(&m.calling, values.get("calling", {}))
    m.components = &g.components[0]
    m.numbers = &g.numbers[0]
    for one in values.get("components", ())[:MAX_COMPONENTS]:
        put_component(&m.components[m.n_components], one)
        m.n_components += 1
    for one in values.get("numbers", ())[:MAX_NUMBERS]:
        put_number(&m.numbers[m.n_numbers], one)
        m.n_numbers += 1
    return 0


cdef dict shown(Tables tables, const Msg* m, const Counters* k):
    cdef const Verdict* v = &m.verdict
    cdef int i, j
    return {
        "action": v.action, "reason": v.reason, "rule": v.rule, "category": v.category, "component": v.component,
        "shadow": (v.shadow_action, v.shadow_reason, v.shadow_rule), "alert": bool(v.alert), "mode": v.mode,
        "redirect": v.redirect, "return_cause": v.return_cause, "link": m.link, "perimeter": m.perimeter,
        "direction": m.direction, "exceptions": m.exceptions, "conflicts": k.link_header_conflicts,
        "checks": {(i, j): k.checks[i][j] for i in range(N_CHECKS) for j in range(3) if k.checks[i][j]},
        "applied": {(i, j): k.exceptions[i][j] for i in range(N_EXCEPTIONS) for j in range(N_ACTIONS)
                    if k.exceptions[i][j]},
        "rules": {i: k.rules[i] for i in range(MAX_RULES + 1) if k.rules[i]},
        "calling_classes": [m.calling.norm[i].cls for i in range(m.calling.n_norm)],
        "calling_operator_digits": [operator_digits(&tables.c, &m.calling.norm[i]) for i in range(m.calling.n_norm)],
    }


def judge(Tables tables, dict message, *, bytes data=b"\0", int perimeter=0, str topic="", modes=(0, 0, 0, 0), trace=False):
    cdef Context ctx
    cdef Group* g
    cdef Counters* k
    cdef int i
    if len(data) == 0:
        raise ValueError("data: one octet at least")
    ctx.encapsulation = ENCAP_SCCP
    ctx.perimeter = perimeter
    ctx.variant = 1
    ctx.topic = tables.topic_number(topic)
    ctx.now_ns = 0
    ctx.deadline_ns = 0
    ctx.replies = NULL
    for i in range(N_PERIMETERS):
        ctx.mode[i] = modes[i]
    g = <Group*>calloc(1, sizeof(Group))
    k = <Counters*>calloc(1, sizeof(Counters))
    try:
        if g == NULL or k == NULL:
            raise MemoryError
        g.n = 1
        put_message(g, &g.msgs[0], message, data)
        with nogil:
            resolve_links(&tables.c, &ctx, g, k)
            normalise_group(&tables.c, g)
            gttable_group(&tables.c, g)
            classify_group(&tables.c, &ctx, NULL, g, k)
        found = shown(tables, &g.msgs[0], k)
        if trace:
            found["trace"] = trace_message(tables, &g.msgs[0])
        return found
    finally:
        free(g)
        free(k)
