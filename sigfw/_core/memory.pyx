from cpython.bytes cimport PyBytes_AS_STRING
from libc.math cimport log
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdio cimport snprintf
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memcpy, memset

import os

from sigfw._core.siphash cimport siphash

cdef extern from *:
    int __builtin_ctzll(unsigned long long) noexcept nogil
    int __builtin_popcountll(unsigned long long) noexcept nogil
    void __builtin_prefetch(const void*) noexcept nogil

SHELVES = ("locations", "sms", "dialogues", "answers", "rates")
cdef enum:
    CALLER_WORDS = 16          # 1,024 bits: within 5 % up to some 2,000 subscribers of a caller (linear counting)
    SKETCH_HEAD = 3            # words before the bits
    TARGET_WORDS = 2           # 128 bits: within 2 of up to some 60 callers of a subscriber
    FIRST_SETS = 64            # of a shelf, in use before one is full: what is close together stays in the caches
    MOST_NAMES = 1 << 20       # of changes, while a store is away: 16 MiB


# keys -----------------------------------------------------------------------------------------------------------------

cdef uint64_t memory_key(const Memory* m, uint64_t kind, uint64_t a, uint64_t b) noexcept nogil:
    """Never 0, which means free."""
    cdef uint64_t key = siphash(m.secret, kind, a, b)
    return key if key else 1


# shelves --------------------------------------------------------------------------------------------------------------

cdef inline bint living(const Shelf* s, const Remembered* r, uint32_t now) noexcept nogil:
    return now <= r.seconds or now - r.seconds <= s.lifetime_seconds


cdef inline uint64_t tag_of(uint64_t key) noexcept nogil:
    """An octet of the key that has no part in the choice of its set; never 0, which means free."""
    return key >> 56 or 1


cdef inline uint64_t places(uint64_t tags, uint64_t tag) noexcept nogil:
    """The top bit of each octet that is equal: of the lowest one surely, of those above it perhaps of others, too."""
    cdef uint64_t differ = tags ^ tag * <uint64_t>0x0101010101010101
    return (differ - <uint64_t>0x0101010101010101) & ~differ & <uint64_t>0x8080808080808080


cdef inline Remembered* slot_of(Shelf* s, uint64_t key) noexcept nogil:
    cdef uint64_t at = key & s.mask
    cdef uint64_t found = places(s.tags[at], tag_of(key))
    cdef Remembered* r
    while found:
        r = &s.slots[at * WAYS + (__builtin_ctzll(found) >> 3)]
        if r.key == key:
            return r
        found &= found - 1
    return NULL


cdef void fetch_ahead(const Memory* m, uint32_t shelf, uint64_t key) noexcept nogil:
    cdef const Shelf* s = &m.shelves[shelf]
    cdef uint64_t at = key & s.mask
    cdef uint64_t found = places(s.tags[at], tag_of(key)) or places(s.tags[at], 0)
    cdef const char* p
    if found:
        p = <const char*>&s.slots[at * WAYS + (__builtin_ctzll(found) >> 3)]
        __builtin_prefetch(p)
        __builtin_prefetch(p + sizeof(Remembered) - 1)  # half of them stand across two lines


cdef Remembered* recall(Memory* m, uint32_t shelf, uint64_t key) noexcept nogil:
    cdef Shelf* s = &m.shelves[shelf]
    cdef Remembered* r = slot_of(s, key)
    if r != NULL and living(s, r, m.now):
        s.hits += 1
        return r
    s.misses += 1
    return NULL


cdef void add_name(Names* names, uint32_t shelf, uint64_t key) noexcept nogil:
    """Beyond what there is room for, others do not learn of it, or it is not asked for: as where the store is away."""
    cdef Name* grown
    if names.n == names.room:
        if names.room >= MOST_NAMES:
            return
        grown = <Name*>realloc(names.p, (names.room * 2 or 1024) * sizeof(Name))
        if grown == NULL:
            return
        names.p = grown
        names.room = names.room * 2 or 1024
    names.p[names.n].key = key
    names.p[names.n].shelf = <uint8_t>shelf
    names.n += 1


cdef void want(Memory* m, uint32_t shelf, uint64_t key) noexcept nogil:
    add_name(&m.wanted, shelf, key)


cdef inline void changed(Memory* m, uint32_t shelf, uint64_t key) noexcept nogil:
    if m.shared and shelf < N_SHARED:
        add_name(&m.changes, shelf, key)


cdef void spread(Shelf* s) noexcept nogil:
    """Use twice as many sets: the next bit of an entry's key says whether it moves to the half that was free so far."""
    cdef uint64_t sets = s.mask + 1, moved, at
    cdef Remembered* r
    cdef int i
    for at in range(sets):
        moved = 0
        for i in range(WAYS):
            r = &s.slots[at * WAYS + i]
            if r.key & sets:
                moved |= <uint64_t>0xFF << 8 * i
                r[sets * WAYS] = r[0]
                memset(r, 0, sizeof(Remembered))
        s.tags[at + sets] = s.tags[at] & moved
        s.tags[at] &= ~moved
    s.mask = 2 * sets - 1


