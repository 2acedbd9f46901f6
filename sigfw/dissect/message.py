"""A message and the whole that its segments made, as trees."""

from dataclasses import dataclass

from sigfw.dissect import ber, sccp
from sigfw.dissect.node import Node, Object, octets
from sigfw.dissect.tcap import Tcap

POINT_CODE_OCTETS = {"itu": 2, "ansi": 3, "china": 3}


@dataclass
class Dissection:
    """message: offsets from its first octet. whole: of the last segment, offsets in the data of all; else None."""

    octets: bytes
    message: Node
    whole_octets: bytes
    whole: Node | None


def dissect(line: Object, message: bytes, whole: bytes | None, variant: str = "itu") -> Dissection:
    """Take a message apart.

    line: the decode object of it. message: its SCCP octets. whole: the user data of all segments, where the line is of
    the final one.
    """
    found = sccp.dissect(message, variant)
    joined = None
    if found.data is not None:
        node = found.data
        if whole is not None:
            node.value = f"{octets(node.end - node.body)}, the last part of {len(whole)}"
            joined = Node(0, len(whole), "reassembled data")
            user_data(joined, line, whole, variant)
        elif line["sccp"] and line["sccp"]["segmentation"]:
            node.value = f"{octets(node.end - node.body)}, a part of the data"
        else:
            user_data(node, line, message, variant)
    return Dissection(message, found.root, whole or b"", joined)


def user_data(node: Node, line: Object, data: bytes, variant: str) -> None:
    """What the user data are, under `node`, body to end."""
    if line["tcap"] is not None:
        Tcap(data, line["tcap"]).dissect(node, node.body, node.end)
    elif line["sccp"] and line["sccp"]["management"]:
        sccp.management(data, node, POINT_CODE_OCTETS.get(variant, 2))
    elif node.body < node.end:
        tlv = ber.read(data, node.body, node.end)
        if not isinstance(tlv, str) and tlv.end == node.end and tlv.id & ber.CONSTRUCTED:
            node.children.append(ber.generic(data, tlv))
        else:
            node.value = octets(node.end - node.body)
            node.stop(node.body, node.end, "no TCAP message begins like this")
    else:
        node.odd.append("no octets")
