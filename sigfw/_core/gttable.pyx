# Longest prefix among up to millions: intervals, a bucket index over the first digits, a branch-free search.
#
# A digit d is the nibble d + 1 and what follows the last digit is 0. A number is thus greater than each of its own
# prefixes and smaller than anything longer that it does not begin with: `44` sorts before the interval of `4400`
# although both left-align to 4400000000000000, and no look-up ever has to climb back to a shorter prefix.

from cpython.unicode cimport PyUnicode_AsUTF8AndSize
from libc.stdint cimport uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, qsort, realloc

from sigfw._core.limits cimport MAX_KEY_DIGITS
from sigfw._core.msg cimport Group, Msg, N_SPACES, Norm
from sigfw._core.tables cimport ClassInfo, GtTable, PolicyTables

cdef extern from *:
    """
    #define SIGFW_PREFETCH(p) __builtin_prefetch((const void*)(p), 0, 1)
    """
    void SIGFW_PREFETCH(const void* p) noexcept nogil

cdef enum:
    IN_FLIGHT = 64                 # look-ups prefetched together: beyond the line fill buffers of any core, within L1
    RESTART = 0x80000000           # in cls: the interval goes on with a shorter prefix, no prefix begins here

cdef uint64_t ONES = 0x1111111111111111
cdef uint64_t END = 0xFFFFFFFFFFFFFFFF

# Lists that the table itself knows; an item is a list (number << 1, + 1 for an exception) or an owner: ClassInfo.also in
# 15 bits, then the operator in 16.
HOME = 0
HOSTED_ABROAD = 1
OPERATOR_ITEM = 0x80000000

cdef inline uint64_t encode(uint64_t key, uint32_t digits) noexcept nogil:
    """Left-aligned decimal digits as the number that sorts after its prefixes."""
    if digits >= MAX_KEY_DIGITS:
        return key + ONES
    return key + (ONES & ~(END >> (4 * digits)))


cdef inline uint32_t cut(uint64_t encoded, uint32_t digits, uint64_t* shorter) noexcept nogil:
    """The first digits of an encoded number."""
    shorter[0] = encoded if digits >= MAX_KEY_DIGITS else encoded & ~(END >> (4 * digits))
    return digits


cdef inline uint32_t digits_of(uint64_t encoded) noexcept nogil:
    cdef uint32_t n = 0
    while n < MAX_KEY_DIGITS and (encoded >> (60 - 4 * n)) & 15:
        n += 1
    return n


cdef uint64_t end_of(uint64_t encoded, uint32_t digits) noexcept nogil:
    """The first number after all that begin with this prefix: 44 9 ends where 45 begins, as no digit follows 9."""
    cdef int i = <int>digits - 1
    while i >= 0 and (encoded >> (60 - 4 * i)) & 15 == 10:
        encoded &= ~(<uint64_t>15 << (60 - 4 * i))
        i -= 1
    if i < 0:
        return END
    return encoded + (<uint64_t>1 << (60 - 4 * i))


cdef inline uint32_t search(const GtTable* t, uint64_t key) noexcept nogil:
    """Index of the last start at or below key."""
    cdef uint64_t b = key >> t.shift
    cdef uint32_t base = t.bucket[b] - 1
    cdef uint32_t n = t.bucket[b + 1] - base - 1
    cdef uint32_t half
    while n > 0:
        half = (n + 1) >> 1
        base += half if t.starts[base + half] <= key else 0
        n -= half
    return base


cdef void look_up(const PolicyTables* t, Norm** norms, uint32_t n) noexcept nogil:
    """The classes of up to IN_FLIGHT numbers. Each pass asks memory for what the next one reads."""
    cdef uint32_t i
    cdef uint32_t found[IN_FLIGHT]
    cdef uint64_t keys[IN_FLIGHT]
    cdef const GtTable* gt
    for i in range(n):
        gt = &t.gt[norms[i].space]
        keys[i] = encode(norms[i].key, norms[i].digits)
        SIGFW_PREFETCH(&gt.bucket[keys[i] >> gt.shift])
    for i in range(n):
        gt = &t.gt[norms[i].space]
        found[i] = gt.bucket[keys[i] >> gt.shift] + gt.bucket[(keys[i] >> gt.shift) + 1] >> 1
        if found[i] < gt.n:
            SIGFW_PREFETCH(&gt.starts[found[i]])
    for i in range(n):
        gt = &t.gt[norms[i].space]
        found[i] = search(gt, keys[i])
        SIGFW_PREFETCH(&gt.cls[found[i]])
    for i in range(n):
        norms[i].cls = t.gt[norms[i].space].cls[found[i]] & ~<uint32_t>RESTART


