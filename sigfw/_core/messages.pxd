# User messages of SCTP in parts.

from libc.stdint cimport uint32_t

from sigfw._core.fragments cimport Fragments, SctpPart
from sigfw._core.wire cimport Cursor

# As fragments_ip: HELD, OK with `whole` and the PPID it began with in hand, or an ErrorCode.
cdef int fragments_sctp(Fragments* s, const SctpPart* new, Cursor* whole, uint32_t* ppid) noexcept nogil
