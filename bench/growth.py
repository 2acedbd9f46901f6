"""How the time of a message grows: `python -m bench.growth [--short]`. bench/README.md says how.

Over rules, octets of a message, messages a call and components. A case is named `axis/line/x`, and is a point of a
line. Growth over prefixes is bench.prefixes', latency is bench.latency's.
"""

import argparse
import statistics
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

import msgspec

from bench.cases import BATCH, POLICY, Case, messages, tables
from bench.encode import Party, address, bcd, begin, invoke, map_context, request, tlv, udt
from bench.measure import ROUNDS, SHORT_ROUNDS, keep, machine, ratio
from bench.worst import ATI, DIALOGUE, ISD, OTID, carried
from sigfw._core.batch import Batch
from sigfw._core.engine import Stream, Worker
from sigfw._core.tables import Tables
from sigfw.policy import loader
from sigfw.policy.compiler import compile_policy
from sigfw.policy.model import Condition, Operand, Rule

RULES = (1, 2, 4, 10, 32, 64, 128, 256, 512, 1024)  # the last is MAX_RULES
FEW, MANY = 10, 1024  # whose times the goal compares
CATEGORIES = 8  # the first rule that matches is looked for in each
OCTETS = (64, 90, 128, 180, 250, 350, 500, 700, 1000, 1400, 2000, 2800, 4000)
CALLS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
COMPONENTS = (1, 2, 4, 8, 12, 16, 24, 32)  # the last is MAX_COMPONENTS
TURN_MESSAGES = 16 * BATCH
GSMSCF = address("999420000012")
METHOD = (
    f"Median of {ROUNDS} interleaved rounds, CPU time of one thread, from octets to verdicts, none written; batches of "
    f"{BATCH:,} but where messages a call are the axis. Rules: made-up ones over eight fields in eight categories; "
    "half the messages match one, half none. Else: interconnect.yaml and a list of 100,000 prefixes."
)


