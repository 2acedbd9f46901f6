"""Makes docs/evasions.md of the cases: python -m tests.evasion.page."""

from pathlib import Path

from tests.evasion.table import ANSWERS, FAMILIES, Case, cases, plains, rows

PATH = Path(__file__).parents[2] / "docs" / "evasions.md"
HEAD = """\
# Ways round an SS7 firewall, and what becomes of them

Every line is a test: `tests/evasion/cases/` holds its octets, `tests/evasion/` that they are read, judged and counted
as said here. This page is made of those files (`python -m tests.evasion.page`), and a test holds the two equal.

One property stands behind all of them: **no encoding of a message gets a weaker verdict than its plainest one, and
nothing that cannot be decoded passes in silence.** It is tested for each line with `interconnect.yaml` (which this page
is about), with a policy that allows what it does not deny, and with one that denies what it does not allow.

*sigfw* says what becomes of the message under `interconnect.yaml`, compared with the plain one:

{answers}

*Counter* is the metric that shows it, of those that move: without `sigfw_` and `_total`, with its labels. *tshark* and
*pycrate* are two other decoders' readings of the same octets: `=` where they read what sigfw reads; else what they read
instead, or what they say. {counts}"""
SHOWN = 70  # characters of what another decoder says


def _answer(case: Case) -> str:
    verdict = case.verdict[-1].split()
    decided = f"`{verdict[2]}`" if len(verdict) > 2 else verdict[1].replace("_", " ")
    if case.limit:
        return f"**passes** ({decided}): {case.limit.removeprefix('passes without state: ').removeprefix('let in: ')}"
    return f"{case.sigfw}: {verdict[0]}" + (f" by {decided}" if len(verdict) > 2 else "")


def _counter(case: Case) -> str:
    first = min(case.counters, key=lambda counter: FAMILIES.index(counter.split()[0]))
    metric, *labels = first.split()
    return f"`{metric}{{{', '.join(labels)}}}`" if labels else f"`{metric}`"


def _other(differences: dict[str, object]) -> str:
    if not differences:
        return "="
    parts = []
    for key, value in differences.items():
        if key == "says":
            continue
        text = "; ".join(map(str, value)) if isinstance(value, list) else str(value)
        parts.append(f"{key}: {'nothing' if value in (None, []) else text}")
    if "says" in differences:
        parts.insert(0, f"“{differences['says']}”")
    shown = ", ".join(parts)
    return (shown[: SHOWN - 1] + "…" if len(shown) > SHOWN else shown).replace("|", "\\|")


def _line(case: Case) -> str:
    cells = (case.id, case.does, _answer(case), _counter(case), _other(case.tshark), _other(case.pycrate))
    return "| " + " | ".join(cells) + " |"


def text() -> str:
    """The page."""
    every = cases()
    answers = "\n".join(f"- *{name}*: {meaning}." for name, meaning in ANSWERS.items())
    alike = [sum(not getattr(case, name) for case in every) for name in ("tshark", "pycrate")]
    counts = f"Of {len(every)} cases tshark reads {alike[0]} alike and without complaint, pycrate {alike[1]}."
    out = [HEAD.format(answers=answers, counts=counts)]
    for row, title in rows().items():
        own = [case for case in every if case.row == row]
        sources = "; ".join(dict.fromkeys(case.source for case in own))
        out.append(f"\n## {row}. {title}\n\nSource: {sources}.\n")
        out.append("| technique | what it does | sigfw | counter | tshark | pycrate |\n|---|---|---|---|---|---|")
        out += map(_line, own)
    return "\n".join(out) + "\n"


def write() -> None:
    """Write it, from the files as they stand now."""
    rows.cache_clear()
    cases.cache_clear()
    plains.cache_clear()
    PATH.write_text(text())


if __name__ == "__main__":
    write()
