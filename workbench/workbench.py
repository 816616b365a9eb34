"""The workbench: one model, one data set and everything made from them, in a folder on disk."""

from __future__ import annotations

import json
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from workbench.advisor.demands import Demands, Want, parse_demands
from workbench.api.errors import InvalidInput, Refused
from workbench.api.observers import Observers
from workbench.api.recipe import Recipe, Step
from workbench.api.text import Text, say
from workbench.api.variant import Variant
from workbench.data.options import reading_options
from workbench.data.outputs import output_wish
from workbench.data.streams import Bounds
from workbench.engine.advice import Advice
from workbench.engine.compatibility import parse_parameters, require_fit, require_order, same_variant
from workbench.engine.context import JobContext
from workbench.engine.display import workbench_html
from workbench.engine.families import Distillation, Inference, Quantization, Structure, Training
from workbench.engine.folder_of import fingerprint, folder_of, remember_opening
from workbench.engine.forgetting import ForgottenLook
from workbench.engine.goal import Goal
from workbench.engine.inspecting import InsideLook
from workbench.engine.labelling import Labelling
from workbench.engine.origin import FACT as ORIGIN
from workbench.engine.origin import Origin, already_holds, content_digest, data_digest
from workbench.engine.pipeline import Pipeline
from workbench.engine.repeating import ask_again
from workbench.engine.shared_mode import require_allowed, require_room, shared_mode
from workbench.engine.sources import CODE, Data, hand_over_data, hand_over_model, model_name
from workbench.engine.technique_names import TechniqueName
from workbench.engine.workbench_folders import default_folder
from workbench.jobs.common_executor import executor_of, give_back
from workbench.jobs.executor import Executor
from workbench.jobs.job import Job
from workbench.jobs.live_states import LiveStates
from workbench.jobs.queue import JobQueue, Work
from workbench.jobs.state import JobKind, JobState
from workbench.measure.records import Protocol
from workbench.models.intake.own_code import WRITTEN
from workbench.models.intake.own_inputs import samples_in
from workbench.models.intake.own_packages import checked_packages
from workbench.store import Store
from workbench.store.other_processes import watch_other_processes
from workbench.techniques import technique as find_technique

PACKAGES = "trusted packages"
"""The fact that keeps which packages' classes a file may name."""
Event = tuple[Literal["job"], JobState] | tuple[Literal["variants", "results", "closed"]]


