# Every rule tried on one message, as Python objects: for `explain`, never on the service's path.

from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from sigfw._core.conditions cimport (
    FIRST_STATE_CHECK, OF_COMPONENT, Eval, Left, Tally, component_check, component_fields, message_check, message_fields,
    run_checks, state_tally,
)
from sigfw._core.msg cimport ALLOW, N_CHECKS, Component, Counters, Msg
from sigfw._core.tables cimport PolicyTables, Tables

from sigfw import names


cdef list failed_in(const PolicyTables* t, const Left* l, str name, list failed):
    cdef uint32_t i
    for i in range(t.n_rules):
        if not l.first <= i >> 6 < l.end or not l.bits[i >> 6] >> (i & 63) & 1:
            failed[i].append(name)
    return failed


cdef list failed_fields(Tables tables, const Msg* m, const Component* c, int reading, uint64_t* any_unsure):
    """By rule, the fields that do not hold: each field alone, by the rows that decide. any_unsure: see and_values."""
    cdef const PolicyTables* t = &tables.c
    cdef PolicyTables one
    cdef Left left
    cdef uint32_t i, w
    failed = [[] for _ in range(t.n_rules)]

    for i in range(t.n_small + t.n_ints + t.n_numbers + 4):
        one = t[0]
        one.n_early = one.n_message = one.n_small = one.n_ints = one.n_party = one.n_numbers = 0
        one.acn.rows = one.opcode.rows = one.operation_rows = one.requested_rows = NULL
        if i < t.n_small:
            one.small = &t.small[i]
            one.n_small = 1
            one.n_message = i < t.n_message
            name = tables.small_names[i]
        elif i - t.n_small < t.n_ints:
            one.ints = &t.ints[i - t.n_small]
            one.n_ints = 1
            name = tables.int_names[i - t.n_small]
        elif i - t.n_small - t.n_ints < t.n_numbers:
            one.numbers = &t.numbers[i - t.n_small - t.n_ints]
            one.n_numbers = 1
            one.n_party = i - t.n_small - t.n_ints < t.n_party
            name = tables.number_names[i - t.n_small - t.n_ints]
        else:
            name = ("acn", "opcode", "operation", "requested_info")[i - t.n_small - t.n_ints - t.n_numbers]
            if name == "acn":
                one.acn = t.acn
            elif name == "opcode":
                one.opcode = t.opcode
            elif name == "operation":
                one.operation_rows = t.operation_rows
            else:
                one.requested_rows = t.requested_rows
        message_fields(&one, m, &left, False)
        component_fields(&one, m, c, reading, NULL, &left)
        for w in range(left.first, left.end):
            any_unsure[w] |= left.unsure[w]
        failed_in(t, &left, name, failed)
    return failed


cdef list trace_reading(Tables tables, Msg* m, const Component* c, int reading, Counters* k):
    cdef Eval e
    cdef Left left
    cdef uint32_t i
    left.first = 0
    left.end = tables.c.n_words
    memset(left.bits, 0xFF, sizeof(left.bits))
    memset(left.unsure, 0, sizeof(left.unsure))
    failed = failed_fields(tables, m, c, reading, left.unsure)
    memset(&e, 0, sizeof(e))
    e.base = left
    e.t = &tables.c
    e.m = m
    e.k = k
    run_checks(&e, c, reading, &left)
    failed_in(&tables.c, &left, "check", failed)
    rules = []
    done = {"enforce": set(), "shadow": set()}
    for i in range(tables.c.n_rules):
        rule = &tables.c.rules[i]
        mode = tables.rule_modes[i + 1]
        decided = False
        if not failed[i] and mode != "off":
            decided = done[mode] is not None and rule.category not in done[mode]
            for one in ("enforce", "shadow") if mode == "enforce" else ("shadow",):
                if done[one] is None or rule.category in done[one]:
                    continue
                if not left.unsure[i >> 6] >> (i & 63) & 1:
                    done[one].add(rule.category)
                if rule.final and rule.action == ALLOW:
                    done[one] = None
        rules.append((i + 1, not failed[i], failed[i], decided))
    return rules


cdef dict check_outcomes(Tables tables, const Msg* m, const Component* c, int reading):
    cdef uint32_t check
    cdef Tally tally
    said = {}
    for check in range(1, N_CHECKS):
        tally.n = 0
        tally.yes = 0
        if (1 << check) & OF_COMPONENT:
            component_check(c, reading, check, &tally)
        elif check < FIRST_STATE_CHECK:
            message_check(&tables.c, m, check, &tally)
        else:
            state_tally(m, check, &tally)
        if tally.n == 0:
            said[names.CHECKS[check]] = "unknown"
        elif tally.yes and tally.yes < tally.n:
            said[names.CHECKS[check]] = "both"
        else:
            said[names.CHECKS[check]] = "true" if tally.yes else "false"
    return said


cdef list trace_message(Tables tables, Msg* m):
    cdef const Component* c
    cdef int i, r
    cdef Counters* k = <Counters*>calloc(1, sizeof(Counters))
    if k == NULL:
        raise MemoryError
    try:
        found = []
        for i in range(m.n_components or 1):
            c = &m.components[i] if m.n_components else NULL
            for r in range(-1 if c == NULL or c.n_readings == 0 else 0, c.n_readings if c != NULL else 0):
                found.append((i if c != NULL else -1, r, trace_reading(tables, m, c, r, k)))
        return found
    finally:
        free(k)
