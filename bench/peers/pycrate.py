"""pycrate on the same messages: SCCP, both GTs' digits, TCAP with the MAP argument."""

from collections.abc import Callable, Sequence
from typing import Any

from pycrate_asn1dir import TCAP_MAPv2v3  # type: ignore[import-untyped]
from pycrate_core.utils import PycrateErr  # type: ignore[import-untyped]
from pycrate_mobile.SCCP import SCCPUnitData, parse_SCCP  # type: ignore[import-untyped]

UDT = 9
TCAP = TCAP_MAPv2v3.TCAP_MAP_Messages.TCAP_MAP_Message


def _digits(party: Any) -> str:
    return str(party[1]["GT"].get_alt()["Addr"].get_alt().decode())


def natural(message: bytes) -> tuple[str, str, Any]:
    """As its documentation shows: parse_SCCP makes fresh objects for each message."""
    parsed, failed = parse_SCCP(message)
    if failed:
        raise ValueError(f"pycrate: SCCP error {failed}")
    TCAP.from_ber(parsed[5][1].get_val())
    return _digits(parsed[3]), _digits(parsed[4]), TCAP.get_val()


def reused() -> Callable[[bytes], tuple[str, str, Any]]:
    """One SCCPUnitData for all messages."""
    parsed = SCCPUnitData()

    def read(message: bytes) -> tuple[str, str, Any]:
        parsed.from_bytes(message)
        TCAP.from_ber(parsed[5][1].get_val())
        return _digits(parsed[3]), _digits(parsed[4]), TCAP.get_val()

    return read


def tried(read: Callable[[bytes], object], message: bytes) -> bool:
    """Whether a message is read whole."""
    try:
        read(message)
    except (PycrateErr, LookupError, AttributeError, TypeError, ValueError):
        return False
    return True


def readable(messages: Sequence[bytes], count: int) -> list[bytes]:
    """The first `count` UDT that pycrate reads whole."""
    found: list[bytes] = []
    read = reused()
    for message in messages:
        if message[0] != UDT or len(found) == count:
            continue
        if tried(natural, message) and tried(read, message):  # the peer is measured where it works
            found.append(message)
    return found
