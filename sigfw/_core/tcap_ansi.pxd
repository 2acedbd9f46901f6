# TCAP, ANSI T1.114.3: package type, transaction ids, dialogue portion, components.

from sigfw._core.msg cimport Group, Msg

# Read m.data as a package of T1.114; False, and nothing done, where it begins with no tag of one.
cdef bint tcap_ansi_message(Group* g, Msg* m) noexcept nogil
