# Signatures only: see facts.pyi.

from sigfw._core.msg cimport Msg
from sigfw._core.tables cimport Tables

cdef dict message_facts(Tables tables, Msg* m)
