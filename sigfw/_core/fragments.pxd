# IP fragments and SCTP DATA chunks put together, within a capture or record. One Fragments a Framer, made when the first
# fragment comes; nothing in it depends on a length that was not bounded first.

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from sigfw._core.limits cimport (
    MAX_AGE_FRAMES, MAX_CHAIN, MAX_FRAGMENTS, MAX_HELD, MAX_PARTIALS, MAX_USER_MESSAGE,
)
from sigfw._core.wire cimport Cursor

cdef enum:
    BUCKETS = 8192
    PART_COST = 256        # octets that a part costs beside its own, so that MAX_HELD bounds their number, too

    USER_MESSAGE = 0xFF    # key[0]'s low octet, where a datagram has its IP version

    HELD = -1              # of fragments_ip and fragments_sctp: taken, more is to come
    # OK: `whole` is put together. Otherwise an ErrorCode: the part is none, or all that belongs to it is refused.

cdef struct Node:          # what stands in the table
    Node* chain            # next of its bucket
    uint64_t hash
    uint32_t sequence      # TSN or FSN; 0 for a datagram
    Partial* of

cdef struct Part:          # of a user message; its octets follow
    Node node
    Part* after            # in sequence
    uint32_t octets
    uint32_t ppid
    uint8_t flags
    uint8_t again          # came once more since the message was given

cdef struct Partial:       # a datagram or user message
    Node node              # of a datagram: a user message is found by its parts
    uint64_t key[5]
    Partial* older         # by when a part came last
    Partial* newer
    uint32_t frame         # of that part
    uint16_t index         # behind all of that frame
    int64_t time_ns
    uint64_t offset
    uint32_t cost          # octets
    uint8_t code           # refused for it; what never became whole is `missing`
    uint8_t given          # was whole: parts that repeat it are no loss
    # user message: parts in an unbroken sequence, perhaps not all
    Part* first
    Part* last
    uint32_t n_parts
    uint32_t n_again
    uint32_t octets
    # datagram
    uint8_t* data
    uint32_t room
    uint32_t end           # of the furthest octet that came
    uint32_t total         # 0: the last fragment did not come yet
    uint32_t given_total
    uint32_t n_units       # that came, of eight octets
    uint8_t changed        # since it was given, octets that are no repetition
    uint8_t protocol       # as the first fragment says (RFC 8200 4.5)
    uint8_t units[1024]    # a bit for each

cdef struct Given:         # octets put together; they follow
    Given* next
    uint64_t octets

cdef struct Fragments:
    uint64_t seed[2]
    Partial* oldest
    Partial* newest
    uint32_t n
    uint64_t held
    Partial* lost          # given up, not told yet, in that order
    Partial* lost_last
    Given* datagram        # in hand: its chunks are being read
    Given* message
    Given* given           # the Group refers to them until fragments_recycle
    uint32_t frame         # where parts come from
    int64_t time_ns
    uint64_t offset
    Node* buckets[BUCKETS]

cdef struct IpPart:
    uint8_t version
    uint8_t protocol
    uint8_t more           # fragments to come
    uint32_t id
    uint32_t at            # octet in the datagram
    const uint8_t* addresses   # source and destination, 8 or 32 octets
    Cursor octets

cdef struct SctpPart:
    uint8_t type           # of the chunk
    uint8_t flags          # U 4, B 2, E 1 (RFC 9260 3.3.1)
    uint16_t stream
    uint32_t number        # stream sequence number (DATA) or message identifier (I-DATA)
    uint32_t sequence      # TSN or FSN
    uint32_t ppid
    uint32_t ports
    uint32_t tag           # verification tag
    Cursor octets

# Made where there is none; parts now come from here, what is too old by then is given up. NULL: no memory, or no
# randomness from the system.
cdef Fragments* fragments_ready(Fragments** of, uint32_t frame, int64_t time_ns, uint64_t offset) noexcept nogil
cdef void fragments_free(Fragments* s) noexcept nogil

# Take a part: HELD, OK with `whole` (and the payload protocol it began with) in hand, or an ErrorCode.
cdef int fragments_ip(Fragments* s, const IpPart* part, Cursor* whole, uint8_t* protocol) noexcept nogil

# The message or datagram in hand is done with; used: the Group refers to its octets until fragments_recycle.
cdef void fragments_message_done(Fragments* s, int used) noexcept nogil
cdef void fragments_datagram_done(Fragments* s, int used) noexcept nogil
cdef void fragments_recycle(Fragments* s) noexcept nogil

# A frame ends: what came in it and is not whole takes the indices from `index` on.
cdef void fragments_turn(Fragments* s, uint16_t index) noexcept nogil
# The capture ends: all that is not whole is given up.
cdef void fragments_finish(Fragments* s) noexcept nogil
# One that was given up, to be freed with free(): NULL where there is none left.
cdef Partial* fragments_lost(Fragments* s) noexcept nogil

# ---- what datagrams and user messages have in common

cdef uint64_t hash_of(const Fragments* s, const uint64_t* key, uint32_t sequence) noexcept nogil
cdef Node* find(const Fragments* s, const uint64_t* key, uint32_t sequence, uint64_t h) noexcept nogil
cdef int enter(Fragments* s, Node* n, uint64_t h, uint32_t sequence, Partial* of) noexcept nogil
cdef void leave(Fragments* s, Node* n) noexcept nogil
cdef void unlink(Fragments* s, Partial* p) noexcept nogil
cdef void append(Fragments* s, Partial* p) noexcept nogil
cdef void charge(Fragments* s, Partial* p, int64_t octets) noexcept nogil
cdef int make_room(Fragments* s, uint64_t octets, const Partial* keep) noexcept nogil
cdef Partial* new_partial(Fragments* s, const uint64_t* key) noexcept nogil
cdef Given* new_given(uint32_t octets) noexcept nogil


cdef inline void touch(Fragments* s, Partial* p) noexcept nogil:
    unlink(s, p)
    append(s, p)


cdef inline uint8_t* octets_of(void* head, size_t octets) noexcept nogil:
    """What follows a head of so many octets."""
    return <uint8_t*>head + octets
