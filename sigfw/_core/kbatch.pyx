# Kafka's record batches: a fetch becomes Chunks, which a Batch judges where they lie, and verdicts become Bodies.
# What is not plain is left to aiokafka, octets and all: to read less than it is allowed, to read otherwise is not.

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport INT32_MAX, INT64_MAX, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcmp, memcpy, memset

from collections import namedtuple

from sigfw._core.batch cimport Batch, Record
from sigfw._core.encode cimport number
from sigfw._core.encode import NAMES
from sigfw._core.msg cimport NO_PC, OK
from sigfw._core.out cimport Out, out_free, out_need
from sigfw._core.verdicts cimport Verdicts
from sigfw._core.wire cimport Cursor, cursor, left, read_u8, read_u16be, read_u32be, skip, take

cdef extern from "crc32c.h" nogil:
    void crc32c_fill()
    int crc32c_here()
    uint32_t crc32c_by_table(const uint8_t* p, size_t n)
    uint32_t crc32c_by_instruction(const uint8_t* p, size_t n)

cdef enum:
    NOT_OURS = -1
    OTHER_ATTRIBUTES = ~LOG_APPEND_TIME & 0xFFFF
    NULL_OCTETS = 0xFFFFFFFF
    MAX_PC_DIGITS = 8
    PC_BITS = 24                # ANSI's; ITU has 14
    RECORD_OVERHEAD = 96        # what a record of ours has beside key, headers, value and source, at most

cdef int by_instruction = crc32c_here()
crc32c_fill()

cdef extern from *:
    """
    #include <malloc.h>
    static void keep_freed(size_t octets)
    {
    #ifdef M_MMAP_THRESHOLD /* glibc's */
        mallopt(M_MMAP_THRESHOLD, 32 << 20); /* it takes no more */
        mallopt(M_TRIM_THRESHOLD, (int)octets);
    #endif
    }
    """
    void keep_freed(size_t octets)


def keep_memory(size_t octets):
    keep_freed(octets)


Fetched = namedtuple("Fetched", ("offset", "timestamp", "key", "value", "headers"))


cdef inline uint32_t crc(const uint8_t* p, size_t n) noexcept nogil:
    return crc32c_by_instruction(p, n) if by_instruction else crc32c_by_table(p, n)


def crc32c(const uint8_t[::1] octets not None):
    cdef Py_ssize_t n = octets.shape[0]
    cdef const uint8_t* p = &octets[0] if n else NULL
    return crc32c_by_table(p, n), crc32c_by_instruction(p, n) if by_instruction else None


# ---- reading

cdef inline int read_i64(Cursor* c, int64_t* v) noexcept nogil:
    cdef uint32_t high = 0, low = 0
    if read_u32be(c, &high) != OK or read_u32be(c, &low) != OK:
        return NOT_OURS
    v[0] = <int64_t>(<uint64_t>high << 32 | low)
    return OK


cdef inline int read_varint(Cursor* c, int64_t* v) noexcept nogil:
    """Zigzag, in its shortest form: what we hand on is what we read."""
    cdef uint64_t u = 0
    cdef uint8_t octet = 0
    cdef int shift = 0
    while True:
        if shift > 56 or read_u8(c, &octet) != OK:
            return NOT_OURS
        u |= <uint64_t>(octet & 0x7F) << shift
        if octet < 0x80:
            break
        shift += 7
    if octet == 0 and shift:
        return NOT_OURS
    v[0] = <int64_t>(u >> 1) ^ -<int64_t>(u & 1)
    return OK


cdef inline int read_octets(Cursor* c, const uint8_t** p, uint32_t* octets) noexcept nogil:
    """A null is NULL."""
    cdef int64_t n = 0
    if read_varint(c, &n) != OK or n < -1 or n > <int64_t>left(c):
        return NOT_OURS
    if n < 0:
        p[0] = NULL
        octets[0] = 0
        return OK
    p[0] = c.p
    octets[0] = <uint32_t>n
    return skip(c, <uint32_t>n)


