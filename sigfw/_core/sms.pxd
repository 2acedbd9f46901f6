# TP-PID and TP-DCS of a short message's TPDU (TS 23.040 9.2).

from libc.stdint cimport uint8_t, uint32_t

from sigfw._core.limits cimport MAX_TP_ADDRESS_DIGITS
from sigfw._core.msg cimport E_BAD_VALUE, E_TRUNCATED, OK, Msg
from sigfw._core.wire cimport Cursor, left


cdef inline int skip_tp_address(Cursor* c) noexcept nogil:
    """TP-OA, TP-DA, TP-RA (TS 23.040 9.1.2.5): length in digits, type of address, semi-octets."""
    cdef uint32_t octets
    if c.end - c.p < 2:
        return E_TRUNCATED
    if c.p[0] > MAX_TP_ADDRESS_DIGITS:
        return E_BAD_VALUE
    octets = 2 + (c.p[0] + 1) // 2
    if left(c) < octets:
        return E_TRUNCATED
    c.p += octets
    return OK


cdef inline int short_message(Msg* m, Cursor c, bint mobile_originated) noexcept nogil:
    """TP-PID and TP-DCS of the TPDU (TS 23.040 9.2.2). A reserved type is read as its direction's common one."""
    cdef uint8_t kind, parameters
    cdef int status
    cdef uint32_t octets = 2
    if left(&c) < 2:
        return E_TRUNCATED
    kind = c.p[0] & 3
    c.p += 1
    if mobile_originated:
        c.p += 1  # TP-MR
        if kind == 2:  # SMS-COMMAND: reference, TP-PID
            octets = 1
        else:
            status = skip_tp_address(&c)
            if status != OK:
                return status
    elif kind == 2:  # SMS-STATUS-REPORT: reference, recipient, two times, status; then perhaps TP-PI and what it says
        c.p += 1
        status = skip_tp_address(&c)
        if status != OK:
            return status
        if left(&c) < 15:
            return E_TRUNCATED
        c.p += 15
        if c.p == c.end:
            return OK
        parameters = c.p[0]
        c.p += 1
        if parameters & 1 and left(&c):
            m.has_sms = 1
            m.sms_pid = c.p[0]
            c.p += 1
        if parameters & 2 and left(&c):
            m.has_sms = 1
            m.sms_dcs = c.p[0]
        return OK
    else:
        status = skip_tp_address(&c)
        if status != OK:
            return status
    if left(&c) < octets:
        return E_TRUNCATED
    m.has_sms = 1
    m.sms_pid = c.p[0]
    m.sms_dcs = c.p[1] if octets == 2 else 0
    return OK
