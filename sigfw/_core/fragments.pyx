"""What came in parts: a bounded table of datagrams and user messages, the least recently touched given up first.

A datagram has a buffer and a bit for each eight octets that came: fragments begin on such a boundary (RFC 791 3.1). A
user message is found by its parts (messages.pyx). Each part costs a bounded number of steps, so that time is linear in the
octets whatever they say.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcmp, memcpy, memset

from sigfw._core.msg cimport E_BAD_LENGTH, E_DUPLICATE, E_LENGTH_OVERRUN, E_MISSING, E_TOO_MANY, OK
from sigfw._core.wire cimport Cursor, cursor, left

cdef extern from "<sys/random.h>" nogil:
    int getentropy(void* buffer, size_t octets)

cdef enum:
    MAX_DATAGRAM = 65535   # octets behind the header: lengths have sixteen bits (RFC 791 3.1, RFC 8200 3)


# ---- table

cdef uint64_t hash_of(const Fragments* s, const uint64_t* key, uint32_t sequence) noexcept nogil:
    cdef uint64_t h = s.seed[0] ^ sequence
    cdef int i
    for i in range(5):
        h = (h ^ key[i]) * (s.seed[1] | 1)
        h ^= h >> 29
    return (h ^ sequence) * (s.seed[1] | 1) >> 20


cdef Node* find(const Fragments* s, const uint64_t* key, uint32_t sequence, uint64_t h) noexcept nogil:
    cdef Node* n = s.buckets[h % BUCKETS]
    while n != NULL:
        if n.hash == h and n.sequence == sequence and memcmp(n.of.key, key, 40) == 0:
            return n
        n = n.chain
    return NULL


cdef int enter(Fragments* s, Node* n, uint64_t h, uint32_t sequence, Partial* of) noexcept nogil:
    cdef Node* other = s.buckets[h % BUCKETS]
    cdef int chain = 0
    while other != NULL:
        other = other.chain
        chain += 1
    if chain >= MAX_CHAIN:
        return 0
    n.hash = h
    n.sequence = sequence
    n.of = of
    n.chain = s.buckets[h % BUCKETS]
    s.buckets[h % BUCKETS] = n
    return 1


cdef void leave(Fragments* s, Node* n) noexcept nogil:
    cdef Node** at = &s.buckets[n.hash % BUCKETS]
    while at[0] != n:
        at = &at[0].chain
    at[0] = n.chain


# ---- order of touch, and giving up

cdef void unlink(Fragments* s, Partial* p) noexcept nogil:
    if p.older != NULL:
        p.older.newer = p.newer
    else:
        s.oldest = p.newer
    if p.newer != NULL:
        p.newer.older = p.older
    else:
        s.newest = p.older
    s.n -= 1


cdef void append(Fragments* s, Partial* p) noexcept nogil:
    p.older = s.newest
    p.newer = NULL
    if s.newest != NULL:
        s.newest.newer = p
    else:
        s.oldest = p
    s.newest = p
    s.n += 1
    p.frame = s.frame
    p.time_ns = s.time_ns
    p.offset = s.offset


cdef void charge(Fragments* s, Partial* p, int64_t octets) noexcept nogil:
    p.cost += <uint32_t>octets
    s.held += <uint64_t>octets


cdef int is_lost(const Partial* p) noexcept nogil:
    """Not whole, and nothing said so yet: what was refused was an error of each part from then on."""
    return p.code == OK and not (p.given and not p.changed)


cdef void take_out(Fragments* s, Partial* p) noexcept nogil:
    """Out of the table and the order, its octets freed; the Partial itself is the caller's."""
    cdef Part* part = p.first
    cdef Part* after
    if p.key[0] & 0xFF != USER_MESSAGE:
        leave(s, &p.node)
    while part != NULL:
        after = part.after
        leave(s, &part.node)
        free(part)
        part = after
    free(p.data)
    p.first = p.last = NULL
    p.data = NULL
    unlink(s, p)
    s.held -= p.cost


