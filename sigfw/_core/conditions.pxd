# Which rules' conditions hold of a message: rows of rule bits (see tables.pxd), ANDed by what each field and check says.

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from sigfw._core.memory cimport Memory
from sigfw._core.msg cimport Component, Counters, Msg, Party
from sigfw._core.tables cimport MAX_WORDS, PolicyTables

cdef enum Check:               # names.CHECKS
    CHECK_IMSI_IS_HOME = 1
    CHECK_IMSI_IS_FOREIGN
    CHECK_IMSI_MISSING
    CHECK_CALLING_OPERATOR_IS_NOT_IMSI_HOME
    CHECK_CALLING_OPERATOR_UNKNOWN
    CHECK_CALLING_OPERATOR_IS_NOT_MAP_NODE
    CHECK_CALLED_IS_NOT_HOME
    CHECK_ACN_DOES_NOT_FIT_OPERATION
    CHECK_SSN_DOES_NOT_FIT_APPLICATION
    FIRST_STATE_CHECK

cdef enum:
    OF_COMPONENT = 1 << CHECK_IMSI_MISSING | 1 << CHECK_ACN_DOES_NOT_FIT_OPERATION | 1 << CHECK_SSN_DOES_NOT_FIT_APPLICATION

    OF_IMSI = 1 << CHECK_IMSI_IS_HOME | 1 << CHECK_IMSI_IS_FOREIGN | 1 << CHECK_CALLING_OPERATOR_IS_NOT_IMSI_HOME

cdef struct Answers:           # bit a check
    uint32_t asked
    uint32_t yes               # true of a value
    uint32_t sure              # true of all values; of a component, which is one, `yes` says it

cdef struct Tally:             # of a condition over several values
    uint32_t n                 # values that say yes or no
    uint32_t yes
    uint32_t unknown           # values that say neither

cdef enum:                     # what is gathered once a message; a policy of more fields asks again for each component
    INNER_FIELDS = 128
    INNER_WORDS = 1024

cdef struct Inner:             # of a message of several components: what their numbers say, once for all of them
    bint gathered
    uint32_t imsi              # bit a component: it has one, or the dialogue has one for each
    uint32_t node
    uint32_t n                 # number fields
    uint32_t own[INNER_FIELDS]   # as imsi
    bint lacks[INNER_FIELDS]     # nobody has one
    uint64_t values[INNER_WORDS]  # `some` and `all` of each, see one_value

cdef struct Left:              # the rules that still hold
    uint32_t first             # words from `first` to before `end`: in all others no rule is left, and nothing is written
    uint32_t end
    uint64_t bits[MAX_WORDS]
    uint64_t unsure[MAX_WORDS]   # deny rules that hold for some values only: see and_values

cdef struct Checked:           # what checks left last in a reading: of the next component they often leave the same
    bint filled
    uint32_t own               # answers of the component
    uint32_t known
    uint32_t wanted
    Left before
    Left after

cdef struct Eval:              # one message
    const PolicyTables* t
    Msg* m
    Counters* k
    Memory* mem                # NULL: nothing is remembered, state checks say what they said before
    Left base                  # the rules whose message-level fields hold
    Answers whole              # of checks that the whole message answers
    Checked last[2]            # by reading
    Inner inner


cdef inline void copy(const Left* from_, Left* to) noexcept nogil:
    cdef uint32_t w
    to.first = from_.first
    to.end = from_.end
    for w in range(to.first, to.end):
        to.bits[w] = from_.bits[w]
        to.unsure[w] = from_.unsure[w]


cdef inline const uint64_t* row_of(const PolicyTables* t, uint32_t row) noexcept nogil:
    return t.rows + <size_t>row * t.n_words


# The rules that the message's own fields leave; segment: by those alone that a part of a message has.
cdef void message_fields(const PolicyTables* t, const Msg* m, Left* l, bint segment) noexcept nogil

# What the numbers of a message of several components say of the rules left by the message, once.
cdef void gather(const PolicyTables* t, const Msg* m, const Left* l, Inner* inner) noexcept nogil

# Takes away the rules that do not hold for a component in a reading. c NULL: a message without components; reading -1: one
# without readings; inner: gathered, or NULL.
cdef void component_fields(
    const PolicyTables* t, const Msg* m, const Component* c, int reading, const Inner* inner, Left* l
) noexcept nogil

# Takes away the rules whose checks do not hold.
cdef void run_checks(Eval* e, const Component* c, int reading, Left* l) noexcept nogil

cdef void message_check(const PolicyTables* t, const Msg* m, uint32_t check, Tally* tally) noexcept nogil
cdef void state_tally(const Msg* m, uint32_t check, Tally* tally) noexcept nogil
cdef void component_check(const Component* c, int reading, uint32_t check, Tally* tally) noexcept nogil

# 1: ours, -1: another's, 0: nothing says. sure: a GT of two readings is ours only if both are.
cdef int side(const PolicyTables* t, const Party* p, bint has_mtp, uint32_t pc, bint sure) noexcept nogil
