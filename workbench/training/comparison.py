"""Trainings of several seeds: the time to a score of each, with intervals over the seeds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from workbench.api.task import measure_of
from workbench.api.text import Text, say
from workbench.api.variant import Cell, Table
from workbench.measure.student_t import mean_interval
from workbench.plain.measures import MEASURES
from workbench.training.results import LEVELS, TrainingResult, change_shown, measure_unit, written


def common_level(results: Sequence[TrainingResult]) -> float | None:
    """The highest of the usual levels of the score that every run reached; None if there is none."""
    return next((level for level in LEVELS if all(run.time_to(level) for run in results)), None)


def best_run(results: Sequence[TrainingResult]) -> int:
    """The run whose kept epoch has the best validation score; the first of equals.

    Of several outputs the sum of the losses decides.
    """
    if results[0].further:
        losses = [run.best.validation_loss for run in results]
        return losses.index(min(losses))
    scores = [run.best.validation_score for run in results]
    best = max if results[0].measure.higher_is_better else min
    return scores.index(best(scores))


def runs_table(seeds: Sequence[int], results: Sequence[TrainingResult]) -> Table:
    """Every run: validation score and loss of the epoch it kept, seconds, time to the common level."""
    level, measure = common_level(results), results[0].measure
    rows: list[tuple[Cell, ...]] = []
    for seed, run in zip(seeds, results, strict=True):
        reached = None if level is None else run.time_to(level)
        timed: tuple[Cell, ...] = (
            None if reached is None else round(reached.seconds, 1),
            None if reached is None else reached.samples,
        )
        rows.append(
            (
                str(seed),
                round(run.best.validation_score, 4),
                *(round(score, 4) for score in run.best.further.values()),
                round(run.best.validation_loss, 4),
                run.best_epoch,
                round(run.seconds, 1),
                *(timed if measure.higher_is_better else ()),
            )
        )
    values: dict[str, Text | str | int] = {
        "measure": results[0].title,
        "level": "–" if level is None else f"{level:g}",
    }
    times = (say("Time to {measure} {level}, s", **values), say("Samples to {measure} {level}", **values))
    return Table(
        title=say("Runs, one for each seed"),
        columns=(
            say("Seed"),
            *_score_columns(results[0]),
            say("Validation loss"),
            say("Epoch kept"),
            say("Training, s"),
            *(times if measure.higher_is_better else ()),
        ),
        rows=tuple(rows),
    )


def _score_columns(result: TrainingResult) -> tuple[Text, ...]:
    """The heads of the columns of the score of each output."""
    if not result.further:
        return (say("Validation {measure}", measure=result.title),)
    return tuple(
        say("{output}: validation {measure}", output=name, measure=measure_of(task).title)
        for name, task in {result.output: result.task, **result.further}.items()
    )


def curves_table(seeds: Sequence[int], results: Sequence[TrainingResult]) -> Table:
    """The validation score of every run over the seconds of training, as a picture."""
    longest = max(len(run.points) for run in results)
    rows: list[tuple[Cell, ...]] = []
    for number in range(longest):
        points = [run.points[number] if number < len(run.points) else None for run in results]
        seconds = statistics.median(point.seconds for point in points if point is not None)
        scores = [None if point is None else round(point.validation_score, 4) for point in points]
        rows.append((round(seconds, 2), *scores))
    return Table(
        title=say("Time to {measure}", measure=results[0].title),
        columns=(
            say("Seconds of training, median"),
            *(
                say("Validation {measure}, seed {seed}", measure=results[0].title, seed=seed)
                for seed in seeds
            ),
        ),
        rows=tuple(rows),
        picture="line",
        note=say("One point for each epoch; passes over the validation split are not counted as training."),
    )


def seeds_notes(seeds: Sequence[int], results: Sequence[TrainingResult]) -> tuple[Text, ...]:
    """Means with their 95% intervals over the seeds; nothing for a single one."""
    if len(results) < 2:
        return ()
    measure = results[0].measure
    mean, low, high = mean_interval([run.best.validation_score for run in results])
    notes = [
        say(
            "Over {count} seeds the validation {measure} was {mean} [{low}, {high}] (mean, 95% interval).",
            count=len(results),
            measure=results[0].title,
            mean=written(measure, mean),
            # No score lies outside, wherever few seeds put the ends.
            low=written(measure, max(low, 0.0)),
            high=written(measure, min(high, 1.0) if measure.higher_is_better else high),
        )
    ]
    if (level := common_level(results)) is not None:
        times = [point.seconds for run in results if (point := run.time_to(level)) is not None]
        # Times are compared by ratios, so their mean is the geometric one.
        mean, low, high = (math.exp(value) for value in mean_interval([math.log(time) for time in times]))
        notes.append(
            say(
                "Time to {measure} {level}: median {median} s, mean {mean} s [{low}, {high}] (95% interval).",
                measure=results[0].title,
                level=f"{level:g}",
                median=f"{statistics.median(times):.1f}",
                mean=f"{mean:.1f}",
                low=f"{low:.1f}",
                high=f"{high:.1f}",
            )
        )
    kept = best_run(results)
    values: dict[str, Text | str | int] = {"seed": seeds[kept], "measure": results[0].title}
    notes.append(
        say("Kept: seed {seed}, the lowest sum of the losses on the validation split.", seed=seeds[kept])
        if results[0].further
        else say("Kept: seed {seed}, the highest {measure} on the validation split.", **values)
        if measure.higher_is_better
        else say("Kept: seed {seed}, the lowest {measure} on the validation split.", **values)
    )
    return tuple(notes)


def compared(ours: Sequence[TrainingResult], plain: Sequence[TrainingResult]) -> tuple[Text, ...]:
    """Runs against plain runs of the same seeds, pair by pair.

    Args:
        ours: Runs with the settings in question, in the order of their seeds.
        plain: Runs of the same seeds with plain settings.

    Returns:
        The change of the validation score and of the time to a common level, each with its 95% interval and
        what follows from it; nothing without runs.
    """
    if not ours:
        return ()
    difference = gains(ours, plain)
    mean, low, high = mean_interval(difference)
    values = change_values(ours[0], (mean, low, high))
    if len(difference) < 2:
        notes = [
            say(
                "Against plain Adam: validation {measure} {mean} {unit}, on one seed. Several seeds tell "
                "whether that is more than chance.",
                **values,
            )
        ]
    elif low > 0 or high < 0:
        notes = [say("Against plain Adam: validation {measure} {mean} {unit} [{low}, {high}].", **values)]
    else:
        notes = [
            say(
                "Against plain Adam: validation {measure} {mean} {unit} [{low}, {high}]: no "
                "difference shown.",
                **values,
            )
        ]
    level = common_level([*ours, *plain])
    if level is None:
        return tuple(notes)
    logarithms = []
    for mine, theirs in zip(ours, plain, strict=True):
        first, second = mine.time_to(level), theirs.time_to(level)
        assert first is not None
        assert second is not None
        logarithms.append(math.log(second.seconds / first.seconds))
    mean, low, high = (math.exp(value) for value in mean_interval(logarithms))
    if len(logarithms) < 2:
        notes.append(
            say(
                "{measure} {level} was reached in {ratio}× the time.",
                measure=ours[0].title,
                level=f"{level:g}",
                ratio=f"{1 / mean:.2f}",
            )
        )
    else:
        notes.append(
            say(
                "{measure} {level} was reached {ratio}× as fast [{low}, {high}] as with plain Adam.",
                measure=ours[0].title,
                level=f"{level:g}",
                ratio=f"{mean:.2f}",
                low=f"{low:.2f}",
                high=f"{high:.2f}",
            )
        )
    return tuple(notes)


def gains(ours: Sequence[TrainingResult], theirs: Sequence[TrainingResult]) -> list[float]:
    """By how much the kept epoch of each run is better than that of the other one, as a fraction."""
    return [
        MEASURES[mine.task].gain(other.best.validation_score, mine.best.validation_score)
        for mine, other in zip(ours, theirs, strict=True)
    ]


def change_values(result: TrainingResult, gain: tuple[float, float, float]) -> dict[str, Text | str | int]:
    """A change for a sentence: ``measure``, ``unit``, ``mean``, ``low`` and ``high``.

    Args:
        result: For its measure.
        gain: Mean, lower and upper end of gains.
    """
    measure = result.measure
    mean, low, high = (change_shown(measure, value) for value in gain)
    return {
        "measure": result.title,
        "unit": measure_unit(measure),
        "mean": f"{mean:+.2f}",
        "low": f"{min(low, high):+.2f}",
        "high": f"{max(low, high):+.2f}",
    }
