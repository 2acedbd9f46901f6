# Every bound on what comes off the wire: no loop, allocation or recursion goes past them whatever a length says.
# docs/limits.md is the table of them: why each is what it is, and what happens beyond it.

cdef enum:
    # a capture or record
    MAX_PACKET = 262144
    MAX_BLOCK = 16777216
    MAX_INTERFACES = 64
    MAX_HEADERS = 8
    # what comes in parts below SCCP
    MAX_PARTIALS = 4096
    MAX_HELD = 16777216
    MAX_AGE_FRAMES = 65536
    MAX_FRAGMENTS = 1024
    MAX_USER_MESSAGE = 65536
    # the way through the stages
    GROUP = 32
    MAX_MESSAGE = 65535
    # SCCP
    MAX_OPTIONS = 16
    MAX_PARTS = 4
    MAX_DIGITS = 32
    MAX_USER_OCTETS = 4096
    # reassembly
    MAX_SEGMENTS = 16
    MAX_REASSEMBLIES = 4096
    MAX_AGE_SECONDS = 10
    MAX_CHAIN = 32
    # BER
    MAX_DEPTH = 24
    MAX_TAG_NUMBER = 2097151
    MAX_CONTENT = 65535
    MAX_INTEGER_OCTETS = 4
    MAX_ARC_BITS = 28
    # TCAP, MAP and CAP
    MAX_TRANSACTION_OCTETS = 4
    MAX_COMPONENTS = 32
    MAX_READINGS = 4
    MAX_NUMBERS = 64
    MAX_TP_ADDRESS_DIGITS = 20
    # look-up
    MAX_E164 = 15
    MAX_KEY_DIGITS = 16
    # policy and reply
    MAX_RULES = 1024
    MAX_CATEGORIES = 16
    MAX_REPLY = 4628
    REPLIES_PER_SECOND = 50
