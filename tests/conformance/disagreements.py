"""Where sigfw and tshark differ, and why sigfw is right. At most ten; none on addresses, dialogues, opcodes.

Keyed by file, frame or line, index, key of the truth: what the truth says, what sigfw says, the octets, the clause.
"""

from typing import Final, NamedTuple


class Reason(NamedTuple):
    truth: object
    ours: object
    octets: str
    clause: str


LISTED: Final = {
    ("P1sec__pycrate.hex", (18, 0), "e164"): Reason(
        {"2200000007"},
        {"2200000007", "0000000000", "0000000", "75"},
        "8208839000000000000f830303975785010a8c06831400000000",
        "TS 29.078 6.1.1: calledPartyNumber, callingPartyNumber and originalCalledPartyID are numbers of Q.763 3.9, "
        "3.10, 3.39; their nature of address is 3, national. The truth has international numbers only, sigfw all.",
    ),
    ("P1sec__pycrate.hex", (19, 0), "e164"): Reason(
        set(),
        {"000001"},
        "3009a0070405" + "0210000010",
        "TS 29.078 6.1.1: the destinationRoutingAddress of connect is a number of Q.763 3.9; its nature of address is "
        "2, unknown. The truth names international numbers only, sigfw names all.",
    ),
}
