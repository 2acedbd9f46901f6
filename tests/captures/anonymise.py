"""Replace the subscriber and node numbers of a capture or .hex file one for one: `anonymise.py FILE… FOLDER`.

tshark says where the digits stand. The new ones are a function of the old, so all layers of all frames stay consistent;
length, filler and the nibbles around them stay; E.164 keeps its country code, E.212 becomes the test network 001 01.
UK numbers fall into Ofcom's range for drama (447700900xxx), those of the US into 555-01xx, all others begin with a zero
behind the country code, as no assigned number does. SCTP checksums that were right are right again.
"""

import struct
import sys
import tempfile
from pathlib import Path
from xml.etree.ElementTree import Element

from truth import TRUTH_LABELS, exported_pdus, hex_line, packets, payload_of, pcap_frames

COUNTRY_CODES = ("1", "27", "33", "41", "44", "86", "91", "220", "972")  # those that occur
MADE_UP = ("00101", "12345", "12301", "0", "9876543210", "441122", "441354", "89191", "989")  # nobody's already
FIELDS = {
    "sccp.called.digits": "gt",
    "sccp.calling.digits": "gt",
    "e164.msisdn": "e164",
    "e212.imsi": "imsi",
    "e164.called_party_number.digits": "national",
    "e164.calling_party_number.digits": "national",
    "isup.called": "national",
    "isup.calling": "national",
    "isup.original_called_number": "national",
    "isup.redirecting": "national",
    "isup.redirecting_number": "national",
    "gsm_map.tbcd_digits": "imei",
    "gsm_a.dtap.cld_party_bcd_num": "e164",
}

# Numbers in a context that tshark does not dissect, as octets.
UNDISSECTED = {"5044040020": "5000000020", "5044614000": "5000004000", "4514064206": "4500004206"}


def replace(digits: str, kind: str) -> str:
    """The number that stands for `digits`, as long as they are."""
    if digits.startswith(MADE_UP) or len(digits) < 4:
        return digits
    if kind == "imsi":
        return "00101" + digits[-3:].rjust(len(digits) - 5, "0")
    if kind == "imei":  # reporting body 00: test equipment
        return "0010" + digits[-3:].rjust(len(digits) - 4, "0")
    if kind == "national":
        return digits[-2:].rjust(len(digits), "0")
    if kind == "e214":
        return "447700" + digits[-3:].rjust(len(digits) - 6, "0")
    if digits.startswith("44"):
        return "447700900"[: len(digits) - 3] + digits[-3:]
    if digits.startswith("1") and len(digits) == 11:
        return "120255501" + digits[-2:]
    code = next((code for code in COUNTRY_CODES if digits.startswith(code)), "")
    return code + digits[-3:].rjust(len(digits) - len(code), "0")


def anonymise(packet: Element, frame: bytes) -> bytes:
    """The frame with the digits of every number that tshark found replaced."""
    out = bytearray(frame)
    for field in packet.iter("field"):
        kind = FIELDS.get(field.get("name", ""))
        old = bytes.fromhex(field.get("value", "")) if kind else b""
        at = int(field.get("pos") or 0)
        if not old or frame[at : at + len(old)] != old:
            continue
        nibbles = "".join(f"{octet:02x}"[::-1] for octet in old)
        digits = field.get("show", "")
        if kind == "imei":
            digits = nibbles
        elif kind == "imsi":
            digits = nibbles.rstrip("f")
        if not nibbles.upper().startswith(digits.upper()):
            continue
        kind = "e214" if kind == "gt" and len(digits) == 15 and digits.startswith("44") else kind
        new = replace(digits.lower(), kind or "") + nibbles[len(digits) :]
        out[at : at + len(old)] = bytes.fromhex("".join(new[i + 1] + new[i] for i in range(0, len(new), 2)))
    for old, new in UNDISSECTED.items():
        out = out.replace(bytes.fromhex(old), bytes.fromhex(new))
    return bytes(out)


def crc32c(data: bytes | bytearray) -> int:
    crc = 0xFFFFFFFF
    for octet in data:
        crc ^= octet
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def sctp_checksum(frame: bytes | bytearray) -> tuple[int, bytes]:
    """Where the checksum of an Ethernet/IPv4/SCTP frame stands, and what it should be (RFC 9260, appendix A)."""
    at = 14 + (frame[14] & 15) * 4
    end = 14 + struct.unpack_from(">H", frame, 16)[0]
    return at + 8, struct.pack("<I", crc32c(frame[at : at + 8] + bytes(4) + frame[at + 12 : end]))


def anonymise_capture(path: Path) -> bytes:
    data = bytearray(path.read_bytes())
    place = 24
    for (_, packet), frame in zip(packets(path), pcap_frames(path), strict=True):
        new = bytearray(anonymise(packet, frame))
        at, checksum = sctp_checksum(frame)
        if frame[at : at + 4] == checksum:
            new[at : at + 4] = sctp_checksum(new)[1]
        data[place + 16 : place + 16 + len(new)] = new
        place += 16 + len(new)
    return bytes(data)


def anonymise_lines(path: Path) -> str:
    """The lines that have a truth; those with other labels are left out."""
    lines = [hex_line(line) for line in path.read_text().splitlines()]
    lines = [(kind, raw) for kind, raw in lines if kind in TRUTH_LABELS]
    out = []
    for kind, raw in lines:
        with tempfile.TemporaryDirectory() as folder:
            capture = Path(folder) / "line.pcap"
            capture.write_bytes(exported_pdus([payload_of(kind, raw, 6)]))
            frame = anonymise(next(packets(capture))[1], pcap_frames(capture)[0])
        out.append(f"{kind}\t{frame[-len(raw) :].hex()}\n")
    return "".join(out)


def main() -> None:
    *names, folder = map(Path, sys.argv[1:])
    for path in names:
        if path.suffix == ".hex":
            (folder / path.name).write_text(anonymise_lines(path))
        else:
            (folder / path.name).write_bytes(anonymise_capture(path))


if __name__ == "__main__":
    main()
