# From records to messages: which octets, whose frame, which time. Judging may stop anywhere and go on.

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t, uint32_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from sigfw._core.encode cimport number
from sigfw._core.encode import NAMES
from sigfw._core.framing cimport (
    FRAME_BROKEN, FRAME_END, FRAME_OTHER, FRAME_SCCP, Frame, framer_close, framer_next, framer_open,
)
from sigfw._core.limits cimport MAX_PACKET
from sigfw._core.msg cimport E_MISSING, ENCAP_PCAP, ENCAP_SCCP, EX_NOT_SCCP, LAYER_FRAMING, NO_PC, Msg, fail

cdef extern from *:
    void __builtin_prefetch(const void* p) nogil


cdef class Batch:
    def __cinit__(self, values, str encapsulation, *, offsets=None, times_ns=None, frames=None, meta=None,
                  bint capture=False):
        cdef Py_ssize_t i, n = len(values)
        cdef Record* r
        cdef tuple held
        cdef uint8_t encap = number("ENCAPSULATIONS", encapsulation)
        if encap == 0:
            raise ValueError("a batch needs an encapsulation")
        for name, given in (("offsets", offsets), ("times_ns", times_ns), ("frames", frames), ("meta", meta)):
            if given is not None and len(given) != n:
                raise ValueError(f"{name} has {len(given)} items for {n} values")
        self.capture = capture
        self.owner = held = tuple(values)
        self.records = <Record*>calloc(n if n else 1, sizeof(Record))
        if self.records == NULL:
            raise MemoryError
        for i in range(n):
            r = &self.records[i]
            r.encapsulation = encap
            r.offset = offsets[i] if offsets is not None else 0
            r.time_ns = times_ns[i] if times_ns is not None else -1
            r.frame = frames[i] if frames is not None else 1
            if meta is not None and meta[i] is not None:
                self.take_meta(r, meta[i])
            value = held[i]
            if type(value) is bytes:                      # nearly all: no view is needed of what cannot change
                r.p = <const uint8_t*>PyBytes_AS_STRING(value)
                r.octets = PyBytes_GET_SIZE(value)
            elif value is not None:
                self.view(r, value, n)
        self.n = n

    cdef int view(self, Record* r, object value, Py_ssize_t n) except -1:
        if self.views == NULL:
            self.views = <Py_buffer*>calloc(n, sizeof(Py_buffer))
            if self.views == NULL:
                raise MemoryError
        PyObject_GetBuffer(value, &self.views[self.held], PyBUF_SIMPLE)
        r.p = <const uint8_t*>self.views[self.held].buf
        r.octets = self.views[self.held].len
        self.held += 1
        return 0

    cdef void lend(self, object owner, Record* records, Py_ssize_t n) noexcept:
        """Judge records that are another's, in place of none."""
        free(self.records)
        self.lent = True
        self.owner = owner
        self.records = records
        self.n = n

    cdef int take_meta(self, Record* r, tuple meta) except -1:
        encapsulation, perimeter, opc, dpc = meta
        if encapsulation is not None:
            r.encapsulation = number("ENCAPSULATIONS", encapsulation)
        if perimeter is not None:
            r.perimeter = number("PERIMETERS", perimeter)
        if opc is not None or dpc is not None:
            r.has_pcs = 1
            r.opc = NO_PC if opc is None else opc
            r.dpc = NO_PC if dpc is None else dpc
        return 0

    def __dealloc__(self):
        cdef Py_ssize_t i
        for i in range(self.held):
            PyBuffer_Release(&self.views[i])
        framer_close(&self.framer)
        free(self.views)
        if not self.lent:                                 # `owner` may have been let go by now
            free(self.records)

    def __len__(self):
        return self.n

    @property
    def done(self):
        return self.current >= self.n

    @property
    def position(self):
        return self.framer.capture.at if self.framing else 0

    @property
    def problem(self):
        if not self.troubled:
            return None
        code = NAMES["ERROR_CODES"][self.trouble.code]
        where = f"after frame {self.trouble.frame}" if self.trouble.frame else "before frame 1"
        return f"{where}: framing {code} at octet {self.trouble.offset} of {self.trouble_octets}"


