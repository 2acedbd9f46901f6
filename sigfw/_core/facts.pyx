# What the stages found of one message beyond its JSON, as Python objects: for `explain`, never on the service's path.

from sigfw._core.msg cimport (
    ROLE_CAMEL_GSMSCF, ROLE_NODE, ROLE_OPEN_DESTINATION, ROLE_OPEN_ORIGINATION, ROLE_SM_RP_DA, ROLE_SM_RP_OA,
    SEGMENT_FINAL, Component, Digits, Msg, Norm, Number, digit_at,
)
from sigfw._core.mapop cimport field_name
from sigfw._core.tables cimport Tables
from sigfw._core.trace cimport check_outcomes

from sigfw import names

cdef tuple ROLES = (
    (ROLE_SM_RP_OA, "sm_rp_oa"),
    (ROLE_SM_RP_DA, "sm_rp_da"),
    (ROLE_CAMEL_GSMSCF, "camel.gsmscf"),
    (ROLE_NODE, "node"),
    (ROLE_OPEN_DESTINATION, "map.open.destination_reference"),
    (ROLE_OPEN_ORIGINATION, "map.open.origination_reference"),
)


cdef str text(const Digits* d):
    return "".join(["0123456789abcdef"[digit_at(d, i)] for i in range(d.count)])


cdef list readings(const Norm* norm, int n):
    cdef int i, k
    return [
        (names.SPACES[norm[i].space], "".join([str(norm[i].key >> (60 - 4 * k) & 15) for k in range(norm[i].digits)]))
        for i in range(n)
    ]


cdef dict number(const Number* n):
    return {
        "kind": names.NUMBER_KINDS[n.kind],
        "name": field_name(n.name).decode(),
        "digits": text(&n.d),
        "origin": n.origin,
        "roles": [name for bit, name in ROLES if n.role & bit],
        "readings": readings(&n.norm[0], n.n_norm),
    }


cdef dict message_facts(Tables tables, Msg* m):
    cdef const Component* c
    cdef int i, r
    checks = {}
    for i in range(m.n_components or 1):
        c = &m.components[i] if m.n_components else NULL
        for r in range(-1 if c == NULL or c.n_readings == 0 else 0, c.n_readings if c != NULL else 0):
            checks[i if c != NULL else -1, r] = check_outcomes(tables, m, c, r)
    return {
        "octets": (<const char*>m.sccp)[:m.sccp_octets] if m.sccp != NULL else None,
        "whole": (<const char*>m.data)[:m.data_octets] if m.data != NULL and m.segment_state == SEGMENT_FINAL else None,
        "variant": names.VARIANTS[m.variant],
        "link": tables.links[m.link],
        "direction": names.DIRECTIONS[m.direction],
        "segment": names.SEGMENT_STATES[m.segment_state],
        "called": readings(&m.called.norm[0], m.called.n_norm),
        "calling": readings(&m.calling.norm[0], m.calling.n_norm),
        "trouble": {"called": names.GT_TROUBLES[m.called.trouble], "calling": names.GT_TROUBLES[m.calling.trouble]},
        "numbers": [number(&m.numbers[i]) for i in range(m.n_numbers)],
        "sms": (m.sms_pid, m.sms_dcs) if m.has_sms else None,
        "requested_info": [name for i, name in enumerate(names.REQUESTED_INFO) if m.requested_info >> i & 1],
        "exceptions": [name for i, name in enumerate(names.EXCEPTIONS) if m.exceptions >> i & 1],
        "checks": checks,
    }