cdef void give_up(Fragments* s, Partial* p, uint8_t code) noexcept nogil:
    take_out(s, p)
    if not is_lost(p):
        free(p)
        return
    p.code = code
    p.newer = NULL
    if s.lost != NULL:
        s.lost_last.newer = p
    else:
        s.lost = p
    s.lost_last = p


cdef int make_room(Fragments* s, uint64_t octets, const Partial* keep) noexcept nogil:
    """Room for so many octets of `keep`, or of a new one (NULL): 1, or 0 where that one alone takes too much."""
    cdef Partial* p = s.oldest
    cdef Partial* newer
    while p != NULL and (s.held + octets > MAX_HELD or s.n + (keep == NULL) > MAX_PARTIALS):
        newer = p.newer
        if p != keep:
            give_up(s, p, E_TOO_MANY)
        p = newer
    return s.held + octets <= MAX_HELD


cdef Partial* new_partial(Fragments* s, const uint64_t* key) noexcept nogil:
    cdef Partial* p
    if not make_room(s, sizeof(Partial), NULL):
        return NULL
    p = <Partial*>calloc(1, sizeof(Partial))
    if p == NULL:
        return NULL
    memcpy(p.key, key, 40)
    append(s, p)
    charge(s, p, sizeof(Partial))
    return p


cdef Given* new_given(uint32_t octets) noexcept nogil:
    cdef Given* g = <Given*>malloc(sizeof(Given) + octets)
    if g != NULL:
        g.next = NULL
        g.octets = octets
    return g


# ---- datagrams

cdef int grow(Fragments* s, Partial* p, uint32_t end) noexcept nogil:
    cdef uint32_t room = p.room * 2 if p.room else 2048
    cdef uint8_t* data
    if end <= p.room:
        return 1
    while room < end:
        room *= 2
    if not make_room(s, room - p.room, p):
        return 0
    data = <uint8_t*>realloc(p.data, room)
    if data == NULL:
        return 0
    p.data = data
    charge(s, p, room - p.room)
    p.room = room
    return 1


cdef inline int repeats(const Partial* p, uint32_t at, const uint8_t* octets, uint32_t n) noexcept nogil:
    return at + n <= p.given_total and memcmp(p.data + at, octets, n) == 0


cdef int put_units(Partial* p, const IpPart* part) noexcept nogil:
    """Copy what is new, compare what was there: OK, or E_DUPLICATE where they differ."""
    cdef uint32_t at = 0
    cdef uint32_t octets = left(&part.octets)
    cdef uint32_t unit, n
    while at < octets:
        unit = (part.at + at) >> 3
        n = 8 if octets - at > 8 else octets - at
        if p.units[unit >> 3] >> (unit & 7) & 1:
            if memcmp(p.data + part.at + at, part.octets.p + at, n) != 0:
                return E_DUPLICATE
        else:
            if p.given and not p.changed:
                p.changed = not repeats(p, part.at + at, part.octets.p + at, n)
            memcpy(p.data + part.at + at, part.octets.p + at, n)
            p.units[unit >> 3] |= <uint8_t>(1 << (unit & 7))
            p.n_units += 1
        at += n
    return OK


cdef int whole_datagram(Fragments* s, Partial* p, Cursor* whole, uint8_t* protocol) noexcept nogil:
    cdef Given* g = new_given(p.total)
    if g == NULL:
        return E_TOO_MANY
    memcpy(octets_of(g, sizeof(Given)), p.data, p.total)
    fragments_datagram_done(s, 0)
    s.datagram = g
    whole[0] = cursor(octets_of(g, sizeof(Given)), p.total)
    protocol[0] = p.protocol
    p.given = 1
    p.given_total = p.total
    p.changed = 0
    p.total = p.end = p.n_units = 0
    memset(p.units, 0, sizeof(p.units))
    return OK


cdef int refuse(Partial* p, int code) noexcept nogil:
    p.code = <uint8_t>code
    return code


