"""pycrate's reading of a message's octets, and ours of the same, in the same keys."""

import logging
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from pycrate_asn1dir import TCAP_CAP, TCAP_MAPv2v3  # type: ignore[import-untyped]
from pycrate_asn1rt.codecs import ASN1CodecBER  # type: ignore[import-untyped]
from pycrate_core.charpy import Charpy  # type: ignore[import-untyped]

from sigfw.messages.forms import Form, bare_name, kind_of
from tests.conformance.differential.messages import MAP_DIALOGUE, TCAP, Message
from tests.conformance.differential.values import LATER

Object = dict[str, Any]

DIGITS = "0123456789abcdef"
logging.getLogger("pycrate.asn1rt").setLevel(logging.ERROR)  # it remarks on every open type whose type it does not know
E212 = 6  # numbering plan of an AddressString that carries an IMSI (TS 29.002 17.7.8)

# Where sigfw keeps another name than the module at hand.
OWN_NAMES = {
    # The modules write these with a capital F, which no other operation of theirs has within its name.
    "mo-ForwardSM": "mo-forwardSM",
    "mt-ForwardSM": "mt-forwardSM",
    "mt-ForwardSM-VGCS": "mt-forwardSM-VGCS",
}
RENAMED = {
    # sendRoutingInfoForSM's result: [1] is msc-Number in TS 09.02 and networkNode-Number, an MSC's or SGSN's, in
    # TS 29.002 17.7.6; one member of one place, whatever the version of the context.
    ((2, 45, "result"), "msc-Number"): "networkNode-Number",
}


class Number(NamedTuple):
    kind: str
    name: str
    digits: str
    component: int


# ---- pycrate


def pycrate(message: Message) -> Object:
    """What pycrate reads in the octets. Raises PycrateErr where it cannot."""
    octets = definite(message.tcap)
    TCAP.from_ber(octets)
    package, value = TCAP.get_val()
    seen: Object = {
        "type": package,
        "otid": value["otid"].hex() if "otid" in value else None,
        "dtid": value["dtid"].hex() if "dtid" in value else None,
        "acn": None,
        "components": [],
        "open": (None, None),
        "extended": any(tag in octets for tag in LATER),  # pycrate keeps no member that it does not know
    }
    numbers: list[Number] = []
    reason, aborted = value.get("reason", ("", None))
    portion = aborted if reason == "u-abortCause" else value.get("dialoguePortion")
    if portion:
        seen["acn"], opened = dialogue(portion)
        seen["open"] = tuple(opened.get(key) and text for key, text in references(opened).items())
        for key, text in references(opened).items():
            if text and opened[key][0] & 15 == E212:
                numbers.append(Number("imsi", "", text, -1))
    for index, (component, form) in enumerate(zip(value.get("components", ()), message.forms, strict=True)):
        kind, body = component if component[0] == "returnResultNotLast" else component[1]
        content, found = parameter(body), None
        if content is not None and form is not None:
            form.type.from_ber(content)
            found = form.type.get_val()
            numbers += leaves(bare_name(form), form.type, found, index)
        seen["components"].append(header(kind, body) | {"operation": operation(body, form, seen["acn"], found)})
        numbers = [n._replace(name=renamed(n.name, form)) if n.component == index else n for n in numbers]
    return seen | sorted_numbers(numbers) | {"numbers": numbers}


def definite(octets: bytes) -> bytes:
    """The same encoding with definite lengths, by pycrate's own reader of tags and lengths.

    Its decoder of what stands in an open type takes no indefinite length: ASN1CodecBER.scan_tlv looks at the tag's
    number where it means the form.
    """
    char = Charpy(octets)
    tree, _ = ASN1CodecBER.decode_single(char)
    if char.len_bit():
        raise ValueError(f"{char.len_bit()} bits after the message")
    return written(tree, octets)


