"""Training the parent's architecture again, or further, with chosen settings."""

from __future__ import annotations

import json
import textwrap
from typing import Any, ClassVar, Literal

from pydantic import Field
from typing_extensions import override

from workbench.data.dataset import DatasetInfo
from workbench.technique import Applied, CodePaths, Context, Estimate, Family, Parameters, Technique
from workbench.text import Text, say
from workbench.training import (
    TrainingParameters,
    TrainingResult,
    TrainingSettings,
    obstacle,
    train,
    training_code,
    training_seconds,
    without_optimizer,
)
from workbench.training.comparison import best_run, compared, curves_table, runs_table, seeds_notes
from workbench.training.fresh import kept_layers, kept_layers_of_file
from workbench.training.script import features_code
from workbench.variant import Format, Report, Skip, Variant

PLAIN_RATE = 1e-3
"""Adam's usual learning rate, from new weights; a tenth of it for fine-tuning."""


class _Start(Parameters):
    start: Literal["new weights", "the parent's weights"] = Field(
        "the parent's weights",
        title="Start from",
        description="New weights train the architecture from nothing; the parent's weights are trained "
        "further, with a lower learning rate.",
    )
    seeds: int = Field(
        1,
        ge=1,
        le=20,
        title="Runs",
        description="Trainings that differ in their seed alone, one after the other. The one with the "
        "highest F1 on the validation split is kept; all are shown, with intervals.",
        json_schema_extra={"unit": "seeds"},
    )
    compare: bool = Field(
        False,
        title="Compare with plain Adam",
        description="Also trains with plain Adam at its usual learning rate, with the same seeds, epochs "
        "and batches, and says what the settings changed. Takes twice as long.",
        json_schema_extra={"advanced": True},
    )


class RetrainParameters(TrainingSettings, _Start):
    """From which weights, how often, and how it is trained."""


class Retraining(Technique[RetrainParameters]):
    """Trains the model again from new weights, or further from the weights it has.

    Everything about the training can be chosen: the optimizer and how its learning rate moves, the
    batch, label smoothing, random changes of the samples, 16-bit arithmetic, the input pipeline. The
    learning rate can be found by trying. Runs over several seeds are compared by the time they need to
    reach an F1 on the validation split, with intervals.

    The model keeps its size and speed: what can change is its quality, and how long training takes.
    Better weights often survive pruning and quantization better.

    Sources: AdamW, Loshchilov & Hutter 2017 (arXiv:1711.05101); Lion, Chen et al. 2023
    (arXiv:2302.06675); Muon, Liu et al. 2025 (arXiv:2502.16982); cosine schedule, Loshchilov & Hutter
    2016 (arXiv:1608.03983); one-cycle, Smith & Topin 2017 (arXiv:1708.07120); label smoothing, Szegedy et
    al. 2015 (arXiv:1512.00567).
    """

    name: ClassVar[str] = "training.retrain"
    family: ClassVar[Family] = "training"
    title: ClassVar[str] = "Training"
    parameters_type: ClassVar[type[Parameters]] = RetrainParameters
    produces: ClassVar[Format | None] = "keras"

    @override
    def fits(self, variant: Variant, dataset: DatasetInfo, parameters: RetrainParameters) -> Text | None:
        return obstacle(variant, dataset, parameters)

    @override
    def estimate(self, variant: Variant, dataset: DatasetInfo, parameters: RetrainParameters) -> Estimate:
        samples = dataset.counts["train"] + dataset.counts["validation"] / 3
        runs = parameters.seeds * (2 if parameters.compare else 1)
        return Estimate(
            seconds=runs * training_seconds(parameters, samples, variant.description.macs),
            size_ratio=1.0,
            expectation=say(
                "Size and speed stay. What can rise is quality: most where the model was trained for few "
                "epochs, or with a learning rate that never fell. {precision}",
                precision=say("16-bit arithmetic makes training slower on most processors without a GPU.")
                if parameters.precision != "float32"
                else "",
            ),
        )

    @override
    def apply(self, context: Context, parameters: RetrainParameters) -> Applied:
        from workbench.models.conversion import import_keras, load_keras
        from workbench.models.description import describe_keras

        context.report.stage(say("Loading the model"))
        context.report.check()
        keras = import_keras()
        parent = load_keras(context.parent.path, trust=context.parent.settings.trusted)
        kept = kept_layers(parent.get_config())
        seeds = [parameters.seed + number for number in range(parameters.seeds)]
        kinds = [False, True] if parameters.compare else [False]
        share = 0.9 / (len(seeds) * len(kinds))
        results: list[TrainingResult] = []
        plain: list[TrainingResult] = []
        best: Any = None
        notes: tuple[Text, ...] = ()
        for number, seed in enumerate(seeds):
            for control in kinds:
                at = 0.05 + share * (number * len(kinds) + control)
                keras.utils.set_random_seed(seed)
                model = _started(keras, parent, parameters, kept)
                settings = (
                    parameters.model_copy(update={"seed": seed, "profile": parameters.profile and not number})
                    if not control
                    else _plain(parameters, seed)
                )
                result, own = _run(
                    model, context, settings, (at, at + share), further=parameters.start != "new weights"
                )
                (plain if control else results).append(result)
                if control:
                    continue
                notes = notes or own
                if best_run(results) == number:
                    best = model
        context.report.stage(say("Saving"))
        path = context.folder / "model.keras"
        finished = without_optimizer(best)
        finished.save(path)
        context.report.progress(1.0)
        return Applied(
            path=path,
            format="keras",
            runtime=context.parent.runtime,
            settings=context.parent.settings,
            description=describe_keras(finished),
            report=_report(parameters, seeds, results, plain, kept, notes),
        )

    @override
    def code(self, variant: Variant, parameters: RetrainParameters, paths: CodePaths) -> str:
        several = parameters.seeds > 1
        seed = "seed" if several else str(parameters.seed)
        try:
            kept = kept_layers_of_file(variant.path)
        except (OSError, ValueError, KeyError):
            kept = []
        lines = f"keras.utils.set_random_seed({seed})\nmodel = keras.models.clone_model(source)\n"
        if parameters.start == "new weights":
            for path in kept:
                get = "".join(f".get_layer({json.dumps(name)})" for name in path)
                lines += f"model{get}.set_weights(source{get}.get_weights())\n"
        else:
            lines += "model.set_weights(source.get_weights())\n"
        lines += training_code("model", variant, parameters, seed=seed) + "\n"
        output = paths.output if paths.output.endswith(".keras") else paths.output + ".keras"
        judge = "from sklearn.metrics import f1_score\n" if several else ""
        head = f"""\
import keras
import numpy as np
{judge}
source = keras.models.load_model({json.dumps(paths.model)}, compile=False)
data = np.load({json.dumps(paths.data)})
"""
        if several:
            first, last = parameters.seed, parameters.seed + parameters.seeds
            lines += _choice(variant)
            lines = f"best = None\nfor seed in range({first}, {last}):\n" + textwrap.indent(lines, "    ")
            lines += "model = best[1]\n"
        return f"""\
{head}{lines}\
# Saved again without the optimizer, whose state is twice the size of the weights.
model.save("{output}")
keras.models.load_model("{output}", compile=False).save("{output}")
"""

    @override
    def variant_name(self, parameters: RetrainParameters) -> str:
        return "retrained" if parameters.start == "new weights" else "fine-tuned"


