"""Training the parent's architecture again, or further, with chosen settings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar, Literal

from pydantic import Field
from typing_extensions import override

from workbench.api.dataset import DatasetInfo
from workbench.api.errors import JobFailed
from workbench.api.technique import (
    Aim,
    Applied,
    CodePaths,
    Context,
    Estimate,
    Parameters,
    Shortfall,
    Technique,
)
from workbench.api.text import Text, say
from workbench.api.variant import Format, Report, Skip, Variant
from workbench.plain.keras.copying import copy_weights
from workbench.techniques.training.retrain_code import retraining_code
from workbench.training import (
    TrainingParameters,
    TrainingResult,
    TrainingSettings,
    train,
    training_obstacle,
    training_seconds,
    without_optimizer,
)
from workbench.training.comparison import best_run, compared, curves_table, runs_table, seeds_notes
from workbench.training.kept_layers import kept_layers
from workbench.training.output_start import start_output
from workbench.training.preserving import preserving_notes
from workbench.training.runs import RunReporter

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
        "highest F1 on the validation split, or the best measure of another task, is kept; all are "
        "shown, with intervals.",
        json_schema_extra={"unit": "seeds", "advanced": True},
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
    title: ClassVar[str] = "Training"
    aims: ClassVar[frozenset[Aim]] = frozenset({"better"})
    trains: ClassVar[bool] = True
    produces: ClassVar[Format | None] = "keras"

    @override
    def obstacle(self, variant: Variant, dataset: DatasetInfo, parameters: RetrainParameters) -> Text | None:
        return training_obstacle(variant, dataset, parameters)

    @override
    def estimate(self, variant: Variant, dataset: DatasetInfo, parameters: RetrainParameters) -> Estimate:
        samples = dataset.counts["train"] + dataset.counts["validation"] / 3
        runs = parameters.seeds * (2 if parameters.compare else 1)
        return Estimate(
            seconds=runs
            * training_seconds(
                parameters, samples, variant.description.macs, len(variant.description.layers)
            ),
            size_ratio=1.0,
            weights_ratio=1.0,
            operations_ratio=1.0,
            counted=True,
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
        from workbench.models.converting.conversion import import_keras, load_keras
        from workbench.models.reading.description import describe_keras
        from workbench.training.rehearsal import require_storable

        context.report.stage(say("Loading the model"))
        context.report.check()
        import_keras()
        parent = load_keras(context.parent.path, trust=context.parent.settings.trusted)
        require_storable(parent, context)
        runs = _Runs(context, parameters, parent)
        for seed in runs.seeds:
            runs.add(seed)
        if not runs.results:
            raise runs.failures[-1]
        context.report.stage(say("Saving"))
        path = context.folder / "model.keras"
        finished = without_optimizer(runs.best)
        finished.save(path)
        context.report.progress(1.0)
        return Applied(
            path=path,
            format="keras",
            runtime=context.parent.runtime,
            settings=context.parent.settings,
            description=describe_keras(finished),
            report=runs.report(),
        )

    @override
    def code(self, variant: Variant, parameters: RetrainParameters, paths: CodePaths) -> str:
        return retraining_code(
            variant, parameters, paths, new=parameters.start == "new weights", seeds=parameters.seeds
        )

    @override
    def advice(self, shortfall: Shortfall, variant: Variant) -> Text | None:
        if shortfall != "lost F1":
            return None
        return say(
            "This training ended at a worse model than it started from: lower the learning rate, or let "
            "it stop later."
        )

    @override
    def variant_name(self, parameters: RetrainParameters) -> str:
        return "retrained" if parameters.start == "new weights" else "fine-tuned"


class _Runs:
    """The trainings of one job, one seed after the other, and the best model of them.

    Args:
        context: The job's.
        parameters: How it is trained.
        parent: The model that is trained again.
    """

    def __init__(self, context: Context, parameters: RetrainParameters, parent: Any) -> None:
        self._context, self._parameters, self._parent = context, parameters, parent
        self._new = parameters.start == "new weights"
        self._kept = kept_layers(parent.get_config())
        self._notes: tuple[Text, ...] = ()
        self._done: list[TrainingResult] = []
        self.seeds = [parameters.seed + number for number in range(parameters.seeds)]
        self.results: dict[int, TrainingResult] = {}
        self.plain: dict[int, TrainingResult] = {}
        self.failures: list[JobFailed] = []
        self.best: Any = None

    def add(self, seed: int) -> None:
        """Trains with one seed; a training that diverges at once is left out, with its reason."""
        profile = self._parameters.profile and not self.results
        settings = self._parameters.model_copy(update={"seed": seed, "profile": profile})
        try:
            model, result = self._train(settings)
        except JobFailed as failure:
            self.failures.append(failure)
            return
        self.results[seed] = result
        if best_run(list(self.results.values())) == len(self.results) - 1:
            self.best = model
        if self._parameters.compare:
            try:
                _, self.plain[seed] = self._train(self._plain(seed))
            except JobFailed as failure:
                self._context.report.log(failure.problem)

    def report(self) -> Report:
        """What was trained and how the runs compare."""
        results, seeds = list(self.results.values()), list(self.results)
        # The input was timed after the first run alone.
        best = results[best_run(results)].model_copy(update={"profile": results[0].profile})
        frozen = say("It is frozen, or adapted to the data: it keeps the parent's weights.")
        diverged = [seed for seed in self.seeds if seed not in self.results]
        return Report(
            touched=(
                say("All trainable weights, from new values.")
                if self._new
                else say("All trainable weights, trained on."),
            ),
            skipped=(
                *(Skip(name="/".join(path), reason=frozen) for path in self._kept),
                *(
                    Skip(name=f"seed {seed}", reason=failure.problem)
                    for seed, failure in zip(diverged, self.failures, strict=True)
                ),
                *best.skipped,
            ),
            notes=(
                *seeds_notes(seeds, results),
                *compared([self.results[seed] for seed in self.plain], list(self.plain.values())),
                *best.notes(),
                *self._notes,
            ),
            tables=(runs_table(seeds, results), curves_table(seeds, results), *best.tables()),
        )

    def _train(self, settings: TrainingParameters) -> tuple[Any, TrainingResult]:
        import keras

        from workbench.plain.keras.preserving import preserve

        run, runs = len(self._done) + 1, len(self.seeds) * (2 if self._parameters.compare else 1)
        keras.utils.set_random_seed(settings.seed)
        model = self._started(keras)
        if self._new:
            self._notes = start_output(model, self._context)
        preserving = None if self._new else preserve(model)
        report = RunReporter(
            self._context.report,
            run,
            runs,
            epochs=sum(len(result.points) for result in self._done),
            seconds=sum(result.points[-1].seconds for result in self._done),
        )
        result = train(
            model,
            replace(self._context, report=report),
            settings,
            from_logits=self._context.parent.description.from_logits,
            callbacks=() if preserving is None else (preserving,),
            share=(0.05 + 0.9 * (run - 1) / runs, 0.05 + 0.9 * run / runs),
        )
        if preserving is not None:
            self._notes = preserving_notes(preserving)
            preserving.release()
        self._done.append(result)
        return model, result

    def _started(self, keras: Any) -> Any:
        # A model of its own for each run: its dropout has the seed of the run, not that of the file.
        model = keras.models.clone_model(self._parent)
        if not self._new:
            copy_weights(self._parent, model)
            return model
        for path in self._kept:
            old, new = self._parent, model
            for name in path:
                old, new = old.get_layer(name), new.get_layer(name)
            copy_weights(old, new)
        return model

    def _plain(self, seed: int) -> TrainingParameters:
        return TrainingParameters(
            epochs=self._parameters.epochs,
            batch_size=self._parameters.batch_size,
            learning_rate=PLAIN_RATE if self._new else PLAIN_RATE / 10,
            patience=self._parameters.patience,
            output_weights=self._parameters.output_weights,
            seed=seed,
        )
