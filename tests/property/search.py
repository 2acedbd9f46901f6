"""Look for a message that its encoding gets through: `python -m tests.property.search [SECONDS] [SEED]`."""

import random
import sys
import time
from collections import Counter

from tests.property import addresses, dialogues, encodings  # noqa: F401  (they register their mutations)
from tests.property.judge import Judge, findings, make_trial, smallest
from tests.property.policies import FAMILIES

BATCH = 200


def search(seconds: float, seed: int) -> int:
    """Print what is found, one of each kind; the number of findings."""
    judge, began, tried = Judge(), time.monotonic(), 0
    seen: Counter[tuple[object, ...]] = Counter()
    told = began
    while time.monotonic() - began < seconds:
        r = random.Random(f"{seed}/{tried}")
        family = r.choice(list(FAMILIES))
        trial = make_trial(r, family)
        for found in findings(judge, trial, [r.getrandbits(32) for _ in range(BATCH)]):
            least = smallest(judge, found)
            kind = (family, tuple(found.mutations[:1]) if len(found.mutations) == 1 else "several",
                    tuple(sorted(c.field for rule in least.policy.rules for c in rule.when)))  # fmt: skip
            if not seen[kind] or (len(found.mutations) == 1 and seen[kind] < 2):
                print(f"---- {family}: {least}", flush=True)
            seen[kind] += 1
        tried += BATCH
        if time.monotonic() - told > 60:
            told = time.monotonic()
            print(
                f"{tried} mutants, {seen.total()} findings, {tried / (told - began):.0f}/s", file=sys.stderr, flush=True
            )
    print(f"{tried} mutants, {seen.total()} findings of {len(seen)} kinds", file=sys.stderr)
    return seen.total()


if __name__ == "__main__":
    sys.exit(
        bool(search(float(sys.argv[1]) if len(sys.argv) > 1 else 60, int(sys.argv[2]) if len(sys.argv) > 2 else 1))
    )
