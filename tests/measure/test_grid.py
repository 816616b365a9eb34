from pathlib import Path

from workbench.api.variant import RuntimeSettings
from workbench.measure.grid import may_share_a_process, processes_of
from workbench.measure.latency import Candidate


def candidate(number, runtime, threads=1):
    return Candidate(
        variant=str(number), path=Path("file"), runtime=runtime, settings=RuntimeSettings(threads=threads)
    )


def test_which_cells_share_a_process():
    light = [candidate(number, "litert", 1 + number % 2) for number in range(20)]
    slow = [candidate(100 + number, "keras.function", 1 + number % 2) for number in range(4)]
    groups = processes_of([*light, *slow], 0, 8)
    together = sorted(int(item.variant) for group in groups for item in group)
    assert together == [*range(1, 20), *range(100, 104)]
    assert max(map(len, groups)) <= 8
    for group in groups:
        assert may_share_a_process(group)
        assert len({item.runtime for item in group}) == 1
    assert groups != processes_of([*light, *slow], 1, 8)
    assert groups == processes_of([*light, *slow], 0, 8)


def test_the_reference_is_timed_even_alone():
    one = candidate(0, "keras.function", 1)
    assert processes_of([one], 0, 8) == [[]]
    other = candidate(1, "keras.function", 2)
    assert processes_of([one, other], 0, 8) == [[], [other]]
    assert not may_share_a_process([one, other])
    assert may_share_a_process([one, candidate(2, "litert", 2)])
