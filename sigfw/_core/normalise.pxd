from sigfw._core.msg cimport Group, Number, Party
from sigfw._core.tables cimport CountryCode, PolicyTables


# The readings of every party and number of the group; EX_UNUSABLE_GT, and why, where a GT has none. After resolve_links.
cdef void normalise_group(const PolicyTables* t, Group* g) noexcept nogil

cdef void normalise_party(const CountryCode* cc, Party* p) noexcept nogil
cdef void normalise_number(const CountryCode* cc, Number* n) noexcept nogil
