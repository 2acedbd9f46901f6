# Kafka's record batches (message format v2, KIP-98), read and written without a Python object a record.
#
#   batch   baseOffset i64 · length i32 · leaderEpoch i32 · magic i8 · crc u32 · attributes i16 · lastOffsetDelta i32 ·
#           baseTimestamp i64 · maxTimestamp i64 · producerId i64 · producerEpoch i16 · baseSequence i32 · records i32
#   record  length · attributes i8 · timestampDelta · offsetDelta · key · value · headers: a name and a value each
#
# A batch's numbers are big-endian, a record's are zigzag varints; -1 octets of a key or value are a null. The CRC is
# CRC-32C of all behind it.

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from sigfw._core.batch cimport Record
from sigfw._core.wire cimport Cursor

cdef enum:
    BATCH_LENGTH_AT = 12        # what `length` counts from
    BATCH_CRC_AT = 17
    BATCH_ATTRIBUTES_AT = 21    # where what the CRC covers begins
    BATCH_HEADER = 61

    # attributes; bits above the lowest six are of later formats
    CODEC_MASK = 7
    LOG_APPEND_TIME = 8

cdef enum Found:
    FOUND_END                   # no further whole batch
    FOUND_RECORDS               # a batch is open
    FOUND_OTHER                 # one that is not ours to read

cdef struct Rest:               # of a record, what its verdict record hands on, and its time
    const uint8_t* key          # NULL: null
    const uint8_t* headers      # as they came
    int64_t time_ms
    uint32_t key_octets
    uint32_t headers_octets
    uint32_t n_headers

cdef struct Walk:               # through the octets of a fetch
    Cursor all                  # from the batch in hand on
    Cursor batch                # what is left of its records
    uint32_t records            # how many they must be
    uint64_t octets             # of the whole batch
    int64_t base_offset
    int64_t next_offset         # behind the batch
    int64_t base_ms
    int64_t max_ms
    uint8_t log_append
    uint8_t open

# The batch at walk.all: a Found. Plain ones alone are opened: uncompressed, of no transaction, their CRC right.
cdef int open_batch(Walk* w) noexcept nogil

# The next record of the open batch: 1; 0 where there is none; -1 where it is not one that we read.
cdef int next_record(Walk* w, Record* r, Rest* rest) noexcept nogil

cdef void close_batch(Walk* w) noexcept nogil


cdef class Chunk:
    cdef Record* records
    cdef Rest* rests
    cdef Py_ssize_t n
    cdef Py_ssize_t room
    cdef object source          # whose octets the records are
    cdef readonly uint64_t octets
    cdef int grow(self) except -1
