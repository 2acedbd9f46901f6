# SCTP packets: their DATA chunks, one after the other. Each call gives a FrameKind or AGAIN.

from sigfw._core.framing cimport Frame, Framer
from sigfw._core.wire cimport Cursor

# Take a packet in hand: next_chunk then walks it.
cdef int sctp_packet(Framer* f, Frame* out, Cursor* c) noexcept nogil
# The next DATA chunk of the packet in hand; f.chunk is NULL when that was the last.
cdef int next_chunk(Framer* f, Frame* out) noexcept nogil
