"""SCCP of Q.713 as Python sees it, for tests and measurements; the engine calls the stage itself."""

from typing import Any

def parse(octets: bytes | bytearray | memoryview, variant: int = 1) -> dict[str, Any]:
    """Read one SCCP message, first octet to its end.

    variant: number of names.VARIANTS.
    Returns the object `sccp` of a decoded line with numbers for names: `type`, `class`, `return_on_error`,
    `hop_counter`, `return_cause`, `called`, `calling`, `segmentation`, `management`; besides `data` (the user data,
    None where there is none) and `error`: None or (layer, code, octet offset), the first thing that was wrong.
    Any octets give a dict; what follows the first error is read as far as it goes.

    Addresses (Q.713 3.4): digits above 9 are a to f. With ES 1, or the odd bit of GTI 1, the last high nibble is
    dropped; with any other ES, and GTI 2, an F in that place is a filler and no digit.
    ANSI (T1.112.3 3.4): the SSN comes before a PC of 24 bits; GTI 1 has TT, NP and ES, GTI 2 TT alone. An address whose
    indicator says international (bit 8 is 0) is Q.713's. China: Q.713's with PCs of 24 bits.
    Spec: Q.713 2.3, 3, 4.2-4.5, 4.10, 4.11, 4.18-4.21, 5.3. Cost: O(octets), no allocation in the stage itself.
    """
