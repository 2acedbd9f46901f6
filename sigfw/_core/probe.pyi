"""The stages that judge, on a message written down by hand."""

from typing import Any

from sigfw._core.tables import Tables

def judge(
    tables: Tables,
    message: dict[str, Any],
    *,
    data: bytes = b"\0",
    perimeter: int = 0,
    topic: str = "",
    modes: tuple[int, int, int, int] = (0, 0, 0, 0),
    trace: bool = False,
) -> dict[str, Any]:
    """Judge one message as resolve_links, normalise, gttable and classifier do.

    message: fields of Msg by name, as numbers of sigfw/names.py; `called`, `calling`: dicts of gt, pc, ssn, tt, np,
        nai, gti; `components`, `numbers`: lists of dicts of Component's and Number's fields, digits as a string. What
        is left out is 0 or not there; `opc` says that there is MTP.
    data: the user data that OID offsets point into. modes: by perimeter; 0 is enforce.
    Returns the verdict's fields, the message's perimeter, link, direction and exceptions, and what was counted.
    """