cdef int next_message(Batch b, Msg* m) noexcept nogil:
    """Fill the framing part of the next message: 1, or 0 where the batch is done."""
    cdef Frame f
    cdef Record* r
    cdef int kind
    while b.current < b.n:
        r = &b.records[b.current]
        if r.p == NULL or r.unreadable:                   # a record without a message
            memset(&f, 0, sizeof(f))
            start(m, r, &f, b.current)
            fail(m, LAYER_FRAMING, E_MISSING, 0)
            b.current += 1
            b.messages += 1
            return 1
        if r.encapsulation == ENCAP_SCCP and 0 < r.octets <= MAX_PACKET:
            __builtin_prefetch(r.p)                       # read once the Group is full: two lines are most messages
            __builtin_prefetch(r.p + 64)
            begin(m, r, b.current)                        # the record is the message: there is nothing to frame
            m.sccp = r.p
            m.sccp_octets = <uint32_t>r.octets
            b.current += 1
            b.messages += 1
            return 1
        if not b.framing:
            framer_open(&b.framer, r.p, r.octets, r.encapsulation)
            b.framer.variant = b.variant
            b.framing = 1
            b.entries = 0
            b.last_frame = r.frame
        memset(&f, 0, sizeof(f))
        kind = framer_next(&b.framer, &f)
        if kind == FRAME_OTHER:
            b.not_sccp += 1
            continue
        if kind == FRAME_END:
            b.framing = 0
            b.current += 1
            if b.entries or b.capture:
                continue
            start(m, r, &f, b.current - 1)            # nothing to judge in it: still one line
            m.frame = b.last_frame
            m.exceptions = EX_NOT_SCCP
            return 1
        b.last_frame = f.frame
        if kind == FRAME_BROKEN:
            b.trouble = f
            b.trouble_octets = r.octets
            b.troubled = 1
            if b.capture:
                continue
        b.entries += 1
        b.messages += 1
        start(m, r, &f, b.current)
        if kind == FRAME_SCCP:
            m.sccp = f.octets
            m.sccp_octets = f.n
        if f.code:
            fail(m, LAYER_FRAMING, f.code, <uint32_t>(f.offset if f.offset < 0xFFFF else 0xFFFF))
        return 1
    return 0


cdef inline void clear(Msg* m) noexcept nogil:
    """In parts that compile to stores: of the whole gcc makes a `rep stos`, whose start alone takes as long."""
    cdef uint8_t* p = <uint8_t*>m
    cdef uint32_t at
    for at in range(0, sizeof(Msg) - 63, 64):
        memset(p + at, 0, 64)
    memset(p + sizeof(Msg) // 64 * 64, 0, sizeof(Msg) % 64)


cdef inline void begin(Msg* m, const Record* r, Py_ssize_t record) noexcept nogil:
    """What the record itself says."""
    clear(m)
    m.record = <uint32_t>record
    m.offset = r.offset
    m.frame = r.frame
    m.time_ns = r.time_ns
    m.encapsulation = r.encapsulation
    m.header_perimeter = r.perimeter
    if r.has_pcs:
        m.has_mtp = 1
        m.mtp_from_headers = 1
        m.opc = r.opc
        m.dpc = r.dpc


cdef inline void start(Msg* m, const Record* r, const Frame* f, Py_ssize_t record) noexcept nogil:
    """What record and frame say."""
    begin(m, r, record)
    m.index = f.index
    if r.encapsulation == ENCAP_PCAP:
        m.frame = f.frame if f.frame else 1
        if f.time_ns >= 0:
            m.time_ns = f.time_ns
    if f.encapsulation:
        m.encapsulation = f.encapsulation
    if f.has_mtp:
        m.has_mtp = 1
        m.mtp_from_headers = f.pcs_only
        m.opc = f.opc
        m.dpc = f.dpc
        m.sls = f.sls
        m.ni = f.ni
