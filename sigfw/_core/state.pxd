# The checks that need to know what came before: what they ask of memory, and what messages teach it.

from libc.stdint cimport int64_t, uint32_t

from sigfw._core.memory cimport Memory
from sigfw._core.msg cimport Msg
from sigfw._core.tables cimport PolicyTables

# Make the memory ready for the messages of a policy.
cdef void state_begin(const PolicyTables* t, Memory* mem) noexcept nogil

# Set the clock to a message, and find its dialogues.
cdef void state_clock(Memory* mem, const Msg* m, int64_t now_ns) noexcept nogil

# Answer a state check, once a message: Msg.state_asked, state_known, state_yes. mem NULL: nothing is remembered.
cdef void state_check(const PolicyTables* t, Memory* mem, Msg* m, uint32_t check) noexcept nogil

# What a message teaches, once it has its verdict.
cdef void state_learn(const PolicyTables* t, Memory* mem, const Msg* m) noexcept nogil

# Ask the store for all that state_check and state_learn may look up.
cdef void state_wants(const PolicyTables* t, Memory* mem, const Msg* m) noexcept nogil
