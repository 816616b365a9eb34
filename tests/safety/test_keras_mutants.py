"""Keras files with bytes changed at random: each opens or is one clear error; nothing escapes."""

import json
from collections import Counter

import pytest

from tests.safety.hostile import WEIGHTS, Quiet, changed, members, mutants
from workbench.jobs.child_process import ChildLimits, run_limited

MUTANTS = 60


def opened(paths):
    """How each file ended, and what the user read."""
    # address space: TensorFlow alone maps several GiB
    limits = ChildLimits(address_space_bytes=16 << 30, cpu_seconds=240, wall_seconds=1500)
    found = []
    while len(found) < len(paths):
        rest = [str(path) for path in paths[len(found) :]]
        ended = run_limited("tests.safety.opening_program", rest, limits, Quiet())
        found += [json.loads(line) for line in ended.output.splitlines() if line.startswith('{"')]
        if len(found) < len(paths):
            assert ended.signal_name, f"the process ended without a signal: {ended.last_line}"
            found.append({"outcome": ended.signal_name, "words": "", "left": []})
    return found


@pytest.mark.slow
def test_mutated_keras_files(good, tmp_path):
    paths = []

    def write(name, content):
        paths.append(tmp_path / f"{len(paths)}-{name}")
        paths[-1].write_bytes(content)

    inside = members(good / "good.keras")
    write("good.keras", (good / "good.keras").read_bytes())
    for content in mutants((good / "good.keras").read_bytes(), MUTANTS, seed=1):
        write("archive.keras", content)
    # behind the archive's checksums: what zipfile would never let through by chance
    for content in mutants(inside["config.json"], MUTANTS, seed=2):
        paths.append(changed(good / "good.keras", tmp_path / f"{len(paths)}-config.keras", config=content))
    for content in mutants(inside[WEIGHTS], MUTANTS, seed=3):
        paths.append(changed(good / "good.keras", tmp_path / f"{len(paths)}-weights.keras", weights=content))
    for content in mutants((good / "good.h5").read_bytes(), MUTANTS, seed=4):
        write("whole.h5", content)

    found = opened(paths)
    assert found[0]["outcome"] == "fine"
    escaped = [one for one in found if one["outcome"] == "escaped"]
    assert escaped == []
    for one in found:
        assert one["left"] == []
        assert "Traceback" not in one["words"]
        assert len(one["words"]) < 600
    counts = Counter(one["outcome"] for one in found)
    assert counts["error"] > MUTANTS
    assert counts["fine"] > MUTANTS // 2
