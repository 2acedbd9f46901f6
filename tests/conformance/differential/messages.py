"""Generated messages: TCAP written by pycrate around random components, in every connectionless SCCP message.

python -m tests.conformance.differential.messages FILE.pcap [COUNT [SEED]]     write a corpus for other readers
"""

import struct
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from pycrate_asn1dir import TCAP_RAW, TCAP_MAPv2v3  # type: ignore[import-untyped]
from pycrate_asn1rt.codecs import ASN1CodecBER  # type: ignore[import-untyped]

from sigfw.messages.forms import Form, Route, bare_name, contexts, forms, named, paths
from sigfw.messages.octets import EXTENDED, LONG, SIMPLE, Party, unitdata
from tests.conformance.differential.values import Values

TCAP = named(TCAP_RAW.TCAP_Messages, "TCAP-Message")
DIALOGUE = named(TCAP_RAW.DialoguePDUs, "DialoguePDU")
UNIDIALOGUE = named(TCAP_RAW.UnidialoguePDUs, "UniDialoguePDU")
MAP_DIALOGUE = named(TCAP_MAPv2v3.MAP_DialogueInformation, "MAP-DialoguePDU")

DIALOGUE_AS = (0, 0, 17, 773, 1, 1, 1)
UNIDIALOGUE_AS = (0, 0, 17, 773, 1, 2, 1)
MAP_DIALOGUE_AS = (0, 4, 0, 0, 1, 1, 1, 1)

# Of pycrate's BER encoder: as it is, indefinite lengths, long lengths of at least one and of three octets.
OPTIONS = ({}, {"ENC_LUNDEF": True}, {"ENC_LLONG": 1}, {"ENC_LLONG": 3})
PIECES = {"ENC_OSTR_FRAG": 3}  # strings constructed of three octets each (X.690 8.7.3)

MAP_SSNS = (6, 7, 8, 145, 147, 149)
CAP_SSN = 146
CAP_PHASE_2 = "0.4.0.0.1.0."  # and 1
SHORT_MESSAGES = (21, 44, 46)  # one a message: a second one is malformed to sigfw
LARGEST = {SIMPLE: 200, EXTENDED: 200, LONG: 3000}  # octets of user data with room for the longest addresses


class Message(NamedTuple):
    """What a message was made as. The comparison reads its octets; of the rest it takes the forms alone."""

    tcap: bytes
    parts: tuple[bytes, ...]  # SCCP messages: one, or the segments of one
    forms: tuple[Form | None, ...]  # one a component; None: a reject
    opc: int
    dpc: int
    sls: int


@contextmanager
def encoding(**options: Any) -> Iterator[None]:
    """pycrate's BER encoder with its options set: ENC_LUNDEF, ENC_LLONG."""
    before = {name: getattr(ASN1CodecBER, name) for name in options}
    try:
        for name, value in options.items():
            setattr(ASN1CodecBER, name, value)
        yield
    finally:
        for name, value in before.items():
            setattr(ASN1CodecBER, name, value)


def corpus(count: int, seed: int, *, strange: bool = True, pieces: bool = False) -> Iterator[Message]:
    """`count` messages; equal seeds give equal messages. strange: as for Values; pieces: with constructed strings.

    Where there are enough of them, the first go through every number of every form once; the rest is random.
    """
    systematic = [(form, path) for form in forms() for path in (paths(form) or ((),))]
    usual = [pair for pair in systematic if pair[0].part != "error"]
    for number in range(count):
        random = Random(f"{seed}/{number}")
        maker = Maker(random, number, strange=strange, pieces=pieces)
        if number < len(systematic) <= count:
            yield maker.message(*systematic[number])
        elif random.random() < 0.02:
            yield maker.abort()
        else:
            form, path = random.choice(systematic if random.random() < 0.15 else usual)
            yield maker.message(form, path if random.random() < 0.5 else ())


