"""What forms say before Apply, held against what comes out: every technique on every demo model.

    python -m tests.benchmarks predicted
    python -m tests.benchmarks.predicted dense-digits --techniques quantization.float16 quantization.int8

A line for each: the file size and how far it was off, whether the latency was within its interval (which is
to hold four times in five), and the time over what was said. Nothing is asserted: times belong to the machine
and its other work.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench import Workbench
from workbench.api.errors import WorkbenchError
from workbench.api.number_format import size as size_words
from workbench.api.number_format import time as time_words
from workbench.models.demo.demo import DEMO_MODELS
from workbench.techniques import techniques

SHORT: dict[str, Any] = {"epochs": 1, "seeds": 1, "compare_seeds": 0}
"""What trains does so briefly: how well it learns is not asked here."""


@dataclass
class Tally:
    """What was said and came true.

    Attributes:
        computed: How far sizes were off that were said to be computed, as shares.
        usual: Whether sizes that are only usual were within their interval.
        latency: Whether latencies were within theirs.
        time: Times over what was said of them.
    """

    computed: list[float] = field(default_factory=list)
    usual: list[bool] = field(default_factory=list)
    latency: list[bool] = field(default_factory=list)
    time: list[float] = field(default_factory=list)


def main(arguments: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=list(DEMO_MODELS))
    parser.add_argument("--techniques", nargs="+", default=list(techniques()), choices=list(techniques()))
    wanted = parser.parse_args(list(arguments))
    tally = Tally()
    print("| model | technique | size: said | is | off | latency: said | is | time: said | is |")
    print("|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="workbench-") as folder:
        for model in wanted.models:
            with Workbench(Path(folder) / model) as workbench:
                workbench.open(model, DEMO_MODELS[model].dataset).wait()
                for name in wanted.techniques:
                    _try(workbench, model, name, tally)
    _sum_up(tally)


def _try(workbench: Workbench, model: str, name: str, tally: Tally) -> None:
    technique = techniques()[name]
    fields = technique.parameters_type.model_fields
    values = {key: value for key, value in SHORT.items() if key in fields}
    if technique.measures or workbench.refusal(name, None, values) is not None:
        return
    job = workbench.apply(name, **values)
    try:
        variant = job.wait()
    except WorkbenchError as error:
        print(f"| {model} | {name} | {error} |")
        return
    assert variant is not None
    row = next(one for one in workbench.results() if one.variant.id == variant.id)
    said = workbench.foreseen(variant.id)
    if said is None or row.size is None:
        return
    cells = [model, name]
    if said.file_bytes is None:
        cells += ["–", size_words(row.size.file_bytes), ""]
    else:
        off = said.file_bytes.value / row.size.file_bytes - 1
        within = said.file_bytes.low <= row.size.file_bytes <= said.file_bytes.high
        if said.computed:
            tally.computed.append(abs(off))
        else:
            tally.usual.append(within)
        cells += [
            f"{size_words(round(said.file_bytes.value))}{'' if said.computed else ' (usual)'}",
            size_words(row.size.file_bytes),
            f"{off:+.1%}",
        ]
    shown = row.shown_ms
    if said.ms is None or shown is None:
        cells += ["–", "–" if shown is None else time_words(shown.value)]
    else:
        tally.latency.append(said.ms.low <= shown.value <= said.ms.high)
        ends = f"{time_words(said.ms.low)} – {time_words(said.ms.high)}, {said.informed} here"
        cells += [ends, f"{time_words(shown.value)}{'' if tally.latency[-1] else ' (outside)'}"]
    state = job.state
    if state.started is not None and state.finished is not None:
        taken = (state.finished - state.started).total_seconds()
        tally.time.append(taken / said.seconds)
        cells += [f"{said.seconds:.0f} s", f"{taken:.0f} s"]
    print(f"| {' | '.join(cells)} |", flush=True)


def _sum_up(tally: Tally) -> None:
    if tally.computed:
        within = sum(off <= 0.02 for off in tally.computed)
        print(
            f"\nsizes said to be computed: {within} of {len(tally.computed)} within 2%, "
            f"largest {max(tally.computed):.1%}"
        )
    for name, held in (("sizes said to be usual", tally.usual), ("latencies", tally.latency)):
        if held:
            print(f"{name}: {sum(held)} of {len(held)} within their interval ({sum(held) / len(held):.0%})")
    if tally.time:
        within = sum(0.5 <= ratio <= 2 for ratio in tally.time)
        print(
            f"times: {within} of {len(tally.time)} within a factor of two, "
            f"median {statistics.median(tally.time):.2f} of what was said"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