def written(tree: Any, octets: bytes) -> bytes:
    class_, constructed, number, _, content = tree[:5]
    if constructed:
        body = b"".join(written(part, octets) for part in content if part[:4] != [0, 0, 0, 0])
    else:
        body = octets[content[0] // 8 : content[1] // 8]
    return tlv(class_, constructed, number, body)


def tlv(class_: int, constructed: int, number: int, body: bytes) -> bytes:
    first = class_ << 6 | constructed << 5
    tag = bytes((first | number,)) if number < 31 else bytes((first | 31, number))
    size = len(body)
    length = bytes((size,)) if size < 128 else b"\x82" + size.to_bytes(2, "big")
    return tag + length + body


def opened_type(value: tuple[str, Any]) -> bytes:
    """The octets of what an open type holds: pycrate names it by class, form and number of its tag."""
    name, body = value
    if not name.startswith("_unk_"):
        raise ValueError(f"an open type that pycrate knows: {name}")
    return tlv(int(name[5]), int(name[6]), int(name[7:]), body)


def dialogue(portion: Object) -> tuple[str | None, Object]:
    """ACN and MAP-OpenInfo of a dialogue portion."""
    known, (_, pdu) = portion["encoding"][1]
    if known not in ("DialoguePDU", "UniDialoguePDU"):
        raise ValueError(f"a dialogue portion of {known}")
    acn = pdu.get("application-context-name")
    opened: Object = {}
    for information in pdu.get("user-information", ()):
        MAP_DIALOGUE.from_ber(opened_type(information["encoding"][1]))
        name, value = MAP_DIALOGUE.get_val()
        if name == "map-open":
            opened = value
    return ".".join(map(str, acn)) if acn else None, opened


def references(opened: Object) -> dict[str, str | None]:
    keys = ("destinationReference", "originationReference")
    return {key: tbcd_text(opened[key][1:]) if key in opened else None for key in keys}


def header(kind: str, body: Object) -> Object:
    """Type, identifiers and codes of a component."""
    if kind == "returnResult":
        kind = "returnResultLast"
    inner = body.get("result", body)
    form_of_code, code = inner.get("opcode", (None, None))
    if form_of_code == "global":
        code = ".".join(map(str, code))
    present, identifier = body["invokeId"]
    error = body.get("errcode")
    return {
        "type": kind,
        "invoke_id": identifier if present == "present" else None,
        "opcode": code,
        "opcode_form": form_of_code,
        "error_code": error[1] if error else None,
    }


@cache
def operation_names() -> dict[tuple[str, int, int], str]:
    """(application, version, opcode) -> the name of the operation as its module has it."""
    found = {}
    for module_name in dir(TCAP_MAPv2v3):
        for obj in getattr(getattr(TCAP_MAPv2v3, module_name), "_all_", ()):
            if obj.TYPE == "CLASS" and obj._mode == "VALUE" and "operationCode" in (obj._val or {}):
                version = 2 if module_name.startswith("MAPv2_") else 3
                found["map", version, obj._val["operationCode"][1]] = obj._name
    # CAP's operations are parameterised, and pycrate keeps their codes alone; all but one are called like them.
    for obj in TCAP_CAP.CAP_operationcodes._all_:
        if obj._mode == "VALUE":
            name = obj._name.removeprefix("opcode-")
            name = {"dFCWithArgument": "disconnectForwardConnectionWithArgument"}.get(name, name)
            found["cap", 4, obj._val[1]] = name
    return found


def operation(body: Object, form: Form | None, acn: str | None, value: Any) -> frozenset[str]:
    """The names that the operation may go by: one, or none, but for opcode 46 where nothing tells MO from MT."""
    if form is None or "opcode" not in body.get("result", body):
        return frozenset()
    name = operation_names()[form.application, form.version, form.opcode]
    if form.application == "map" and form.opcode == 46:
        return short_message(form, acn, value)
    return frozenset((OWN_NAMES.get(name, name),))


def short_message(form: Form, acn: str | None, value: Any) -> frozenset[str]:
    """MO or MT by the context, which has one of them from version 2 on, and by the addresses (TS 29.002 12.2, 12.9)."""
    alternatives = {value["sm-RP-DA"][0], value["sm-RP-OA"][0]} if form.part == "argument" else set()
    said = {"mo-forwardSM"} if alternatives & {"serviceCentreAddressDA", "msisdn"} else set()
    said |= {"mt-forwardSM"} if alternatives & {"imsi", "lmsi", "roamingNumber", "serviceCentreAddressOA"} else set()
    if acn in ("0.4.0.0.1.0.25.1", "0.4.0.0.1.0.25.2"):
        said.add("mt-forwardSM")
    elif acn in ("0.4.0.0.1.0.21.2", "0.4.0.0.1.0.21.3"):
        said.add("mo-forwardSM")
    return frozenset(said or ("mo-forwardSM", "mt-forwardSM"))


def renamed(name: str, form: Form | None) -> str:
    return RENAMED.get((form and (form.version, form.opcode, form.part), name), name)


def parameter(body: Object) -> bytes | None:
    inner = body.get("result", body)
    for key in ("argument", "result", "parameter"):
        if key in inner:
            return opened_type(inner[key])
    return None


def leaves(name: str, obj: Any, value: Any, component: int) -> Iterator[Number]:
    """Every number in a value."""
    if obj.TYPE == "CHOICE":
        member, inner = value
        if member in obj._cont:
            yield from leaves(member, obj._cont[member], inner, component)
    elif obj.TYPE in ("SEQUENCE", "SET"):
        for member, inner in value.items():
            if member in obj._cont:
                yield from leaves(member, obj._cont[member], inner, component)
    elif obj.TYPE.endswith(" OF"):
        for inner in value:
            yield from leaves(name, obj._cont, inner, component)
    else:
        kind = kind_of(name, obj)
        text = number_text(kind, value)
        if text:
            is_address = kind in ("address", "isup", "generic")
            yield Number("address" if is_address else kind, name, text, component)


def number_text(kind: str, octets: Any) -> str:
    if kind in ("imsi", "imei"):
        return tbcd_text(octets)
    if kind in ("lmsi", "tmsi"):
        return str(octets.hex())
    if kind in ("address", "msisdn"):
        return tbcd_text(octets[1:])
    if kind in ("isup", "generic"):
        number = octets[1:] if kind == "generic" else octets
        text = "".join(DIGITS[octet & 15] + DIGITS[octet >> 4] for octet in number[2:])
        return text[:-1] if number[0] & 0x80 else text
    return ""


def tbcd_text(octets: bytes) -> str:
    text = "".join(DIGITS[octet & 15] + DIGITS[octet >> 4] for octet in octets)
    return text.removesuffix("f")


def sorted_numbers(numbers: list[Number]) -> Object:
    return {
        "identities": Counter((n.kind, n.digits, n.component) for n in numbers if n.kind != "address"),
        "addresses": Counter((n.name, n.digits) for n in numbers if n.kind == "address"),
    }


# ---- sigfw


def ours(decoded: Object) -> Object:
    """The decode object in the same keys."""
    tcap, about = decoded["tcap"], decoded["map"]
    keys = ("type", "invoke_id", "opcode", "opcode_form", "error_code")
    opened = about["open"]
    return {
        **{key: tcap[key] for key in ("type", "otid", "dtid", "acn")},
        "components": [
            {key: component[key] for key in keys} | {"operation": meanings(component)}
            for component in tcap["components"]
        ],
        "open": (opened["destination_reference"], opened["origination_reference"]),
        "identities": Counter((i["kind"], i["digits"], origin(i["origin"])) for i in about["identities"]),
        "addresses": Counter((name, digits) for name, found in about["addresses"].items() for digits in found),
        "error": decoded["error"],
    }


def meanings(component: Object) -> frozenset[str]:
    """The operation's names in the application that is read first."""
    first = component["application"]
    return frozenset(name for app, name in (r.split(":") for r in component["readings"]) if app == first)


def applications(decoded: Object) -> int:
    """In how many applications some component of the message is read: more than one only without a known ACN."""
    readings = [component["readings"] for component in decoded["tcap"]["components"]]
    return max((len({r.split(":")[0] for r in found}) for found in readings), default=0)


def origin(text: str) -> int:
    return -1 if text == "dialogue" else int(text.removeprefix("component "))


# ---- side by side


def doubtful(expected: Object) -> bool:
    """Whether a number well-formed to pycrate can be none: a digit above 9, an IMSI without room for MCC and MNC.

    sigfw calls some of them malformed, and keeps their digits all the same.
    """
    numbers = [n for n in expected["numbers"] if n.kind in ("imsi", "msisdn", "address")]
    short = any(n.kind == "imsi" and len(n.digits) < 6 for n in numbers)
    return short or any(set(n.digits) & set("abcdef") for n in numbers)


def differences(expected: Object, decoded: Object) -> Iterator[tuple[str, Any, Any]]:
    """(key, pycrate's, ours) where they differ.

    A component that is read in two applications may bring more numbers, of the other reading, but none less; so may a
    member that the newest form of an argument does not have, which could be one of the older form's.
    """
    if decoded["tcap"] is None:
        yield "tcap", expected["type"], decoded["error"]
        return
    got = ours(decoded)
    if got["error"] is not None and not (doubtful(expected) and got["error"]["code"] == "bad_value"):
        yield "error", None, got["error"]
    if len(got["components"]) != len(expected["components"]):
        yield "components", len(expected["components"]), len(got["components"])
    for one, other in zip(expected["components"], got["components"], strict=False):
        yield from ((f"components.{key}", one[key], other[key]) for key in one if one[key] != other[key])
    for key in ("type", "otid", "dtid", "acn", "open"):
        if expected[key] != got[key]:
            yield key, expected[key], got[key]
    more_is_fine = applications(decoded) > 1 or expected["extended"]
    for key in ("identities", "addresses"):
        missing, more = expected[key] - got[key], got[key] - expected[key]
        if missing or (more and not more_is_fine):
            yield key, dict(missing), dict(more)
