# Events: which messages are told one by one, and which are counted.

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from sigfw._core.out cimport Out


cdef struct Kind:          # of an event; compared whole, hence without a gap
    uint64_t wire[2]       # digits of the calling GT as they stand
    uint16_t rule          # that decided, or would have in shadow
    uint8_t action
    uint8_t reason
    uint8_t flags          # Entry.flags: shadow's action, alert, segment, perimeter
    uint8_t wire_digits
    uint8_t reassembly     # no message, but a reassembly that ended
    uint8_t zero

cdef struct Window:
    Kind kind
    uint32_t told          # one by one
    uint32_t sample        # of those that were counted, in `kept`, from 1; 0: none was

cdef struct Told:          # what an event tells beside the JSON of its verdict, before any pseudonym
    uint64_t calling       # the GT as it is looked up, left-aligned
    uint64_t called
    uint8_t calling_digits # 0: none, or none that can be looked up
    uint8_t called_digits
    uint16_t alert         # the rule that asks for it; 0: a denial does
    uint32_t count         # of the messages it stands for
    uint64_t start         # of the JSON in Tellings.text, and of the SCCP message behind it
    uint32_t line_octets
    uint32_t octets

cdef struct Tellings:
    Told* p
    uint32_t n
    uint32_t room
    Out text

cdef struct Windows:
    Window* windows        # n of `most`
    uint32_t* slots        # open addressing by SipHash: window, from 1; 0: free
    uint32_t n
    uint32_t most
    uint32_t mask
    uint32_t first         # of a kind, that are told one by one
    double budget          # of those behind the very first of each kind
    uint64_t counted       # in all
    uint64_t secret[2]
    Tellings now           # to be told
    Tellings kept          # the first of each kind that was counted, and how many there were


# Where to write what is told of the message: its last entry, zeroed. NULL: it is counted, or there is no memory (failed).
cdef Tellings* flood_ask(Windows* f, const Kind* kind) noexcept nogil


cdef class Flood:
    cdef Windows c
    cdef tuple rule_ids    # of the tables that judged
    cdef int use(self, tuple rule_ids) except -1
    cdef int check(self) except -1