def judging(tables: Tables, values: Sequence[bytes], batch: int = BATCH) -> Case:
    """Judges some 16,384 messages a call: the values, as often as that takes."""
    worker = Worker(verdicts="none")
    repeated = list(values) * max(1, TURN_MESSAGES // len(values))
    batches = [repeated[at : at + batch] for at in range(0, len(repeated), batch)]

    def call() -> None:
        stream = Stream("growth", offsets=False)
        for one in batches:
            worker.judge(tables, stream, Batch(one, "sccp"), perimeter="international")

    return Case("", "growth", len(repeated), call)


# ---- Rules

OPERATIONS = {  # opcode and context (TS 29.002), and the argument with an IMSI
    "updateLocation": (2, (1, 3), lambda imsi: tlv(0x30, tlv(4, imsi), tlv(0x81, GSMSCF), tlv(4, GSMSCF))),
    "sendAuthenticationInfo": (56, (14, 3), lambda imsi: tlv(0x30, tlv(0x80, imsi), tlv(2, b"\x05"))),
    "provideSubscriberInfo": (70, (28, 3), lambda imsi: tlv(0x30, tlv(0x80, imsi), tlv(0xA2, tlv(0x80, b"")))),
    "anyTimeInterrogation": (
        71,
        (29, 3),
        lambda imsi: tlv(0x30, tlv(0xA0, tlv(0x80, imsi)), tlv(0xA1, tlv(0x80, b"")), tlv(0x83, GSMSCF)),
    ),
}
SSNS = (6, 7, 8, 149)
OTHERS = (
    "called.gt",
    "imsi",
    "called.ssn",
    "calling.tt",
)  # of which each rule asks two: a message that misses one matches none


def wanted(number: int) -> dict[str, str | int]:
    """What rule `number` asks for. Sixteen rules share a GT, and tell each other by operation and SSN."""
    others: dict[str, str | int] = {
        "called.gt": f"44770090{number % 7}",
        "imsi": f"0010{number % 9}",
        "called.ssn": SSNS[number // 16 % 4],
        "calling.tt": number // 16 % 3,
    }
    operation = list(OPERATIONS)[number % 4]
    _, (context, version), _ = OPERATIONS[operation]
    asked = {name: others[name] for name in (OTHERS[number % 4], OTHERS[(number + 1) % 4])}
    exact: dict[str, str | int] = {"acn": f"0.4.0.0.1.0.{context}.{version}"} if number % 3 == 0 else {}
    return {
        "calling.gt": f"99942{number // 16:03d}",
        "operation": operation,
        "calling.ssn": SSNS[number // 4 % 4],
        **asked,
        **exact,
    }


def message(number: int, *, matching: bool) -> bytes:
    """What rule `number` is about; where it shall match none, one of the two fields of OTHERS is another's."""
    asked = wanted(number)
    if not matching:
        missed = OTHERS[number % 4]
        asked[missed] = {"called.gt": "447700909", "imsi": "99999", "called.ssn": 147, "calling.tt": 9}[missed]
    opcode, context, argument = OPERATIONS[str(asked["operation"])]
    called = Party(f"{asked.get('called.gt', '447700908')}012", int(asked.get("called.ssn", 6)))
    calling = Party(f"{asked['calling.gt']}0123", int(asked["calling.ssn"]), tt=int(asked.get("calling.tt", 0)))
    imsi = bcd(f"{asked.get('imsi', '00109')}{number:010d}")
    return udt(called, calling, begin(OTID, request(map_context(*context)), invoke(opcode, argument(imsi))))


def policy(count: int) -> Tables:
    rules = tuple(
        Rule(
            id=f"made-{number}",
            category=f"made-{number % CATEGORIES}",
            when=tuple(Condition(field=k, within=Operand(values=(v,))) for k, v in wanted(number).items()),
            action="drop",
        )
        for number in range(count)
    )
    kept = loader.load(POLICY)
    exceptions = kept.exceptions | {"default": {"international": "allow", "national": "allow", "internal": "allow"}}
    return compile_policy(msgspec.structs.replace(kept, rules=rules, exceptions=exceptions))


def with_rules(count: int) -> Case:
    return judging(policy(count), [message(n // 2 % count, matching=n % 2 == 0) for n in range(TURN_MESSAGES)])


# ---- Octets, messages a call, components


def string_of(room: int) -> bytes:
    return carried(begin(OTID, b"", invoke(ISD, tlv(0x30, tlv(0x8E, bytes(room))))))


def members_of(room: int) -> bytes:
    """Members of ten octets, the last one shorter or longer."""
    count, rest = divmod(room, 10)
    full = tlv(0x8E, bytes(8)) * max(0, count - 1)
    return carried(begin(OTID, b"", invoke(ISD, tlv(0x30, full, tlv(0x8E, bytes(8 + rest) if count else bytes(rest))))))


def long(octets: int, make: Callable[[int], bytes]) -> bytes:
    """Filled to so many octets: a length that grows by an octet may skip one, and the next shorter is taken."""
    room = octets - len(make(0))
    while len(make(room)) > octets:
        room -= 1
    return make(room)


def components_of(count: int) -> bytes:
    argument = tlv(0x30, tlv(0xA0, tlv(0x80, bcd("001010000000001"))), tlv(0xA1, tlv(0x80, b"")), tlv(0x83, GSMSCF))
    return carried(begin(OTID, DIALOGUE, *(invoke(ATI, argument, number) for number in range(1, count + 1))))


def cases() -> Iterator[tuple[str, Case]]:
    corpus = messages()[: max(CALLS) * 4]
    for count in RULES:
        yield f"rules/half the messages match/{count}", with_rules(count)
    for octets in OCTETS:
        for line, make in (("one string", string_of), ("members of 10 octets", members_of)):
            one = long(octets, make)
            yield f"octets/{line}/{len(one)}", judging(tables(), [one] * BATCH)
    for batch in CALLS:
        yield f"call/the mix/{batch}", judging(tables(), corpus, batch)
    for count in COMPONENTS:
        yield f"components/Invokes/{count}", judging(tables(), [components_of(count)] * BATCH)


def measured(every: dict[str, Case], rounds: int) -> dict[str, list[float]]:
    """Nanoseconds a message by this thread's clock, every case once a round, there and back; the first warms up."""
    taken: dict[str, list[float]] = {name: [] for name in every}
    for number in range(rounds + 1):
        for name, case in list(every.items())[:: 1 if number % 2 else -1]:
            start = time.thread_time_ns()
            case.call()
            if number:
                taken[name].append((time.thread_time_ns() - start) / case.messages)
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--short", action="store_true", help="few rounds: does it run at all")
    given = parser.parse_args()
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {machine()}\n{textwrap.fill(METHOD, 118)}\n")
    taken = measured(dict(cases()), SHORT_ROUNDS if given.short else ROUNDS)
    print(f"{'what':<44} {'ns/message':>11} {'min-max ns':>19}")
    for name, each in taken.items():
        print(f"{name:<44} {statistics.median(each):>11,.0f} {f'{min(each):,.0f}-{max(each):,.0f}':>19}")
    rules = ratio(taken[f"rules/half the messages match/{MANY}"], taken[f"rules/half the messages match/{FEW}"])
    print(f"\n{MANY:,} rules to {FEW}: {rules:.2f} times the time")
    keep("growth", {"rules": rules}, taken, method=METHOD, short=given.short)


if __name__ == "__main__":
    main()