cdef Remembered* place(Shelf* s, uint64_t key, uint32_t now) noexcept nogil:
    """A free entry of the key's set; where it is full and no more sets are left, one whose time is over or the oldest."""
    cdef uint64_t at = key & s.mask, free_ = places(s.tags[at], 0)
    cdef Remembered* r
    cdef int i, way = 0
    while free_ == 0 and s.mask != s.last:
        spread(s)
        at = key & s.mask
        free_ = places(s.tags[at], 0)
    r = &s.slots[at * WAYS]
    if free_:
        way = __builtin_ctzll(free_) >> 3
        s.used += 1
    else:
        for i in range(1, WAYS):
            if r[i].seconds < r[way].seconds:
                way = i
        if living(s, &r[way], now):
            s.evicted += 1
            s.evicted_seconds = now
    s.tags[at] = s.tags[at] & ~(<uint64_t>0xFF << 8 * way) | tag_of(key) << 8 * way
    return &r[way]


cdef void empty(Shelf* s, Remembered* r) noexcept nogil:
    cdef uint64_t at = r - s.slots
    memset(r, 0, sizeof(Remembered))
    s.tags[at // WAYS] &= ~(<uint64_t>0xFF << 8 * (at % WAYS))
    s.used -= 1


cdef Remembered* remember(Memory* m, uint32_t shelf, uint64_t key) noexcept nogil:
    cdef Shelf* s = &m.shelves[shelf]
    cdef Remembered* r = slot_of(s, key)
    if r == NULL or not living(s, r, m.now):
        if r == NULL:
            r = place(s, key, m.now)
        memset(r, 0, sizeof(Remembered))
        r.key = key
    r.seconds = m.now
    changed(m, shelf, key)
    return r


cdef void forget(Memory* m, uint32_t shelf, uint64_t key) noexcept nogil:
    cdef Shelf* s = &m.shelves[shelf]
    cdef Remembered* r = slot_of(s, key)
    if r != NULL:
        empty(s, r)
    changed(m, shelf, key)


# sketches -------------------------------------------------------------------------------------------------------------

cdef uint64_t* sketch_of(Sketches* s, uint64_t key, uint32_t now, uint32_t half) noexcept nogil:
    """The slot of a key: its own, a free one, or that used longest ago, cleared."""
    cdef size_t each = SKETCH_HEAD + 2 * s.words
    cdef uint64_t* first = s.slots + (key & s.mask) * SKETCH_WAYS * each
    cdef uint64_t* p
    cdef uint64_t* found = NULL
    cdef uint32_t oldest = 0xFFFFFFFF
    cdef int i
    for i in range(SKETCH_WAYS):
        p = first + i * each
        if p[0] == key:
            return p
        if p[0] == 0:
            found = p
            oldest = 0
        elif <uint32_t>p[1] < oldest:
            found = p
            oldest = <uint32_t>p[1]
    if found == NULL:
        found = first
    if found[0] and now <= <uint32_t>found[1] + 2 * half:
        s.evicted += 1
    memset(found, 0, each * sizeof(uint64_t))
    found[0] = key
    found[1] = <uint64_t>now << 32 | now
    found[2] = s.words * 64
    return found


cdef double count_distinct(const Memory* m, Sketches* s, uint64_t key, uint64_t item, uint32_t window) noexcept nogil:
    """Linear counting (Whang et al. 1990) over two half windows."""
    cdef uint32_t half = (window + 1) // 2
    cdef uint32_t now = m.now
    cdef uint64_t* p = sketch_of(s, key, now, half)
    cdef uint64_t* bits = p + SKETCH_HEAD
    cdef uint32_t began = <uint32_t>(p[1] >> 32)
    cdef uint32_t n_bits = s.words * 64, i
    cdef uint64_t mask = <uint64_t>1 << item % 64
    if now > began and now - began >= half:
        p[2] = n_bits
        if now - began >= 2 * half:
            memset(bits, 0, 2 * s.words * sizeof(uint64_t))
            began = now
        else:
            memcpy(bits + s.words, bits, s.words * sizeof(uint64_t))
            memset(bits, 0, s.words * sizeof(uint64_t))
            began += half
            for i in range(s.words):
                p[2] -= __builtin_popcountll(bits[s.words + i])
    p[1] = <uint64_t>began << 32 | (now if now > <uint32_t>p[1] else <uint32_t>p[1])
    i = <uint32_t>(item % n_bits) >> 6
    if not (bits[i] | bits[s.words + i]) & mask:
        p[2] -= 1
    bits[i] |= mask
    return n_bits * log(<double>n_bits / (p[2] if p[2] else 1))


# State ----------------------------------------------------------------------------------------------------------------

cdef uint64_t sets_for(uint64_t entries, int ways) noexcept:
    """Half as many again as asked for: a set is full before all of them are."""
    cdef uint64_t sets = 1
    while sets * ways * 2 < entries * 3:
        sets <<= 1
    return sets


cdef class State:
    def __cinit__(self, *, uint64_t subscribers=250_000, uint64_t dialogues=262_144, uint64_t callers=16_384,
                  bint shared=False, secret=None):
        cdef uint64_t entries[N_SHELVES]
        cdef const uint8_t[::1] octets = bytes(secret) if secret is not None else os.urandom(16)
        cdef uint64_t sets
        cdef int i
        memset(&self.c, 0, sizeof(Memory))
        if octets.shape[0] < 16:
            raise ValueError("a secret has 16 octets")
        memcpy(self.c.secret, &octets[0], 16)
        self.c.shared = shared
        entries[SHELF_LOCATION] = 2 * subscribers      # a domain each, or an MSISDN beside
        entries[SHELF_SMS] = subscribers // 4 or 1
        entries[SHELF_DIALOGUE] = 2 * dialogues        # a side each
        entries[SHELF_ANSWER] = dialogues
        entries[SHELF_RATE] = 4 * callers
        for i in range(N_SHELVES):
            sets = sets_for(entries[i], WAYS)
            self.octets += sets * (WAYS * sizeof(Remembered) + sizeof(uint64_t))
            self.c.shelves[i].slots = <Remembered*>calloc(sets * WAYS, sizeof(Remembered))
            self.c.shelves[i].tags = <uint64_t*>calloc(sets, sizeof(uint64_t))
            self.c.shelves[i].last = sets - 1
            self.c.shelves[i].mask = min(sets, FIRST_SETS) - 1
            if self.c.shelves[i].slots == NULL or self.c.shelves[i].tags == NULL:
                raise MemoryError
        self.c.callers.words = CALLER_WORDS
        self.c.targets.words = TARGET_WORDS
        self.make(&self.c.callers, callers)
        self.make(&self.c.targets, 4 * callers)
        self.c.shelves[SHELF_LOCATION].lifetime_seconds = 30 * 86_400
        self.c.shelves[SHELF_SMS].lifetime_seconds = 3_600
        self.c.shelves[SHELF_DIALOGUE].lifetime_seconds = 600
        self.c.shelves[SHELF_ANSWER].lifetime_seconds = 86_400
        self.c.shelves[SHELF_RATE].lifetime_seconds = 3_600

    cdef int make(self, Sketches* s, uint64_t entries) except -1:
        cdef uint64_t sets = sets_for(entries, SKETCH_WAYS)
        cdef size_t each = (SKETCH_HEAD + 2 * s.words) * sizeof(uint64_t)
        s.mask = sets - 1
        s.slots = <uint64_t*>calloc(sets * SKETCH_WAYS, each)
        if s.slots == NULL:
            raise MemoryError
        self.octets += sets * SKETCH_WAYS * each
        return 0

    def __dealloc__(self):
        cdef int i
        for i in range(N_SHELVES):
            free(self.c.shelves[i].slots)
            free(self.c.shelves[i].tags)
        free(self.c.callers.slots)
        free(self.c.targets.slots)
        free(self.c.changes.p)
        free(self.c.wanted.p)

    @property
    def shared(self):
        return bool(self.c.shared)

    def sizes(self):
        return {(SHELVES[i],): self.c.shelves[i].used for i in range(N_SHELVES)}

    def counters(self):
        counts = {}
        for i in range(N_SHELVES):
            counts[SHELVES[i], "hit"] = self.c.shelves[i].hits
            counts[SHELVES[i], "miss"] = self.c.shelves[i].misses
            counts[SHELVES[i], "evicted"] = self.c.shelves[i].evicted
        counts["callers", "evicted"] = self.c.callers.evicted
        counts["targets", "evicted"] = self.c.targets.evicted
        return counts

    cdef bytes name(self, const Name* of):
        """As the store has it: 24 octets."""
        cdef char text[32]
        snprintf(text, sizeof(text), b"sigfw:%u:%016llx", <unsigned int>of.shelf, <unsigned long long>of.key)
        return text[:24]

    def changes(self):
        cdef uint32_t i
        cdef Remembered* r
        cdef const Name* name
        found = {}
        for i in range(self.c.changes.n):
            name = &self.c.changes.p[i]
            r = slot_of(&self.c.shelves[name.shelf], name.key)
            found[self.name(name)] = b"" if r == NULL else (<const char*>&r.a)[:VALUE_OCTETS]
        self.c.changes.n = 0
        return found

    def lifetime_seconds(self, int shelf):
        return self.c.shelves[shelf].lifetime_seconds

    cdef int take(self, const Name* name, bytes value) except -1:
        """What the shared store holds (None: nothing) stands for what was here; a value of another size is nothing."""
        cdef Shelf* s = &self.c.shelves[name.shelf]
        cdef Remembered* r = slot_of(s, name.key)
        cdef Remembered there
        if value is None or len(value) != VALUE_OCTETS:
            if r != NULL:
                empty(s, r)
            return 0
        there.key = name.key
        memcpy(&there.a, PyBytes_AS_STRING(value), VALUE_OCTETS)
        if r == NULL:
            r = place(s, name.key, there.seconds)
        r[0] = there
        return 0
