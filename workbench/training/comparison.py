"""Trainings of several seeds: time-to-F1 of each, with intervals over the seeds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from workbench.api.text import Text, say
from workbench.api.variant import Cell, Table
from workbench.measure.student_t import mean_interval
from workbench.training.results import F1_LEVELS, TrainingResult


def common_level(results: Sequence[TrainingResult]) -> float | None:
    """The highest of the usual levels of F1 that every run reached; None if there is none."""
    return next((level for level in F1_LEVELS if all(run.time_to_f1(level) for run in results)), None)


def best_run(results: Sequence[TrainingResult]) -> int:
    """The run whose kept epoch has the highest validation F1; the first of equals."""
    scores = [run.best.validation_f1 for run in results]
    return scores.index(max(scores))


def runs_table(seeds: Sequence[int], results: Sequence[TrainingResult]) -> Table:
    """Every run: validation F1 and loss of the epoch it kept, seconds, time to the common level."""
    level = common_level(results)
    rows: list[tuple[Cell, ...]] = []
    for seed, run in zip(seeds, results, strict=True):
        reached = None if level is None else run.time_to_f1(level)
        rows.append(
            (
                str(seed),
                round(run.best.validation_f1, 4),
                round(run.best.validation_loss, 4),
                run.best_epoch,
                round(run.seconds, 1),
                None if reached is None else round(reached.seconds, 1),
                None if reached is None else reached.samples,
            )
        )
    shown = "–" if level is None else f"{level:g}"
    return Table(
        title=say("Runs, one for each seed"),
        columns=(
            say("Seed"),
            say("Validation F1"),
            say("Validation loss"),
            say("Epoch kept"),
            say("Training, s"),
            say("Time to F1 {level}, s", level=shown),
            say("Samples to F1 {level}", level=shown),
        ),
        rows=tuple(rows),
    )


def curves_table(seeds: Sequence[int], results: Sequence[TrainingResult]) -> Table:
    """Validation F1 of every run over the seconds of training, as a picture."""
    longest = max(len(run.points) for run in results)
    rows: list[tuple[Cell, ...]] = []
    for number in range(longest):
        points = [run.points[number] if number < len(run.points) else None for run in results]
        seconds = statistics.median(point.seconds for point in points if point is not None)
        scores = [None if point is None else round(point.validation_f1, 4) for point in points]
        rows.append((round(seconds, 2), *scores))
    return Table(
        title=say("Time to F1"),
        columns=(
            say("Seconds of training, median"),
            *(say("Validation F1, seed {seed}", seed=seed) for seed in seeds),
        ),
        rows=tuple(rows),
        picture="line",
        note=say("One point for each epoch; passes over the validation split are not counted as training."),
    )


def seeds_notes(seeds: Sequence[int], results: Sequence[TrainingResult]) -> tuple[Text, ...]:
    """Means with their 95% intervals over the seeds; nothing for a single one."""
    if len(results) < 2:
        return ()
    mean, low, high = mean_interval([run.best.validation_f1 for run in results])
    notes = [
        say(
            "Over {count} seeds the validation F1 was {mean} [{low}, {high}] (mean, 95% interval).",
            count=len(results),
            mean=f"{mean:.4f}",
            low=f"{max(low, 0.0):.4f}",  # no F1 lies outside, wherever few seeds put the ends
            high=f"{min(high, 1.0):.4f}",
        )
    ]
    if (level := common_level(results)) is not None:
        times = [point.seconds for run in results if (point := run.time_to_f1(level)) is not None]
        # Times are compared by ratios, so their mean is the geometric one.
        mean, low, high = (math.exp(value) for value in mean_interval([math.log(time) for time in times]))
        notes.append(
            say(
                "Time to F1 {level}: median {median} s, mean {mean} s [{low}, {high}] (95% interval).",
                level=f"{level:g}",
                median=f"{statistics.median(times):.1f}",
                mean=f"{mean:.1f}",
                low=f"{low:.1f}",
                high=f"{high:.1f}",
            )
        )
    kept = best_run(results)
    notes.append(say("Kept: seed {seed}, the highest F1 on the validation split.", seed=seeds[kept]))
    return tuple(notes)


def compared(ours: Sequence[TrainingResult], plain: Sequence[TrainingResult]) -> tuple[Text, ...]:
    """Runs against plain runs of the same seeds, pair by pair.

    Args:
        ours: Runs with the settings in question, in the order of their seeds.
        plain: Runs of the same seeds with plain settings.

    Returns:
        The change of validation F1 and of the time to a common level, each with its 95% interval and
        what follows from it; nothing without runs.
    """
    if not ours:
        return ()
    difference = [
        mine.best.validation_f1 - theirs.best.validation_f1 for mine, theirs in zip(ours, plain, strict=True)
    ]
    mean, low, high = mean_interval(difference)
    values = {"mean": f"{100 * mean:+.2f}", "low": f"{100 * low:+.2f}", "high": f"{100 * high:+.2f}"}
    if len(difference) < 2:
        notes = [
            say(
                "Against plain Adam: validation F1 {mean} points, on one seed. Several seeds tell whether "
                "that is more than chance.",
                mean=values["mean"],
            )
        ]
    elif low > 0 or high < 0:
        notes = [say("Against plain Adam: validation F1 {mean} points [{low}, {high}].", **values)]
    else:
        notes = [
            say(
                "Against plain Adam: validation F1 {mean} points [{low}, {high}]: no difference shown.",
                **values,
            )
        ]
    level = common_level([*ours, *plain])
    if level is None:
        return tuple(notes)
    logarithms = []
    for mine, theirs in zip(ours, plain, strict=True):
        first, second = mine.time_to_f1(level), theirs.time_to_f1(level)
        assert first is not None
        assert second is not None
        logarithms.append(math.log(second.seconds / first.seconds))
    mean, low, high = (math.exp(value) for value in mean_interval(logarithms))
    if len(logarithms) < 2:
        notes.append(
            say("F1 {level} was reached in {ratio}× the time.", level=f"{level:g}", ratio=f"{1 / mean:.2f}")
        )
    else:
        notes.append(
            say(
                "F1 {level} was reached {ratio}× as fast [{low}, {high}] as with plain Adam.",
                level=f"{level:g}",
                ratio=f"{mean:.2f}",
                low=f"{low:.2f}",
                high=f"{high:.2f}",
            )
        )
    return tuple(notes)
