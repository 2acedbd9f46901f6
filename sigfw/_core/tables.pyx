# A compiled policy: sigfw/policy/compiler.py lays the arrays out, Tables holds them and points into them.

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memset

from sigfw._core.gttable cimport PrefixTable
from sigfw._core.limits cimport MAX_KEY_DIGITS
from sigfw._core.msg cimport N_CHECKS, N_EXCEPTIONS, N_PERIMETERS, N_SPACES
from sigfw._core.tables cimport (
    CountryCode,
    FROM_KIND,
    FROM_ROLE,
    IntField,
    Journey,
    Link,
    NO_ROW,
    NumberField,
    OidField,
    RateLimit,
    Rule,
    SMALL_COMPONENT,
    SMALL_TCAP_TYPE,
    SmallField,
    StateRules,
)

SPACES = ("", "e164", "e214", "e212", "msisdn")


cdef CountryCode left_aligned(str digits) except *:
    cdef CountryCode cc
    cdef int i
    if len(digits) > MAX_KEY_DIGITS:
        raise ValueError(f"too many digits: {digits!r}")
    cc.key = 0
    cc.digits = <uint8_t>len(digits)
    for i in range(len(digits)):
        cc.key |= <uint64_t>int(digits[i]) << (60 - 4 * i)
    return cc


