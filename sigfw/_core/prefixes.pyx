# The plain entries of lists: 8 octets each, in memory or in a file that is mapped, and read from CSV without an object
# a row.

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.memoryview cimport PyMemoryView_FromMemory
from cpython.unicode cimport PyUnicode_AsUTF8AndSize
from libc.stdint cimport uint8_t, uint64_t
from libc.stdlib cimport free, malloc, qsort, realloc
from libc.string cimport memchr, memcpy

from sigfw._core.limits cimport MAX_KEY_DIGITS

cdef extern from "Python.h":
    int PyBUF_READ

cdef enum:
    MAX_PLAIN_LINE = 32768         # octets; csvfile.py bounds a line to twice as many characters


cdef uint64_t parse(str digits) except? 0:
    cdef Py_ssize_t n = 0
    cdef const char* p = PyUnicode_AsUTF8AndSize(digits, &n)
    cdef uint64_t key = 0
    cdef Py_ssize_t i
    if n < 1 or n > MAX_KEY_DIGITS:
        raise ValueError(f"a prefix has 1 to {MAX_KEY_DIGITS} digits: {digits!r}")
    for i in range(n):
        if p[i] < c'0' or p[i] > c'9':
            raise ValueError(f"a prefix has decimal digits only: {digits!r}")
        key |= <uint64_t>(p[i] - c'0' + 1) << (60 - 4 * i)
    return key


cdef inline char* write(char* out, uint64_t key) noexcept nogil:
    cdef int shift = 60
    while shift >= 0 and (key >> shift) & 15:
        out[0] = <char>(c'0' - 1 + ((key >> shift) & 15))
        out += 1
        shift -= 4
    return out


cdef int by_key(const void* a, const void* b) noexcept nogil:
    cdef uint64_t x = (<const uint64_t*>a)[0], y = (<const uint64_t*>b)[0]
    return (x > y) - (x < y)


cdef int by_key_and_line(const void* a, const void* b) noexcept nogil:
    cdef const Row* x = <const Row*>a
    cdef const Row* y = <const Row*>b
    if x.key != y.key:
        return (x.key > y.key) - (x.key < y.key)
    return (x.line > y.line) - (x.line < y.line)


cdef bint holds(const uint64_t* keys, Py_ssize_t low, Py_ssize_t high, uint64_t key) noexcept nogil:
    cdef Py_ssize_t middle
    while low < high:
        middle = (low + high) >> 1
        if keys[middle] == key:
            return True
        if keys[middle] < key:
            low = middle + 1
        else:
            high = middle
    return False


cdef class Prefixes:
    def __cinit__(self, plain=(), excluded=(), Prefixes more=None):
        cdef Py_ssize_t out = 0, n = 0
        if more is None:
            self.take(len(plain) + len(excluded))
        else:
            out, n = more.excluded, more.n
            self.take(len(plain) + len(excluded) + n)
            memcpy(self.own, more.keys, out * sizeof(uint64_t))
            memcpy(&self.own[out + len(excluded)], &more.keys[out], (n - out) * sizeof(uint64_t))
        self.excluded = out + len(excluded)
        for text in excluded:
            self.own[out] = parse(text)
            out += 1
        out += n - (0 if more is None else more.excluded)
        for text in plain:
            self.own[out] = parse(text)
            out += 1
        qsort(self.own, self.excluded, sizeof(uint64_t), by_key)
        qsort(&self.own[self.excluded], self.n - self.excluded, sizeof(uint64_t), by_key)

    cdef uint64_t* take(self, Py_ssize_t n) except NULL:
        self.own = <uint64_t*>malloc((n or 1) * sizeof(uint64_t))
        if self.own == NULL:
            raise MemoryError
        self.keys = self.own
        self.n = n
        return self.own

    def __dealloc__(self):
        free(self.own)

    @staticmethod
    def mapped(const uint8_t[::1] octets not None, Py_ssize_t excluded):
        """Of what `octets` gave; nothing is copied."""
        cdef Prefixes self = Prefixes.__new__(Prefixes)
        if octets.shape[0] % sizeof(uint64_t) or not 0 <= excluded <= octets.shape[0] // <Py_ssize_t>sizeof(uint64_t):
            raise ValueError("no packed prefixes")
        self.n = octets.shape[0] // <Py_ssize_t>sizeof(uint64_t)
        self.excluded = excluded
        if self.n:
            if <size_t>&octets[0] & 7:
                raise ValueError("packed prefixes that are not aligned to 8")
            self.keys = <const uint64_t*>&octets[0]
        self.kept = octets
        return self

    @property
    def octets(self):
        """As they lie in memory; for as long as self is there."""
        return PyMemoryView_FromMemory(<char*>self.keys, self.n * sizeof(uint64_t), PyBUF_READ)

    def __len__(self):
        return self.n

    def __getitem__(self, Py_ssize_t i):
        cdef char text[MAX_KEY_DIGITS]
        if not 0 <= i < self.n:
            raise IndexError(i)
        return text[:write(text, self.keys[i]) - text].decode("ascii")

    def __contains__(self, str marked):
        if marked.startswith("!"):
            return holds(self.keys, 0, self.excluded, parse(marked[1:]))
        return holds(self.keys, self.excluded, self.n, parse(marked))

    def lines(self, Py_ssize_t start, Py_ssize_t stop):
        """Those from start to before stop as lines, exceptions with their mark."""
        cdef Py_ssize_t i
        cdef bytes text
        cdef char* out
        cdef char* begin
        start = max(0, min(start, self.n))
        stop = max(start, min(stop, self.n))
        text = PyBytes_FromStringAndSize(NULL, (stop - start) * (MAX_KEY_DIGITS + 2))
        begin = out = PyBytes_AS_STRING(text)
        for i in range(start, stop):
            if i < self.excluded:
                out[0] = c"!"
                out += 1
            out = write(out, self.keys[i])
            out[0] = c"\n"
            out += 1
        return text[:out - begin]


