# What leaves the core: JSON objects, packed entries, and the octets of a reply.

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t

from sigfw._core.msg cimport Msg
from sigfw._core.out cimport Out
from sigfw._core.pseudonym cimport Key


cdef struct Text:          # JSON-escaped UTF-8
    const char* p
    uint32_t n

cdef struct Labels:        # the texts of a policy; index 0 of each is unused
    Text* rules
    Text* categories
    Text* redirects
    Text name
    uint8_t digest[8]

cdef struct Origin:        # what makes a message's id
    Text prefix            # topic/partition, or a file's name
    uint8_t offsets        # the record's offset follows

cdef enum:                 # bits of Entry.flags; bits 0-2: shadow action, bits 6-7: perimeter
    FLAG_ALERT = 1 << 3
    FLAG_SEGMENT = 1 << 4
    FLAG_FINAL = 1 << 5

cdef enum BlobType:
    BLOB_REPLY = 1
    BLOB_REDIRECT
    BLOB_PARTS             # a part: offset i64, frame u32, index u16
    BLOB_SHADOW            # the shadow's reason u8, where it is not `rule`

cdef packed struct Entry:  # docs/packed.md
    uint32_t frame
    uint16_t index
    uint8_t action
    uint8_t reason
    uint16_t rule
    uint16_t shadow_rule
    uint8_t category
    uint8_t flags
    uint8_t error_layer
    uint8_t error_code
    uint16_t error_offset
    uint8_t component
    uint8_t zero
    uint32_t blob_offset
    uint16_t blob_octets
    uint16_t zero2
    uint32_t reassembly

cdef void encode_json(Out* o, const Msg* m, const Origin* origin, const Labels* labels, const Key* key) noexcept nogil
cdef void encode_fields(Out* o, const Msg* m, const Labels* labels, const Key* key) noexcept nogil
cdef void encode_entry(Entry* e, Out* blobs, const Msg* m, const Labels* labels) noexcept nogil
cdef void put_id(Out* o, const Origin* origin, int64_t offset, uint32_t frame, uint16_t index) noexcept nogil
cdef void put_party_digits(Out* o, const Msg* m, int called, const Key* key) noexcept nogil
cdef uint32_t encode_reply(const Msg* m, uint8_t return_cause, uint8_t* out) noexcept nogil
cdef int number(str table, object name) except -1
cdef bytes escaped(str text)
