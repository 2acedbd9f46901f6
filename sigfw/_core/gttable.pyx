# Longest prefix among up to millions: intervals, a bucket index over the first digits, a branch-free search.
#
# Numbers are encoded as prefixes.pxd says: no look-up ever has to climb back to a shorter prefix. The index is of base 11,
# so that digits are dense in it; a start needs but the eight digits behind those of its bucket, and its class two octets:
# 12 octets a prefix (one interval begins, one goes on), of which a look-up touches two or three lines.

from cpython.memoryview cimport PyMemoryView_FromMemory
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, qsort, realloc
from libc.string cimport memset

from sigfw._core.limits cimport MAX_KEY_DIGITS
from sigfw._core.msg cimport Group, Msg, N_SPACES, Norm
from sigfw._core.prefixes cimport Prefixes, digits_of, parse
from sigfw._core.tables cimport ClassInfo, GtTable, PolicyTables

cdef extern from "Python.h":
    int PyBUF_READ

cdef extern from *:
    """
    #include <stdint.h>
    #include <stdlib.h>
    #include <sys/mman.h>
    #define SIGFW_PREFETCH(p) __builtin_prefetch((const void*)(p), 0, 1)
    #define SIGFW_HUGE ((uintptr_t)1 << 21)

    /* As malloc; of what is large, in huge pages where the system has them: a look-up among millions otherwise waits as
       long for the address of each line as for the line. */
    static void* sigfw_room(size_t octets) {
        char* p = malloc(octets);
    #ifdef MADV_HUGEPAGE
        if (p != NULL && octets >= 2 * SIGFW_HUGE) {
            uintptr_t first = ((uintptr_t)p + SIGFW_HUGE - 1) & ~(SIGFW_HUGE - 1);
            uintptr_t end = ((uintptr_t)p + octets) & ~(SIGFW_HUGE - 1);
            (void)madvise((void*)first, end - first, MADV_HUGEPAGE);
        }
    #endif
        return p;
    }
    """
    void SIGFW_PREFETCH(const void* p) noexcept nogil
    void* room "sigfw_room"(size_t octets) noexcept nogil

cdef enum:
    IN_FLIGHT = 64                 # look-ups prefetched together: beyond the line fill buffers of any core, within L1
    AT_HAND = 16                   # starts in a line or two, which are prefetched whole
    STEPS = 1024                   # of what a prefix makes of the class around it: remembered while a table is built
    NARROW_CLASSES = 0x10000

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


cdef uint64_t end_of(uint64_t encoded, uint32_t digits) noexcept nogil:
    """The first number after all that begin with this prefix: 44 9 ends where 45 begins, as no digit follows 9."""
    cdef int i = <int>digits - 1
    while i >= 0 and (encoded >> (60 - 4 * i)) & 15 == 10:
        encoded &= ~(<uint64_t>15 << (60 - 4 * i))
        i -= 1
    if i < 0:
        return END
    return encoded + (<uint64_t>1 << (60 - 4 * i))


cdef inline uint32_t bucket_of(const GtTable* t, uint64_t key) noexcept nogil:
    """The first two to six digits, read as a number of base 11; of what are no digits, the last."""
    cdef uint32_t x = <uint32_t>(key >> t.shift)
    cdef uint32_t pairs = (x & 0x0F0F0F) + 11 * ((x >> 4) & 0x0F0F0F)
    cdef uint32_t b = (pairs >> 16) * 14641 + ((pairs >> 8) & 0xFF) * 121 + (pairs & 0xFF)
    return b if b < t.n_buckets else t.n_buckets - 1


cdef inline bint at_or_below(const GtTable* t, uint32_t i, uint64_t key) noexcept nogil:
    if t.wide:
        return (<const uint64_t*>t.starts)[i] <= key
    return (<const uint32_t*>t.starts)[i] <= <uint32_t>(key >> t.cut)


cdef inline uint32_t search(const GtTable* t, uint64_t key) noexcept nogil:
    """Index of the last start at or below key."""
    cdef uint32_t b = bucket_of(t, key)
    cdef uint32_t base = t.bucket[b] - 1, n = t.bucket[b + 1] - t.bucket[b], half
    while n:
        half = (n + 1) >> 1
        base += half if at_or_below(t, base + half, key) else 0
        n -= half
    return base


