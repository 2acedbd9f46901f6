# MAP (TS 29.002, TS 09.02) and CAP (TS 29.078): what a component's operation is, and whom and what its argument names.

from libc.stdint cimport uint8_t, uint16_t, uint32_t

from sigfw._core.msg cimport Group

cdef int N_OPERATIONS
cdef int N_FIELDS

cdef void mapop_group(Group* g) noexcept nogil
cdef const char* operation_name(uint16_t op) noexcept nogil
cdef uint8_t operation_application(uint16_t op) noexcept nogil
cdef const char* field_name(uint16_t name) noexcept nogil

# Of a MAP opcode; 46 is MO.
cdef uint16_t map_operation(uint32_t opcode) noexcept nogil
