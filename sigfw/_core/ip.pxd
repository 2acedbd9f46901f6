# IPv4 and IPv6 packets.

from sigfw._core.framing cimport Frame, Framer
from sigfw._core.wire cimport Cursor

# A FrameKind, or AGAIN: an SCTP packet is in hand, or a part was taken.
cdef int ip_packet(Framer* f, Frame* out, Cursor* c) noexcept nogil
