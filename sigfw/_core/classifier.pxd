from sigfw._core.memory cimport Memory
from sigfw._core.msg cimport Context, Counters, Group
from sigfw._core.tables cimport PolicyTables, Tables


# msg.link, msg.perimeter and msg.variant: a matching link, else the topic's configuration, else the record's header, else
# international; a link and a header that disagree: international, counted. It reads what framing wrote, and comes before
# sccp_group, which reads by the variant.
cdef void resolve_links(const PolicyTables* t, const Context* ctx, Group* g, Counters* k) noexcept nogil

# msg.direction and msg.verdict of every message. After gttable_group.
cdef void classify_group(const PolicyTables* t, const Context* ctx, Memory* mem, Group* g, Counters* k) noexcept nogil
