"""Writes into cases/ what sigfw, tshark and pycrate make of the octets there now: python -m tests.evasion.record.

For when decoding or a policy has changed on purpose: what it changed is then the diff to read. A new case needs `id`,
`does`, `plain` and `octets`; a case with a `limit` is one that is let in, and its limit says why.
"""

import json
import sys
from pathlib import Path
from typing import Any

import yaml

from tests.evasion import page, readings
from tests.evasion.table import FAMILIES, FOLDER, Case, Judged, Message, judge, message, plains, rows
from tests.evasion.test_readers import differences, whole

Entry = dict[str, Any]
WIDTH = 112  # of octets, as text
KEYS = ("id", "does", "source", "plain", "encapsulation", "seconds", "octets", "sigfw", "limit", "reads", "verdict")
SAME = ("sccp", "called", "calling", "otid", "dtid", "tcap", "acn", "components", "operations", "identities")


def answer(case: Case, judged: Judged, plain: Judged) -> str:
    """Which of table.ANSWERS it is."""
    reads, last = judged.reads, judged.lines[-1]
    error, moved = (reads["error"] or "").split(), judged.moved()
    segment = last["sccp"] and last["sccp"]["segmentation"]
    final = last["reassembly"] and last["reassembly"]["final"]
    several = len(reads["identities"]) > 1 and reads["identities"] != plain.reads["identities"]
    same = judged.verdicts[-1] == plain.verdicts[-1]
    for name, holds in (
        ("passes", case.limit is not None),
        ("held", last["action"] == "hold"),
        ("unframed", last["reason"] == "unframed"),
        ("bounded", error[1:2] in (["too_deep"], ["too_many"])),
        ("malformed", bool(error) and "exceptions malformed drop" in moved),
        ("refused", bool(segment) and not final),
        ("unusable", last["reason"] == "unusable_gt"),
        ("unknown", last["reason"] == "unknown_operation"),
        ("reassembled", bool(final)),
        ("unread", reads["tcap"] is None),
        ("plain", same and all(reads[key] == plain.reads[key] for key in SAME)),
        ("worst", several or any("/" in operation for operation in reads["operations"])),
        ("same", same),
    ):
        if holds:
            return name
    return "rule"


def counters(judged: Judged, plain: Judged) -> list[str]:
    """Those that it moves and the plain one does not, and the rule that decided."""
    before, moved = set(plain.moved()), judged.moved()
    new = [counter for counter in moved if counter.split()[0] in FAMILIES and counter not in before]
    rule = f"rule_matches {judged.lines[-1]['rule']} enforce"
    if not judged.reads["error"] and rule in moved and rule not in new:
        new.append(rule)
    new = new or [counter for counter in moved if counter.split()[0] in FAMILIES]
    return sorted(new, key=lambda counter: FAMILIES.index(counter.split()[0]))


def recorded(entry: Entry, case: Case, other: readings.Reading) -> Entry:
    judged, plain = judge(case), judge(case.plain)
    own = readings.ours(judged.lines[-1])
    messages = whole(case, judged)
    if messages is None:
        by_pycrate: Entry = {"says": "knows no segments" if case.encapsulation == "sccp" else "knows no framing"}
    else:
        reading = readings.pycrate(messages)
        by_pycrate = {"says": reading["says"]} if reading["says"] else differences(reading, own)
    return entry | {
        "sigfw": answer(case, judged, plain),
        "reads": {key: value for key, value in judged.reads.items() if value != plain.reads[key]},
        "verdict": judged.verdicts,
        "counters": counters(judged, plain),
        "tshark": differences(other, own),
        "pycrate": by_pycrate,
    }


# ---- YAML as it stands there


def flow(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def octets(texts: list[str]) -> list[str]:
    out = ["octets:"]
    for text in texts:
        tokens = [token[at : at + WIDTH] for token in text.split() for at in range(0, len(token), WIDTH)]
        out += [f'  - "{tokens[0]}', *("    " + token for token in tokens[1:])]
        out[-1] += '"'
    return out


def block(entry: Entry) -> str:
    out: list[str] = []
    for key, value in entry.items():
        text = flow(value)
        if key == "octets":
            out += octets(value)
        elif value in ({}, []):
            continue
        elif isinstance(value, dict) and len(text) > 90:
            out += [f"{key}:", *(f"  {inner}: {flow(one)}" for inner, one in value.items())]
        elif isinstance(value, list) and len(text) > 100:
            out += [f"{key}:", *(f"  - {flow(one)}" for one in value)]
        else:
            out.append(f"{key}: {text}")
    return "".join(f"{'    ' if number else '  - '}{line}\n" for number, line in enumerate(out))


def ordered(entry: Entry) -> Entry:
    return {key: entry[key] for key in (*KEYS, "counters", "tshark", "pycrate") if key in entry}


def write_plain(path: Path) -> None:
    loaded = yaml.load(path.read_text(), Loader=yaml.CSafeLoader)["messages"]
    text = "# The plain messages that the evasive ones stand for, in full.\nmessages:\n"
    for entry in loaded:
        judged = judge(Message(**message(entry)))
        reads = {key: value for key, value in judged.reads.items() if value not in (None, [])}
        text += block(ordered(entry | {"reads": reads, "verdict": judged.verdicts}))
    path.write_text(text)


def main() -> None:
    write_plain(FOLDER / "plain.yaml")
    paths = {row: FOLDER / f"{row:02}.yaml" for row in rows()}
    files = {row: yaml.load(path.read_text(), Loader=yaml.CSafeLoader) for row, path in paths.items()}
    found = [(row, entry) for row, file in files.items() for entry in file["cases"]]
    built = [
        Case(**message(entry), row=row, source="", plain=plains()[entry["plain"]], sigfw="", counters=(),
             limit=entry.get("limit"))
        for row, entry in found
    ]  # fmt: skip
    others = readings.tshark_all([(case.encapsulation, case.octets) for case in built])
    for row, file in files.items():
        text = f"title: {flow(file['title'])}\nsource: {flow(file['source'])}\ncases:\n"
        for (at, entry), case, other in zip(found, built, others, strict=True):
            if at == row:
                new = recorded(entry, case, other)
                if new["sigfw"] != entry.get("sigfw"):
                    print(f"{case.name}: {entry.get('sigfw')} -> {new['sigfw']}, {new['verdict'][-1]}", file=sys.stderr)
                text += block(ordered(new))
        paths[row].write_text(text)
    page.write()


if __name__ == "__main__":
    main()
