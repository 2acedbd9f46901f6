"""ANSI's and China's messages, made here, read as tshark reads them: point codes, addresses, management, T1.114."""

import os
import shutil
from pathlib import Path

import pytest

from tests.captures.truth import hex_line
from tests.conformance.dialects import by_sigfw, by_tshark
from tests.unit import sccpbytes
from tests.unit.ansitcap import (
    NATIONAL,
    PACKAGES,
    REGISTRATION_NOTIFICATION,
    dialogue,
    error,
    invoke,
    octets,
    reject,
    result,
)
from tests.unit.sccpbytes import ANSI, CHINA, ITU, address, ansi_gt, extended, itu_gt, long, unitdata
from tests.unit.tcapbytes import ATI, ATI_ACN, begin, encode
from tests.unit.tcapbytes import invoke as itu_invoke

OPC, DPC = 0x010203, 0x05AD01
ABORT = 0xF6
MAP = encode(begin(itu_invoke(71, ATI), acn=ATI_ACN))


@pytest.fixture(autouse=True)
def tshark_is_there() -> None:
    assert shutil.which("tshark"), "tshark is not there: apt-get install tshark (make test does it)"


def addresses(variant: str) -> list[bytes]:
    """Of every form that the variant has.

    An ANSI address coded to international standards has no GT here: tshark 4.0 reads its indicator and point code as
    Q.713's, but its GT by ANSI's indicators, which does not go together.
    """
    pc = 0x1234 if variant == ITU else DPC
    found = [
        address(variant, ssn=6),
        address(variant, pc=pc),
        address(variant, pc=pc, ssn=8),
        address(variant),
    ]
    for digits in ("14155550100", "4155550100", "1"):
        if variant == ANSI:
            plans = (1, 6, 14) if len(digits) > 3 else (1, 14)
            titles = [ansi_gt(digits, np=np, tt=tt) for np in plans for tt in (0, 10, 255)]
            titles.append(ansi_gt(digits + "2" * (len(digits) % 2), np=None))
        else:
            plans = (1, 6, 7) if len(digits) > 3 else (1,)  # tshark gives up at an MCC that is cut
            titles = [itu_gt(digits, np=np, nai=nai) for np in plans for nai in (0, 3, 4)]
        found += [address(variant, gt=gt) for gt in titles]
        found += [address(variant, pc=pc, ssn=6, gt=gt) for gt in titles]
    if variant == ANSI:
        found += [address(ANSI, ssn=6, international=True), address(ANSI, pc=0x1234, ssn=6, international=True)]
    return found


def tcap_messages() -> list[bytes]:
    found = []
    for tag in PACKAGES:
        components = [] if tag == ABORT else [invoke(0x0935), invoke(0x0501, form=NATIONAL, last=False, ids=b"\2\1")]
        for context in (None, "1.2.840.10013.1", 66):
            cause = ((0xD7, b"\x02"),) if tag == ABORT else ()
            found.append(octets(tag, *components, parts=(dialogue(context), *cause)))
    answers = (result(), result(last=False, id_=2), error(0x85), error(3), reject(0x0202), reject(0x0101, ids=b""))
    found += [octets(tag, *answers) for tag in (0xE4, 0xE5, 0xE6)]
    found.append(octets(0xE2, REGISTRATION_NOTIFICATION))
    found += [octets(0xE2, invoke(family << 8 | code, form=form)) for form in (NATIONAL, 0xD1)
              for family, code in ((1, 1), (9, 3), (9, 53), (0x89, 13), (127, 255))]  # fmt: skip
    return found


def extra_messages() -> list[bytes]:
    """Lines with the label `ansi_tcap` of the folder that SIGFW_EXTRA_CAPTURES names."""
    folder = os.environ.get("SIGFW_EXTRA_CAPTURES")
    lines = (
        [hex_line(line) for path in sorted(Path(folder).glob("*.hex")) for line in path.read_text().splitlines()]
        if folder
        else []
    )
    return [raw for label, raw in lines if label == "ansi_tcap"]