cdef class PlainRows:
    def __cinit__(self, *, bint zero):
        self.zero = zero
        self.comments = []

    def __dealloc__(self):
        free(self.rows)

    cdef int put(self, uint64_t key, bint exclude) except -1:
        cdef void* more
        if self.n == self.room:
            self.room = 2 * self.room or 1024
            more = realloc(self.rows, self.room * sizeof(Row))
            if more == NULL:
                raise MemoryError
            self.rows = <Row*>more
        self.rows[self.n].key = key
        self.rows[self.n].line = <uint64_t>self.lines << 1 | exclude
        self.n += 1
        return 0

    def feed(self, bytes text):
        """Read the whole lines of a text; returns their octets, or -1 where one is no plain row."""
        cdef const uint8_t* p = <const uint8_t*>PyBytes_AS_STRING(text)
        cdef const uint8_t* end = p + len(text)
        cdef const uint8_t* first
        cdef const uint8_t* stop
        cdef uint64_t key
        cdef int shift
        cdef bint exclude
        while p < end:
            stop = <const uint8_t*>memchr(p, c"\n", end - p)
            if stop == NULL or stop - p > MAX_PLAIN_LINE:
                break
            self.lines += 1
            first = p
            p = stop + 1
            if stop > first and (stop - 1)[0] == c"\r":
                stop -= 1
            if stop == first:
                continue
            exclude = first[0] == c"!"
            if not exclude and not c"0" <= first[0] <= c"9":
                if not self.heads(bytes(first[:stop - first])):
                    return -1
                continue
            first += exclude
            key = 0
            shift = 60
            while first < stop and c"0" <= first[0] <= c"9" and shift >= 0:
                key |= <uint64_t>(first[0] - c"0" + 1) << shift
                shift -= 4
                first += 1
            if key == 0 or (key >> 60 == 1 and not self.zero):
                return -1
            while first < stop and first[0] == c",":
                first += 1
            if first < stop:
                return -1
            self.put(key, exclude)
        return -1 if end - p > MAX_PLAIN_LINE else len(text) - (end - p)

    cdef int heads(self, bytes line) except -1:
        """Keep a comment, or the row before all others."""
        cdef str text
        if b'"' in line or b"\r" in line or b"\0" in line:
            return False
        try:
            text = line.decode()
        except UnicodeDecodeError:
            return False
        if text.startswith("#"):
            self.comments.append((self.lines, text))
            return True
        if self.n or self.header is not None:
            return False
        self.header = text
        return True

    def packed(self):
        """The prefixes, how many rows say what one before says, and the line of the first of these.

        None where there is no row, and where a prefix stands with and without a mark.
        """
        cdef Prefixes found = Prefixes.__new__(Prefixes)
        cdef size_t i, kept = 0, repeats = 0, out = 0, at = 0
        cdef uint64_t repeated = 0
        cdef int part
        if self.n == 0:
            return None
        qsort(self.rows, self.n, sizeof(Row), by_key_and_line)
        for i in range(self.n):
            if kept and self.rows[kept - 1].key == self.rows[i].key:
                if (self.rows[kept - 1].line ^ self.rows[i].line) & 1:
                    return None
                repeats += 1
                if repeated == 0 or self.rows[i].line < repeated:
                    repeated = self.rows[i].line
            else:
                self.rows[kept] = self.rows[i]
                out += self.rows[i].line & 1
                kept += 1
        self.n = kept
        free(found.own)
        found.own = NULL
        found.take(kept)
        found.excluded = out
        for part in (1, 0):
            for i in range(kept):
                if self.rows[i].line & 1 == part:
                    found.own[at] = self.rows[i].key
                    at += 1
        return found, repeats, repeated >> 1
