"""The doctor on quality: which step lost F1, and what usually brings it back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.api.task import measure_of
from workbench.api.text import Text, say
from workbench.api.variant import ROUNDED
from workbench.measure.records import QualityVerdict
from workbench.results.doctor_speed import advice_of

if TYPE_CHECKING:
    from workbench.results.rows import ResultRow


def about_quality(row: ResultRow, parent: ResultRow | None) -> list[Text]:
    """What is to be said of a variant's quality; nothing where F1 was kept.

    Args:
        row: The variant's measurements.
        parent: Those of the variant that it was made from.
    """
    found: list[Text] = []
    if row.quality is not None and row.quality.near_chance:
        found.append(
            say(
                "Its error is no smaller than that of always answering the median: check the scaling of "
                "inputs and targets, or the step that made it."
            )
            if row.quality.task == "regression"
            else say(
                "Its accuracy is near chance: check the input scaling, whether the classes are in the order "
                "that the model was trained with, or the step that made it."
            )
        )
    change = row.quality_change
    if change is None:
        return found
    if change.deciding.output != change.output:
        return [*found, *_of_further(change.deciding, row.quality.samples if row.quality else 0)]
    measure = measure_of(change.task)
    if change.word == "not proven":
        found.append(_not_proven(change, row.quality.samples if row.quality else 0))
    elif change.word == "lost":
        before = (
            0.0 if parent is None or parent.quality_change is None else parent.quality_change.change.value
        )
        if parent is not None and before < change.change.value / 2:
            found.append(
                say(
                    "Most of the {lost} points of {measure} were lost before this step: {parent} had already "
                    "lost {before}.",
                    lost=f"{-100 * change.change.value:.1f}",
                    measure=measure.title,
                    parent=parent.variant.name,
                    before=f"{-100 * before:.1f}",
                )
                if measure.higher_is_better
                else say(
                    "Most of the {lost}% by which {measure} grew came before this step: {parent} had already "
                    "{before}%.",
                    measure=measure.title,
                    lost=f"{-100 * change.change.value:.1f}",
                    parent=parent.variant.name,
                    before=f"{-100 * before:.1f}",
                )
            )
        else:
            found += _lost_here(row, parent)
    return found


def _of_further(change: QualityVerdict, samples: int) -> list[Text]:
    """What is to be said of a further output that decides."""
    if change.word == "not proven":
        return [say("{output}: {note}", output=str(change.output), note=_not_proven(change, samples))]
    if change.word == "lost":
        return [
            say(
                "The output {output} lost quality, whatever the first one keeps: its {measure} is among all "
                "numbers.",
                output=str(change.output),
                measure=measure_of(change.task).title,
            )
        ]
    return []


def _not_proven(change: QualityVerdict, samples: int) -> Text:
    measure = measure_of(change.task).title
    if change.samples_needed is None:
        return say(
            "Whether {measure} is kept is not proven with {samples} test samples, and the change is so near "
            "to what is accepted that no reasonable number would settle it.",
            samples=samples,
            measure=measure,
        )
    if (
        change.change.value == 0
        and change.task == "classification"
        and change.only_reference_right == change.only_variant_right == 0
    ):
        return say(
            "No right prediction changed, but {samples} test samples still allow a loss of {points} points "
            "of F1; about {more} more would settle whether it is kept.",
            samples=samples,
            points=f"{-100 * change.change.low:.1f}",
            more=change.samples_needed,
        )
    return say(
        "Whether {measure} is kept is not proven with {samples} test samples; about {more} more would settle "
        "it.",
        measure=measure,
        samples=samples,
        more=change.samples_needed,
    )


def _lost_here(row: ResultRow, parent: ResultRow | None) -> list[Text]:
    """Why the step itself lost F1, and what to try."""
    variant = row.variant
    precision = variant.description.precision
    rounds_more = parent is not None and parent.variant.description.precision != precision
    if precision in ROUNDED and rounds_more:
        return [
            say(
                "Rounding lost it. What usually helps: precision by layer, which keeps the sensitive layers "
                "exact; other ranges; or quantization-aware training."
            )
        ]
    if variant.parameters.get("epochs") == 0:
        return [
            say(
                "It was not fine-tuned after it was changed: a few epochs usually bring most of the "
                "loss back."
            )
        ]
    own = advice_of(variant, "lost F1")
    if own is not None:
        return [own]
    if "epochs" in variant.parameters:
        return [
            say(
                "The smaller model has learned less in its {epochs} epochs. What usually helps: more epochs, "
                "a teacher (distillation), or a less small model.",
                epochs=str(variant.parameters["epochs"]),
            )
        ]
    return []
