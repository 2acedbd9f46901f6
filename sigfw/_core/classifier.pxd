from sigfw._core.msg cimport Context, Counters, Group, Msg
from sigfw._core.tables cimport PolicyTables


cdef class Tables:
    cdef PolicyTables c
    cdef object keep                    # what the pointers of c point into
    cdef dict topics
    cdef tuple spaces                   # PrefixTable by space, number 0 None
    cdef tuple list_names
    cdef readonly str name
    cdef readonly str digest            # 16 hex digits
    cdef readonly tuple rule_ids        # by number, 0 unused, as all of these
    cdef readonly tuple rule_modes
    cdef readonly tuple categories
    cdef readonly tuple redirects       # digits
    cdef readonly tuple operators       # TADIG codes; 1 is home
    cdef readonly tuple countries       # by operator; "": not given
    cdef readonly tuple links           # names
    cdef readonly tuple field_rules     # for explain: (field, rows) see trace_message
    cpdef str rule_id(self, int number)
    cpdef int topic_number(self, str topic)


# msg.link, msg.perimeter and msg.variant: a matching link, else the topic's configuration, else the record's header, else
# international; a link and a header that disagree: international, counted. Before normalise_group.
cdef void resolve_links(const PolicyTables* t, const Context* ctx, Group* g, Counters* k) noexcept nogil

# msg.direction and msg.verdict of every message. After gttable_group.
cdef void classify_group(const PolicyTables* t, const Context* ctx, Group* g, Counters* k) noexcept nogil

# For `explain`: [(component, reading, [(rule index, matched, [fields that do not hold], decided)])], the GIL held.
cdef object trace_message(Tables t, const Context* ctx, Msg* m)
