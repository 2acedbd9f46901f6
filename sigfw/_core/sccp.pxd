# SCCP of Q.713: one stage over a Group, from the octets of a message to its parts.

from sigfw._core.msg cimport Group, Msg

# Fill the SCCP part of every Msg whose `sccp` is not NULL. Msg is zero beyond its framing part (and its error, if any).
cdef void sccp_group(Group* g) noexcept nogil

# One message of it.
cdef void sccp_message(Msg* m) noexcept nogil

# Read m.data as SCCP management (Q.713 5.3); what is none of its messages leaves `management` 0 and is no error.
cdef void sccp_management(Msg* m) noexcept nogil