cdef int open_batch(Walk* w) noexcept nogil:
    cdef Cursor c = w.all
    cdef uint32_t length = 0, epoch = 0, checksum = 0, last = 0, records = 0
    cdef uint16_t attributes = 0
    cdef uint8_t magic = 0
    cdef const uint8_t* covered
    w.open = 0
    w.octets = 0
    if read_i64(&c, &w.base_offset) != OK or read_u32be(&c, &length) != OK:
        return FOUND_END
    if length > INT32_MAX:
        return FOUND_OTHER
    if length > left(&c):
        return FOUND_END
    w.octets = <uint64_t>length + BATCH_LENGTH_AT
    if take(&c, length, &w.batch) != OK:
        return FOUND_END
    c = w.batch
    if read_u32be(&c, &epoch) != OK or read_u8(&c, &magic) != OK or magic != 2 or read_u32be(&c, &checksum) != OK:
        return FOUND_OTHER
    covered = c.p
    if read_u16be(&c, &attributes) != OK or attributes & OTHER_ATTRIBUTES:
        return FOUND_OTHER
    if read_u32be(&c, &last) != OK or read_i64(&c, &w.base_ms) != OK or read_i64(&c, &w.max_ms) != OK:
        return FOUND_OTHER
    if skip(&c, 14) != OK or read_u32be(&c, &records) != OK:       # producer id and epoch, base sequence
        return FOUND_OTHER
    if last > INT32_MAX or records > left(&c) or not 0 <= w.base_offset <= <int64_t>1 << 62:
        return FOUND_OTHER
    if not -(<int64_t>1 << 62) <= w.base_ms <= <int64_t>1 << 62 or crc(covered, c.end - covered) != checksum:
        return FOUND_OTHER
    w.batch = c
    w.records = records
    w.next_offset = w.base_offset + last + 1
    w.log_append = attributes & LOG_APPEND_TIME != 0
    w.open = 1
    return FOUND_RECORDS


cdef int next_record(Walk* w, Record* r, Rest* rest) noexcept nogil:
    cdef Cursor all = w.batch, c
    cdef int64_t length = 0, ms = 0, delta = 0
    cdef uint8_t attributes = 0
    cdef uint32_t octets = 0
    if w.records == 0:
        return 0 if left(&all) == 0 else NOT_OURS
    if read_varint(&all, &length) != OK or not 0 <= length <= <int64_t>left(&all):
        return NOT_OURS
    if take(&all, <uint32_t>length, &c) != OK or read_u8(&c, &attributes) != OK or attributes >= 0x80:
        return NOT_OURS
    if read_varint(&c, &ms) != OK or read_varint(&c, &delta) != OK or not 0 <= delta <= INT32_MAX:
        return NOT_OURS
    memset(r, 0, sizeof(Record))
    if read_octets(&c, &rest.key, &rest.key_octets) != OK or read_octets(&c, &r.p, &octets) != OK:
        return NOT_OURS
    r.octets = octets
    r.frame = 1
    r.offset = w.base_offset + delta
    rest.time_ms = w.max_ms if w.log_append else w.base_ms + ms
    r.time_ns = rest.time_ms * 1_000_000 if 0 <= rest.time_ms < INT64_MAX // 1_000_000 else -1
    if read_headers(&c, r, rest) != OK or left(&c):
        return NOT_OURS
    w.batch = all
    w.records -= 1
    return 1


