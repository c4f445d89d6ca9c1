"""`python -P -m tests.fuzz`: the whole document, for as many cases as it takes; ends with 1 if anything is wrong."""

import argparse
import random
import sys
import time

from tests.fuzz.application import served
from tests.fuzz.run import Outcome, fuzz


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=20_000, help="how many at least (20,000)")
    parser.add_argument("--examples", type=int, default=150, help="of each operation in each phase of a round (150)")
    parser.add_argument("--seed", type=int, default=None, help="of the first round; chosen and printed if not given")
    parser.add_argument("--only", default=None, help="operations whose path fits this expression")
    asked = parser.parse_args()
    seed = random.randrange(10**6) if asked.seed is None else asked.seed
    count = 0
    failures: dict[str, str] = {}
    with served() as service:
        while count < asked.cases:
            began = time.monotonic()
            outcome = fuzz(service, examples=asked.examples, seed=seed, only=asked.only)
            count += outcome.count
            failures |= outcome.failures
            print(_told(outcome, seed, time.monotonic() - began), flush=True)
            seed += 1
            if not outcome.count or failures:
                break
    for title, text in failures.items():
        print(f"\n== {title}\n{text}")
    print(f"\n{count:,} cases, {len(failures)} failures")
    return 1 if failures or count < asked.cases else 0


def _told(outcome: Outcome, seed: int, seconds: float) -> str:
    phases = ", ".join(f"{name} {number:,}" for name, number in outcome.cases.items())
    answers = ", ".join(f"{status}: {number:,}" for status, number in sorted(outcome.answers.items()))
    slowest = ", ".join(f"{label} {ms} ms" for label, ms in outcome.slowest.most_common(4))
    return (
        f"seed {seed}: {outcome.count:,} cases in {seconds:.0f} s, {len(outcome.operations)} operations ({phases})\n"
        f"  answers {answers}\n  slowest {slowest}"
    )


if __name__ == "__main__":
    sys.exit(main())
