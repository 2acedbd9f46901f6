# The verdicts of one judge call, and the records they leave as.

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset

from sys import byteorder

from sigfw._core.encode cimport Entry, Text, escaped
from sigfw._core.encode import NAMES
from sigfw._core.msg cimport LAYER_FRAMING
from sigfw._core.out cimport out_free
from sigfw._core.tables cimport Tables

if byteorder != "little":
    raise ImportError("packed records are written as the machine lays out integers: sigfw runs on little-endian machines")


cdef class LabelsOf:
    """The texts of one Tables, JSON-escaped, as C; held for as long as records are written with them."""

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
        octets = escaped(value)
        self.held.append(octets)
        t.p = PyBytes_AS_STRING(octets)
        t.n = <uint32_t>len(octets)
        return 0

    cdef Text* texts(self, object values) except NULL:
        """By number, 0 unused, as in verdicts."""
        cdef Text* t = <Text*>calloc(len(values) + 1, sizeof(Text))
        if t == NULL:
            raise MemoryError
        for i, value in enumerate(values):
            self.text(&t[i], value)
        return t


cdef class Verdicts:
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

    def values(self):
        """See verdicts.pyi. Records whose judging a limit cut in two must not be asked for."""
        cdef Py_ssize_t i = 0, r
        cdef list out = []
        for r in range(self.batch.n):
            out.append(self.value(i, r))
            i = self.end_of(i, r)
        return out

    cdef bytes value(self, Py_ssize_t first, Py_ssize_t record):
        """The verdict record of a record whose first message is known."""
        cdef Py_ssize_t end = self.end_of(first, record)
        cdef bytes value = PyBytes_FromStringAndSize(NULL, self.value_octets(first, end))
        self.put_value(<uint8_t*>PyBytes_AS_STRING(value), first, end)
        return value

    cdef Py_ssize_t end_of(self, Py_ssize_t first, Py_ssize_t record) noexcept nogil:
        """Behind the last message of a record, whose first one is known."""
        while first < self.n and self.judged[first].record == record:
            first += 1
        return first

    cdef uint64_t value_octets(self, Py_ssize_t first, Py_ssize_t end) noexcept nogil:
        cdef uint64_t octets = 32
        cdef Py_ssize_t i
        if not self.is_packed:
            if first == end or self.judged[first].json_octets == 0:
                return 0
            return self.judged[end - 1].json_start + self.judged[end - 1].json_octets - 1 - self.judged[first].json_start
        for i in range(first, end):
            octets += sizeof(Entry) + self.judged[i].entry.blob_octets
        return octets

    cdef void put_value(self, uint8_t* p, Py_ssize_t first, Py_ssize_t end) noexcept nogil:
        """Write value_octets octets."""
        if self.is_packed:
            self.put_packed(p, first, end)
        elif self.value_octets(first, end):
            memcpy(p, self.json.p + self.judged[first].json_start, self.value_octets(first, end))

    cdef void put_packed(self, uint8_t* p, Py_ssize_t first, Py_ssize_t end) noexcept nogil:
        """docs/packed.md: header, entries, blobs."""
        cdef uint32_t count = <uint32_t>(end - first), at = 32 + sizeof(Entry) * count
        cdef Py_ssize_t i
        cdef Entry* e
        cdef int64_t base = self.batch.records[self.judged[first].record].offset if count else 0
        memset(p, 0, 32)
        memcpy(p, b"SGV1", 4)
        p[4] = sizeof(Entry)
        memcpy(p + 8, &count, 4)                              # little-endian machines alone (checked at import)
        if self.labels is not None:                           # else no policy decided
            memcpy(p + 16, self.labels.c.digest, 8)
        memcpy(p + 24, &base, 8)
        for i in range(first, end):
            e = <Entry*>(p + 32 + sizeof(Entry) * (i - first))
            memcpy(e, &self.judged[i].entry, sizeof(Entry))
            if e.blob_octets:
                memcpy(p + at, self.blobs.p + e.blob_offset, e.blob_octets)
                e.blob_offset = at
                at += e.blob_octets

    def dead(self):
        cdef Py_ssize_t i
        dead = {}
        for i in range(self.n):
            if self.judged[i].entry.error_layer == LAYER_FRAMING and self.judged[i].record not in dead:
                code = NAMES["ERROR_CODES"][self.judged[i].entry.error_code]
                dead[self.judged[i].record] = (
                    f"frame {self.judged[i].entry.frame}: framing {code} at octet {self.judged[i].entry.error_offset}")
        return list(dead.items())


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