cdef int read_headers(Cursor* c, Record* r, Rest* rest) noexcept nogil:
    cdef int64_t n = 0, name_octets = 0
    cdef const uint8_t* name
    cdef const uint8_t* value
    cdef uint32_t i, octets = 0
    cdef Cursor part
    if read_varint(c, &n) != OK or not 0 <= n <= <int64_t>left(c):
        return NOT_OURS
    rest.headers = c.p
    rest.n_headers = <uint32_t>n
    r.opc = r.dpc = NO_PC
    while n:
        n -= 1
        if read_varint(c, &name_octets) != OK or not 0 <= name_octets <= <int64_t>left(c):
            return NOT_OURS
        name = c.p
        if take(c, <uint32_t>name_octets, &part) != OK or read_octets(c, &value, &octets) != OK:
            return NOT_OURS
        for i in range(<uint32_t>name_octets):
            if name[i] >= 0x80:                                    # it may be no UTF-8
                return NOT_OURS
        if value != NULL and name_octets >= 9 and memcmp(name, b"sigfw-", 6) == 0:
            take_header(r, name + 6, <uint32_t>name_octets - 6, value, octets)
    rest.headers_octets = <uint32_t>(c.p - rest.headers)
    r.has_pcs = r.opc != NO_PC or r.dpc != NO_PC
    return OK


cdef inline int is_named(const uint8_t* p, uint32_t n, const char* name, uint32_t octets) noexcept nogil:
    return n == octets and memcmp(p, name, n) == 0


cdef void take_header(Record* r, const uint8_t* name, uint32_t n, const uint8_t* value, uint32_t octets) noexcept nogil:
    """As the public path does (source.py): of several that say the same, the last one."""
    if is_named(name, n, b"encapsulation", 13):
        r.encapsulation = named(encapsulations, value, octets)
        r.unreadable = r.encapsulation == 0
    elif is_named(name, n, b"perimeter", 9):
        r.perimeter = named(perimeters, value, octets)
    elif is_named(name, n, b"opc", 3):
        r.opc = point_code(value, octets)
    elif is_named(name, n, b"dpc", 3):
        r.dpc = point_code(value, octets)


cdef struct Name:
    const uint8_t* p
    uint32_t octets

cdef Name encapsulations[8]
cdef Name perimeters[8]
_held = []                      # the octets of both


cdef int take_names(Name* to, str table) except -1:
    """A table of names.py, ended by one without octets."""
    cdef bytes octets
    for i, name in enumerate(NAMES[table][1:]):
        if i == 7:
            raise ImportError(f"{table} has no room")
        octets = name.encode()
        _held.append(octets)
        to[i].p = <const uint8_t*>PyBytes_AS_STRING(octets)
        to[i].octets = <uint32_t>len(octets)
    return 0

take_names(encapsulations, "ENCAPSULATIONS")
take_names(perimeters, "PERIMETERS")


cdef uint8_t named(const Name* table, const uint8_t* p, uint32_t octets) noexcept nogil:
    """Number of a name; 0: none of the table."""
    cdef uint8_t i = 0
    while table[i].octets:
        if is_named(p, octets, <const char*>table[i].p, table[i].octets):
            return i + 1
        i += 1
    return 0


cdef uint32_t point_code(const uint8_t* p, uint32_t octets) noexcept nogil:
    cdef uint32_t value = 0, i
    if not 0 < octets <= MAX_PC_DIGITS:
        return NO_PC
    for i in range(octets):
        if not 48 <= p[i] <= 57:
            return NO_PC
        value = value * 10 + p[i] - 48
    return value if value >> PC_BITS == 0 else NO_PC


cdef void close_batch(Walk* w) noexcept nogil:
    w.open = 0
    skip(&w.all, <uint32_t>w.octets)


