"""What techniques share that change a trained Keras model and may train it further."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from workbench.api.dataset import DatasetInfo, select
from workbench.api.errors import Refused
from workbench.api.file_format import file_format, format_obstacle
from workbench.api.technique import Applied, CodePaths, Context
from workbench.api.text import Text, say
from workbench.api.variant import Report, Variant
from workbench.measure.size import gzip_bytes
from workbench.training import (
    TrainingParameters,
    train,
    training_obstacle,
    training_seconds,
    without_optimizer,
)
from workbench.training.parameter_types import FineTuningEpochs, FineTuningRate
from workbench.training.preserving import preserving_notes

if TYPE_CHECKING:
    from workbench.training.distilling import Teacher


class FineTuningParameters(TrainingParameters):
    """Training that starts from the parent's weights, or none at all."""

    epochs: FineTuningEpochs = 10
    learning_rate: FineTuningRate = 5e-4


def fine_tuning_obstacle(
    variant: Variant, dataset: DatasetInfo, epochs: int, *, taught: float | None = None
) -> Text | None:
    """Why a variant cannot be changed and fine-tuned, or None. Opens no file.

    Args:
        variant: The model.
        dataset: The data.
        epochs: Of fine-tuning; 0 needs no data.
        taught: The weight of what it learns from its parent; None where it cannot.
    """
    if epochs > 0:
        return training_obstacle(variant, dataset, taught=taught)
    return format_obstacle(variant, "keras")


def load_parent(context: Context) -> Any:
    """The parent as a Keras model."""
    from workbench.models.converting.conversion import load_keras

    context.report.stage(say("Loading the model"))
    context.report.check()
    return load_keras(context.parent.path, trust=context.parent.settings.trusted)


def require_rebuildable(model: Any) -> None:
    """Checks that a Keras model can be built again with other layers.

    Raises:
        workbench.api.errors.Refused: If it, or a model inside it, is subclassed.
    """
    from workbench.plain.keras.rebuild import subclassed

    if (name := subclassed(model)) is not None:
        raise Refused(
            say("{model} is a subclassed model: its layers cannot be exchanged.", model=name),
            say("Build it with keras.Sequential or the functional API."),
        )


def fine_tune(
    model: Any,
    context: Context,
    parameters: TrainingParameters,
    *,
    callbacks: Sequence[Any] = (),
    share: tuple[float, float] = (0.1, 0.95),
    teacher: Teacher | None = None,
    judged_from: int = 0,
) -> Report:
    """Trains a model further, where epochs are asked for; zeros and shared values in its weights are kept.

    Args:
        model: A built Keras model, trained in place.
        context: Its data set and reporter.
        parameters: Of the training.
        callbacks: Further Keras callbacks.
        share: The part of the job's progress that this is.
        teacher: Trained models that are learned from beside the labels.
        judged_from: How many epochs come first that can neither be kept nor end the training.

    Returns:
        What the technique's report says of it.
    """
    if parameters.epochs == 0:
        return Report(notes=(say("It was not fine-tuned."),))
    from workbench.plain.keras.preserving import preserve
    from workbench.training.rehearsal import require_storable

    require_storable(model, context)
    preserving = preserve(model)
    result = train(
        model,
        context,
        parameters,
        from_logits=context.parent.description.from_logits,
        callbacks=(*callbacks, preserving),
        share=share,
        teacher=teacher,
        judged_from=judged_from,
    )
    kept = Report(notes=preserving_notes(preserving))
    preserving.release()
    return result.report().followed_by(kept)


def fine_tuning_seconds(
    parameters: TrainingParameters, variant: Variant, dataset: DatasetInfo, macs_ratio: float = 1.0
) -> float:
    """Roughly how long loading, fine-tuning and saving take on this machine."""
    macs = variant.description.macs
    samples = dataset.counts["train"] + dataset.counts["validation"] / 3
    return 2.0 + training_seconds(
        parameters,
        samples,
        None if macs is None else int(macs * macs_ratio),
        len(variant.description.layers),
    )


def change_of_predictions(
    before: Any, after: Any, context: Context, split: Literal["train", "validation"], samples: int
) -> tuple[float, Text]:
    """How much a model predicts otherwise than the one that it was made of, which should be rounding only.

    Args:
        before: The parent.
        after: What was made of it.
        context: For its data.
        split: Which samples.
        samples: The first so many of them.

    Returns:
        The largest change of an output as a share of the largest output, and a note that says so.
    """
    from workbench.plain.keras.observing import largest_change

    context.report.stage(say("Comparing predictions"))
    context.report.check()
    change = largest_change(before, after, select(context.dataset.x(split), slice(0, samples)))
    return change, say(
        "Largest change of an output on {count} samples of the {split} split: {change:.1e} of the largest "
        "output.",
        count=min(samples, context.dataset.info.counts[split]),
        split=say("train") if split == "train" else say("validation"),
        change=change,
    )


def finish(model: Any, context: Context, report: Report) -> Applied:
    """Saves a model without its optimizer, as what a technique hands back."""
    from workbench.models.reading.description import describe_keras

    context.report.stage(say("Saving"))
    context.report.check()
    path = context.folder / "model.keras"
    finished = without_optimizer(model)
    finished.save(path)
    context.report.progress(1.0)
    return Applied(
        path=path,
        format="keras",
        runtime=context.parent.runtime,
        settings=context.parent.settings,
        description=describe_keras(finished),
        report=report,
    )


def packed(parent: Variant, applied: Applied) -> tuple[Text, ...]:
    """What gzip gives, and what no runtime gives."""
    return (
        say(
            "This file takes {after} bytes packed with gzip; its parent takes {before}. "
            "Unpacked it is as large.",
            after=f"{gzip_bytes(applied.path):,}",
            before=f"{gzip_bytes(parent.path):,}",
        ),
        say(
            "It is not faster: Keras, LiteRT, ONNX Runtime and OpenVINO multiply with zeros and repeated "
            "values as with other numbers. Channel pruning and quantization are what makes them faster."
        ),
    )


def output_file(paths: CodePaths) -> str:
    """The ``.keras`` file that plain code writes."""
    return file_format("keras").named(paths.output)


def saving_code(model: str, paths: CodePaths, epochs: int) -> str:
    """Plain code that saves a model, without the state of the optimizer that trained it."""
    file = json.dumps(output_file(paths))
    if epochs == 0:
        return f"{model}.save({file})\n"
    return (
        "# Saved again without the optimizer, whose state is twice the size of the weights.\n"
        f"{model}.save({file})\n"
        f"keras.models.load_model({file}, compile=False).save({file})\n"
    )


def removed_too_much() -> Text:
    """Why F1 fell although it was fine-tuned, and what usually helps."""
    return say(
        "So much cannot go without loss in so few epochs. What usually helps: more epochs, learning "
        "from the parent while fine-tuning, several steps, or less removed."
    )