cdef int fragments_ip(Fragments* s, const IpPart* part, Cursor* whole, uint8_t* protocol) noexcept nogil:
    cdef uint64_t key[5]
    cdef uint64_t h
    cdef uint32_t end = part.at + left(&part.octets)
    cdef Node* node
    cdef Partial* p
    cdef int code
    if left(&part.octets) == 0 or (part.more and left(&part.octets) & 7):
        return E_BAD_LENGTH
    if end > MAX_DATAGRAM:
        return E_LENGTH_OVERRUN
    memset(key, 0, sizeof(key))
    key[0] = <uint64_t>part.id << 16 | <uint32_t>(part.protocol if part.version == 4 else 0) << 8 | part.version
    memcpy(&key[1], part.addresses, 8 if part.version == 4 else 32)
    h = hash_of(s, key, 0)
    node = find(s, key, 0, h)
    if node != NULL:
        p = node.of
        touch(s, p)
    else:
        p = new_partial(s, key)
        if p == NULL:
            return E_TOO_MANY
        if not enter(s, &p.node, h, 0, p):
            unlink(s, p)
            s.held -= p.cost
            free(p)
            return E_TOO_MANY
    if p.code:
        return p.code
    if not grow(s, p, end):
        return refuse(p, E_TOO_MANY)
    if (p.total and end > p.total) or (not part.more and (p.end > end or (p.total and end != p.total))):
        return refuse(p, E_DUPLICATE)
    if not part.more:
        p.total = end
        if p.given and end != p.given_total:
            p.changed = 1
    if end > p.end:
        p.end = end
    if part.at == 0:
        p.protocol = part.protocol
    code = put_units(p, part)
    if code != OK:
        return refuse(p, code)
    if p.total == 0 or p.n_units < (p.total + 7) >> 3:
        return HELD
    return whole_datagram(s, p, whole, protocol)


# ---- one for a Framer

cdef Fragments* fragments_new() noexcept nogil:
    cdef Fragments* s = <Fragments*>calloc(1, sizeof(Fragments))
    if s != NULL and getentropy(s.seed, sizeof(s.seed)) != 0:
        free(s)
        return NULL
    return s


cdef void free_all(Given* g) noexcept nogil:
    cdef Given* after
    while g != NULL:
        after = g.next
        free(g)
        g = after


cdef void fragments_free(Fragments* s) noexcept nogil:
    cdef Partial* p
    if s == NULL:
        return
    fragments_finish(s)
    p = fragments_lost(s)
    while p != NULL:
        free(p)
        p = fragments_lost(s)
    free_all(s.given)
    free(s.datagram)
    free(s.message)
    free(s)


cdef void done(Fragments* s, Given** g, int used) noexcept nogil:
    if g[0] == NULL:
        return
    if used:
        g[0].next = s.given
        s.given = g[0]
    else:
        free(g[0])
    g[0] = NULL


cdef void fragments_message_done(Fragments* s, int used) noexcept nogil:
    done(s, &s.message, used)


cdef void fragments_datagram_done(Fragments* s, int used) noexcept nogil:
    done(s, &s.datagram, used)


cdef void fragments_recycle(Fragments* s) noexcept nogil:
    free_all(s.given)
    s.given = NULL


cdef Fragments* fragments_ready(Fragments** of, uint32_t frame, int64_t time_ns, uint64_t offset) noexcept nogil:
    cdef Fragments* s = of[0]
    if s == NULL:
        s = of[0] = fragments_new()
        if s == NULL:
            return NULL
    s.frame = frame
    s.time_ns = time_ns
    s.offset = offset
    while s.oldest != NULL and frame - s.oldest.frame >= MAX_AGE_FRAMES:
        give_up(s, s.oldest, E_MISSING)
    return s


cdef void fragments_turn(Fragments* s, uint16_t index) noexcept nogil:
    cdef Partial* p = s.newest
    while p != NULL and p.frame == s.frame:
        p.index = index
        index += 1
        p = p.older


cdef void fragments_finish(Fragments* s) noexcept nogil:
    while s.oldest != NULL:
        give_up(s, s.oldest, E_MISSING)


cdef Partial* fragments_lost(Fragments* s) noexcept nogil:
    cdef Partial* p = s.lost
    if p != NULL:
        s.lost = p.newer
    return p
