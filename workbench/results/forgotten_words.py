"""What a variant has forgotten, in words and tables."""

from __future__ import annotations

from workbench.api.number_format import count, percent, points, points_interval
from workbench.api.text import Text, say, verbatim
from workbench.measure.forgotten.records import (
    ClassLoss,
    Drift,
    Forgotten,
    Losses,
    Thought,
)
from workbench.measure.records import Interval
from workbench.results.verdict_words import short

CLASS_COLUMNS = (
    say("Class"),
    say("Right before"),
    say("Of these wrong now"),
    say("Right now, wrong before"),
    say("Change of the share that is right"),
)
CONFIDENCE_COLUMNS = (
    say("Confidence before"),
    say("Right before"),
    say("Of these wrong now"),
    say("Share that is lost"),
)
THOUGHT_COLUMNS = (
    say("The answer that is given now was"),
    say("Samples"),
    say("Its probability before, on the mean"),
)
DRIFT_COLUMNS = (say("What is compared"), say("Rank correlation"), say("95% interval"))

_THOUGHTS: dict[Thought, Text] = {
    "second": say("the second choice before"),
    "third": say("the third choice before"),
    "further": say("further down"),
}


def correlation(value: float) -> str:
    """A rank correlation; one that is not exactly 1 is never written as if it were."""
    written = f"{value:.4f}"
    return "0.9999…" if written == "1.0000" and value < 1 else written.replace("-", "\u2212")


def correlation_interval(interval: Interval) -> str:
    """The ends of its interval; what is exact has none."""
    if interval.low == interval.high:
        return str(say("exact"))
    return f"[{correlation(interval.low)}, {correlation(interval.high)}]"


def losses_summary(found: Losses, classes: tuple[str, ...]) -> list[Text]:
    """How many samples are lost, which class lost most, and what became of the calibration."""
    lines = [
        say(
            "Of {samples} test samples {right} were right before. {lost} of these are wrong now; {won} that "
            "were wrong are right now.",
            samples=count(found.samples),
            right=count(found.right_before),
            lost=count(found.lost),
            won=count(found.won),
        )
    ]
    worst = found.worst
    if worst is not None:
        lines.append(_worst(worst, short(classes[worst.label], 30), len(found.classes)))
    lines.append(
        say(
            "Calibration error: {before} before, {after} now; change {change} points {interval}.",
            before=percent(found.calibration_before, 2),
            after=percent(found.calibration_after, 2),
            change=points(found.calibration_change.value),
            interval=points_interval(found.calibration_change),
        )
    )
    return lines


def _worst(worst: ClassLoss, name: str, classes: int) -> Text:
    change, interval = points(worst.change.value), points_interval(worst.change)
    if worst.change.high < 0:
        return say(
            "Class {name} lost most: {change} points {interval}. The interval reckons with all {classes} "
            "classes.",
            name=name,
            change=change,
            interval=interval,
            classes=classes,
        )
    return say(
        "Class {name} lost most here: {change} points {interval}, which may be chance: of {classes} classes "
        "one always does worst.",
        name=name,
        change=change,
        interval=interval,
        classes=classes,
    )


def class_rows(found: Losses, classes: tuple[str, ...]) -> list[list[str]]:
    """The classes of which any sample is judged otherwise, the greatest loss first."""
    return [
        [
            short(classes[one.label], 30),
            count(one.right_before),
            count(one.lost),
            count(one.won),
            f"{points(one.change.value)} {points_interval(one.change)}",
        ]
        for one in found.classes
        if one.lost or one.won
    ]


def confidence_rows(found: Losses) -> list[list[str]]:
    """The groups of the confidence before, the least first."""
    return [
        [
            f"{percent(one.low)} – {percent(one.high)}",
            count(one.right_before),
            count(one.lost),
            f"{percent(one.share.value, 1)} [{percent(one.share.low, 1)}, {percent(one.share.high, 1)}]",
        ]
        for one in found.confidence
    ]


def thought_rows(found: Losses) -> list[list[str]]:
    """What was thought before of the answers that are given now."""
    return [
        [
            str(_THOUGHTS[one.thought]),
            count(one.lost),
            "–" if one.probability is None else percent(one.probability, 1),
        ]
        for one in found.thoughts
        if one.lost
    ]


def drift_rows(drift: Drift, name: str, other: str) -> list[list[str]]:
    """The drift, and the two numbers that it is held against.

    Args:
        drift: What was measured.
        name: The variant.
        other: What it is held against.
    """
    compared = (
        (say("{name} against {other}, same perturbations", name=name, other=other), drift.correlation),
        (say("{other} against itself, same perturbations", other=other), drift.itself),
        (say("{other} against itself, other perturbations", other=other), drift.otherwise),
    )
    return [
        [str(what), correlation(one.value), correlation_interval(one)]
        for what, one in compared
        if one is not None
    ]


def drift_notes(drift: Drift) -> list[Text]:
    """How it was measured, and how to read it."""
    lines = [
        say(
            "{how} Explained is the value of the answer that was given before, on {count} test samples.",
            how=_how(drift),
            count=drift.samples,
        ),
        say("1 is the same order of importance everywhere, 0 is none in common."),
    ]
    if drift.otherwise is not None:
        lines.append(
            say(
                "The last number is what the method disagrees with itself when it draws anew: only with the "
                "same perturbations does that cancel out."
            )
        )
    else:
        lines.append(say("Nothing is drawn at random here, so the method does not disagree with itself."))
    if drift.flat:
        lines.append(
            say(
                "Left out: {count} samples of which the map before has the same value everywhere.",
                count=drift.flat,
            )
        )
    return lines


def _how(drift: Drift) -> Text:
    forms = drift.per_sample
    match drift.perturbations.method:
        case "masks":
            return say(
                "Pictures behind {forms} random masks each; what is covered gets the usual value of its "
                "channel (RISE).",
                forms=forms,
            )
        case "permutations":
            return say(
                "Rows in {forms} forms each: their values replace those of other rows one by one, in random "
                "orders (Shapley values).",
                forms=forms,
            )
        case "windows":
            return say(
                "Series in {forms} forms each: in a random window every value is the usual one.", forms=forms
            )
        case "tokens":
            return say("Rows in {forms} forms each: without each token in turn, and unchanged.", forms=forms)
        case "words":
            return say("Texts in {forms} forms each: without each word in turn, and unchanged.", forms=forms)


def peak_words(drift: Drift, place: int) -> Text:
    """Where the maps of one of the samples that drifted most are highest, before and now."""
    before, after = (verbatim(", ".join(str(one + 1) for one in peak)) for peak in drift.drifted[place].peaks)
    method = drift.perturbations.method
    if method == "masks":
        return say("Most important row, column: {before} → {after}", before=before, after=after)
    if method == "permutations":
        return say("Most important column: {before} → {after}", before=before, after=after)
    if method == "windows":
        return say("Most important step: {before} → {after}", before=before, after=after)
    if method == "tokens":
        return say("Most important token: {before} → {after}", before=before, after=after)
    return say("Most important word: {before} → {after}", before=before, after=after)


def drift_words(known: Forgotten) -> Text | None:
    """The drift in a few words; None until it was measured."""
    if known.drift is None or known.drift.correlation is None:
        return None
    found = known.drift.correlation
    return say(
        "Rank correlation of what the two look at: {value} {interval}.",
        value=correlation(found.value),
        interval=correlation_interval(found),
    )
