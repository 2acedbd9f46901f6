# TCAP, ITU-T Q.773: package type, transaction ids, dialogue portion, components.

from libc.stdint cimport uint8_t

from sigfw._core.msg cimport Group


cdef enum CapContext:  # Msg.acn_context where acn_application is APP_CAP: names.CAP_CONTEXTS
    CAP_GSMSSF = 1
    CAP_ASSIST_GSMSSF
    CAP_GSMSRF
    CAP_GPRSSSF
    CAP_SMS

cdef void tcap_group(Group* g) noexcept nogil
cdef bint ssn_speaks_tcap(uint8_t ssn) noexcept nogil
cdef bint ssn_is_map(uint8_t ssn) noexcept nogil
cdef bint ssn_is_cap(uint8_t ssn) noexcept nogil