def messages(variant: str) -> list[bytes]:
    hlr, scmg = address(variant, ssn=6), address(variant, ssn=1)
    found = [unitdata(one, hlr, MAP) for one in addresses(variant)]
    found += [unitdata(hlr, one, MAP, second=0x81) for one in addresses(variant)]
    pc = 0x1234 if variant == ITU else DPC
    kinds = {ITU: (1, 2, 3, 4, 5, 6), ANSI: (1, 2, 3, 4, 5, 0xFD, 0xFE, 0xFF), CHINA: (1, 2, 3, 4, 5, 6)}[variant]
    for kind in kinds:
        data = bytes((kind, 8)) + sccpbytes.point_code(variant, pc) + b"\0" + (b"\1" if kind == 6 else b"")
        found += [unitdata(scmg, scmg, data), extended(scmg, address(variant, pc=pc, ssn=1), data)]
    for data in (MAP, octets(0xE2, invoke(0x0935))):
        found.append(unitdata(hlr, hlr, data, kind=0x0A, second=7))
        found += [extended(hlr, hlr, data, kind=kind, second=2) for kind in (0x11, 0x12) if kind == 0x12]
        found += [extended(hlr, hlr, data, second=1), long(hlr, hlr, data), long(hlr, hlr, data, kind=0x14, second=11)]
    return found + connections(variant)


def connections(variant: str) -> list[bytes]:
    """Connection-oriented messages (Q.713 4.2 to 4.17)."""
    called, calling = address(variant, ssn=142), address(variant, ssn=254, pc=0x1234)
    option = bytes((4, len(calling))) + calling + b"\0"
    back = bytes((3, len(called))) + called + b"\0"
    return [
        b"\x01\1\2\3\x02" + bytes((2, len(called) + 2, len(called))) + called + option,
        b"\x02\1\2\3\4\5\6\x02\1" + back,
        b"\x03\1\2\3\x01\1" + back,
        b"\x04\1\2\3\4\5\6\0\0",
        b"\x05\1\2\3\4\5\6",
        b"\x06\1\2\3\0\1\2\xaa\xbb",
        b"\x07\1\2\3\2\2\1\2\xaa\xbb",
        b"\x08\1\2\3\2\4",
        b"\x0b\1\2\3\1\1\xaa",
        b"\x0c\1\2\3",
        b"\x0d\1\2\3\4\5\6\1",
        b"\x0e\1\2\3\4\5\6",
        b"\x0f\1\2\3\1",
        b"\x10\1\2\3\4\5\6\x02\0\0\0",
    ]


def compared(folder: Path, variant: str, capture: bytes, *, made: bool = True) -> None:
    """made: here, and well-formed. Where tshark stops in the middle sigfw must say so, and agree up to there."""
    path = folder / "made.pcap"
    path.write_bytes(capture)
    for number, (theirs, ours) in enumerate(zip(by_tshark(path, variant), by_sigfw(path, variant), strict=True), 1):
        malformed = ours.pop("malformed")
        if theirs.pop("stopped"):
            assert malformed, f"frame {number}"
            del ours["tcap"]["components"][len(theirs["tcap"]["components"]) :]
        assert ours == theirs, f"frame {number}"
        assert not (made and malformed), f"frame {number}"


@pytest.mark.parametrize("variant", [ITU, ANSI, CHINA])
def test_sccp_of_the_variant_is_read_as_tshark_reads_it(variant: str, tmp_path: Path) -> None:
    opc, dpc = (OPC & 0x3FFF, DPC & 0x3FFF) if variant == ITU else (OPC, DPC)
    made = messages(variant)
    packets = [sccpbytes.mtp3(variant, one, opc=opc, dpc=dpc, sls=13) for one in made]
    compared(tmp_path, variant, sccpbytes.pcap(141, packets))
    packets = [sccpbytes.sctp(sccpbytes.m3ua(one, opc=opc, dpc=dpc, sls=13), n) for n, one in enumerate(made, 1)]
    compared(tmp_path, variant, sccpbytes.pcap(248, packets))


@pytest.mark.parametrize("variant", [ITU, ANSI, CHINA])
def test_tcap_of_t1_114_is_read_as_tshark_reads_it_on_every_link(variant: str, tmp_path: Path) -> None:
    """tshark is told by the SSN that it is TCAP, and sees by its tag which one."""
    hlr = address(variant, ssn=6)
    for some, made in ((tcap_messages(), True), (extra_messages(), False)):
        packets = [sccpbytes.mtp3(variant, unitdata(hlr, hlr, one)) for one in some]
        compared(tmp_path, variant, sccpbytes.pcap(141, packets), made=made)


@pytest.mark.parametrize("variant", [ITU, ANSI, CHINA])
def test_segments_come_to_the_whole_that_tshark_comes_to(variant: str, tmp_path: Path) -> None:
    hlr = address(variant, ssn=6, pc=0x1234)
    whole = octets(0xE5, REGISTRATION_NOTIFICATION, result(), error(0x85), parts=(dialogue("1.2.840.10013.1"),))
    for size in (len(whole) // 2 + 1, 7):
        parts = sccpbytes.segments(hlr, hlr, whole, size)
        compared(tmp_path, variant, sccpbytes.pcap(141, [sccpbytes.mtp3(variant, one) for one in parts]))
