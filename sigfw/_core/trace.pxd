from sigfw._core.msg cimport Component, Msg
from sigfw._core.tables cimport Tables


# For `explain`, the GIL held: one (component, reading, rules) each, -1 where there is none; rules are
# [(rule number, matched, [fields that do not hold], decided)], decided: the first match of its category.
cdef list trace_message(Tables tables, Msg* m)

# For `explain`: what each of names.CHECKS says of a component in a reading (c NULL, reading -1: none): true, false,
# both (of several values some say yes: true to a rule that denies, false to one that allows) or unknown.
cdef dict check_outcomes(Tables tables, const Msg* m, const Component* c, int reading)