class Workbench(Labelling):
    """Everything that a panel, a recipe, a script or the command line can do.

    Techniques are methods of their families: ``workbench.quantization.int8(samples=200)`` is
    ``workbench.apply("quantization.int8", samples=200)``, and completes in a notebook.

    Every method returns at once; work runs in worker processes and is waited for through the
    :class:`Job` that starts it. Nothing here imports TensorFlow.

    Example:
        >>> workbench = Workbench("my-model")
        >>> workbench.open("dense-digits", "digits").wait().name  # or "model.keras", "data.npz"
        'dense-digits'
        >>> workbench.quantization.int8().wait().name
        'int8'
        >>> workbench.results().to_frame().set_index("name").loc["int8", "format"]
        'tflite'
        >>> workbench.close()

    Args:
        folder: Where everything is kept; made if missing. By default the environment's
            ``WORKBENCH_FOLDER``, else a folder of the user's.
        executor: Where work runs; by default worker processes of its own, or those that the
            environment's ``WORKBENCH_SCHEDULER`` names.
        seed: Seeds splits, training and the order of measuring. Kept with the folder.
    """

    def __init__(
        self, folder: str | Path | None = None, *, executor: Executor | None = None, seed: int = 0
    ) -> None:
        store = Store(Path(folder) if folder is not None else default_folder())
        if store.fact("seed") is None:
            store.set_fact("seed", str(seed))
        super().__init__(store)
        self._closed = False
        self._own_executor = executor is None
        self._executor = executor if executor is not None else executor_of(store.folder)
        self._observers: Observers[Event] = Observers()
        self._pipeline = Pipeline(
            JobContext(self._store, self._queries, self._executor, self._stored, self.seed)
        )
        self._queue = JobQueue(self._executor, self._store.save_job, self._job_changed)
        self._live = LiveStates(self._store.folder / "live")
        self.structure = Structure(self.apply)
        self.training = Training(self.apply)
        self.inference = Inference(self.apply)
        self.quantization = Quantization(self.apply)
        self.distillation = Distillation(self.apply)
        self._executor.start()
        self._neighbours = self._executor.spawn(
            watch_other_processes(
                self._store,
                self._live,
                lambda id_: self._queue.job(id_) is not None,
                self._job_changed,
                self._others_stored,
            )
        )

    # -- opening ----------------------------------------------------------------------------

    def open(
        self,
        model: Any,
        data: Data,
        *,
        name: str | None = None,
        trust: bool = False,
        code: str | Path | None = None,
        trust_packages: Sequence[str] = (),
        scaling: str = "auto",
        label: str | None = None,
        task: str | Mapping[str, str] | None = None,
        weights: str | None = None,
        ignore_label: int | None = None,
        output: str | int | None = None,
        from_logits: bool | None = None,
        classes: Sequence[str] | None = None,
        only_classes: Sequence[str] | None = None,
        test_fraction: float | None = None,
        validation_fraction: float | None = None,
        samples: int | None = None,
        steps: int | None = None,
        limit_gib: float | None = None,
    ) -> Job:
        """Loads a model and labelled data, stores the baseline and measures it.

        Args:
            model: Name of a demo model, a Keras model, or the path of a ``.keras``, ``.h5``,
                ``.tflite`` or ``.onnx`` file or a SavedModel folder.
            data: Name of a built-in data set, the path of an ``.npz``, a ``.csv``, a ``.parquet``, a folder
                of images by class or one that ``save_to_disk`` of ``datasets`` wrote, or what ``model.fit``
                takes: arrays ``(x, y)`` or ``(x, y, sample_weight)``, where each may be a list or dict for
                several inputs or outputs, a
                ``tf.data.Dataset``, a ``PyDataset`` or a generator; also a dict of arrays or splits, or a
                ``DataFrame``.
            name: Name of the baseline; by default that of the model.
            trust: Whether code inside the model may run: Lambda layers, SavedModel folders. Said once, it
                holds for everything that is made from it. Never in shared mode.
            code: The Python file that defines the model's own classes and functions, for a file that names
                such. It runs in worker processes, and is remembered. Never in shared mode.
            trust_packages: Installed packages whose classes a file may name, such as ``["keras_hub"]``. They
                are imported in worker processes, and remembered. Never in shared mode.
            scaling: How raw values become inputs; see :mod:`workbench.data.scaling`.
            label: Label column of a table; by default ``label``, ``target``, ``class`` or ``y``, else
                the one that fits the model's outputs, else the last column.
            task: What the model's answers are judged as: ``classification``, ``regression``, ``multi-label``,
                ``per position`` or ``agreement``; by default what labels and output tell. Of a model with
                several outputs, and labels for them, one for each by name.
            weights: Column of a table that says how much each sample counts, in the loss of trainings and in
                all measures; by default one that is called ``sample_weight``. Of arrays the third of
                ``(x, y, sample_weight)``, in an ``.npz`` file ``w_train``, ``w_test``.
            ignore_label: What stands among labels of positions (pixels, time steps) where one does not count,
                such as 255, -1 or the number of the padding; by default the one value that is no class.
            output: Name (or position) of the output that is judged, of a model with several, and of the
                target, of data with several; by default the one that fits the labels. Where the data have
                labels for several outputs, all are judged, and this one stands for them in tables.
            from_logits: Whether that output is raw scores (True) or probabilities (False); by default
                decided by its last layers and its values.
            classes: Names of all classes in the order of the model's outputs; some may not occur in
                the data.
            only_classes: Names of the classes that are measured: labels of others are left out, and macro F1
                (mean IoU) is the mean over these. Trainings learn all classes. By default all.
            test_fraction: Share of the training samples that becomes the test split, above 0 and below
                1, if the data have none; by default a fifth, or what makes 10 samples.
            validation_fraction: The same for the validation split; by default a tenth, or what makes
                10 samples.
            samples: The most samples that are read of a generator, ``tf.data.Dataset`` or the like,
                for each split. Needed where it never ends.
            steps: The most elements (batches) that are read of one.
            limit_gib: Memory that the data may take, in GiB; by default 4, or half of what is free.

        Returns:
            The job; its variant is the baseline. Where the same model and data are open already, that is the
            one that is there, and the job is done at once.

        Raises:
            InvalidInput: If this workbench already has another model, or an argument is of no use.
        """
        wish = output_wish(task, output, from_logits)
        require_allowed(model, data, self.folder)
        reading = reading_options(
            scaling=scaling,
            label=label,
            classes=classes,
            output=output if isinstance(output, str) else None,
            test_fraction=test_fraction,
            validation_fraction=validation_fraction,
            limit_gib=limit_gib,
            task=wish.task,
            tasks=wish.tasks,
            weights=weights,
            ignore_label=ignore_label,
            only_classes=only_classes,
        )
        bounds = Bounds(samples, steps)
        staging = self._store.staging()
        handed = hand_over_model(
            model,
            staging,
            trust=trust,
            samples=samples_in(data),
            code=code,
            remembered=self._remembered,
            packages=self._trusted_packages(trust_packages),
        )
        source = hand_over_data(data, staging, label, reading["limit_bytes"], bounds, weights)
        title = name or model_name(model, handed.path)
        asked = {"trust": trust, "samples": samples, "steps": steps, **reading}
        asked |= wish.model_dump(mode="json")
        request = {**handed.request(), "data": str(source), "name": title, **asked}
        if (same := self._already_open(handed.path, source, asked)) is not None:
            return self._reuse("open", say("Open {name}", name=same.name), request, same)
        return self._add_job(
            "open",
            say("Open {name}", name=title),
            request,
            lambda job: self._pipeline.open(
                job, handed, title, source, {**reading, "seed": self.seed}, trust, shared_mode(), wish, asked
            ),
        )

    def add(
        self,
        model: Any,
        *,
        name: str | None = None,
        trust: bool = False,
        code: str | Path | None = None,
        trust_packages: Sequence[str] = (),
        output: str | int | None = None,
        from_logits: bool | None = None,
    ) -> Job:
        """Loads a finished model file and measures it beside the baseline, on the same data.

        Args:
            model: As in :meth:`open`.
            name: Name of the variant; by default that of the model.
            trust: As in :meth:`open`.
            code: As in :meth:`open`; by default that of the model that is open.
            trust_packages: As in :meth:`open`, beside those that were named before.
            output: As in :meth:`open`; by default also the one that has the name of the baseline's.
            from_logits: As in :meth:`open`.
        """
        wish = output_wish(None, output, from_logits)
        self._queries.baseline  # noqa: B018  # raises where nothing is open yet
        require_allowed(model, None, self.folder)
        handed = hand_over_model(
            model,
            self._store.staging(),
            trust=trust,
            code=code,
            remembered=self._remembered,
            packages=self._trusted_packages(trust_packages),
        )
        title = name or model_name(model, handed.path)
        return self._add_job(
            "compare",
            say("Add {name}", name=title),
            {**handed.request(), "name": title, "trust": trust} | wish.model_dump(mode="json"),
            lambda job: self._pipeline.add(job, handed, title, trust, shared_mode(), wish),
        )

    # -- techniques -------------------------------------------------------------------------

    def apply(
        self,
        technique: TechniqueName | str,
        parent: str | Variant | None = None,
        *,
        again: bool = False,
        **parameters: Any,
    ) -> Job:
        """Makes a variant from a variant and measures it.

        Args:
            technique: Name, such as ``quantization.int8``.
            parent: The variant to start from, its identifier or name; by default the baseline.
            again: Whether another variant is made where there is one with the same technique, parameters and
                parent.
            **parameters: The technique's parameters; those left out take their defaults.

        Returns:
            The job; its variant is the new one. Where there is such a variant already, it is that one, and
            the job is done at once, or as soon as what was not measured of it is known.

        Raises:
            InvalidInput: If a parameter is wrong.
            Refused: If the technique does not fit the variant, with the reason.
            Unavailable: If this machine lacks something.
        """
        chosen = find_technique(technique)
        values = parse_parameters(chosen, parameters)
        variant = self._parent(parent)
        require_fit(chosen, variant, self._queries.dataset.info, values, self.variants)
        self._queries.others(chosen, values)  # raises where one is not there
        title = say("{technique} on {variant}", technique=say(chosen.title), variant=variant.name)
        request = {
            "technique": technique,
            "parent": variant.id,
            "parameters": values.model_dump(mode="json"),
            "again": again,
        }
        made = None if again else same_variant(chosen, variant, values, self.variants)
        if made is not None:
            return self._reuse("apply", title, request, made)
        return self._add_job(
            "apply",
            title,
            request,
            lambda job: self._pipeline.apply(job, chosen, variant, values, again),
            self.estimate(technique, variant.id, parameters).seconds,
        )

    def find(self, goal: Goal | None = None, *, training: bool = False) -> Job:
        """Makes and measures what serves a goal, one after the other, and says which is best.

        First the techniques that need no training: the runtimes, then fewer bits, as far as they fit this
        model, its data and this machine. What is there already is not made again; what fails is passed
        over, with the reason in the job's log. A job that is cancelled leaves what it has made.

        Args:
            goal: What is wanted; kept as :attr:`goal`. By default that one.
            training: Whether it goes on with short trainings, each with the best of the quick techniques
                on top.

        Returns:
            The job; its variant is the best one for the goal, None if none serves it.

        Raises:
            InvalidInput: If no model is open yet.

        Example::

            job = workbench.find(Goal(want="smaller", f1_may_fall=0.005))
            print(job.wait(), workbench.best())
        """
        wanted = goal or self.goal
        self._queries.baseline  # noqa: B018  # raises where nothing is open yet
        self.set_goal(wanted)
        title = say("Find {goal}, with trainings", goal=wanted.words_for(self.task)) if training else None
        return self._add_job(
            "find",
            title or say("Find {goal}", goal=wanted.words_for(self.task)),
            {"goal": wanted.model_dump(mode="json"), "training": training},
            lambda job: self._pipeline.find(job, wanted, training),
            self.find_seconds(wanted, training=training),
        )

    def advise(
        self,
        *,
        want: Want | None = None,
        size_kb: float | None = None,
        latency_ms: float | None = None,
        loss_points: float | None = None,
        minutes: float | None = None,
        runtime: str | None = None,
        threads: int | None = None,
        training: bool = True,
    ) -> Advice:
        """Searches for the stack of techniques that meets demands best, and says why it is that one.

        Everything may be left out. What the search makes are ordinary variants; it chooses on the validation
        split, and confirms the best two on the test split in fresh processes. It can be cancelled, and one
        that was interrupted is continued by asking for the same again.

        Args:
            want: ``smaller``, ``faster`` or ``both``; by default the fastest where the size was limited, the
                smallest where only the latency was, and both where neither was.
            size_kb: Bytes of the file, at most, in thousands.
            latency_ms: Median time of one call, at most, in milliseconds.
            loss_points: How much F1 (or the measure of the task) may fall, at most, in points; by default 1.
            minutes: How long it may take; by default until nothing better is to be expected.
            runtime: What it has to run in; by default any of this machine.
            threads: Threads inside one inference; by default 1.
            training: Whether techniques that train are tried, after those that do not.

        Returns:
            What comes of it: grows while the search runs; ``wait()`` waits for its end.

        Raises:
            InvalidInput: If no model is open yet, or a demand makes no sense.

        Example::

            advice = workbench.advise(size_kb=20, loss_points=1, minutes=5).wait()
            print(advice.winner, advice)
        """
        return self.advise_for(
            parse_demands(
                {
                    "want": want,
                    "size_kb": size_kb,
                    "latency_ms": latency_ms,
                    "loss_points": loss_points,
                    "minutes": minutes,
                    "runtime": runtime,
                    "threads": threads,
                    "training": training,
                }
            )
        )

    def advise_for(self, demands: Demands) -> Advice:
        """The same as :meth:`advise`, of demands that were read already."""
        self._queries.baseline  # noqa: B018  # raises where nothing is open yet
        job = self._add_job(
            "advise",
            say("Advise: {demands}", demands=demands.words(self._queries.dataset.info.task)),
            {"demands": demands.model_dump(mode="json")},
            lambda job: self._pipeline.advise(job, demands),
            None if demands.minutes is None else 60 * demands.minutes,
        )
        return Advice(self, job, demands)

    def apply_before(self, technique: str, variant: str, **parameters: Any) -> Job:
        """Applies a technique that has to come before steps that were made already, and those again.

        Where it takes their place (:attr:`Refusal.kind` is ``instead``), they are left out.

        Args:
            technique: Name, such as ``structure.pruning``.
            variant: Identifier or name of a variant that it does not fit, such as an int8 one.
            **parameters: The technique's parameters; those left out take their defaults.

        Returns:
            The job; its variant is the last one that it makes.

        Raises:
            Refused: If it fits nothing that the variant was made from, with the reason.
        """
        found = self.refusal(technique, variant, parameters)
        if found is None:
            return self.apply(technique, variant, **parameters)
        if found.start is None:
            raise Refused(found.reason)
        if found.kind == "instead":
            return self.apply(technique, found.start, **parameters)
        values = parse_parameters(find_technique(technique), parameters)
        again = (
            Step(technique=one.technique, parameters=one.parameters)
            for one in map(self.variant, found.after)
            if one.technique is not None
        )
        first = Step(technique=technique, parameters=values.model_dump(mode="json"))
        return self.run(Recipe(seed=self.seed, steps=(first, *again)), found.start)

    def run(self, recipe: Recipe, parent: str | None = None, *, again: bool = False) -> Job:
        """Applies the steps of a recipe one after the other, or searches for what it demands.

        Args:
            recipe: The steps; all are validated before the first one starts.
            parent: Where to start; by default the baseline.
            again: Whether also what was made already with the same steps is made once more.
        """
        if recipe.advise is not None:
            demands = parse_demands(recipe.advise)
            if not self._parent(parent).is_baseline:
                raise InvalidInput(
                    say("The advisor starts from the model as it came."), say("Leave the parent out.")
                )
            return self.advise_for(demands).job
        steps = []
        for step in recipe.steps:
            chosen = find_technique(step.technique)
            steps.append((chosen, parse_parameters(chosen, step.parameters)))
            self._queries.others(*steps[-1])  # raises where one is not there
        variant = self._parent(parent)
        require_order([chosen for chosen, _ in steps])
        require_fit(steps[0][0], variant, self._queries.dataset.info, steps[0][1], self.variants)
        return self._add_job(
            "apply",
            say(
                "Recipe of {count} step on {variant}",
                "Recipe of {count} steps on {variant}",
                count=len(steps),
                variant=variant.name,
            ),
            {"recipe": recipe.to_yaml(), "parent": variant.id, "again": again},
            lambda job: self._pipeline.run_steps(job, steps, variant, again),
        )

    def measure(self, variants: Sequence[str] | None = None, protocol: Protocol = "final") -> Job:
        """Times variants again, together, after what else is not known of them yet.

        Args:
            variants: Identifiers or names; by default all.
            protocol: ``quick`` or ``final``; see :class:`LatencyMeasurement`.
        """
        chosen = [self.variant(key) for key in variants] if variants is not None else list(self.variants)
        if not chosen:
            raise InvalidInput(say("There is nothing to measure."), say("Open a model and its data first."))

        async def work(job: Job) -> None:
            await self._pipeline.completing.measure(job, chosen, protocol)

        return self._add_job(
            "measure",
            say("Measure {count} variant", "Measure {count} variants", count=len(chosen)),
            {"variants": [variant.id for variant in chosen], "protocol": protocol},
            work,
        )

    def inside(self, variant: str | Variant, against: str | Variant | None = None) -> InsideLook:
        """Looks inside a variant: time, bytes, operations and error of each of its layers.

        Each is found out once and kept. Times are taken alone on the machine; the error of what a layer gives
        is taken on samples of the validation split.

        Args:
            variant: Identifier or name.
            against: Identifier or name of what it is held against; by default what it was made from.

        Returns:
            The look on its way: ``wait()`` of it gives an :class:`Inside`.

        Example:
            >>> inside = workbench.inside("int8", against="dense-digits").wait()
            >>> len(inside.layers) > 0
            True
        """
        chosen = self.variant(variant)
        other = self._held_against(chosen, against)
        request = {"variant": chosen.id, "against": None if other is None else other.id}
        title = say("Look inside {name}", name=chosen.name)
        if self._pipeline.inspecting.missing(chosen, other):
            job = self._add_job(
                "inside", title, request, lambda job: self._pipeline.inspecting.look(job, chosen, other)
            )
        else:
            job = self._queue.add_done("inside", title, request, chosen)
            job.workbench = weakref.ref(self)
        return InsideLook(self, job, chosen.id, request["against"])

    def forgotten(self, variant: str | Variant, against: str | Variant | None = None) -> ForgottenLook:
        """Finds out what a variant has forgotten, and whether it still looks at the same.

        Which samples it gets wrong now is known from its evaluation. What it looks at is measured on the
        files themselves, by perturbing samples of the test split: both get the same perturbations.

        Args:
            variant: Identifier or name.
            against: Identifier or name of what it is held against; by default what it was made from.

        Returns:
            The look on its way: ``wait()`` of it gives a :class:`Forgotten`.

        Raises:
            InvalidInput: If there is no such variant, or it was made from none.

        Example:
            >>> forgotten = workbench.forgotten("int8", against="dense-digits").wait()
            >>> forgotten.drift.itself.value
            1.0
        """
        chosen = self.variant(variant)
        other = self._known_by(chosen, against)
        request = {"variant": chosen.id, "against": other.id}
        title = say("What {name} forgot", name=chosen.name)
        if self._pipeline.forgetting.missing(chosen, other):
            job = self._add_job(
                "forgotten", title, request, lambda job: self._pipeline.forgetting.look(job, chosen, other)
            )
        else:
            job = self._queue.add_done("forgotten", title, request, chosen)
            job.workbench = weakref.ref(self)
        return ForgottenLook(self, job, chosen.id, other.id)

    # -- jobs -------------------------------------------------------------------------------

    @property
    def jobs(self) -> tuple[JobState, ...]:
        """All jobs, newest first, those of earlier sessions included."""
        live = {state.id: state for state in self._queue.current()}
        return tuple(live.get(state.id, state) for state in self._store.jobs())

    def job(self, id_: str) -> Job | None:
        """A job of this session."""
        return self._queue.job(id_)

    def cancel(self, job: str) -> None:
        """Cancels a job; one that has ended stays as it is.

        One of another process in this folder, such as a second page, is cancelled within seconds.
        """
        if self._queue.job(job) is not None:
            self._queue.cancel(job)
        else:
            self._store.set_fact(f"cancel {job}", "asked")

    def let_go_on(self, job: str) -> None:
        """Lets a job measure at once that waits until other work on this machine has ended.

        Its times are then disturbed by that work, and say so. It never disturbs another measurement. A job
        that does not wait, or is one of another process, stays as it is.
        """
        self._queue.let_go_on(job)

    def rerun(self, job: str) -> Job:
        """Asks again for what a job was asked for; a variant that it made is only measured again.

        Raises:
            InvalidInput: If there is no such job.
        """
        state = next((state for state in self.jobs if state.id == job), None)
        if state is None:
            raise InvalidInput(say("There is no job {id}.", id=job))
        made = next((variant for variant in self.variants if variant.id == state.variant), None)
        if made is not None and state.kind not in ("find", "advise"):
            # What it made is there: what is missing is its measurements.
            return self._add_job(
                "measure",
                say("Measure {name}", name=made.name),
                {"variants": [made.id], "protocol": "quick"},
                lambda job: self._pipeline.completing.measure_whole(job, made),
            )
        return ask_again(self, state.kind, state.request)

    def observe(self, callback: Callable[[Event], None]) -> Callable[[], None]:
        """Calls back when a job changes or something was stored.

        Args:
            callback: Takes ``("job", state)``, ``("variants",)``, ``("results",)`` or, at the end,
                ``("closed",)``. Called on the event loop that runs where it is registered, else on the
                engine's thread.

        Returns:
            Call it to stop.
        """
        return self._observers.add(callback)

    @property
    def executor(self) -> Executor:
        """Where its work runs; another workbench may share it."""
        return self._executor

    @property
    def closed(self) -> bool:
        """Whether :meth:`close` was called."""
        return self._closed

    def close(self) -> None:
        """Ends its jobs and, if they are its own, its worker processes. What was stored stays."""
        if self._closed:
            return
        self._closed = True
        self._neighbours.cancel()
        self._queue.cancel_all()
        if self._own_executor:
            give_back(self._executor)
        self._store.close()
        self._stored("closed")

    def __enter__(self) -> Workbench:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        what = "closed" if self._closed else f"{len(self.variants)} variants"
        return f"Workbench({str(self.folder)!r}, {what})"

    def _repr_html_(self) -> str:
        return workbench_html(self)

    # -- inside -----------------------------------------------------------------------------

    def _already_open(self, model: Path, data: object, asked: dict[str, Any]) -> Variant | None:
        """The baseline, if it was opened with the same; None if that cannot be said without waiting.

        Raises:
            InvalidInput: If another model is open, or this one with other data.
        """
        if self.baseline is None:
            return None
        kept = self._store.fact(ORIGIN)
        known = None if kept is None else Origin.model_validate_json(kept)
        as_json = json.loads(json.dumps(asked))
        wanted = Origin(model=content_digest(model), data="", options=as_json)
        if known is None or (known.model, known.options) != (wanted.model, wanted.options):
            raise already_holds(self.baseline.name)
        if not isinstance(data, str | Path) or (isinstance(data, Path) and not data.is_file()):
            return None  # a stream or a folder of pictures is read in the job
        if known.data != data_digest(data):
            raise already_holds(self.baseline.name)
        return self.baseline

    @property
    def _remembered(self) -> Path:
        return self._store.folder / CODE / WRITTEN

    def _trusted_packages(self, named: Sequence[str]) -> tuple[str, ...]:
        """Packages that are trusted from now on, those of before included; none on a shared page."""
        added = checked_packages(named, shared_mode())
        before = (self._store.fact(PACKAGES) or "").split()
        if shared_mode():
            return ()
        packages = tuple(dict.fromkeys((*before, *added)))
        if added:
            self._store.set_fact(PACKAGES, " ".join(packages))
        return packages

    def _reuse(self, kind: JobKind, title: Text, request: dict[str, Any], variant: Variant) -> Job:
        """A job for something that is there: done at once, unless something was not measured of it."""
        if self._pipeline.completing.is_complete(variant):
            job = self._queue.add_done(kind, title, request, variant)
            job.workbench = weakref.ref(self)
            return job

        async def work(job: Job) -> Variant:
            job.update(variant=variant.id)
            return await self._pipeline.completing.complete(job, variant, (0.0, 1.0))

        return self._add_job(kind, title, request, work)

    def _add_job(
        self,
        kind: JobKind,
        title: Text,
        request: dict[str, Any],
        work: Work,
        expected_seconds: float | None = None,
    ) -> Job:
        require_room(self._queue.current())
        job = self._queue.add(kind, title, request, work, expected_seconds)
        job.workbench = weakref.ref(self)
        return job

    def _stored(self, what: Literal["variants", "results", "closed"]) -> None:
        self._observers.notify((what,))

    def _course_changed(self) -> None:
        self._stored("results")

    def _others_stored(self) -> None:
        for state in self._queue.current():
            if not state.ended and self._store.fact(f"cancel {state.id}") is not None:
                self._queue.cancel(state.id)
        self._stored("variants")
        self._stored("results")

    def _job_changed(self, state: JobState) -> None:
        if self._queue.job(state.id) is not None:
            self._live.write(state)
        self._observers.notify(("job", state))


