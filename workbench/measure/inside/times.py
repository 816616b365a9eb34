"""How long each layer of a file takes, held against the whole file."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.api.errors import Refused
from workbench.api.technique import Reporter
from workbench.api.text import Text, say
from workbench.api.variant import Format, Layer
from workbench.jobs.slot import exclusive_slot
from workbench.measure import environment as machine
from workbench.measure.child_process import run_in_child
from workbench.measure.child_tasks import address_space, time_once
from workbench.measure.inside.litert_cuts import differences, plan_cuts, write_cuts
from workbench.measure.inside.operations import layers_of_operations
from workbench.measure.inside.profiles import PROFILES
from workbench.measure.inside.records import Between, LayerTimes, Method
from workbench.measure.latency import Candidate
from workbench.measure.records import Interval
from workbench.measure.statistics import RESAMPLES, floor_of, interval_over_rounds

_TICK_MS = 0.001
Rounds = npt.NDArray[np.float64]


def times_obstacle(runtime: str, kind: Format) -> Text | None:
    """Why the layers of a file cannot be timed in its runtime, or None.

    Args:
        runtime: Name of the runtime.
        kind: Format of the file.
    """
    if runtime == "openvino" and kind == "tflite":
        return say("OpenVINO gives the operations of a LiteRT file other names, so its times fit no layer.")
    if runtime in PROFILES or (runtime == "litert" and kind == "tflite"):
        return None
    if kind == "keras":
        return say(
            "Keras runs the whole model as one function, which tells no times of layers. Its float32 form in "
            "LiteRT, ONNX Runtime or OpenVINO tells them."
        )
    return say("{runtime} tells no times of layers.", runtime=runtime)


def time_layers(
    report: Reporter, candidate: Candidate, layers: Sequence[Layer], dataset_folder: Path, seed: int
) -> LayerTimes:
    """Times each layer of a file, alone on the machine.

    ONNX Runtime and OpenVINO take the times themselves; of a LiteRT file, files that end after each layer are
    timed interleaved. All in turns with the unchanged file and a second load of it.

    Args:
        report: Progress and cancellation.
        candidate: The file.
        layers: Its layers, as described.
        dataset_folder: The prepared data; real test samples are used.
        seed: Seeds the samples and the order in each round.

    Raises:
        Refused: If its runtime tells no such times.
        InvalidInput: If the file cannot be run.
    """
    with exclusive_slot(report, say("measuring latency"), may_go_on=True) as alone:
        report.stage(say("Timing the layers"))
        load = machine.load_average()
        if candidate.runtime in PROFILES:
            timed = _profiled(report, candidate, layers, dataset_folder, seed)
        else:
            timed = _cut(report, candidate, layers, dataset_folder, seed)
    report.progress(1.0)
    return LayerTimes(
        environment=machine.environment().id,
        variant=candidate.variant,
        alone=alone,
        load_average=load,
        **timed,
    )


def _profiled(
    report: Reporter, candidate: Candidate, layers: Sequence[Layer], dataset: Path, seed: int
) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:

        def on_message(message: dict[str, Any]) -> None:
            if "progress" in message:
                report.progress(float(message["progress"]))

        answer = run_in_child(
            report,
            "layers",
            [candidate],
            Path(folder),
            on_message=on_message,
            dataset=str(dataset),
            seed=seed,
            address_space_bytes=address_space([candidate]),
        )
        with np.load(Path(folder) / "samples.npz", allow_pickle=False) as arrays:
            whole, control = arrays["whole"], arrays["control"]
        profiled = json.loads((Path(folder) / "profiled.json").read_text())
    names = dict.fromkeys(name for one in profiled["rounds"] for name in one["times"])
    clock = np.array([max(0.0, one["clock"]) for one in profiled["rounds"]])
    rounds = {"": np.array([one["call"] for one in profiled["rounds"]])} | {
        name: np.array([one["times"].get(name, 0.0) for one in profiled["rounds"]]) - clock for name in names
    }
    graph = {name: tuple(profiled["graph"].get(name, ())) for name in names}
    done = layers_of_operations(candidate.path, layers, graph)
    runtime: Method = "profiler" if candidate.runtime == "onnxruntime" else "counters"
    return {
        **_by_layer(
            layers, rounds, done, seed, len(names), {name: told[0] for name, told in graph.items() if told}
        ),
        **_whole(whole, control, seed),
        "method": runtime,
        "waited": answer["waited"],
    }


def _cut(
    report: Reporter, candidate: Candidate, layers: Sequence[Layer], dataset: Path, seed: int
) -> dict[str, Any]:
    file = candidate.path.read_bytes()
    cuts = plan_cuts(file, layers)
    if not cuts.rows:
        raise Refused(say("The file has no operation that could be timed."))
    with tempfile.TemporaryDirectory() as folder:
        shorter = [
            candidate.model_copy(
                update={
                    "variant": f"{candidate.variant} {end}",
                    "path": path,
                    "settings": candidate.settings.model_copy(update={"output": None}),
                }
            )
            for end, path in zip(cuts.ends, write_cuts(file, cuts, Path(folder)), strict=True)
        ]
        run = time_once(report, [candidate, *shorter], dataset, "quick", seed)
    assert run.control is not None
    medians = np.stack([np.median(samples, axis=1) for samples in run.samples[1:]])
    parts = differences(medians)
    rounds = {"": parts[0]} | {str(number): part for number, part in enumerate(parts[1:])}
    done = {"": ()} | {str(number): rows for number, rows in enumerate(cuts.rows)}
    return {
        **_by_layer(layers, rounds, done, seed),
        **_whole(run.samples[0], run.control, seed),
        "method": "cuts",
        "waited": run.waited,
    }


def _whole(whole: Rounds, control: Rounds, seed: int) -> dict[str, Any]:
    return {
        "whole_ms": interval_over_rounds(np.median(whole, axis=1), seed),
        "floor": floor_of(whole[None], control[None]),
        "rounds": len(whole),
    }


def _by_layer(
    layers: Sequence[Layer],
    rounds: Mapping[str, Rounds],
    done: Mapping[str, Sequence[int]],
    seed: int,
    ticks: int = 0,
    titles: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Puts the time of each operation to the heaviest of the layers that it does.

    Args:
        layers: Those of the file.
        rounds: Milliseconds in each round by operation; the name of the call itself is empty.
        done: The layers of each.
        seed: Seeds the intervals.
        titles: What an operation is shown as, where that is not its name.
        ticks: How many of the times were cut to whole microseconds: what was cut off is anything up to one.
    """
    taken: dict[int, Rounds] = {}
    within: dict[int, int] = {}
    between = []
    for name, times in rounds.items():
        rows = done.get(name, ())
        if not rows and not times.any():
            continue  # cut to nothing in all rounds: it may not be run at all
        if not rows:
            between.append(Between(name=(titles or {}).get(name, name), time_ms=median_interval(times, seed)))
            continue
        first = max(rows, key=lambda row: (layers[row].macs or 0, layers[row].parameters, -row))
        taken[first] = taken.get(first, 0.0) + times
        within |= {row: first for row in rows if row != first}
    total = median_interval(np.sum(list(rounds.values()), axis=0), seed)
    unknown = 1.96 * _TICK_MS * (ticks / 12) ** 0.5
    within = {row: first for row, first in within.items() if row not in taken}
    half = _TICK_MS / 2 if ticks else 0.0
    return {
        "times_ms": tuple(
            _wider(median_interval(taken[row], seed), half) if row in taken else None
            for row in range(len(layers))
        ),
        "runs_in": tuple(within.get(row) for row in range(len(layers))),
        "between": tuple(between),
        "sum_ms": _wider(total, unknown),
    }


def _wider(interval: Interval, by: float) -> Interval:
    return Interval(value=interval.value, low=interval.low - by, high=interval.high + by)


def median_interval(values: Rounds, seed: int) -> Interval:
    """Median over rounds with a percentile bootstrap over them; of values that may be negative."""
    drawn = np.random.default_rng(seed).integers(0, len(values), (RESAMPLES, len(values)))
    low, high = np.percentile(np.median(values[drawn], axis=1), (2.5, 97.5))
    return Interval(value=float(np.median(values)), low=float(low), high=float(high))