cdef class Chunk:
    def __dealloc__(self):
        free(self.records)
        free(self.rests)

    cdef int grow(self) except -1:
        cdef Py_ssize_t room = 2 * self.room if self.room else 256
        cdef void* records = realloc(self.records, room * sizeof(Record))
        cdef void* rests
        if records == NULL:
            raise MemoryError
        self.records = <Record*>records
        rests = realloc(self.rests, room * sizeof(Rest))
        if rests == NULL:
            raise MemoryError
        self.rests = <Rest*>rests
        self.room = room
        return 0

    def __len__(self):
        return self.n

    def __getitem__(self, Py_ssize_t i):
        cdef const Record* r
        cdef const Rest* rest
        if i < 0:
            i += self.n
        if not 0 <= i < self.n:
            raise IndexError("no such record")
        r, rest = &self.records[i], &self.rests[i]
        return Fetched(r.offset, rest.time_ms, octets_of(rest.key, rest.key_octets), octets_of(r.p, r.octets), headers_of(rest))

    @property
    def unreadable(self):
        cdef Py_ssize_t i
        return [i for i in range(self.n) if self.records[i].unreadable]

    def batch(self, str encapsulation):
        cdef Batch b = Batch((), encapsulation)
        cdef uint8_t encap = number("ENCAPSULATIONS", encapsulation)
        cdef Py_ssize_t i
        for i in range(self.n):
            if self.records[i].encapsulation == 0:
                self.records[i].encapsulation = encap
        b.lend(self, self.records, self.n)
        return b


cdef object octets_of(const uint8_t* p, uint64_t n):
    return None if p == NULL else PyBytes_FromStringAndSize(<const char*>p, n)


cdef tuple headers_of(const Rest* rest):
    """They were read before."""
    cdef Cursor c = cursor(rest.headers, rest.headers_octets)
    cdef const uint8_t* name = NULL
    cdef const uint8_t* value = NULL
    cdef uint32_t name_octets = 0, octets = 0, _i
    headers = []
    for _i in range(rest.n_headers):
        if read_octets(&c, &name, &name_octets) != OK or read_octets(&c, &value, &octets) != OK:
            break
        headers.append((octets_of(name, name_octets).decode(), octets_of(value, octets)))
    return tuple(headers)


cdef class Reader:
    cdef Py_buffer view
    cdef bint held
    cdef object source
    cdef Walk walk
    cdef int found
    cdef readonly int64_t next_offset

    def __cinit__(self, source, int64_t next_offset):
        PyObject_GetBuffer(source, &self.view, PyBUF_SIMPLE)
        self.held = True
        if self.view.len > INT32_MAX:
            raise ValueError("a fetch has at most 2 GiB")
        self.source = source
        self.found = FOUND_RECORDS
        self.next_offset = next_offset
        self.walk.all = cursor(<const uint8_t*>self.view.buf, <uint32_t>self.view.len)

    def __dealloc__(self):
        if self.held:
            PyBuffer_Release(&self.view)

    def read(self, Py_ssize_t records, uint64_t octets):
        cdef Chunk chunk = Chunk.__new__(Chunk)
        cdef Walk* w = &self.walk
        cdef const uint8_t* before
        cdef int got = 0
        self.found = FOUND_RECORDS
        chunk.source = self.source
        while chunk.n < records and chunk.octets < octets:
            if not w.open:
                self.found = open_batch(w)
                if self.found != FOUND_RECORDS:
                    break
            if chunk.n == chunk.room:
                chunk.grow()
            before = w.batch.p
            got = next_record(w, &chunk.records[chunk.n], &chunk.rests[chunk.n])
            if got == 0:
                self.next_offset = w.next_offset
                close_batch(w)
                continue
            if got < 0:
                w.open = 0
                self.found = FOUND_OTHER
                break
            if chunk.records[chunk.n].offset < self.next_offset:      # before where we begin
                continue
            self.next_offset = chunk.records[chunk.n].offset + 1
            chunk.octets += w.batch.p - before
            chunk.n += 1
        return chunk

    def other(self):
        cdef Py_ssize_t at = self.walk.all.p - <const uint8_t*>self.view.buf
        if self.found != FOUND_OTHER:
            return None
        whole = memoryview(self.source)
        self.found = FOUND_RECORDS
        if self.walk.octets:
            close_batch(&self.walk)
            return whole[at : at + <Py_ssize_t>self.walk.octets]
        self.walk.all.p = self.walk.all.end                           # what is no batch ends the fetch
        return whole[at:]

    def went_on(self, int64_t next_offset):
        self.next_offset = next_offset

    @property
    def done(self):
        return self.found == FOUND_END


