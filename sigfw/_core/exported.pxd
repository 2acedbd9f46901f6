# PDUs that Wireshark exported: which protocol, point codes.

from libc.stdint cimport uint8_t

from sigfw._core.framing cimport Frame, Framer
from sigfw._core.wire cimport Cursor

cdef enum ExportedPdu:
    PDU_UNREAD = 0         # none of these: it cannot be told whether SCCP is in it
    PDU_NONE               # holds no SCCP
    PDU_SCCP
    PDU_MTP3
    PDU_MTP2
    PDU_ADAPTATION
    PDU_SCTP
    PDU_IP
    PDU_ETHERNET

# Read the tags; c then holds the PDU. A Status.
cdef int exported(Frame* out, Cursor* c, uint8_t* pdu) noexcept nogil
