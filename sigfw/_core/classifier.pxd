from sigfw._core.msg cimport Component, Context, Counters, Group, Msg
from sigfw._core.tables cimport PolicyTables, Tables


# msg.link, msg.perimeter and msg.variant: a matching link, else the topic's configuration, else the record's header, else
# international; a link and a header that disagree: international, counted. It reads what framing wrote, and comes before
# sccp_group, which reads by the variant.
cdef void resolve_links(const PolicyTables* t, const Context* ctx, Group* g, Counters* k) noexcept nogil

# msg.direction and msg.verdict of every message. After gttable_group.
cdef void classify_group(const PolicyTables* t, const Context* ctx, Group* g, Counters* k) noexcept nogil

# For `explain`, the GIL held: one (component, reading, rules) each, -1 where there is none; rules are
# [(rule number, matched, [fields that do not hold], decided)], decided: the first match of its category.
cdef list trace_message(Tables tables, const Context* ctx, Msg* m)

# For `explain`: what each of names.CHECKS says of a component in a reading (c NULL, reading -1: none): true, false,
# both (of several values some say yes: true to a rule that denies, false to one that allows) or unknown.
cdef dict check_outcomes(Tables tables, const Msg* m, const Component* c, int reading)
