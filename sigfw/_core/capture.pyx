"""Classic pcap and pcapng: which packets, of which link type, from when.

    classic pcap   24 octets of header (magic says order and µs or ns), then 16 of record header before each packet
    pcapng         blocks: type, length, body, length again; the section header says the order

What is wrong with one packet is told with it and the next one is read; where the structure itself is lost the capture ends.
"""

from libc.stdint cimport INT64_MAX, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memset

from sigfw._core.msg cimport (
    E_BAD_LENGTH,
    E_BAD_VALUE,
    E_LENGTH_OVERRUN,
    E_MISSING,
    E_TRUNCATED,
    E_UNSUPPORTED,
    OK,
)
from sigfw._core.wire cimport (
    Cursor,
    cursor,
    read_u8,
    read_u16be,
    read_u16le,
    read_u32be,
    read_u32le,
    skip,
    take,
)

cdef enum:
    AGAIN = -1             # nothing to report of this step

    AT_HEADER = 0
    AT_RECORDS = 1
    AT_BLOCKS = 2
    AT_END = 3

    BLOCK_INTERFACE = 1
    BLOCK_PACKET = 2       # obsolete, still written by old tools
    BLOCK_SIMPLE = 3
    BLOCK_ENHANCED = 6
    BLOCK_SECTION = 0x0A0D0D0A

    OPTION_RESOLUTION = 9
    OPTION_TIME_OFFSET = 14

cdef int64_t SECOND_NS = 1000000000
cdef int64_t FARTHEST_SECONDS = <int64_t>4 * 1000000000  # of a section from the epoch; times in ns end at nine


cdef inline int u16(const Capture* k, Cursor* c, uint16_t* v) noexcept nogil:
    return read_u16be(c, v) if k.big_endian else read_u16le(c, v)


cdef inline int u32(const Capture* k, Cursor* c, uint32_t* v) noexcept nogil:
    return read_u32be(c, v) if k.big_endian else read_u32le(c, v)


cdef int broken(Capture* k, Packet* out, int code, uint64_t at) noexcept nogil:
    k.state = AT_END
    out.code = <uint8_t>code
    out.offset = at
    return CAPTURE_BROKEN


cdef int bad(Packet* out, int code) noexcept nogil:
    out.code = <uint8_t>code
    return CAPTURE_BAD


cdef int header(Capture* k, Packet* out) noexcept nogil:
    """Tell the format by its magic number: a1b2c3d4 (µs), a1b23c4d (ns), either order, or a pcapng section header."""
    cdef Cursor c = cursor(k.p, 24 if k.n >= 24 else <uint32_t>k.n)
    cdef uint32_t magic = 0
    cdef uint32_t link = 0
    cdef uint16_t major = 0
    if read_u32be(&c, &magic) != OK:
        return broken(k, out, E_TRUNCATED, k.n)
    if magic == BLOCK_SECTION:
        k.state = AT_BLOCKS
        return AGAIN
    k.big_endian = magic == <uint32_t>0xA1B2C3D4 or magic == <uint32_t>0xA1B23C4D
    if not k.big_endian and magic != <uint32_t>0xD4C3B2A1 and magic != <uint32_t>0x4D3CB2A1:
        return broken(k, out, E_BAD_VALUE, 0)
    k.tick_ns = 1 if magic == <uint32_t>0xA1B23C4D or magic == <uint32_t>0x4D3CB2A1 else 1000
    if u16(k, &c, &major) != OK or skip(&c, 14) != OK or u32(k, &c, &link) != OK:
        return broken(k, out, E_TRUNCATED, k.n)
    k.link = link & 0xFFFF  # above: whether frames end in a check sequence
    if major != 2:
        return broken(k, out, E_UNSUPPORTED, 4)
    if not is_link_known(k.link):
        return broken(k, out, E_UNSUPPORTED, 20)
    k.at = 24
    k.state = AT_RECORDS
    return AGAIN