class Maker:
    """Makes one message."""

    def __init__(self, random: Random, number: int, *, strange: bool, pieces: bool) -> None:
        self.random = random
        self.number = number
        self.strange = strange
        self.pieces = pieces

    def message(self, form: Form, path: Route) -> Message:
        """One in which the form's number at `path` stands, with others perhaps."""
        package = self.package(form)
        acns = contexts(form.application, form.version, form.opcode)
        if "initialDPArgExtension" in path:  # of phase 3 on
            acns = tuple(acn for acn in acns if not acn.startswith(CAP_PHASE_2))
        acn = self.random.choice(acns)
        asked, room = self.random.choice((1, 1, 1, 2, 3, 4)), self.random.choice((20, 60, 60, 120, 300, 900))
        while True:
            wanted = [(form, path), *self.company(form, package, asked - 1)]
            tcap = self.tcap(package, acn, wanted, room)
            if len(tcap) <= LARGEST[LONG]:
                return self.enveloped(form.application, tcap, tuple(form for form, _ in wanted))
            asked, room = 1, room // 2

    def abort(self) -> Message:
        pdu = ("dialogueAbort", {"abort-source": self.random.randrange(2)})
        causes = ("p-abortCause", self.random.randrange(5)), ("u-abortCause", external(DIALOGUE_AS, (DIALOGUE, pdu)))
        TCAP.set_val(("abort", {**self.transactions("abort"), "reason": self.random.choice(causes)}))
        return self.enveloped("map", TCAP.to_ber(), ())

    def enveloped(self, application: str, tcap: bytes, made: tuple[Form | None, ...]) -> Message:
        opc, dpc = self.random.sample(range(1, 1 << 14), 2)
        return Message(tcap, self.sccp(application, tcap), made, opc, dpc, self.random.randrange(16))

    def package(self, form: Form) -> str:
        if form.part == "argument":
            return self.random.choices(("begin", "continue", "end", "unidirectional"), (60, 20, 15, 5))[0]
        return self.random.choice(("continue", "end"))

    def company(self, form: Form, package: str, count: int) -> list[tuple[Form | None, Route]]:
        """Further components: of the same application and version, a reject now and then."""
        parts = ("argument",) if package in ("begin", "unidirectional") else ("argument", "result", "error")
        others = [f for f in forms() if f[:2] == form[:2] and f.part in parts and f.opcode not in SHORT_MESSAGES]
        chosen: list[tuple[Form | None, Route]] = []
        for _ in range(count):
            reject = package != "begin" and self.random.random() < 0.1
            chosen.append((None if reject else self.random.choice(others), ()))
        return chosen

    def tcap(self, package: str, acn: str, wanted: Sequence[tuple[Form | None, Route]], room: int) -> bytes:
        values = Values(self.random, density=self.random.choice((0.05, 0.2, 0.4, 0.8)), room=room, strange=self.strange)
        values.deliver = self.to_mobile(acn, *wanted[0])
        values.without = ("initialDPArgExtension",) if acn.startswith(CAP_PHASE_2) else ()
        value = self.transactions(package)
        dialogue = self.dialogue(package, acn, wanted[0][0])
        if dialogue is not None:
            value["dialoguePortion"] = dialogue
        else:  # of version 2 with more members, and of version 3 without one that must stand: the context alone tells
            values.extended = wanted[0][0] is not None and wanted[0][0].version > 2
        value["components"] = [self.component(form, path, values) for form, path in wanted]
        TCAP.set_val((package, value))
        with encoding(**self.random.choices(OPTIONS, (85, 9, 3, 3))[0], **(PIECES if self.pieces else {})):
            return bytes(TCAP.to_ber())

    def transactions(self, package: str) -> dict[str, Any]:
        value: dict[str, Any] = {}
        if package in ("begin", "continue"):
            value["otid"] = struct.pack(">I", self.number)[-self.random.choice((4, 4, 4, 3)) :]
        if package in ("continue", "end", "abort"):
            value["dtid"] = struct.pack(">I", 0x80000000 | self.number)
        return value

    def to_mobile(self, acn: str, form: Form | None, path: Route) -> bool:
        """The direction of a short message: opcode 46 of version 2 has both."""
        if form is None or form.opcode != 46:
            return True
        if path and path[0] in ("sm-RP-DA", "sm-RP-OA"):
            return path[-1] not in ("serviceCentreAddressDA", "msisdn")
        if form.version == 3:
            return False
        return self.random.random() < 0.5 if acn.endswith(".1") else acn.startswith("0.4.0.0.1.0.25.")

    # ---- dialogue portion

    def dialogue(self, package: str, acn: str, form: Form | None) -> dict[str, Any] | None:
        arcs = tuple(map(int, acn.split(".")))
        first_version = form is not None and form.application == "map" and arcs[-1] == 1
        if package in ("begin", "unidirectional"):
            if first_version and self.random.random() < 0.8:  # of version 1, which has none (TS 29.002 17.1)
                return None
            if package == "unidirectional":
                pdu = ("unidialoguePDU", {"application-context-name": arcs})
                return external(UNIDIALOGUE_AS, (UNIDIALOGUE, pdu))
            value: dict[str, Any] = {"application-context-name": arcs}
            if self.random.random() < 0.8:
                value["protocol-version"] = (1, 1)
            if form is not None and form.application == "map" and self.random.random() < 0.3:
                value["user-information"] = [external(MAP_DIALOGUE_AS, (MAP_DIALOGUE, self.map_open()))]
            return external(DIALOGUE_AS, (DIALOGUE, ("dialogueRequest", value)))
        if self.random.random() < 0.4:
            return None
        value = {
            "application-context-name": arcs,
            "result": 0,
            "result-source-diagnostic": ("dialogue-service-user", 0),
        }
        if form is not None and form.application == "map" and self.random.random() < 0.1:
            value["user-information"] = [external(MAP_DIALOGUE_AS, (MAP_DIALOGUE, ("map-accept", {})))]
        return external(DIALOGUE_AS, (DIALOGUE, ("dialogueResponse", value)))

    def map_open(self) -> tuple[str, Any]:
        values = Values(self.random, density=0.7, room=60, strange=self.strange)
        return "map-open", values.make(MAP_DIALOGUE._cont["map-open"])

    # ---- components

    def component(self, form: Form | None, path: Route, values: Values) -> Any:
        invoke_id = {"invokeId": ("present", self.random.choice((0, 1, 1, 2, 127, -1, -128)))}
        if form is None:
            problem = self.random.choice(("general", "invoke", "returnResult", "returnError"))
            absent = problem == "general" and self.random.random() < 0.5
            identifier = {"invokeId": ("absent", 0)} if absent else invoke_id
            return "basicROS", ("reject", {**identifier, "problem": (problem, self.random.randrange(3))})
        if form.part == "error":
            value = {**invoke_id, "errcode": ("local", form.error)}
            if form.type is not None and (path or self.random.random() < 0.9):
                value["parameter"] = self.content(form, path, values)
            return "basicROS", ("returnError", value)
        opcode = {"opcode": self.opcode(form.opcode)}
        if form.part == "argument":
            value = {**invoke_id, **opcode}
            if self.random.random() < 0.05:
                value["linkedId"] = ("present", self.random.randrange(128))
            if form.type is not None:
                value["argument"] = self.content(form, path, values)
            return "basicROS", ("invoke", value)
        value = dict(invoke_id)
        if form.type is not None:
            value["result"] = {**opcode, "result": self.content(form, path, values)}
            if self.random.random() < 0.1:
                return "returnResultNotLast", value
        return "basicROS", ("returnResult", value)

    def opcode(self, code: int) -> tuple[str, Any]:
        return ("global", (0, 4, 0, 0, 1, 9, code)) if self.random.random() < 0.01 else ("local", code)

    @staticmethod
    def content(form: Form, path: Route, values: Values) -> tuple[Any, Any]:
        return form.type, values.make(form.type, bare_name(form), path or None)

    # ---- SCCP

    def sccp(self, application: str, data: bytes) -> tuple[bytes, ...]:
        ssn = (CAP_SSN, CAP_SSN) if application == "cap" else self.random.choices(MAP_SSNS, k=2)
        called, calling = (self.party(s).octets() for s in ssn)
        kind = self.random.choices((SIMPLE, EXTENDED, LONG), (70, 20, 10))[0]
        if len(data) > LARGEST[kind]:
            kind = LONG
        segments = -(-len(data) // 150)
        if kind != SIMPLE and 1 < segments <= 16 and self.random.random() < 0.6:
            return self.segmented(called, calling, data, segments)
        service = self.random.random() < 0.05
        second = self.random.randrange(14) if service else self.random.choice((0, 1, 0x80, 0x81))
        hops = b"" if kind == SIMPLE else bytes((self.random.randint(1, 15),))
        return (unitdata(kind + service, bytes((second,)) + hops, called, calling, data),)

    def segmented(self, called: bytes, calling: bytes, data: bytes, count: int) -> tuple[bytes, ...]:
        """XUDT with a segmentation parameter each (Q.713 3.17): first, in-sequence, remaining, local reference."""
        size = -(-len(data) // count)
        reference = self.random.randbytes(3)
        pieces = [data[i : i + size] for i in range(0, len(data), size)]
        out = []
        for i, piece in enumerate(pieces):
            octet = (0x80 if i == 0 else 0) | 0x40 | (len(pieces) - 1 - i)
            parameter = b"\x10\x04" + bytes((octet,)) + reference
            out.append(unitdata(EXTENDED, b"\x81\x0c", called, calling, piece, parameter))
        return tuple(out)

    def party(self, ssn: int) -> Party:
        """An address of any GT indicator; without a GT, or with a point code, now and then."""
        gti = self.random.choices((4, 0, 1, 2, 3), (80, 4, 5, 5, 6))[0]
        pc = self.random.randrange(1 << 14) if gti == 0 or self.random.random() < 0.1 else None
        digits = "".join(self.random.choices("0123456789", k=self.random.randint(3 if self.strange else 5, 15)))
        if gti == 2 and len(digits) % 2:  # nothing in it tells an odd number
            digits += "1"
        return Party(
            digits if gti else "",
            ssn,
            np=self.random.choice((1, 1, 1, 6, 7)),
            nai=self.random.choice((4, 4, 4, 3, 2)),
            tt=self.random.choice((0, 0, 0, 5)),
            gti=gti,
            on_ssn=gti == 0 or self.random.random() < 0.1,
            pc=pc,
        )


def external(reference: tuple[int, ...], content: tuple[Any, Any]) -> dict[str, Any]:
    return {"direct-reference": reference, "encoding": ("single-ASN1-type", content)}


def capture(messages: Sequence[Message]) -> bytes:
    """A classic pcap of link type 141: MTP3 with each message's label (Q.704 2.2, 14-bit point codes)."""
    out = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 141)]
    frame = 0
    for message in messages:
        label = struct.pack("<I", message.dpc | message.opc << 14 | message.sls << 28)
        for part in message.parts:
            octets = b"\x83" + label + part  # national network, SCCP
            time = 1_700_000_000 + frame // 1000, frame % 1000 * 1000
            out += [struct.pack("<IIII", *time, len(octets), len(octets)), octets]
            frame += 1
    return b"".join(out)


def main() -> None:
    path, count, seed = (*sys.argv[1:], "5000", "1")[:3]
    Path(path).write_bytes(capture(list(corpus(int(count), int(seed), strange=False))))


if __name__ == "__main__":
    main()
