"""User messages of SCTP in parts: a new part looks for those before and after it in the table, and joins two sequences.

A sequence is of consecutive TSNs (RFC 9260 6.9) or FSNs (RFC 8260 2.1) of one key; it is whole where it begins with a part
that has the flag B and ends with one that has E.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcmp, memcpy, memset

from sigfw._core.fragments cimport (
    HELD,
    PART_COST,
    USER_MESSAGE,
    Fragments,
    Given,
    Part,
    Partial,
    SctpPart,
    charge,
    enter,
    find,
    fragments_message_done,
    hash_of,
    leave,
    make_room,
    new_given,
    new_partial,
    octets_of,
    touch,
    unlink,
)
from sigfw._core.limits cimport MAX_FRAGMENTS, MAX_USER_MESSAGE
from sigfw._core.msg cimport E_BAD_LENGTH, E_DUPLICATE, E_TOO_MANY, OK
from sigfw._core.wire cimport Cursor, cursor, left

cdef enum:
    AGAIN = -2

    LAST = 1               # flag E
    FIRST = 2              # flag B
    UNORDERED = 4          # flag U


cdef Part* neighbour(const Fragments* s, const uint64_t* key, uint32_t sequence, uint8_t ends) noexcept nogil:
    """The part of that number, unless its message ends (or begins) there."""
    cdef Part* part = <Part*>find(s, key, sequence, hash_of(s, key, sequence))
    return NULL if part == NULL or part.flags & ends else part


cdef Partial* join(Fragments* s, Partial* before, Partial* after) noexcept nogil:
    """Two sequences become one: the parts of the shorter change hands, so that none does so often."""
    cdef Partial* into = before if before.n_parts >= after.n_parts else after
    cdef Partial* gone = after if into == before else before
    cdef Part* part = gone.first
    cdef uint32_t _i
    for _i in range(gone.n_parts):
        part.node.of = into
        part = part.after
    before.last.after = after.first
    into.last = after.last
    into.first = before.first
    into.n_parts += gone.n_parts
    into.octets += gone.octets
    into.cost += gone.cost
    into.code = into.code if into.code else gone.code
    unlink(s, gone)
    free(gone)
    return into


cdef Partial* place(Fragments* s, const uint64_t* key, Part* part) noexcept nogil:
    """Into the table, joined with what stands beside it: the sequence it is in then, or NULL where it found no room."""
    cdef uint32_t sequence = part.node.sequence
    cdef Part* before = NULL
    cdef Part* after = NULL
    cdef Partial* p
    if not make_room(s, sizeof(Partial) + part.octets + PART_COST, NULL):
        return NULL
    if not part.flags & FIRST:
        before = neighbour(s, key, sequence - 1, LAST)
    if not part.flags & LAST:
        after = neighbour(s, key, sequence + 1, FIRST)
    p = before.node.of if before != NULL else after.node.of if after != NULL else new_partial(s, key)
    if p == NULL or not enter(s, &part.node, hash_of(s, key, sequence), sequence, p):
        if p != NULL and p.n_parts == 0:
            unlink(s, p)
            s.held -= p.cost
            free(p)
        return NULL
    part.after = p.first if before == NULL else NULL
    if before != NULL:
        before.after = part
    if p.n_parts == 0 or before != NULL:
        p.last = part
    if p.n_parts == 0 or before == NULL:
        p.first = part
    p.n_parts += 1
    p.octets += part.octets
    charge(s, p, part.octets + PART_COST)
    if before != NULL and after != NULL:
        p = join(s, p, after.node.of)
    touch(s, p)
    if p.code == OK and (p.n_parts > MAX_FRAGMENTS or p.octets > MAX_USER_MESSAGE):
        p.code = E_TOO_MANY
    return p


cdef void start_over(Fragments* s, Partial* run) noexcept nogil:
    """Its sequence numbers now stand for another message: what came again since it was given belongs to that one."""
    cdef Part* part = run.first
    cdef Part* after = part
    while after != NULL:
        leave(s, &after.node)
        after = after.after
    unlink(s, run)
    s.held -= run.cost
    while part != NULL:
        after = part.after
        if not part.again or place(s, run.key, part) == NULL:
            free(part)
        else:
            part.again = 0
        part = after
    free(run)


cdef int whole_message(Fragments* s, Partial* run, Cursor* whole, uint32_t* ppid) noexcept nogil:
    cdef Given* g = new_given(run.octets)
    cdef Part* part = run.first
    cdef uint8_t* to
    if g == NULL:
        return E_TOO_MANY
    to = octets_of(g, sizeof(Given))
    whole[0] = cursor(to, run.octets)
    ppid[0] = part.ppid
    while part != NULL:
        memcpy(to, octets_of(part, sizeof(Part)), part.octets)
        to += part.octets
        part.again = 0
        part = part.after
    run.given = 1
    run.n_again = 0
    fragments_message_done(s, 0)
    s.message = g
    return OK


cdef int come_again(Fragments* s, Part* part, const SctpPart* new, Cursor* whole, uint32_t* ppid) noexcept nogil:
    """A part whose number is there: HELD or OK where it repeats it, E_DUPLICATE, or AGAIN where numbers start over."""
    cdef Partial* run = part.node.of
    touch(s, run)
    if run.code:
        return run.code
    if (
        part.flags == new.flags & (FIRST | LAST)
        and part.octets == left(&new.octets)
        and memcmp(octets_of(part, sizeof(Part)), new.octets.p, part.octets) == 0
    ):
        if not run.given:
            return HELD
        run.n_again += not part.again
        part.again = 1
        return whole_message(s, run, whole, ppid) if run.n_again == run.n_parts else HELD
    if not run.given or part.again:
        run.code = E_DUPLICATE
        return E_DUPLICATE
    start_over(s, run)
    return AGAIN


cdef int fragments_sctp(Fragments* s, const SctpPart* new, Cursor* whole, uint32_t* ppid) noexcept nogil:
    cdef uint64_t key[5]
    cdef Part* part
    cdef Partial* run
    cdef int code
    if left(&new.octets) == 0:
        return E_BAD_LENGTH
    if left(&new.octets) > MAX_USER_MESSAGE:
        return E_TOO_MANY
    memset(key, 0, sizeof(key))
    key[0] = <uint64_t>new.stream << 32 | <uint32_t>(new.flags & UNORDERED) << 16 | <uint32_t>new.type << 8 | USER_MESSAGE
    key[1] = <uint64_t>new.ports << 32 | new.tag
    key[2] = new.number
    part = <Part*>find(s, key, new.sequence, hash_of(s, key, new.sequence))
    if part != NULL:
        code = come_again(s, part, new, whole, ppid)
        if code != AGAIN:
            return code
    part = <Part*>malloc(sizeof(Part) + left(&new.octets))
    if part == NULL:
        return E_TOO_MANY
    memset(part, 0, sizeof(Part))
    part.node.sequence = new.sequence
    part.octets = left(&new.octets)
    part.ppid = new.ppid
    part.flags = new.flags & (FIRST | LAST)
    memcpy(octets_of(part, sizeof(Part)), new.octets.p, part.octets)
    run = place(s, key, part)
    if run == NULL:
        free(part)
        return E_TOO_MANY
    if run.code:
        return run.code
    if run.first.flags & FIRST and run.last.flags & LAST:
        return whole_message(s, run, whole, ppid)
    return HELD
