"""Look for messages that their encoding gets through: `python -m tests.property.search [--seconds N] [--seed N]`.

Prints each kind of finding once, with its policy and octets, and every minute how far it is. Exit status 1: found some.
"""

import argparse
import random
import sys
import time
from collections import Counter

from tests.property.judge import Judge, findings, make_trial, smallest
from tests.property.policies import FAMILIES
from tests.property.seeds import seeds

BATCH = 200


def search(seconds: float, seed: int) -> int:
    """The number of findings."""
    judge, tried = Judge(), 0
    print(f"{len(seeds())} plain messages", file=sys.stderr, flush=True)
    began = time.monotonic()
    seen: Counter[tuple[object, ...]] = Counter()
    told = began
    while time.monotonic() - began < seconds:
        r = random.Random(f"{seed}/{tried}")
        family = r.choice(list(FAMILIES))
        for found in findings(judge, make_trial(r, family), [r.getrandbits(32) for _ in range(BATCH)]):
            least = smallest(judge, found)
            asked = sorted(one.field for rule in least.policy.rules for one in rule.when)
            kind = (family, found.mutations[0] if len(found.mutations) == 1 else "several", *asked)
            if not seen[kind]:
                print(f"---- {family}: {least}", flush=True)
            seen[kind] += 1
        tried += BATCH
        if time.monotonic() - told > 60:
            told = time.monotonic()
            print(f"{tried} mutants, {seen.total()} findings", file=sys.stderr, flush=True)
    print(f"{tried} mutants, {seen.total()} findings of {len(seen)} kinds", file=sys.stderr)
    return seen.total()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    given = parser.parse_args()
    print(f"seed {given.seed}", file=sys.stderr, flush=True)
    sys.exit(bool(search(given.seconds, given.seed)))


if __name__ == "__main__":
    main()