cdef class Tables:
    def __init__(self, *, dict names, dict masks, dict fields, list rules, rows, list links, list exceptions,
                 tuple spaces, also, str country_code, point_codes, dict state):
        cdef int i, j
        cdef PrefixTable table
        cdef Rule* rule
        self.name = names["name"]
        self.digest = names["digest"]
        self.rule_ids = names["rule_ids"]
        self.rule_modes = names["rule_modes"]
        self.categories = names["categories"]
        self.redirects = names["redirects"]
        self.operators = names["operators"]
        self.countries = names["countries"]
        self.links = names["links"]
        self.topics = names["topics"]
        self.list_names = names["lists"]
        self.c.n_rules = <uint32_t>len(rules)
        self.c.n_words = (self.c.n_rules + 63) // 64
        self.c.rows = self.u64(rows)
        rule = <Rule*>self.room(len(rules) * sizeof(Rule))
        self.c.rules = rule
        for action, category, final, alert, return_cause, mode, redirect in rules:
            rule.action = action
            rule.category = category
            rule.final = final
            rule.alert = alert
            rule.return_cause = return_cause
            rule.mode = mode
            rule.redirect = redirect
            rule += 1
        for i in range(N_EXCEPTIONS):
            for j in range(N_PERIMETERS):
                self.c.exception_action[i][j] = exceptions[i][j]
        self.spaces = spaces
        for i in range(1, N_SPACES):
            table = spaces[i]
            self.c.gt[i] = table.c
        self.c.also = self.u16(also)
        self.c.country_code = left_aligned(country_code)
        self.c.home_point_codes = self.i32(point_codes)
        self.c.n_home_point_codes = <uint32_t>len(point_codes)
        self.put_masks(masks)
        self.put_fields(fields)
        self.put_links(links)
        self.put_state(state)

    def __cinit__(self, **_):
        memset(&self.c, 0, sizeof(self.c))
        self.keep = []

    cdef const uint8_t* u8(self, object values) except? NULL:
        cdef const uint8_t[::1] view = values
        self.keep.append(view)
        return &view[0] if view.shape[0] else NULL

    cdef const uint16_t* u16(self, object values) except? NULL:
        cdef const uint16_t[::1] view = values
        self.keep.append(view)
        return &view[0] if view.shape[0] else NULL

    cdef const int32_t* i32(self, object values) except? NULL:
        cdef const int32_t[::1] view = values
        self.keep.append(view)
        return &view[0] if view.shape[0] else NULL

    cdef const uint32_t* u32(self, object values) except? NULL:
        cdef const uint32_t[::1] view = values
        self.keep.append(view)
        return &view[0] if view.shape[0] else NULL

    cdef const uint64_t* u64(self, object values) except? NULL:
        cdef const uint64_t[::1] view = values
        self.keep.append(view)
        return &view[0] if view.shape[0] else NULL

    cdef void* room(self, size_t octets) except NULL:
        """Zeroed memory that lives as long as the tables: an octet string of their own (aligned to 16 and its header)."""
        cdef bytes block = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>octets + 32)
        cdef char* p = PyBytes_AS_STRING(block)
        memset(p, 0, octets + 32)
        self.keep.append(block)
        return <void*>((<size_t>p + 15) & ~<size_t>15)

    cdef int put_masks(self, dict masks) except -1:
        cdef uint64_t* asks = <uint64_t*>self.room(self.c.n_words * N_CHECKS * sizeof(uint64_t))
        cdef uint32_t i, k
        self.c.enforced = masks["enforced"]
        self.c.with_shadow = NO_ROW if masks["with_shadow"] is None else masks["with_shadow"]
        self.c.deny = masks["deny"]
        self.c.early = masks["early"]
        self.c.names_opcode = masks["names_opcode"]
        self.c.has_any = masks["has_any"]
        self.c.has_checks = masks["has_checks"]
        self.c.rule_checks = self.u32(masks["rule_checks"])
        self.c.checks_used = masks["checks_used"]
        self.c.asks = asks
        for i in range(self.c.n_rules):
            for k in range(N_CHECKS):
                asks[(i >> 6) * N_CHECKS + k] |= <uint64_t>(self.c.rule_checks[i] >> k & 1) << (i & 63)
        return 0

    cdef int put_fields(self, dict fields) except -1:
        cdef SmallField* small
        cdef IntField* ints
        cdef NumberField* number
        cdef int s
        self.small_names = tuple([one[0] for one in fields["small"]])
        self.int_names = tuple([one[0] for one in fields["ints"]])
        self.number_names = tuple([one[0] for one in fields["numbers"]])
        small = <SmallField*>self.room(len(fields["small"]) * sizeof(SmallField))
        self.c.small = small
        for _, number_, rows in fields["small"]:
            small.id = number_
            small.rows = self.u32(rows)
            self.c.n_early += small.id < SMALL_TCAP_TYPE
            self.c.n_message += small.id < SMALL_COMPONENT
            self.c.n_small += 1
            small += 1
        ints = <IntField*>self.room(len(fields["ints"]) * sizeof(IntField))
        self.c.ints = ints
        for _, number_, values, rows in fields["ints"]:
            ints.id = number_
            ints.n = <uint32_t>len(values)
            ints.values = self.i32(values)
            ints.rows = self.u32(rows)
            self.c.n_ints += 1
            ints += 1
        if fields["opcode"] is not None:
            values, rows = fields["opcode"]
            self.c.opcode.n = <uint32_t>len(values)
            self.c.opcode.values = self.i32(values)
            self.c.opcode.rows = self.u32(rows)
        self.put_oid(&self.c.global_opcode, fields["global_opcode"])
        self.put_oid(&self.c.acn, fields["acn"])
        number = <NumberField*>self.room(len(fields["numbers"]) * sizeof(NumberField))
        self.c.numbers = number
        for _, source, selector, names, none, rows in fields["numbers"]:
            number.source = source
            number.selector = selector
            number.names = self.u16(names)
            number.n_names = <uint32_t>len(names)
            number.none = none
            for s in range(1, N_SPACES):
                number.rows[s] = self.u32(rows[s])
            self.c.n_party += source < 2
            if source >= 2 and self.c.n_numbers - self.c.n_party < 64:
                number.bit = <uint64_t>1 << (self.c.n_numbers - self.c.n_party)
            self.c.n_numbers += 1
            number += 1
        self.put_concerned()
        if fields["operation"] is not None:
            self.c.operation_rows = self.u32(fields["operation"])
        if fields["requested_info"] is not None:
            self.c.requested_rows = self.u32(fields["requested_info"])
        self.c.operation_application = self.u8(fields["applications"])
        self.c.n_operations = <uint32_t>len(fields["applications"])
        return 0

    cdef int put_concerned(self) except -1:
        """Which number fields a number concerns, by its kind, roles and name."""
        cdef const NumberField* f
        cdef uint64_t* of_name
        cdef uint32_t i, k
        for i in range(self.c.n_numbers):
            for k in range(self.c.numbers[i].n_names):
                self.c.n_names = max(self.c.n_names, self.c.numbers[i].names[k] + <uint32_t>1)
        self.c.of_name = of_name = <uint64_t*>self.room(self.c.n_names * sizeof(uint64_t))
        for i in range(self.c.n_numbers):
            f = &self.c.numbers[i]
            if f.source == FROM_KIND:
                self.c.of_kind[f.selector & 7] |= f.bit
            for k in range(8):
                if f.source == FROM_ROLE and f.selector >> k & 1:
                    self.c.of_role[k] |= f.bit
            for k in range(f.n_names):
                of_name[f.names[k]] |= f.bit
        return 0

    cdef int put_oid(self, OidField* f, tuple parts) except -1:
        if parts is not None:
            octets, starts, rows = parts
            f.n = <uint32_t>len(starts) - 1
            f.octets = self.u8(octets)
            f.starts = self.u32(starts)
            f.rows = self.u32(rows)
        return 0

    cdef int put_links(self, list links) except -1:
        cdef Link* link = <Link*>self.room(len(links) * sizeof(Link))
        self.c.links = link
        self.c.n_links = <uint32_t>len(links)
        for topics, opc, dpc, ni, perimeter, variant, country_code in links:
            link.topics = self.u16(topics)
            link.n_topics = <uint32_t>len(topics)
            link.opc = self.i32(opc)
            link.n_opc = <uint32_t>len(opc)
            link.dpc = self.i32(dpc)
            link.n_dpc = <uint32_t>len(dpc)
            link.ni = ni
            link.perimeter = perimeter
            link.variant = variant
            link.country_code = left_aligned(country_code)
            link += 1
        return 0

    cdef int put_state(self, dict state) except -1:
        cdef StateRules* s = &self.c.state
        cdef PrefixTable zones = state["zones"]
        cdef Journey* journey = <Journey*>self.room(len(state["journeys"]) * sizeof(Journey))
        cdef RateLimit* limit = <RateLimit*>self.room(len(state["limits"]) * sizeof(RateLimit))
        cdef CountryCode old, new
        cdef int i
        s.needs = state["needs"]
        s.dialogue_seconds = state["dialogue_seconds"]
        s.warm_up_seconds = state["warm_up_seconds"]
        s.sms_seconds = state["sms_seconds"]
        for i in range(1, N_SPACES):
            if state["hubs"][i] is not None:
                s.hub[i] = self.u8(state["hubs"][i])
        s.unknown_subscriber = state["unknown_subscriber"]
        s.journeys = journey
        s.n_journeys = <uint32_t>len(state["journeys"])
        for old_prefix, new_prefix, minutes in state["journeys"]:
            old = left_aligned(old_prefix)
            new = left_aligned(new_prefix)
            journey.old, journey.old_digits = old.key, old.digits
            journey.new, journey.new_digits = new.key, new.digits
            journey.minutes = minutes
            journey += 1
        self.keep.append(zones)
        s.zones = zones.c
        s.minutes = self.u16(state["minutes"])
        s.n_countries = state["n_countries"]
        s.operator_country = self.u16(state["operator_country"])
        s.limits = limit
        s.n_limits = <uint32_t>len(state["limits"])
        for by, per_second, burst, operations in state["limits"]:
            limit.by = by
            limit.per_second = per_second
            limit.burst = burst
            if operations is not None:
                limit.operations = self.u8(operations)
            limit += 1
        s.scan_seconds = state["scan_seconds"]
        s.subscribers_per_caller = state["subscribers_per_caller"]
        s.callers_per_subscriber = state["callers_per_subscriber"]
        return 0

    cpdef int topic_number(self, str topic):
        return self.topics.get(topic, 0)

    def list_sizes(self):
        """Prefixes by space."""
        return {SPACES[i]: self.spaces[i].prefixes for i in range(1, N_SPACES)}

    def lookup(self, str digits, str space="e164"):
        cdef int i = SPACES.index(space) if space else 0
        if i == 0:
            raise ValueError(f"no such space: {space!r}")
        found = self.spaces[i].match(digits)
        if found is None:
            return None
        prefix, cls = found
        lists, operator = self.spaces[i].classes[cls]
        return {
            "prefix": prefix,
            "lists": sorted(self.list_names[one] for one in lists if self.list_names[one]),
            "operator": self.operators[operator] or None,
            "country": self.countries[operator] or None,
            "class": cls,
        }
