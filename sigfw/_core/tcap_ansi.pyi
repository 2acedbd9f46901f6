"""ANSI TCAP (T1.114.3), a message at a time. Nothing of it is called from Python: see mapop.parse.

`tcap_ansi_message(Group*, Msg*)` is asked by tcap_group for user data that begin with no tag of Q.773, whatever the
variant of the link: it writes package type, transaction ids, application context and all components, at most
MAX_COMPONENTS a message. Invokes have the operation code's form, `national` or `private`, and family << 8 | specifier
as their opcode; no application's table has them. Errors are noted as tcap_group does. Cost: O(octets).
"""