# ---- writing

cdef inline uint32_t varint_octets(int64_t v) noexcept nogil:
    cdef uint64_t u = <uint64_t>(v << 1) ^ <uint64_t>(v >> 63)
    cdef uint32_t n = 1
    while u > 0x7F:
        u >>= 7
        n += 1
    return n


cdef inline uint8_t* put_varint(uint8_t* p, int64_t v) noexcept nogil:
    cdef uint64_t u = <uint64_t>(v << 1) ^ <uint64_t>(v >> 63)
    while u > 0x7F:
        p[0] = <uint8_t>(u | 0x80)
        p += 1
        u >>= 7
    p[0] = <uint8_t>u
    return p + 1


cdef inline uint8_t* put_octets(uint8_t* p, const void* octets, size_t n) noexcept nogil:
    if n:
        memcpy(p, octets, n)
    return p + n


cdef inline void put_be(uint8_t* p, uint64_t v, int octets) noexcept nogil:
    cdef int i
    for i in range(octets):
        p[i] = <uint8_t>(v >> 8 * (octets - 1 - i))


cdef inline uint32_t decimal(uint64_t v, uint8_t* out) noexcept nogil:
    """Of at most 20 digits, which stand at the end of `out`."""
    cdef uint32_t i = 20
    while True:
        i -= 1
        out[i] = <uint8_t>(48 + v % 10)
        v //= 10
        if v == 0:
            return i


cdef class Body:
    """The records of one batch, as they go out; header and CRC come when the producer knows what it says of itself."""

    cdef Out out
    cdef readonly uint32_t records

    def __dealloc__(self):
        out_free(&self.out)

    @property
    def octets(self):
        return BATCH_HEADER + self.out.n

    def content(self):
        return PyBytes_FromStringAndSize(<const char*>self.out.p, self.out.n) if self.out.n else b""

    def build(self, int64_t time_ms, int64_t producer, int producer_epoch, int sequence, *, int codec=0, content=None):
        cdef const uint8_t* p = self.out.p
        cdef size_t n = self.out.n
        cdef bytes given, made
        cdef uint8_t* to
        if content is not None:
            given = content
            p, n = <const uint8_t*>PyBytes_AS_STRING(given), len(given)
        made = PyBytes_FromStringAndSize(NULL, BATCH_HEADER + n)
        to = <uint8_t*>PyBytes_AS_STRING(made)
        memset(to, 0, BATCH_HEADER)                       # base offset 0: the broker says which
        put_be(to + 8, BATCH_HEADER - BATCH_LENGTH_AT + n, 4)
        put_be(to + 12, 0xFFFFFFFF, 4)                    # no leader epoch
        to[16] = 2
        put_be(to + BATCH_ATTRIBUTES_AT, codec & CODEC_MASK, 2)
        put_be(to + 23, self.records - 1, 4)
        put_be(to + 27, <uint64_t>time_ms, 8)
        put_be(to + 35, <uint64_t>time_ms, 8)
        put_be(to + 43, <uint64_t>producer, 8)
        put_be(to + 51, <uint64_t>producer_epoch, 2)
        put_be(to + 53, <uint64_t>sequence, 4)
        put_be(to + 57, self.records, 4)
        put_octets(to + BATCH_HEADER, p, n)
        put_be(to + BATCH_CRC_AT, crc(to + BATCH_ATTRIBUTES_AT, BATCH_HEADER - BATCH_ATTRIBUTES_AT + n), 4)
        return made


cdef struct Ours:               # the headers that every verdict record of a call has, but for the offset
    const uint8_t* source       # topic/partition/
    const uint8_t* policy
    uint32_t source_octets
    uint32_t policy_octets