def open(  # noqa: A001  # it is said with the package before it, like that of gzip
    model: Any, data: Data, *, folder: str | Path | None = None, seed: int = 0, **options: Any
) -> Workbench:
    """Opens a model and labelled data, measures them, and gives the workbench that holds them.

    The short way to ``Workbench(folder).open(model, data).wait()``, for a notebook or a script.

    Example:
        >>> import workbench
        >>> bench = workbench.open("dense-digits", "digits")  # or a Keras model, and (x_test, y_test)
        >>> bench.baseline.name
        'dense-digits'
        >>> bench.close()

    Args:
        model: A Keras model, also of a class of your own, the path of a model file, or a demo model's name.
        data: What ``model.fit`` takes, a path, or the name of built-in data; see :meth:`Workbench.open`.
        folder: Where everything is kept. By default a folder of the user's that is called like the model: the
            one where the same model, data and options were opened before, else a new one.
        seed: Seeds splits, training and the order of measuring of a new folder.
        **options: What else :meth:`Workbench.open` takes, such as ``scaling`` or ``classes``.

    Raises:
        WorkbenchError: Why it cannot be opened, and what to do.
    """
    asked = fingerprint(model, data, {**options, "seed": seed})
    chosen = folder if folder is not None else folder_of(model, options.get("name"), asked)
    opened = Workbench(chosen, seed=seed)
    try:
        opened.open(model, data, **options).wait()
    except BaseException:
        opened.close()
        raise
    if folder is None:
        remember_opening(opened.folder, asked)
    return opened
