# From what carries SCCP over SCTP, or over a narrow-band link, to the SCCP message. Each call gives a FrameKind.

from libc.stdint cimport uint8_t, uint16_t

from sigfw._core.framing cimport Frame, Framer
from sigfw._core.wire cimport Cursor

# One message of M3UA, M2UA or M2PA, told apart by its class.
cdef int adaptation(Framer* f, Frame* out, Cursor* c) noexcept nogil
# Whether octets begin as such a message: of a chunk whose payload protocol identifier does not say.
cdef int is_adaptation(const Cursor* c, int cut) noexcept nogil

# A signal unit of MTP2; extended: with the sequence numbers of Q.703 annex A.
cdef int mtp2(Framer* f, Frame* out, Cursor* c, int extended) noexcept nogil

# A message of MTP3, its service information octet first; code: what is wrong with it already.
cdef int mtp3(Framer* f, Frame* out, Cursor* c, int code) noexcept nogil