cdef int put_record(Out* o, uint32_t delta, const Record* r, const Rest* rest, Verdicts v, Py_ssize_t first, Py_ssize_t end,
                    uint64_t octets, const Ours* ours) noexcept nogil:
    """A verdict record: 1, or 0 where memory ended."""
    cdef uint8_t digits[20]
    cdef uint32_t at = decimal(<uint64_t>r.offset, digits)
    cdef uint32_t source = ours.source_octets + 20 - at
    cdef uint64_t length = 2 + varint_octets(delta) + rest.key_octets + varint_octets(octets) + octets
    cdef uint8_t* p
    length += varint_octets(rest.key_octets) if rest.key != NULL else 1
    length += varint_octets(<int64_t>rest.n_headers + 2) + rest.headers_octets
    length += 13 + varint_octets(source) + source + 13 + varint_octets(ours.policy_octets) + ours.policy_octets
    if not out_need(o, varint_octets(length) + length):
        return 0
    p = put_varint(o.p + o.n, length)
    p[0] = 0                                              # attributes
    p[1] = 0                                              # the batch's time
    p = put_varint(p + 2, delta)
    p = put_octets(put_varint(p, rest.key_octets if rest.key != NULL else -1), rest.key, rest.key_octets)
    p = put_varint(p, octets)
    v.put_value(p, first, end)
    p = put_octets(put_varint(p + octets, <int64_t>rest.n_headers + 2), rest.headers, rest.headers_octets)
    p = put_octets(p, b"\x18sigfw-source", 13)            # a name of twelve octets
    p = put_octets(put_varint(p, source), ours.source, ours.source_octets)
    p = put_octets(p, digits + at, 20 - at)
    p = put_octets(p, b"\x18sigfw-policy", 13)
    p = put_octets(put_varint(p, ours.policy_octets), ours.policy, ours.policy_octets)
    o.n = p - o.p
    return 1


cdef int fill(Body body, Chunk c, Verdicts v, Py_ssize_t* record, Py_ssize_t* message, const Ours* ours, uint64_t most,
              uint64_t value_most) noexcept nogil:
    """Add the records that fit from `record` on: 1; 2 where the next one must go alone; 0 where memory ended."""
    cdef Py_ssize_t end
    cdef uint64_t octets, needed
    cdef const Rest* rest
    while record[0] < c.n:
        rest = &c.rests[record[0]]
        end = v.end_of(message[0], record[0])
        octets = v.value_octets(message[0], end)
        needed = RECORD_OVERHEAD + octets + rest.key_octets + rest.headers_octets + ours.source_octets + ours.policy_octets
        if octets > value_most or BATCH_HEADER + needed > most:
            return 2
        if BATCH_HEADER + body.out.n + needed > most:
            return 1
        if not put_record(&body.out, body.records, &c.records[record[0]], rest, v, message[0], end, octets, ours):
            return 0
        body.records += 1
        record[0] += 1
        message[0] = end
    return 1


def write(Verdicts verdicts not None, Chunk chunk not None, bytes source not None, bytes policy not None, *, uint64_t most,
          uint64_t value_most):
    cdef Ours ours
    cdef Py_ssize_t record = 0, message = 0
    cdef Body body
    cdef int done
    if verdicts.batch.owner is not chunk:
        raise ValueError("the verdicts are of other records")
    ours.source, ours.source_octets = <const uint8_t*>PyBytes_AS_STRING(source), <uint32_t>len(source)
    ours.policy, ours.policy_octets = <const uint8_t*>PyBytes_AS_STRING(policy), <uint32_t>len(policy)
    written = []
    while record < chunk.n:
        body = Body.__new__(Body)
        out_need(&body.out, min(most, verdicts.json.n + chunk.octets + <uint64_t>chunk.n * RECORD_OVERHEAD))  # grows else
        with nogil:
            done = fill(body, chunk, verdicts, &record, &message, &ours, most, value_most)
        if done == 0:
            raise MemoryError("no memory for verdict records")
        if body.records:
            written.append(body)
        if done == 2:
            written.append(verdicts.value(message, record))
            message = verdicts.end_of(message, record)
            record += 1
    return written