cdef uint32_t class_of(const GtTable* t, uint64_t key, uint32_t digits) noexcept nogil:
    return t.cls[search(t, encode(key, digits))] & ~<uint32_t>RESTART if t.n > 1 and digits else 0


cdef inline uint32_t ask(const PolicyTables* t, Norm** norms, uint32_t n, Norm* norm) noexcept nogil:
    """Put one more number to those in flight; look them up when there is no room for another."""
    norm.cls = 0
    if norm.digits == 0 or norm.space == 0 or norm.space >= N_SPACES or t.gt[norm.space].n <= 1:
        return n
    norms[n] = norm
    if n + 1 < IN_FLIGHT:
        return n + 1
    look_up(t, norms, n + 1)
    return 0


cdef void gttable_group(const PolicyTables* t, Group* g) noexcept nogil:
    cdef Norm* norms[IN_FLIGHT]
    cdef uint32_t n = 0
    cdef int i, j, k
    cdef Msg* m
    for i in range(g.n):
        m = &g.msgs[i]
        for k in range(m.called.n_norm):
            n = ask(t, norms, n, &m.called.norm[k])
        for k in range(m.calling.n_norm):
            n = ask(t, norms, n, &m.calling.norm[k])
        for j in range(m.n_numbers):
            for k in range(m.numbers[j].n_norm):
                n = ask(t, norms, n, &m.numbers[j].norm[k])
    if n:
        look_up(t, norms, n)


cdef uint32_t operator_digits(const PolicyTables* t, const Norm* norm) noexcept nogil:
    cdef const GtTable* gt = &t.gt[norm.space]
    cdef uint16_t operator
    cdef uint32_t digits = norm.digits
    cdef uint64_t key, shorter
    if norm.space == 0 or gt.n <= 1 or digits == 0 or norm.cls >= gt.n_classes:
        return 0
    operator = gt.classes[norm.cls].operator
    if operator == 0:
        return 0
    key = encode(norm.key, digits)
    while digits > 1:
        cut(key, digits - 1, &shorter)
        if gt.classes[gt.cls[search(gt, shorter)] & ~<uint32_t>RESTART].operator != operator:
            break
        digits -= 1
    return digits


cdef int by_key(const void* a, const void* b) noexcept nogil:
    cdef const Entry* x = <const Entry*>a
    cdef const Entry* y = <const Entry*>b
    if x.key != y.key:
        return -1 if x.key < y.key else 1
    return (x.item > y.item) - (x.item < y.item)


cdef uint64_t parse(str digits) except? 0:
    """The encoded key of 1 to 16 decimal digits."""
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


cdef class Classes:
    """The classes met while a table is built: what a prefix makes of the class it stands in."""

    cdef list found
    cdef dict numbers
    cdef dict steps

    def __cinit__(self):
        none = (frozenset(), 0)
        self.found = [none]
        self.numbers = {none: 0}
        self.steps = {}

    cdef uint32_t step(self, uint32_t outer, const Entry* entries, size_t n) except? 0xFFFFFFFF:
        """The class of a prefix that lies in class `outer` and has these entries of its own, sorted."""
        cdef size_t i
        key = (outer, entries[0].item) if n == 1 else (outer, tuple([entries[i].item for i in range(n)]))
        number = self.steps.get(key)
        if number is not None:
            return number
        lists, operator = self.found[outer]
        lists = set(lists)
        owned = False
        for i in range(n):
            item = entries[i].item
            if item & OPERATOR_ITEM:
                if not owned:  # of two operators with one prefix the first
                    operator = item & ~OPERATOR_ITEM
                    owned = True
            elif item & 1:
                lists.discard(item >> 1)
            else:
                lists.add(item >> 1)
        found = (frozenset(lists), operator)
        number = self.numbers.setdefault(found, len(self.found))
        if number == len(self.found):
            self.found.append(found)
        self.steps[key] = number
        return number