cdef inline uint32_t class_at(const GtTable* t, uint32_t i) noexcept nogil:
    return (<const uint32_t*>t.cls)[i] if t.many else (<const uint16_t*>t.cls)[i]


cdef struct Asked:                 # of one table: what is looked up together
    uint32_t n
    uint32_t base[IN_FLIGHT]       # first the bucket, then the last start known to be at or below the key
    uint64_t keys[IN_FLIGHT]
    Norm* norms[IN_FLIGHT]


cdef inline void search_all(const GtTable* t, Asked* a, bint wide) noexcept nogil:
    """Leaves in `base` what `search` says of each key. Each pass asks memory for what the next one reads."""
    cdef const uint64_t* long_ = <const uint64_t*>t.starts
    cdef const uint32_t* short_ = <const uint32_t*>t.starts
    cdef uint32_t left[IN_FLIGHT]
    cdef uint32_t i, b, at, half, most = 0
    for i in range(a.n):
        b = a.base[i]
        at = t.bucket[b]
        left[i] = t.bucket[b + 1] - at
        a.base[i] = at - 1
        at = at - 1 + ((left[i] + 1) >> 1)
        if wide:
            SIGFW_PREFETCH(&long_[at])
        else:
            SIGFW_PREFETCH(&short_[at])
            a.keys[i] >>= t.cut
        most = max(most, left[i])
    while most:                    # a step of each in turn, as many for each: none waits for its own, no branch depends on it
        for i in range(a.n):
            half = (left[i] + 1) >> 1
            left[i] -= half
            at = a.base[i]         # a product and no choice: by counts of what runs gcc makes branches of choices
            if wide:
                at += half & -<uint32_t>(long_[at + half] <= a.keys[i])
            else:
                at += half & -<uint32_t>(short_[at + half] <= <uint32_t>a.keys[i])
            a.base[i] = at
            if left[i] > AT_HAND:
                at += (left[i] + 1) >> 1
                if wide:
                    SIGFW_PREFETCH(&long_[at])
                else:
                    SIGFW_PREFETCH(&short_[at])
        most >>= 1


cdef void look_up(const GtTable* t, Asked* a) noexcept nogil:
    cdef uint32_t i
    if t.wide:
        search_all(t, a, True)
    else:
        search_all(t, a, False)
    for i in range(a.n):
        SIGFW_PREFETCH(<const char*>t.cls + (<size_t>a.base[i] << (1 + t.many)))
    for i in range(a.n):
        a.norms[i].cls = class_at(t, a.base[i])
    a.n = 0


cdef uint32_t class_of(const GtTable* t, uint64_t key, uint32_t digits) noexcept nogil:
    return class_at(t, search(t, encode(key, digits))) if t.n > 1 and digits else 0


cdef inline void ask(const PolicyTables* t, Asked* asked, Norm* norm) noexcept nogil:
    """Put one more number to those in flight; look them up when there is no room for another."""
    cdef const GtTable* gt
    cdef Asked* a
    cdef uint64_t key
    norm.cls = 0
    if norm.digits == 0 or norm.space == 0 or norm.space >= N_SPACES:
        return
    gt = &t.gt[norm.space]
    if gt.n <= 1:
        return
    a = &asked[norm.space]
    key = encode(norm.key, norm.digits)
    a.keys[a.n] = key
    a.base[a.n] = bucket_of(gt, key)
    SIGFW_PREFETCH(&gt.bucket[a.base[a.n]])
    a.norms[a.n] = norm
    a.n += 1
    if a.n == IN_FLIGHT:
        look_up(gt, a)


cdef void gttable_group(const PolicyTables* t, Group* g) noexcept nogil:
    cdef Asked asked[N_SPACES]
    cdef int i, j, k
    cdef Msg* m
    for i in range(N_SPACES):
        asked[i].n = 0
    for i in range(g.n):
        m = &g.msgs[i]
        for k in range(m.called.n_norm):
            ask(t, asked, &m.called.norm[k])
        for k in range(m.calling.n_norm):
            ask(t, asked, &m.calling.norm[k])
        for j in range(m.n_numbers):
            for k in range(m.numbers[j].n_norm):
                ask(t, asked, &m.numbers[j].norm[k])
    for i in range(1, N_SPACES):
        if asked[i].n:
            look_up(&t.gt[i], &asked[i])


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
        if gt.classes[class_at(gt, search(gt, shorter))].operator != operator:
            break
        digits -= 1
    return digits


