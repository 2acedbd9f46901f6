"""What sigfw decodes beside what tshark says of the same octets, key by key."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from sigfw import records
from tests.captures.truth import read_truth

Object = dict[str, Any]

# Where no disagreement is tolerated: who speaks to whom, in which dialogue, about what.
STRICT = ("sccp_type", "called", "calling", "otid", "dtid", "acn", "components.opcode", "components.opcode_kind")
# tshark's `oe` is GTI 1's odd bit, which sigfw has spent on the digits; `pc_present` says no more than `pc`.
ADDRESS = ("gti", "tt", "np", "es", "nai", "ssn", "pc")
COMPONENT = ("type", "invoke_id", "opcode", "opcode_kind", "error")


class Disagreement(NamedTuple):
    file: str
    place: tuple[int, int]  # frame or line, index
    key: str
    truth: Any
    ours: Any
    raw: str


def captures(folder: Path) -> list[tuple[Path, Path]]:
    """The captures of a folder, each with its truth."""
    pairs = []
    for path in sorted([*folder.glob("*.pcap"), *folder.glob("*.hex")]):
        stem = path.name.removesuffix(".pcap") + ".truth.jsonl"
        found = [truth for truth in (path.with_name(stem), path.with_name(stem + ".gz")) if truth.exists()]
        pairs += [(path, found[0])] if found else []
    return pairs


def disagreements(path: Path, truth_path: Path) -> Iterator[Disagreement]:
    """Every key in which the two differ; a message that only one of them has is a difference of key `message`."""
    truths: dict[tuple[int, int], Object] = {
        (t["frame"] if "frame" in t else t["line"], t.get("index_in_frame", 0)): t for t in read_truth(truth_path)
    }
    ours = {(o["frame"], o["index"]): o for o in records.decode(path)}
    for place in sorted(truths.keys() | ours.keys()):
        truth, our = truths.get(place), ours.get(place)
        if truth is None or our is None:
            yield Disagreement(path.name, place, "message", truth and truth["raw"], our, "")
            continue
        expected = expectation(truth)
        seen = view(our)
        for key in expected:
            if expected[key] != seen[key]:
                yield Disagreement(path.name, place, key, expected[key], seen[key], truth["raw"])


def expectation(truth: Object) -> Object:
    """The keys of the truth that are known for sure."""
    known: Object = {}
    if truth.get("label") != "tcap":  # there the SCCP header is not the message's own
        known |= {key: truth[key] for key in ("sccp_type", "class", "handling", "hops", "return_cause")}
        known |= {"opc": truth["opc"], "dpc": truth["dpc"], "segmentation": truth["segmentation"]}
        known |= {"called": _address(truth["called"]), "calling": _address(truth["calling"])}
        if truth["sccp_type"] not in UNITDATA:
            known = {key: known[key] for key in ("sccp_type", "opc", "dpc")}
    if "frame" in truth:  # tshark sees each line of a .hex file alone
        known["reassembled"] = truth["reassembled"] and [tuple(place) for place in truth["reassembled"]["segments"]]
    if truth["tcap"] is None or truth.get("tcap_nonstandard"):
        return known
    known["tcap"] = truth["tcap"]
    # A malformed message leaves keys null that tshark did not reach.
    sure = not truth["malformed"]
    known |= {key: truth[key] for key in ("otid", "dtid", "acn") if sure or truth[key] is not None}
    if truth["components"] is not None:
        for key in COMPONENT:
            known[f"components.{key}"] = [component.get(key) for component in truth["components"]]
        if sure and known_numbers(truth):
            known |= {key: frozenset(truth[key] or ()) for key in ("imsi", "msisdn", "e164")}
    return known


UNITDATA = ("UDT", "UDTS", "XUDT", "XUDTS", "LUDT", "LUDTS")
MAP_AND_CAP = ("0.4.0.0.1.0.", "0.4.0.0.1.21.3.", "0.4.0.0.1.23.3.")


def known_numbers(truth: Object) -> bool:
    """tshark reads arguments where the application context or the dialogue says which protocol they are."""
    return bool(truth["acn"] and truth["acn"].startswith(MAP_AND_CAP))


def _address(address: Object | None) -> Object | None:
    if address is None:
        return None
    digits = address["digits"]
    return {key: address[key] for key in ADDRESS} | {"ri": address["ri"], "digits": digits and digits.lower()}


def view(our: Object) -> Object:
    """The decode object of DESIGN's form in the keys of the truth."""
    sccp, tcap, about = our["sccp"], our["tcap"], our["map"]
    segment = sccp["segmentation"]
    seen: Object = defaultdict(lambda: None)
    seen |= {
        "sccp_type": sccp["type"],
        "class": sccp["class"],
        "handling": None if sccp["class"] is None else 8 * sccp["return_on_error"],
        "hops": sccp["hop_counter"],
        "return_cause": sccp["return_cause"],
        "opc": our["opc"],
        "dpc": our["dpc"],
        "called": _party(sccp["called"]),
        "calling": _party(sccp["calling"]),
        "segmentation": segment
        and {
            "first": int(segment["first"]),
            "remaining": segment["remaining"],
            "class_requested": segment["class"],
            "local_ref_hex": segment["local_reference"],
        },
        "reassembled": _parts(our["reassembly"]),
    }
    if tcap:
        names = {"opcode_kind": "opcode_form", "error": "error_code"}
        seen |= {"tcap": tcap["type"]} | {key: tcap[key] for key in ("otid", "dtid", "acn")}
        for key in COMPONENT:
            seen[f"components.{key}"] = [component[names.get(key, key)] for component in tcap["components"]]
    if about:
        identities = [i for i in about["identities"] if i["origin"] != "dialogue"]
        seen |= {kind: frozenset(i["digits"] for i in identities if i["kind"] == kind) for kind in ("imsi", "msisdn")}
        seen["e164"] = seen["msisdn"] | {digits for values in about["addresses"].values() for digits in values}
    return seen


def _party(address: Object | None) -> Object | None:
    if address is None:
        return None
    seen = {key: address[key] for key in (*ADDRESS, "digits")}
    return seen | {"ri": {"gt": 0, "ssn": 1}[address["route_on"]]}


def _parts(reassembly: Object | None) -> list[tuple[int, int]] | None:
    if not reassembly or not reassembly["final"]:
        return None
    return [(int(frame), int(index)) for _, frame, index in (part.rsplit("/", 2) for part in reassembly["parts"])]
