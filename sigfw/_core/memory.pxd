# What sigfw remembers between messages: shelves of small entries by 64-bit key, and sketches that count distinct things.
#
# All of it is bounded and allocated once. A shelf is an array of sets of WAYS entries; a key has its set. Where a set is
# full, twice as many are used; when all are, the oldest entry makes room. Keys are SipHash-2-4 under a secret, so that
# nobody can aim at another's set.

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef enum:                 # shelves
    SHELF_LOCATION         # subscriber and domain -> node, since when
    SHELF_SMS              # subscriber -> who was told where he is
    SHELF_DIALOGUE         # who gave a transaction id, and the id -> who was asked, for whom
    SHELF_ANSWER           # verdict id -> what the state checks said of it
    N_SHARED               # those before it are what a shared store holds
    SHELF_RATE = N_SHARED  # limit and who -> tokens
    N_SHELVES

cdef enum:
    WAYS = 8               # octets of a word of tags
    SKETCH_WAYS = 4
    VALUE_OCTETS = 32      # of an entry in a shared store: all but its key

cdef struct Remembered:    # what a, b, c and the rest mean is the shelf's: state.pyx
    uint64_t key           # 0: free
    uint64_t a
    uint64_t b
    uint64_t c
    uint32_t seconds       # when it was last written
    uint16_t operation
    uint8_t flags
    uint8_t space

cdef struct Shelf:
    Remembered* slots
    uint64_t* tags         # a set's: of each of its entries an octet of the key, 0: free. Most look-ups end here
    uint64_t mask          # sets in use - 1
    uint64_t last          # what it grows to
    uint32_t lifetime_seconds
    uint32_t evicted_seconds  # when a living entry was pushed out last; 0: never
    uint64_t used
    uint64_t evicted
    uint64_t hits
    uint64_t misses

# A slot: key, when its half window began and it was last used, how many bits neither half has set, the halves.
cdef struct Sketches:
    uint64_t* slots
    uint64_t mask
    uint32_t words         # of a half
    uint64_t evicted

cdef struct Name:          # of an entry
    uint64_t key
    uint8_t shelf

cdef struct Names:
    Name* p
    uint32_t n
    uint32_t room

cdef struct Memory:
    Shelf shelves[N_SHELVES]
    Sketches callers
    Sketches targets
    uint64_t secret[2]
    uint32_t first_seconds # of the first message; of several input partitions, of the one that came last
    uint8_t another_stream # the next message is the first of an input partition
    uint8_t seen           # bit a direction in which messages were seen
    uint8_t inside         # a message of the internal perimeter was seen
    uint8_t shared         # others share what is known: changes are kept for their store
    uint8_t away           # the store did not answer for these messages
    Names changes          # written or forgotten since they were handed over
    Names wanted           # of the store, for the messages at hand
    # of the message at hand
    int64_t now_ns
    uint32_t now           # seconds
    uint64_t stream        # stands for the input partition; 0: its messages do not come again
    uint32_t needs         # StateRules.needs of the policy
    uint64_t by_dtid[2]    # keys of the dialogue that the called GT has given its dtid, by reading of the GT
    uint64_t by_otid[2]    # and of the one that the calling GT gives its otid
    uint32_t n_by_dtid
    uint32_t n_by_otid


cdef uint64_t memory_key(const Memory* m, uint64_t kind, uint64_t a, uint64_t b) noexcept nogil

# The entry, or NULL where there is none or it is older than the shelf's lifetime.
cdef Remembered* recall(Memory* m, uint32_t shelf, uint64_t key) noexcept nogil

# The entry that is there or would be made will be asked for: have the processor fetch it.
cdef void fetch_ahead(const Memory* m, uint32_t shelf, uint64_t key) noexcept nogil

# The entry, made (zeroed) where there is none; its age begins anew.
cdef Remembered* remember(Memory* m, uint32_t shelf, uint64_t key) noexcept nogil
cdef void forget(Memory* m, uint32_t shelf, uint64_t key) noexcept nogil

# Ask the store for an entry.
cdef void want(Memory* m, uint32_t shelf, uint64_t key) noexcept nogil

# Counts an item under a key; how many different ones there were within the window, or half of it at least.
cdef double count_distinct(const Memory* m, Sketches* s, uint64_t key, uint64_t item, uint32_t window) noexcept nogil


cdef class State:
    cdef Memory c
    cdef readonly size_t octets
    cdef int make(self, Sketches* s, uint64_t entries) except -1
    cdef bytes name(self, const Name* of)
    cdef int take(self, const Name* name, bytes value) except -1
