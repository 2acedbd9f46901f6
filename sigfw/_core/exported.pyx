"""Tags of exported PDUs, as Wireshark's wsutil/exported_pdu_tlvs.h numbers them: u16 tag, u16 length, value; big-endian.

Strings may end in zeros or not. The first tag that names a protocol is the one Wireshark reads: a second one is refused.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memcmp, strlen

from sigfw._core.framing cimport Frame
from sigfw._core.msg cimport E_BAD_LENGTH, E_BAD_VALUE, E_DUPLICATE, E_MISSING, E_TRUNCATED, NO_PC, OK
from sigfw._core.wire cimport Cursor, left, read_u16be, read_u32be, take

cdef enum:
    TAG_END = 0
    TAG_DISSECTOR = 12
    TAG_HEURISTIC = 13
    TAG_TABLE = 14
    TAG_OPC = 28
    TAG_DPC = 29
    TAG_TABLE_VALUE = 32

    MAX_PC = 0xFFFFFF      # 24 bits


cdef int is_name(const Cursor* value, const char* name) noexcept nogil:
    cdef uint32_t octets = left(value)
    while octets and value.p[octets - 1] == 0:
        octets -= 1
    return octets == strlen(name) and memcmp(value.p, name, octets) == 0


cdef uint8_t of_name(const Cursor* n) noexcept nogil:
    if is_name(n, b"sccp"):
        return PDU_SCCP
    if is_name(n, b"mtp3"):
        return PDU_MTP3
    if is_name(n, b"mtp2"):
        return PDU_MTP2
    if is_name(n, b"m3ua") or is_name(n, b"m2ua") or is_name(n, b"m2pa"):
        return PDU_ADAPTATION
    if is_name(n, b"sctp"):
        return PDU_SCTP
    if is_name(n, b"ip") or is_name(n, b"ipv4") or is_name(n, b"ipv6"):
        return PDU_IP
    if is_name(n, b"eth_withoutfcs") or is_name(n, b"eth_maybefcs"):
        return PDU_ETHERNET
    if is_name(n, b"isup") or is_name(n, b"bicc") or is_name(n, b"mtp3mg") or is_name(n, b"diameter"):
        return PDU_NONE
    return PDU_UNREAD


cdef uint8_t of_table(const Cursor* n, uint32_t value) noexcept nogil:
    if is_name(n, b"mtp3.service_indicator"):
        return PDU_SCCP if value == 3 else PDU_NONE          # Q.704 14.2.1
    if is_name(n, b"sctp.ppi") and (value == 2 or value == 3 or value == 5):
        return PDU_ADAPTATION
    if is_name(n, b"ip.proto") and value == 132:
        return PDU_SCTP
    if is_name(n, b"ethertype") and (value == 0x0800 or value == 0x86DD):
        return PDU_IP
    return PDU_UNREAD


cdef int point_code(Cursor* value, uint32_t* pc) noexcept nogil:
    if read_u32be(value, pc) != OK:
        return E_BAD_LENGTH
    return OK if pc[0] <= MAX_PC else E_BAD_VALUE


cdef int exported(Frame* out, Cursor* c, uint8_t* pdu) noexcept nogil:
    cdef uint16_t tag = 0
    cdef uint16_t octets = 0
    cdef uint32_t number = 0
    cdef Cursor value, table
    cdef int named = 0
    cdef int code = OK
    table.p = table.end = NULL
    out.opc = out.dpc = NO_PC
    pdu[0] = PDU_UNREAD
    while True:
        if read_u16be(c, &tag) != OK or read_u16be(c, &octets) != OK or take(c, octets, &value) != OK:
            return E_TRUNCATED
        if tag == TAG_END:
            break
        if tag == TAG_DISSECTOR or tag == TAG_HEURISTIC or tag == TAG_TABLE:
            if named:
                return E_DUPLICATE
            named = 1
            if tag == TAG_DISSECTOR:
                pdu[0] = of_name(&value)
            elif tag == TAG_TABLE:
                table = value
        elif tag == TAG_TABLE_VALUE and table.p != NULL:
            if read_u32be(&value, &number) != OK:
                return E_BAD_LENGTH
            pdu[0] = of_table(&table, number)
        elif tag == TAG_OPC or tag == TAG_DPC:
            code = point_code(&value, &out.opc if tag == TAG_OPC else &out.dpc)
            if code != OK:
                return code
    out.has_mtp = out.pcs_only = out.opc != NO_PC or out.dpc != NO_PC
    return OK if named else E_MISSING
