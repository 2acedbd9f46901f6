# Floods of events. What is only counted costs a look-up: no JSON is written of it, and nothing reaches Python.

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memcmp, memcpy, memset

import os
from collections import namedtuple

from sigfw._core.encode cimport number
from sigfw._core.out cimport out_free, put
from sigfw._core.siphash cimport siphash

Telling = namedtuple("Telling", ("line", "alert", "calling", "called", "octets", "messages"))

cdef enum:
    MOST_DIGITS = 16               # that a GT is looked up by


cdef int add(Tellings* t) noexcept nogil:
    """Room for one more, zeroed, its text behind that of the others: 1, or 0 where there is none."""
    cdef uint32_t room = t.room * 2 or 64
    cdef Told* p
    if t.n == t.room:
        p = <Told*>realloc(t.p, room * sizeof(Told))
        if p == NULL:
            t.text.failed = 1
            return 0
        t.p, t.room = p, room
    memset(&t.p[t.n], 0, sizeof(Told))
    t.p[t.n].count = 1
    t.p[t.n].start = t.text.n
    t.n += 1
    return 1


cdef void close(Windows* f) noexcept nogil:
    """End all windows: what was counted is to be told."""
    cdef uint32_t i
    cdef uint64_t start
    for i in range(f.kept.n):
        if not add(&f.now):
            return
        start = f.now.p[f.now.n - 1].start
        f.now.p[f.now.n - 1] = f.kept.p[i]
        f.now.p[f.now.n - 1].start = start
        put(&f.now.text, f.kept.text.p + f.kept.p[i].start, <size_t>f.kept.p[i].line_octets + f.kept.p[i].octets)
    f.kept.n = 0
    f.kept.text.n = 0
    f.n = 0
    memset(f.slots, 0, (f.mask + 1) * sizeof(uint32_t))


cdef uint32_t slot_of(const Windows* f, const Kind* kind) noexcept nogil:
    """Where the window of the kind stands, or belongs."""
    cdef const uint64_t* words = <const uint64_t*>kind
    cdef uint32_t slot = <uint32_t>siphash(f.secret, words[0], words[1], words[2]) & f.mask
    while f.slots[slot] and memcmp(&f.windows[f.slots[slot] - 1].kind, kind, sizeof(Kind)):
        slot = (slot + 1) & f.mask
    return slot


cdef Tellings* flood_ask(Windows* f, const Kind* kind) noexcept nogil:
    cdef uint32_t slot = slot_of(f, kind)
    cdef Window* w
    if not f.slots[slot]:
        if f.n == f.most:          # a sender may vary its GT: that costs events, not memory
            close(f)
            slot = slot_of(f, kind)
        w = &f.windows[f.n]
        w.kind, w.told, w.sample = kind[0], 0, 0
        f.n += 1
        f.slots[slot] = f.n
    w = &f.windows[f.slots[slot] - 1]
    if w.told == 0 or (w.told < f.first and f.budget >= 1):
        f.budget = f.budget - 1 if f.budget >= 1 else 0
        w.told += 1
        return &f.now if add(&f.now) else NULL
    f.counted += 1
    if w.sample:
        f.kept.p[w.sample - 1].count += 1
        return NULL
    if not add(&f.kept):
        return NULL
    w.sample = f.kept.n
    return &f.kept


cdef str decimal(uint64_t key, int digits):
    """The digits of a left-aligned number."""
    return f"{key >> (64 - 4 * digits):0{digits}x}" if digits else ""


cdef uint64_t left_aligned(str digits):
    return int(digits, 16) << (64 - 4 * len(digits)) if digits else 0


cdef class Flood:
    def __cinit__(self, *, uint32_t first, uint32_t most, double budget):
        cdef const uint8_t[::1] secret = os.urandom(16)
        if not 1 <= most <= 1 << 20:
            raise ValueError("between 1 and 1048576 windows")
        memcpy(self.c.secret, &secret[0], 16)
        self.c.first, self.c.most, self.c.budget = first, most, budget
        self.c.mask = 1
        while self.c.mask < 2 * most:
            self.c.mask = self.c.mask * 2
        self.c.windows = <Window*>calloc(most, sizeof(Window))
        self.c.slots = <uint32_t*>calloc(self.c.mask, sizeof(uint32_t))
        if self.c.windows == NULL or self.c.slots == NULL:
            raise MemoryError
        self.c.mask -= 1

    def __dealloc__(self):
        free(self.c.windows)
        free(self.c.slots)
        free(self.c.now.p)
        free(self.c.kept.p)
        out_free(&self.c.now.text)
        out_free(&self.c.kept.text)

    @property
    def budget(self):
        return self.c.budget

    @budget.setter
    def budget(self, double budget):
        self.c.budget = budget

    @property
    def windows(self):
        return self.c.n

    @property
    def counted(self):
        return self.c.counted

    @property
    def waiting(self):
        return self.c.now.n

    @property
    def pending(self):
        return self.c.now.n + self.c.kept.n > 0

    cdef int use(self, tuple rule_ids) except -1:
        """Take up the rules whose numbers kinds have."""
        if rule_ids is not self.rule_ids:
            if self.c.now.n or self.c.kept.n:
                raise ValueError("events of other rules wait: close the flood, and take what it tells")
            close(&self.c)
            self.rule_ids = rule_ids
        return 0

    def ask(self, bytes line not None, *, str action, str reason, str perimeter, str calling, str called):
        cdef Kind kind
        cdef Tellings* where
        cdef Told* t
        memset(&kind, 0, sizeof(kind))
        kind.action, kind.reason = number("ACTIONS", action), number("REASONS", reason)
        kind.flags, kind.reassembly, kind.wire_digits = number("PERIMETERS", perimeter), 1, len(calling)
        kind.wire[0], kind.wire[1] = left_aligned(calling[:MOST_DIGITS]), left_aligned(calling[MOST_DIGITS:])
        where = flood_ask(&self.c, &kind)
        if where != NULL:
            t = &where.p[where.n - 1]
            if len(calling) <= MOST_DIGITS:
                t.calling, t.calling_digits = left_aligned(calling), len(calling)
            if len(called) <= MOST_DIGITS:
                t.called, t.called_digits = left_aligned(called), len(called)
            t.line_octets = len(line)
            put(&where.text, PyBytes_AS_STRING(line), len(line))
        self.check()

    cdef int check(self) except -1:
        if self.c.now.text.failed or self.c.kept.text.failed:
            raise MemoryError("no memory for events")
        return 0

    def told(self):
        cdef const Told* t
        cdef const char* line
        cdef uint32_t i
        told = []
        for i in range(self.c.now.n):
            t = &self.c.now.p[i]
            line = <const char*>self.c.now.text.p + t.start
            told.append(Telling(
                PyBytes_FromStringAndSize(line, t.line_octets),
                self.rule_ids[t.alert] if t.alert else "",
                decimal(t.calling, t.calling_digits),
                decimal(t.called, t.called_digits),
                PyBytes_FromStringAndSize(line + t.line_octets, t.octets),
                t.count,
            ))
        self.c.now.n = 0
        self.c.now.text.n = 0
        return told

    def close(self):
        close(&self.c)
        self.check()
