from collections import Counter

import numpy as np

from workbench.plain import timing
from workbench.plain.timing import median_ms


def test_all_run_in_every_round_in_changing_order_and_only_later_runs_count(monkeypatch):
    called, clock = [], iter(range(10**6))
    monkeypatch.setattr(timing.time, "perf_counter", lambda: next(clock))

    def run(name):
        def predict(batch):
            called.append((name, len(batch["x"])))
            if name == "slow":
                next(clock)

        return predict

    times = median_ms({("fast", 1): (run("fast"), 1), ("slow", 4): (run("slow"), 4)}, {"x": np.arange(9.0)})
    # One second of the clock between two looks at it, and two where the run looks itself.
    assert times == {("fast", 1): 1000.0, ("slow", 4): 2000.0}
    each = timing.WARM_UP + timing.ROUNDS * (timing.DISCARDED + timing.RUNS)
    assert Counter(called) == {("fast", 1): each, ("slow", 4): each}
    warm, block = 2 * timing.WARM_UP, timing.DISCARDED + timing.RUNS
    first = [called[start][0] for start in range(warm, len(called), block)]
    rounds = [tuple(first[number : number + 2]) for number in range(0, len(first), 2)]
    assert set(rounds) == {("fast", "slow"), ("slow", "fast")}