cdef int by_key(const void* a, const void* b) noexcept nogil:
    cdef const Entry* x = <const Entry*>a
    cdef const Entry* y = <const Entry*>b
    if x.key != y.key:
        return -1 if x.key < y.key else 1
    return (x.item > y.item) - (x.item < y.item)


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


cdef struct Step:
    uint32_t outer
    uint32_t item
    uint32_t number                # of the class, + 1; 0: none yet


cdef class PrefixTable:
    def __cinit__(self, prefixes=(), items=(), packed=()):
        cdef Py_ssize_t n = len(prefixes), i = 0, k
        cdef Entry* entries
        cdef Prefixes one
        cdef uint32_t number
        if len(items) != n:
            raise ValueError("as many items as prefixes")
        n += sum([len(part) for part, _ in packed])
        if n > 0x3FFFFFFF:
            raise ValueError("too many prefixes")
        entries = <Entry*>malloc((n or 1) * sizeof(Entry))
        if entries == NULL:
            raise MemoryError
        try:
            for prefix, item in zip(prefixes, items):
                entries[i].key = parse(prefix)
                entries[i].item = item
                i += 1
            for one, number in packed:
                for k in range(one.n):
                    entries[i].key = one.keys[k]
                    entries[i].item = number << 1 | (k < one.excluded)
                    i += 1
            self.build(entries, n)
        finally:
            free(entries)

    def __dealloc__(self):
        free(self.starts)
        free(self.cls)
        free(self.bucket)
        free(self.begins)
        free(self.info)

    cdef int build(self, Entry* entries, Py_ssize_t n) except -1:
        cdef Py_ssize_t i = 1
        while i < n and by_key(&entries[i - 1], &entries[i]) <= 0:
            i += 1
        if i < n:
            qsort(entries, n, sizeof(Entry), by_key)
        self.sweep(entries, n)
        self.index()
        return self.narrow()

    cdef int sweep(self, const Entry* entries, Py_ssize_t n) except -1:
        """From sorted entries to intervals: each prefix begins one, its end goes back to the prefix around it."""
        cdef uint64_t ends[MAX_KEY_DIGITS + 1]
        cdef uint32_t around[MAX_KEY_DIGITS + 1]
        cdef Step known[STEPS]
        cdef Step* step
        cdef int depth = 0
        cdef Py_ssize_t i = 0, same
        cdef Classes classes = Classes()
        memset(known, 0, sizeof(known))
        self.starts = <uint64_t*>room((2 * n + 1) * sizeof(uint64_t))
        self.cls = <uint32_t*>room((2 * n + 1) * sizeof(uint32_t))
        self.begins = <uint8_t*>calloc(2 * n // 8 + 1, 1)
        if self.starts == NULL or self.cls == NULL or self.begins == NULL:
            raise MemoryError
        self.starts[0] = 0
        self.cls[0] = 0
        self.c.n = 1
        ends[0] = END
        around[0] = 0
        while i < n:
            depth = self.close(ends, around, depth, entries[i].key)
            if depth == MAX_KEY_DIGITS:
                raise ValueError("prefixes that are none")
            same = i + 1
            while same < n and entries[same].key == entries[i].key:
                same += 1
            step = &known[(around[depth] * 31 + entries[i].item) % STEPS]
            if same > i + 1 or step.number == 0 or step.outer != around[depth] or step.item != entries[i].item:
                around[depth + 1] = classes.step(around[depth], &entries[i], same - i)
                if same == i + 1:
                    step[0] = Step(around[depth], entries[i].item, around[depth + 1] + 1)
            else:
                around[depth + 1] = step.number - 1
            ends[depth + 1] = end_of(entries[i].key, digits_of(entries[i].key))
            depth += 1
            self.starts[self.c.n] = entries[i].key
            self.cls[self.c.n] = around[depth]
            self.begins[self.c.n >> 3] |= 1 << (self.c.n & 7)
            self.c.n += 1
            self.prefixes += 1
            i = same
        self.close(ends, around, depth, END)
        return self.describe(classes.found)

    cdef int close(self, const uint64_t* ends, const uint32_t* around, int depth, uint64_t key) noexcept:
        """Leave the prefixes that end at or before key; returns how many are still open."""
        cdef uint64_t end
        while depth > 0 and ends[depth] <= key:
            end = ends[depth]
            depth -= 1
            if end < key and end < ends[depth] and self.cls[self.c.n - 1] != around[depth]:
                self.starts[self.c.n] = end
                self.cls[self.c.n] = around[depth]
                self.c.n += 1
        return depth

    cdef int index(self) except -1:
        """Few starts in a bucket, and small tables in L1: 484 octets to 7 MB of it, at 20 starts a bucket or so."""
        cdef uint32_t n = self.c.n
        cdef uint32_t digits = 2 if n <= 256 else 3 if n <= 4096 else 4 if n <= 50_000 else 5 if n <= 3_000_000 else 6
        cdef uint32_t b, i = 1
        self.c.shift = 64 - 4 * digits
        self.c.n_buckets = 11 ** digits
        self.bucket = <uint32_t*>room((self.c.n_buckets + 1) * sizeof(uint32_t))
        if self.bucket == NULL:
            raise MemoryError
        for b in range(self.c.n_buckets):
            while i < n and bucket_of(&self.c, self.starts[i]) < b:
                i += 1
            self.bucket[b] = i
        self.bucket[self.c.n_buckets] = n
        self.c.bucket = self.bucket
        return 0

    cdef int narrow(self) except -1:
        """Keep of starts and classes what tells them apart."""
        cdef uint64_t used = 0
        cdef uint32_t i
        cdef uint32_t* starts = <uint32_t*>self.starts
        cdef uint16_t* cls = <uint16_t*>self.cls
        self.c.cut = self.c.shift - 32
        for i in range(self.c.n):
            used |= self.starts[i]
        self.c.wide = used & ~(END << self.c.cut) != 0
        self.c.many = self.c.n_classes > NARROW_CLASSES
        if self.c.wide:
            self.c.cut = 0
        else:
            for i in range(self.c.n):
                starts[i] = <uint32_t>(self.starts[i] >> self.c.cut)
        if not self.c.many:
            for i in range(self.c.n):
                cls[i] = <uint16_t>self.cls[i]
        self.starts = <uint64_t*>realloc(self.starts, <size_t>self.c.n << (2 + self.c.wide))
        self.cls = <uint32_t*>realloc(self.cls, <size_t>self.c.n << (1 + self.c.many))
        self.begins = <uint8_t*>realloc(self.begins, self.c.n // 8 + 1)
        self.c.starts = self.starts
        self.c.cls = self.cls
        self.starting = self.begins
        return 0

    cdef int describe(self, list found) except -1:
        cdef Py_ssize_t i
        self.owners = tuple([owner for _, owner in found])
        self.classes = tuple([(lists, owner & 0xFFFF) for lists, owner in found])
        free(self.info)
        self.info = <ClassInfo*>calloc(len(found), sizeof(ClassInfo))
        if self.info == NULL:
            raise MemoryError
        for i, (lists, owner) in enumerate(found):
            self.info[i].operator = owner & 0xFFFF
            self.info[i].also = owner >> 16
            self.info[i].home = HOME in lists
            self.info[i].hosted_abroad = HOSTED_ABROAD in lists
        self.c.classes = self.info
        self.c.n_classes = <uint32_t>len(found)
        return 0

    # as it lies in a file ---------------------------------------------------------------------------------------------

    @property
    def parts(self):
        return (
            PyMemoryView_FromMemory(<char*>self.c.starts, <Py_ssize_t>self.c.n << (2 + self.c.wide), PyBUF_READ),
            PyMemoryView_FromMemory(<char*>self.c.cls, <Py_ssize_t>self.c.n << (1 + self.c.many), PyBUF_READ),
            PyMemoryView_FromMemory(
                <char*>self.c.bucket, (self.c.n_buckets + 1) * <Py_ssize_t>sizeof(uint32_t), PyBUF_READ
            ),
            PyMemoryView_FromMemory(<char*>self.starting, self.c.n // 8 + 1, PyBUF_READ),
        )

    @property
    def shape(self):
        return (self.c.n, self.prefixes, self.c.n_buckets, self.c.shift, self.c.cut, self.c.wide, self.c.many)

    @staticmethod
    def mapped(tuple parts not None, tuple shape not None, list found not None):
        cdef PrefixTable self = PrefixTable.__new__(PrefixTable)
        cdef const uint8_t[::1] starts, cls, bucket, begins
        cdef uint32_t digits
        starts, cls, bucket, begins = parts
        self.c.n, self.prefixes, self.c.n_buckets, self.c.shift, self.c.cut, self.c.wide, self.c.many = shape
        digits = (64 - self.c.shift) // 4
        if (
            not found
            or self.c.n == 0
            or self.c.wide > 1
            or self.c.many > 1
            or not 2 <= digits <= 6
            or self.c.shift != 64 - 4 * digits
            or self.c.n_buckets != 11 ** digits
            or self.c.cut != (0 if self.c.wide else self.c.shift - 32)
            or starts.shape[0] != <Py_ssize_t>self.c.n << (2 + self.c.wide)
            or cls.shape[0] != <Py_ssize_t>self.c.n << (1 + self.c.many)
            or bucket.shape[0] != (self.c.n_buckets + 1) * <Py_ssize_t>sizeof(uint32_t)
            or begins.shape[0] != self.c.n // 8 + 1
        ):
            raise ValueError("no prefix table")
        if (<size_t>&starts[0] | <size_t>&cls[0] | <size_t>&bucket[0]) & 7:
            raise ValueError("a prefix table that is not aligned to 8")
        self.kept = parts
        self.c.starts = &starts[0]
        self.c.cls = &cls[0]
        self.c.bucket = <const uint32_t*>&bucket[0]
        self.starting = &begins[0]
        self.describe(found)
        self.check()
        return self

    cdef int check(self) except -1:
        """That no look-up leaves the arrays, whatever stands in them."""
        cdef uint32_t i, worst = 0
        cdef bint ordered = self.c.bucket[0] == 1 and self.c.bucket[self.c.n_buckets] == self.c.n
        with nogil:
            for i in range(self.c.n_buckets):
                ordered &= self.c.bucket[i] <= self.c.bucket[i + 1]
            if self.c.many:
                for i in range(self.c.n):
                    worst = max(worst, (<const uint32_t*>self.c.cls)[i])
            else:
                for i in range(self.c.n):
                    worst = max(worst, (<const uint16_t*>self.c.cls)[i])
        if not ordered or worst >= self.c.n_classes:
            raise ValueError("no prefix table")
        return 0

    # for what people read ---------------------------------------------------------------------------------------------

    @property
    def octets(self):
        return sum([part.nbytes for part in self.parts])

    def find(self, str digits):
        """The class of a number by the way that messages take."""
        return class_at(&self.c, search(&self.c, parse(digits)))

    def match(self, str digits):
        """The longest prefix of a number and its class, or None."""
        cdef uint64_t key = parse(digits), shorter
        cdef uint32_t n = digits_of(key), i
        while n > 0:
            cut(key, n, &shorter)
            i = search(&self.c, shorter)
            if self.begins_at(i, shorter):
                return digits[:n], class_at(&self.c, i)
            n -= 1
        return None

    cdef bint begins_at(self, uint32_t i, uint64_t prefix) noexcept:
        """Whether interval i is that of the prefix itself, which is at or behind its start."""
        if not self.starting[i >> 3] >> (i & 7) & 1 or i < self.c.bucket[bucket_of(&self.c, prefix)]:
            return False
        if self.c.wide:
            return (<const uint64_t*>self.c.starts)[i] == prefix
        return prefix & ~(END << self.c.cut) == 0 and (<const uint32_t*>self.c.starts)[i] == <uint32_t>(
            prefix >> self.c.cut
        )