cdef int next_record(Capture* k, Packet* out) noexcept nogil:
    cdef Cursor c
    cdef uint32_t seconds = 0
    cdef uint32_t ticks = 0
    cdef uint32_t captured = 0
    cdef uint32_t original = 0
    if k.at == k.n:
        k.state = AT_END
        return CAPTURE_END
    if k.n - k.at < 16:
        return broken(k, out, E_TRUNCATED, k.at)
    c = cursor(k.p + k.at, 16)
    u32(k, &c, &seconds)
    u32(k, &c, &ticks)
    u32(k, &c, &captured)
    u32(k, &c, &original)
    if captured > MAX_PACKET:
        return broken(k, out, E_BAD_LENGTH, k.at + 8)
    if k.n - k.at - 16 < captured:
        return broken(k, out, E_TRUNCATED, k.at)
    out.octets = cursor(k.p + k.at + 16, captured)
    out.offset = k.at + 16
    out.time_ns = seconds * SECOND_NS + <int64_t>ticks * k.tick_ns
    out.cut = captured < original
    out.link = k.link
    k.at += 16 + captured
    return CAPTURE_PACKET


cdef int64_t time_of(const Interface* i, uint64_t ticks) noexcept nogil:
    """Ticks in ns since the epoch; -1 where they are out of its range or finer than can be told."""
    cdef uint32_t n = i.resolution & 0x7F
    cdef uint64_t ns
    cdef uint64_t scale = 1
    cdef uint32_t _k
    if i.resolution & 0x80:    # 2^-n seconds
        if n > 63 or ticks >> n > <uint64_t>(INT64_MAX // SECOND_NS) - 1:
            return -1
        ns = (ticks & ((<uint64_t>1 << n) - 1))
        if n > 34:             # so that the product stays below 2^64
            ns >>= n - 34
        ns = (ticks >> n) * SECOND_NS + (ns * SECOND_NS >> (n if n < 34 else 34))
    else:                      # 10^-n seconds
        if n > 28:
            return -1
        for _k in range(9 - n if n < 9 else n - 9):
            scale *= 10
        if n < 9 and ticks > <uint64_t>INT64_MAX // scale:
            return -1
        ns = ticks * scale if n < 9 else ticks // scale
    if ns > <uint64_t>INT64_MAX:
        return -1
    if i.offset_seconds == 0:
        return <int64_t>ns
    if i.offset_seconds < -FARTHEST_SECONDS or i.offset_seconds > FARTHEST_SECONDS:
        return -1
    if i.offset_seconds > 0 and <int64_t>ns > INT64_MAX - i.offset_seconds * SECOND_NS:
        return -1
    ns = <uint64_t>(<int64_t>ns + i.offset_seconds * SECOND_NS)
    return <int64_t>ns if <int64_t>ns >= 0 else -1


cdef void add_interface(Capture* k, Cursor* c) noexcept nogil:
    cdef Interface* i
    cdef Cursor value
    cdef uint16_t code = 0
    cdef uint16_t octets = 0
    cdef uint32_t first = 0
    cdef uint32_t second = 0
    if k.n_interfaces >= MAX_INTERFACES:
        return                 # its packets are then of an interface that is not there
    i = &k.interfaces[k.n_interfaces]
    memset(i, 0, sizeof(Interface))
    i.resolution = 6
    k.n_interfaces += 1
    if u16(k, c, &i.link) != OK or skip(c, 2) != OK or u32(k, c, &i.snap_octets) != OK:
        return
    while u16(k, c, &code) == OK and u16(k, c, &octets) == OK and code != 0 and take(c, octets, &value) == OK:
        if code == OPTION_RESOLUTION:
            read_u8(&value, &i.resolution)
        elif code == OPTION_TIME_OFFSET and u32(k, &value, &first) == OK and u32(k, &value, &second) == OK:
            if k.big_endian:
                i.offset_seconds = <int64_t>(<uint64_t>first << 32 | second)
            else:
                i.offset_seconds = <int64_t>(<uint64_t>second << 32 | first)
        if skip(c, -octets & 3) != OK:
            return


cdef int packet_block(Capture* k, Packet* out, uint32_t type_, Cursor* c) noexcept nogil:
    cdef Interface* i = NULL
    cdef uint16_t short_number = 0
    cdef uint32_t number = 0
    cdef uint32_t high = 0
    cdef uint32_t low = 0
    cdef uint32_t captured = 0
    cdef uint32_t original = 0
    cdef int status = OK
    out.offset = <uint64_t>(c.p - k.p)
    out.time_ns = -1
    if type_ == BLOCK_SIMPLE:
        status = u32(k, c, &original)
    else:
        if type_ == BLOCK_ENHANCED:
            status = u32(k, c, &number)
        else:
            status = u16(k, c, &short_number) or skip(c, 2)
            number = short_number
        status = status or u32(k, c, &high) or u32(k, c, &low) or u32(k, c, &captured) or u32(k, c, &original)
    if number < <uint32_t>k.n_interfaces:
        i = &k.interfaces[number]
    if status != OK or i == NULL:
        return bad(out, E_BAD_LENGTH if status != OK else E_MISSING)
    if type_ == BLOCK_SIMPLE:
        captured = original if i.snap_octets == 0 or original < i.snap_octets else i.snap_octets
    else:
        out.time_ns = time_of(i, <uint64_t>high << 32 | low)
    if captured > MAX_PACKET or take(c, captured, &out.octets) != OK:
        return bad(out, E_BAD_LENGTH if captured > MAX_PACKET else E_LENGTH_OVERRUN)
    out.offset = <uint64_t>(out.octets.p - k.p)
    out.cut = captured < original
    out.link = i.link
    return CAPTURE_PACKET


cdef int section(Capture* k, Packet* out) noexcept nogil:
    """A section header: its byte order holds for all up to the next one, and interfaces are counted anew."""
    cdef Cursor c = cursor(k.p + k.at + 8, 8)
    cdef uint32_t magic = 0
    cdef uint16_t major = 0
    read_u32be(&c, &magic)
    k.big_endian = magic == 0x1A2B3C4D
    if not k.big_endian and magic != 0x4D3C2B1A:
        return broken(k, out, E_BAD_VALUE, k.at + 8)
    u16(k, &c, &major)
    if major != 1:
        return broken(k, out, E_UNSUPPORTED, k.at + 12)
    k.n_interfaces = 0
    return AGAIN


cdef int next_block(Capture* k, Packet* out) noexcept nogil:
    cdef Cursor c
    cdef uint64_t at = k.at
    cdef uint32_t type_ = 0
    cdef uint32_t octets = 0
    cdef uint32_t again = 0
    if k.at == k.n:
        k.state = AT_END
        return CAPTURE_END
    if k.n - k.at < 12:
        return broken(k, out, E_TRUNCATED, at)
    c = cursor(k.p + at, 12)
    u32(k, &c, &type_)
    if type_ == BLOCK_SECTION:     # the same in either order
        if k.n - k.at < 28:
            return broken(k, out, E_TRUNCATED, at)
        if section(k, out) != AGAIN:
            return CAPTURE_BROKEN
    u32(k, &c, &octets)
    if octets < 12 or octets & 3 or octets > MAX_BLOCK:
        return broken(k, out, E_BAD_LENGTH, at + 4)
    if k.n - at < octets:
        return broken(k, out, E_TRUNCATED, at)
    c = cursor(k.p + at + octets - 4, 4)
    u32(k, &c, &again)
    if again != octets:
        return broken(k, out, E_BAD_LENGTH, at + octets - 4)
    k.at += octets
    c = cursor(k.p + at + 8, octets - 12)
    if type_ == BLOCK_INTERFACE:
        add_interface(k, &c)
        return AGAIN
    if type_ == BLOCK_ENHANCED or type_ == BLOCK_SIMPLE or type_ == BLOCK_PACKET:
        return packet_block(k, out, type_, &c)
    return AGAIN


cdef int capture_next(Capture* k, Packet* out) noexcept nogil:
    cdef int step
    while True:
        if k.state == AT_RECORDS:
            step = next_record(k, out)
        elif k.state == AT_BLOCKS:
            step = next_block(k, out)
        elif k.state == AT_HEADER:
            step = header(k, out)
        else:
            return CAPTURE_END
        if step != AGAIN:
            return step
