"""tshark's reading of a corpus: what tests/captures/truth.py takes, and every number with the name of its field."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element

from sigfw.messages.forms import Form
from tests.captures.truth import messages, packets, pcap_frames
from tests.conformance.compare import expectation, view
from tests.conformance.differential.messages import Message
from tests.conformance.differential.reading import applications

Object = dict[str, Any]

NATURE = "gsm_map.nature_of_number"  # a child of every AddressString
ADDRESS_DIGITS = ("gsm_map.address.digits", "e164.msisdn", "e212.imsi")
OTHER_DIGITS = (
    "e164.called_party_number.digits",
    "e164.calling_party_number.digits",
    "isup.location_number",
    "isup.generic_number",
    "isup.original_called_number",
    "isup.redirecting",
    "gsm_a.dtap.cld_party_bcd_num",
)
APPLICATIONS = ("gsm_map", "gsm_old", "camel", "inap")
REFERENCES = ("destinationReference", "originationReference")
# What tshark says where it gives up on what it has in hand: from there on its silence means nothing.
GIVEN_UP = (
    "_ws.malformed.expert",
    "_ws.unreassembled.expert",
    "ber.error.unknown_field",
    "ber.error.sequence",
    "ber.error.set",
    "ber.error.choice",
    "gsm_map.unknown.",
    "gsm_old.unknown.",
    "camel.unknown.",
)

# Numbers to tshark that are none to sigfw.
NO_ADDRESS = {
    "hlr_List": "TS 29.002 17.7.8: an HLR-Id is the leading digits of an IMSI, nobody's in particular",
    "hlr_id": "the same within a correlationID",
    "correlationID": "TS 29.078 5.1: it ties an assisting dialogue to its first one, and is nobody's address",
}
# Forms that tshark 4.0 reads as another type in version 2: (opcode, part) -> why sigfw is right.
MISREAD = {
    (2, "result"): "TS 09.02 17.7.1: UpdateLocationRes may be a bare hlr-Number; tshark takes any bare one for an IMSI",
    (4, "result"): "TS 09.02 17.6.3: the result is a bare roaming number; tshark calls it msisdn",
    (45, "result"): "[1] of locationInfoWithLMSI is networkNode-Number in TS 29.002 17.7.6; tshark has msc-Number here",
}

# Members that tshark passes over: (opcode, part) -> the member.
PASSED_OVER = {
    (46, "argument"): "roamingNumber",  # TS 09.02 17.7.6: SM-RP-DA has it as [3], for version 1
}


class Number(NamedTuple):
    kind: str  # imsi, msisdn, address
    name: str  # of the field, with the underscores that tshark has for hyphens; empty for the others
    digits: str


class Seen(NamedTuple):
    truth: Object
    numbers: Counter[Number]
    open: Object  # destination_reference, origination_reference
    whole: bool  # it read all of the message


def read(path: Path) -> Iterator[Seen]:
    """Each SCCP message of a capture that has one a frame, in order."""
    frames = pcap_frames(path)
    for number, packet in packets(path):
        (truth,) = messages(number, packet, frames)
        numbers: Counter[Number] = Counter()
        opened: Object = dict.fromkeys(("destination_reference", "origination_reference"))
        protos = [proto for proto in packet if proto.get("name") in ("tcap", *APPLICATIONS)]
        for kind, name, digits in (found for proto in protos for found in numbers_in(proto, "")):
            if name in REFERENCES:
                opened[name.replace("Reference", "_reference")] = digits
            elif name not in NO_ADDRESS:
                kind = "msisdn" if "msisdn" in name.lower() else kind
                numbers[Number(kind, name if kind == "address" else "", digits)] += 1
        gave_up = any((field.get("name") or "").startswith(GIVEN_UP) for field in packet.iter())
        yield Seen(truth, numbers, opened, not gave_up)


def numbers_in(field: Element, name: str) -> Iterator[Number]:
    """Each number under a field; `name` is that of the member that holds it."""
    name = member(field) or name
    children = list(field)
    if any(child.get("name") == NATURE for child in children):
        for child in children:
            if child.get("name") in ADDRESS_DIGITS:
                yield Number("address", name, child.get("show", ""))
        return
    within = name
    for child in children:
        if child.get("hide") == "yes":  # the octets of what follows
            within = member(child) or within
        elif child.get("name") == "e212.imsi":
            yield Number("imsi", within, child.get("show", ""))
        elif child.get("name") in OTHER_DIGITS:
            yield Number("address", name, child.get("show", ""))
        else:
            yield from numbers_in(child, name)


def member(field: Element) -> str:
    """The identifier that a field is named after: not that of a type, as items of lists are, nor of a part of it."""
    application, _, rest = (field.get("name") or "").partition(".")
    last = rest.rpartition(".")[2].removesuffix("_element")
    return last if application in APPLICATIONS and last[:1].islower() else ""


def differences(message: Message, seen: Seen, decoded: Object) -> Iterator[tuple[str, Any, Any]]:
    """(key, tshark's, ours) where they differ.

    Of a message that tshark did not read to its end, what it has must be ours too, and there may be more of it. An
    argument behind a global operation code it does not read at all (MAP), or as initialDP's (CAP); and of CAP it does
    not know returnResultNotLast (X.880 has none, Q.773 has).
    """
    expected, ours = expectation(seen.truth), view(decoded)
    cap = any(form is not None and form.application == "cap" for form in message.forms)
    skipped = cap and "returnResultNotLast" in (ours["components.type"] or ())
    for key, value in expected.items():
        if key in ("imsi", "msisdn", "e164"):  # with their names below
            continue
        got = ours[key]
        if key.startswith("components."):
            if skipped:
                continue
            got = got if seen.whole else got[: len(value)]
        if value != got:
            yield key, value, got
    if "imsi" not in expected or seen.truth["malformed"]:
        return
    if "global" in expected["components.opcode_kind"] or any(
        misread(form, seen.truth["acn"]) for form in message.forms
    ):
        return
    more_is_fine = not seen.whole or applications(decoded) > 1
    passed_over = {PASSED_OVER.get((form.opcode, form.part)) for form in message.forms if form is not None}
    mine = Counter({n: count for n, count in numbers_of(decoded["map"]).items() if n.name not in passed_over})
    if seen.numbers - mine or (mine - seen.numbers and not more_is_fine):
        yield "numbers", dict(seen.numbers - mine), dict(mine - seen.numbers)
    if seen.open != decoded["map"]["open"]:
        yield "open", seen.open, decoded["map"]["open"]


def misread(form: Form | None, acn: str) -> bool:
    if form is None or form.application != "map" or (form.opcode, form.part) not in MISREAD:
        return False
    return form.version == 2 or acn.endswith((".1", ".2"))


def numbers_of(about: Object) -> Counter[Number]:
    """Ours; of the identities those that tshark shows too, without what MAP-OpenInfo says."""
    identities = [i for i in about["identities"] if i["origin"] != "dialogue" and i["kind"] in ("imsi", "msisdn")]
    numbers = Counter(Number(i["kind"], "", i["digits"]) for i in identities)
    for name, digits in about["addresses"].items():
        numbers.update(Number("address", name.replace("-", "_"), each) for each in digits)
    return numbers