cdef class PrefixTable:
    def __cinit__(self, prefixes, items):
        cdef Py_ssize_t n = len(prefixes)
        cdef Py_ssize_t i
        cdef Entry* entries
        if len(items) != n:
            raise ValueError("as many items as prefixes")
        if n > 0x3FFFFFFF:
            raise ValueError("too many prefixes")
        entries = <Entry*>malloc((n or 1) * sizeof(Entry))
        if entries == NULL:
            raise MemoryError
        try:
            i = 0
            for prefix, item in zip(prefixes, items):
                entries[i].key = parse(prefix)
                entries[i].item = item
                i += 1
            qsort(entries, n, sizeof(Entry), by_key)
            self.sweep(entries, n)
        finally:
            free(entries)
        self.index()
        self.describe()

    def __dealloc__(self):
        free(self.starts)
        free(self.cls)
        free(self.bucket)
        free(self.info)

    cdef int sweep(self, const Entry* entries, Py_ssize_t n) except -1:
        """From sorted entries to intervals: each prefix begins one, its end goes back to the prefix around it."""
        cdef uint64_t ends[MAX_KEY_DIGITS + 1]
        cdef uint32_t around[MAX_KEY_DIGITS + 1]
        cdef int depth = 0
        cdef Py_ssize_t i = 0, same
        cdef uint64_t end
        cdef Classes classes = Classes()
        self.starts = <uint64_t*>malloc((2 * n + 1) * sizeof(uint64_t))
        self.cls = <uint32_t*>malloc((2 * n + 1) * sizeof(uint32_t))
        if self.starts == NULL or self.cls == NULL:
            raise MemoryError
        self.starts[0] = 0
        self.cls[0] = RESTART
        self.c.n = 1
        ends[0] = END
        around[0] = 0
        while i < n:
            depth = self.close(ends, around, depth, entries[i].key)
            same = i + 1
            while same < n and entries[same].key == entries[i].key:
                same += 1
            end = end_of(entries[i].key, digits_of(entries[i].key))
            around[depth + 1] = classes.step(around[depth], &entries[i], same - i)
            ends[depth + 1] = end
            depth += 1
            self.starts[self.c.n] = entries[i].key
            self.cls[self.c.n] = around[depth]
            self.c.n += 1
            self.prefixes += 1
            i = same
        self.close(ends, around, depth, END)
        self.classes = tuple(classes.found)
        self.starts = <uint64_t*>realloc(self.starts, self.c.n * sizeof(uint64_t))
        self.cls = <uint32_t*>realloc(self.cls, self.c.n * sizeof(uint32_t))
        return 0

    cdef int close(self, const uint64_t* ends, const uint32_t* around, int depth, uint64_t key) noexcept:
        """Leave the prefixes that end at or before key; returns how many are still open."""
        cdef uint64_t end
        while depth > 0 and ends[depth] <= key:
            end = ends[depth]
            depth -= 1
            if end < key and end < ends[depth] and self.cls[self.c.n - 1] & ~<uint32_t>RESTART != around[depth]:
                self.starts[self.c.n] = end
                self.cls[self.c.n] = around[depth] | RESTART
                self.c.n += 1
        return depth

    cdef int index(self) except -1:
        """The bucket of a key is its first two to five digits: few starts in each, and small tables in L1."""
        cdef uint32_t nibbles = 2 if self.c.n <= 256 else 3 if self.c.n <= 4096 else 4 if self.c.n <= 50_000 else 5
        cdef uint32_t buckets = 1 << (4 * nibbles)
        cdef uint32_t b, i = 1
        self.bucket = <uint32_t*>malloc((buckets + 1) * sizeof(uint32_t))
        if self.bucket == NULL:
            raise MemoryError
        self.c.shift = 64 - 4 * nibbles
        for b in range(buckets + 1):
            while i < self.c.n and b < buckets and self.starts[i] >> self.c.shift < b:
                i += 1
            self.bucket[b] = i if b < buckets else self.c.n
        return 0

    cdef int describe(self) except -1:
        cdef Py_ssize_t i
        owners = [owner for _, owner in self.classes]
        self.classes = tuple([(lists, owner & 0xFFFF) for lists, owner in self.classes])
        self.info = <ClassInfo*>calloc(len(self.classes), sizeof(ClassInfo))
        if self.info == NULL:
            raise MemoryError
        for i, (lists, operator) in enumerate(self.classes):
            self.info[i].operator = operator
            self.info[i].also = owners[i] >> 16
            self.info[i].home = HOME in lists
            self.info[i].hosted_abroad = HOSTED_ABROAD in lists
        self.c.starts = self.starts
        self.c.cls = self.cls
        self.c.bucket = self.bucket
        self.c.classes = self.info
        self.c.n_classes = <uint32_t>len(self.classes)
        return 0

    @property
    def octets(self):
        cdef size_t each = sizeof(uint64_t) + sizeof(uint32_t)
        return self.c.n * each

    def find(self, str digits):
        """The class of a number by the way that messages take."""
        return self.cls[search(&self.c, parse(digits))] & ~<uint32_t>RESTART

    def match(self, str digits):
        """The longest prefix of a number and its class, or None."""
        cdef uint64_t key = parse(digits), shorter
        cdef uint32_t n = digits_of(key), i
        while n > 0:
            cut(key, n, &shorter)
            i = search(&self.c, shorter)
            if self.starts[i] == shorter and not self.cls[i] & RESTART:
                return digits[:n], self.cls[i]
            n -= 1
        return None
