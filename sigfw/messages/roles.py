"""Which subsystems speak in an operation (TS 29.002 7 to 13, TS 23.003 8), where a description does not say."""

from typing import Final

HLR, VLR, MSC, EIR, GMLC, CAP, GSMSCF, SGSN, GGSN = 6, 7, 8, 9, 145, 146, 147, 149, 150

ROLES: Final[dict[int, tuple[int, int]]] = {  # opcode of MAP -> who asks, who is asked
    **dict.fromkeys((2, 9, 10, 11, 12, 13, 14, 15, 17, 19, 48, 54, 56, 57, 58, 59, 66, 67, 72, 74, 76, 77), (VLR, HLR)),
    **dict.fromkeys((3, 4, 7, 8, 18, 36, 37, 38, 50, 51, 60, 61, 70, 73, 75, 88), (HLR, VLR)),
    **dict.fromkeys((22, 45, 47, 87), (MSC, HLR)),
    **dict.fromkeys((49, 63, 64), (HLR, MSC)),
    **dict.fromkeys((62, 65, 71), (GSMSCF, HLR)),
    **dict.fromkeys((55,), (VLR, VLR)),
    5: (HLR, GSMSCF),
    23: (SGSN, HLR),
    **dict.fromkeys((24, 25), (GGSN, HLR)),
    26: (HLR, GGSN),
    43: (MSC, EIR),
    53: (VLR, HLR),
    83: (GMLC, MSC),
    85: (GMLC, HLR),
    86: (MSC, GMLC),
    89: (VLR, GSMSCF),
}


def subsystems(application: str, opcode: int, *, answered: bool) -> tuple[int, int]:
    """Calling and called subsystem number; answered: of a result or an error."""
    asks, asked = (CAP, CAP) if application == "cap" else ROLES.get(opcode, (MSC, MSC))
    return (asked, asks) if answered else (asks, asked)
