"""``python -m tests.openings [COUNT [FIRST]]``: opens random models and data, prints what is not right."""

from __future__ import annotations

import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path

from tests.openings.cases import draw
from tests.openings.opening import try_opening


def main(count: int = 300, first: int = 0) -> int:
    """Tries that many; returns how many gave a wrong number or ended without a clear word."""
    from workbench.api.privacy import forbid_telemetry

    forbid_telemetry()
    warnings.simplefilter("ignore")
    counts: Counter[str] = Counter()
    for seed in range(first, first + count):
        with tempfile.TemporaryDirectory(prefix="openings-") as folder:
            outcome = try_opening(draw(seed, Path(folder)), Path(folder) / "workbench")
        wrong = not outcome.agrees
        state = "wrong" if wrong else "refused" if outcome.f1 is None else "right"
        if outcome.case.asked and not wrong:
            state = "asked, as it should be"
        counts[state] += 1
        if wrong or state == "refused":
            print(f"{'WRONG  ' if wrong else 'refused'} {str(outcome)[:400]}", flush=True)
    print(", ".join(f"{number} {state}" for state, number in sorted(counts.items())))
    return counts["wrong"]


if __name__ == "__main__":
    sys.exit(1 if main(*map(int, sys.argv[1:])) else 0)
