"""Framing as Python sees it, for tests and measurements; the engine calls the stage itself."""

from typing import Any

def frames(octets: bytes | bytearray | memoryview, encapsulation: str, variant: int = 1) -> list[dict[str, Any]]:
    """Frame one record or capture.

    encapsulation: `sccp`, `mtp3`, `m3ua` (octets is one message) or `pcap` (a whole classic pcap or pcapng).
    variant: number of names.VARIANTS, for the width of MTP3's routing label.
    One dict for each thing found, in order: `kind` (`sccp`, `other`, `error`, `broken`), `octets` (the SCCP message or
    None), `frame` (from 1), `index` (from 0 within the frame), `time_ns` (-1: none), `encapsulation` (number),
    `opc` `dpc` `sls` `ni` (None where unknown), `code` (of names.ERROR_CODES), `offset` (octet in what was given).
    Any octets give a list; after `broken` nothing follows. Raises KeyError for another encapsulation.

    A message that the capture cut short is `sccp` with code `truncated` if its MTP part is whole. Fragments of IP
    packets and of SCTP user messages are put together (fragments.pyi): the message belongs to the frame that completes
    it, and `offset` is that of the frame's packet; a fragment alone has no dict. Cost: O(octets).
    """