_SCORES = {
    False: "classes = scores.argmax(-1)",
    True: "classes = (scores[:, 0] > {threshold}).astype(int)",
}
_CHOICE = """\
scores = model.predict({x}, verbose=0)
{classes}
f1 = f1_score(data["y_validation"], classes, average="macro", zero_division=0.0)
print("seed", seed, "validation F1", f1)
if best is None or f1 > best[0]:
    best = f1, model
"""


def _choice(variant: Variant) -> str:
    """Lines of plain code that keep the best model of several."""
    single = variant.description.outputs[0].shape[-1] == 1
    threshold = 0.0 if variant.description.from_logits else 0.5
    return _CHOICE.format(
        x=features_code(variant, "validation"), classes=_SCORES[single].format(threshold=threshold)
    )


def _started(keras: Any, parent: Any, parameters: RetrainParameters, kept: list[tuple[str, ...]]) -> Any:
    """A model of its own to train: dropout has the seed of its run, not that of the file."""
    model = keras.models.clone_model(parent)
    if parameters.start != "new weights":
        model.set_weights(parent.get_weights())
        return model
    for path in kept:
        old, new = parent, model
        for name in path:
            old, new = old.get_layer(name), new.get_layer(name)
        new.set_weights(old.get_weights())
    return model


def _plain(parameters: RetrainParameters, seed: int) -> TrainingParameters:
    rate = PLAIN_RATE if parameters.start == "new weights" else PLAIN_RATE / 10
    return TrainingParameters(
        epochs=parameters.epochs,
        batch_size=parameters.batch_size,
        learning_rate=rate,
        patience=parameters.patience,
        seed=seed,
    )


def _run(
    model: Any, context: Context, settings: TrainingParameters, share: tuple[float, float], *, further: bool
) -> tuple[TrainingResult, tuple[Text, ...]]:
    from workbench.training.preserving import preserve

    preserving = preserve(model) if further else None
    result = train(
        model,
        context,
        settings,
        from_logits=context.parent.description.from_logits,
        callbacks=() if preserving is None else (preserving,),
        share=share,
    )
    notes = () if preserving is None else preserving.notes()
    if preserving is not None:
        preserving.release()
    return result, notes


def _report(
    parameters: RetrainParameters,
    seeds: list[int],
    results: list[TrainingResult],
    plain: list[TrainingResult],
    kept: list[tuple[str, ...]],
    notes: tuple[Text, ...],
) -> Report:
    new = parameters.start == "new weights"
    best = results[best_run(results)]
    touched = (
        say("All trainable weights, from new values.") if new else say("All trainable weights, trained on.")
    )
    frozen = say("It is frozen, or adapted to the data: it keeps the parent's weights.")
    return Report(
        touched=(touched,),
        skipped=(*(Skip(name="/".join(path), reason=frozen) for path in kept), *best.skipped),
        notes=(
            *seeds_notes(seeds, results),
            *(compared(results, plain) if plain else ()),
            *best.notes(),
            *notes,
        ),
        tables=(
            runs_table(seeds, results),
            curves_table(seeds, results),
            *(table for result in results for table in result.tables()),
        ),
    )
