"""What can be asked of a workbench without starting any work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.advisor.ledger import Ledger
from workbench.api.bundle import Bundle
from workbench.api.dataset import Dataset, DatasetInfo
from workbench.api.errors import InvalidInput
from workbench.api.lineage import Lineage
from workbench.api.recipe import Recipe
from workbench.api.task import Task
from workbench.api.technique import AnyTechnique, CodePaths, Estimate
from workbench.api.text import Text, say
from workbench.api.variant import Variant
from workbench.course.hand_in import hand_in
from workbench.course.hand_in_files import hand_in_zip
from workbench.course.keeping import CourseWork
from workbench.data.outputs import first_output
from workbench.engine.advice_run import kept_ledger
from workbench.engine.compatibility import parse_parameters, same_variant, technique_obstacle
from workbench.engine.goal import Best, Goal, best, conclusion, goal_of
from workbench.engine.queries import Queries
from workbench.engine.refusal import Refusal, refusal
from workbench.jobs import onednn
from workbench.measure.environment import environment
from workbench.measure.forgotten.records import Forgotten, Losses
from workbench.measure.inside.records import Inside
from workbench.measure.records import Details, Environment, Protocol
from workbench.models.intake.own_code import code_beside
from workbench.models.intake.trusting import trusting_code
from workbench.results.forecast import Forecast, forecast_of
from workbench.results.forgotten import drift_kind, forgotten, stored_losses
from workbench.results.inside import inside
from workbench.results.own_metric import Metric, MetricTable, metric_table
from workbench.results.rows import ResultRow
from workbench.results.savings import Saving, Use, savings
from workbench.results.side_by_side import SideBySide, side_by_side
from workbench.results.table import Results
from workbench.store import Store
from workbench.techniques import technique as find_technique
from workbench.techniques import techniques as all_techniques

USE = "use"
"""The fact that keeps how the model is used."""


class Reading:
    """The half of :class:`workbench.Workbench` that starts no job and changes nothing.

    Args:
        store: Where everything is kept.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._queries = Queries(store)
        self._evidence = self._queries  # its earlier name, which scripts of others read the data by
        self.seed = int(store.fact("seed") or 0)
        self._losses: dict[tuple[str, str], Losses] = {}
        self.course = CourseWork(store, self._course_changed)
        """What a learner has predicted, checked and decided here."""

    @property
    def baseline(self) -> Variant | None:
        """The model as it came; None until one is open."""
        return Lineage(self.variants).baseline

    @property
    def variants(self) -> tuple[Variant, ...]:
        """All variants in the order of their making, the baseline first."""
        return self._store.variants()

    @property
    def environments(self) -> Mapping[str, Environment]:
        """The machines that its numbers were taken on, by identifier."""
        return self._store.environments()

    def variant(self, key: str | Variant) -> Variant:
        """A variant by its identifier or name, or as it is now.

        Raises:
            InvalidInput: With the names that exist.
        """
        return self._queries.variant(key)

    @property
    def dataset(self) -> Dataset:
        """The prepared data.

        Raises:
            InvalidInput: If none is open yet.
        """
        return self._queries.dataset

    @property
    def dataset_info(self) -> DatasetInfo | None:
        """What is known of the data; None until some is open."""
        return self._queries.dataset.info if self._store.fact("dataset") is not None else None

    @property
    def task(self) -> Task:
        """What the answers of its variants are judged as."""
        info = self.dataset_info
        return "classification" if info is None else info.task

    @property
    def tasks(self) -> dict[str, Task]:
        """What each output of the model is judged as, by name; empty while no model is open."""
        baseline, info = self.baseline, self.dataset_info
        if baseline is None or info is None:
            return {}
        description = baseline.description
        further = {one.name: one.task for one in description.further}
        return {first_output(info, description): description.task, **further}

    @property
    def environment(self) -> Environment:
        """The machine and software of this process."""
        return environment()

    # -- techniques -------------------------------------------------------------------------

    def techniques(self) -> dict[str, AnyTechnique]:
        """All techniques by name."""
        return all_techniques()

    def obstacle(
        self, technique: str, parent: str | None = None, parameters: Mapping[str, Any] | None = None
    ) -> Text | None:
        """Why a technique cannot be applied to a variant, or None."""
        chosen = find_technique(technique)
        values = parse_parameters(chosen, parameters or {})
        return technique_obstacle(
            chosen, self._parent(parent), self._queries.dataset.info, values, self.variants
        )

    def existing(
        self, technique: str, parent: str | None = None, parameters: Mapping[str, Any] | None = None
    ) -> Variant | None:
        """The variant that a technique with these parameters has made of a variant already; or None."""
        chosen = find_technique(technique)
        values = parse_parameters(chosen, parameters or {})
        return same_variant(chosen, self._parent(parent), values, self.variants)

    def estimate_measuring(
        self, variants: Sequence[str] | None = None, protocol: Protocol = "final"
    ) -> float:
        """Seconds that :meth:`Workbench.measure` is expected to take here.

        Args:
            variants: Identifiers or names; by default all.
            protocol: ``quick`` or ``final``.
        """
        from workbench.engine.estimates import measuring_seconds

        chosen = [self.variant(key) for key in variants] if variants is not None else self.variants
        return measuring_seconds(self._store, chosen, protocol)

    def refusal(
        self, technique: str, parent: str | None = None, parameters: Mapping[str, Any] | None = None
    ) -> Refusal | None:
        """Why a technique cannot be applied to a variant, of which kind that is, and what would help."""
        chosen = find_technique(technique)
        values = parse_parameters(chosen, parameters or {})
        return refusal(chosen, self._parent(parent), self._queries.dataset.info, values, self.variants)

    def estimate(
        self, technique: str, parent: str | None = None, parameters: Mapping[str, Any] | None = None
    ) -> Estimate:
        """What a technique is expected to do, and until when, before any time is spent."""
        from workbench.engine.estimates import estimate

        chosen = find_technique(technique)
        values = parse_parameters(chosen, parameters or {})
        return estimate(
            self._store, chosen, self._parent(parent), values, self._queries.dataset.info, self.environment
        )

    def forecast(
        self,
        technique: str,
        parent: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        *,
        rows: Sequence[ResultRow] | None = None,
        said: Estimate | None = None,
    ) -> Forecast:
        """File size, latency, quality and time that a technique is expected to come out with.

        They are known from what was measured here, else from other models; what nothing is known of is None.

        Args:
            technique: Its name.
            parent: What it would be applied to; by default the baseline.
            parameters: Its parameters; those left out take their defaults.
            rows: :meth:`results`, where they were read already.
            said: What :meth:`estimate` gives, likewise.
        """
        from workbench.engine.forecasting import foresee

        chosen = find_technique(technique)
        values = parse_parameters(chosen, parameters or {})
        known = self._queries.results() if rows is None else rows
        return foresee(
            self._store, chosen, self._parent(parent), values, self._queries.dataset.info, known, said
        )

    def foreseen(self, variant: str) -> Forecast | None:
        """What was expected of a variant before it was made; None where nothing was.

        Args:
            variant: Its identifier or name.
        """
        return forecast_of(self._store, self.variant(variant).id)

    def find_seconds(self, goal: Goal | None = None, *, training: bool = False) -> float:
        """How long :meth:`Workbench.find` is expected to take here, or to go on where it was begun."""
        from workbench.engine.estimates import find_seconds

        return find_seconds(
            self._store,
            goal or self.goal,
            self._queries.baseline,
            self._queries.dataset.info,
            training=training,
        )

    def code(
        self, technique: str, parent: str | None = None, parameters: Mapping[str, Any] | None = None
    ) -> Bundle:
        """The plain code that does what a panel does, to take home.

        Returns:
            A script and the files that it imports: ``print`` shows the script, ``write(folder)`` writes all.
        """
        chosen = find_technique(technique)
        values = parse_parameters(chosen, parameters or {})
        variant = self._parent(parent)
        others = self._queries.other_files(chosen, variant, values)
        bundle = Bundle(chosen.code(variant, values, CodePaths(model=variant.path.name, others=others)))
        read = (variant, *(other.variant for other in others.values()))
        if any(one.settings.trusted for one in read):
            bundle = bundle.with_script(trusting_code(bundle.script))
        bundle = bundle.knowing(next(filter(None, (code_beside(one.path) for one in read)), None))
        if onednn.stay_off(self._store.fact(onednn.FACT)):
            bundle = bundle.with_script(onednn.plain_code(bundle.script, *bundle.helpers.values()))
        return bundle

    def take_home(
        self, technique: str, parent: str | None = None, parameters: Mapping[str, Any] | None = None
    ) -> tuple[str, bytes]:
        """A zip with the plain code of :meth:`code` and the model and data that it reads.

        Returns:
            File name and content. Unpacked, ``python optimize.py`` makes the optimized file.
        """
        variant = self._parent(parent)
        code = self.code(technique, variant.id, parameters)
        chosen = find_technique(technique)
        values = parse_parameters(chosen, parameters or {})
        others = self._queries.other_files(chosen, variant, values)
        return f"{technique}.zip", self._queries.take_home(variant, code, others.values())

    # -- what came out ----------------------------------------------------------------------

    def results(self) -> Results:
        """One row per variant with all that is known of it; ``to_frame()`` of it is a ``DataFrame``."""
        return Results(self._queries.results())

    def metric(
        self,
        function: Metric,
        *,
        name: str | None = None,
        higher_is_better: bool = True,
        draws: int = 1_000,
    ) -> MetricTable:
        """A metric of your own on the stored answers of every variant, paired with the baseline's.

        Args:
            function: Takes ``labels`` and ``answers`` of some test samples, arrays with the samples along
                axis 0, and gives a number. Answers are probabilities of classes or labels ``(n, classes)``,
                numbers ``(n, targets)``, or the class at each place ``(n, places)``; without labels the
                baseline's answers stand for them. Where only some classes are measured, these are theirs.
                Where samples have weights, one with a parameter
                ``weights`` gets those too.
            name: What it is called; by default the function's name.
            higher_is_better: Whether more of it is better.
            draws: How often the samples are drawn with replacement for the intervals; the function is called
                two times as often for each variant.

        Returns:
            A row for each variant that was judged; ``to_frame()`` of it is a ``DataFrame``.

        Raises:
            InvalidInput: If the function gives no single finite number, or nothing is judged yet.

        Example::

            def top_3(labels, answers):
                return (answers.argsort(1)[:, -3:] == labels[:, None]).any(1).mean()

            workbench.metric(top_3)
        """
        info, labels = self.dataset.info, np.asarray(self.dataset.y("test"))
        counted = info.counted(labels) if info.judged else None
        if counted is not None and info.task == "per position":
            labels, counted = np.where(counted, labels, -1), None
        return metric_table(
            self._store,
            labels,
            function,
            name=name,
            higher_is_better=higher_is_better,
            draws=draws,
            seed=self.seed,
            weights=self.dataset.weights("test"),
            counted=counted,
            classes=info.judged_classes,
        )

    @property
    def goal(self) -> Goal:
        """What is wanted of this workbench's model; kept with the folder."""
        return goal_of(self._store)

    @property
    def use(self) -> Use:
        """How the model is used, and what its electricity costs; kept with the folder."""
        kept = self._store.fact(USE)
        return Use() if kept is None else Use.model_validate_json(kept)

    def savings(self, rows: Sequence[ResultRow] | None = None, use: Use | None = None) -> dict[str, Saving]:
        """What each variant saves in a year of use, by its identifier.

        Args:
            rows: The results, if they are there already.
            use: How the model is used; by default :attr:`use`.

        Example::

            saved = workbench.savings(use=Use(predictions_per_day=5_000_000))
            print(saved[variant.id].processor_s, saved[variant.id].saved_kwh)
        """
        return savings(self.results() if rows is None else rows, use or self.use, self.environment.cores)

    def best(self, goal: Goal | None = None) -> Best | None:
        """The variant that serves a goal best, with the reason; None if none does.

        Args:
            goal: What is wanted; by default :attr:`goal`.
        """
        return best(self.results(), goal or self.goal)

    def conclusion(self, goal: Goal | None = None) -> Text:
        """What was found for a goal in a sentence, or how near anything came to it."""
        return conclusion(self.results(), goal or self.goal)

    @property
    def ledger(self) -> Ledger | None:
        """What the advisor's last search knows, while it runs and afterwards; None before there was one."""
        return kept_ledger(self._store)

    def details(self, variant: str, reference: str | None = None, output: str | None = None) -> Details:
        """What a variant gets right and wrong, against another one.

        Args:
            variant: Identifier or name.
            reference: Identifier or name of what to compare with; by default the baseline.
            output: Name of an output, of a model of which several are judged; by default the first.

        Raises:
            InvalidInput: If one of them has not been evaluated yet, or that output is not judged.
        """
        return self._queries.details(variant, reference, output)

    def side_by_side(self, variant: str, reference: str) -> SideBySide:
        """How much smaller, faster and better a variant is than another one, and how that is known.

        Args:
            variant: Identifier or name.
            reference: Identifier or name of what to compare with.

        Raises:
            InvalidInput: If there is no such variant.
        """
        keys = self.variant(variant).id, self.variant(reference).id
        rows = {row.variant.id: row for row in self.results()}
        change = self._queries.judge_change(*keys, seed=self.seed) if keys[0] != keys[1] else None
        return side_by_side(rows[keys[0]], rows[keys[1]], change)

    def inside_now(self, variant: str | Variant, against: str | Variant | None = None) -> Inside:
        """What is known by now of the layers of a variant; :meth:`Workbench.inside` finds out the rest.

        Args:
            variant: Identifier or name.
            against: Identifier or name of what it is held against; by default what it was made from.

        Raises:
            InvalidInput: If there is no such variant.
        """
        chosen = self.variant(variant)
        return inside(self._store, chosen, self._held_against(chosen, against))

    def forgotten_now(self, variant: str | Variant, against: str | Variant | None = None) -> Forgotten:
        """What is known by now of what a variant forgot; :meth:`Workbench.forgotten` finds out the rest.

        Args:
            variant: Identifier or name.
            against: Identifier or name of what it is held against; by default what it was made from.

        Raises:
            InvalidInput: If there is no such variant, or it was made from none.
        """
        chosen = self.variant(variant)
        other, dataset = self._known_by(chosen, against), self.dataset
        lost = self._losses.get((chosen.id, other.id))
        if lost is None:
            found = stored_losses(self._store, dataset, chosen, other, self.seed)
            if isinstance(found, Text):
                return forgotten(self._store, dataset, chosen, other, found, self.seed)
            # A file answers the same tomorrow, and a page asks at each of its changes.
            lost = self._losses[chosen.id, other.id] = found
        return forgotten(self._store, dataset, chosen, other, lost, self.seed)

    def drift_maps(
        self, variant: str | Variant, against: str | Variant | None = None
    ) -> dict[str, npt.NDArray[Any]]:
        """Maps of what two variants look at, of the samples in the order of ``drift.drifted``.

        Args:
            variant: Identifier or name.
            against: Identifier or name of what it is held against; by default what it was made from.

        Returns:
            ``before`` and ``after``, shape ``(samples, ...)``; nothing until the drift was measured.
        """
        chosen = self.variant(variant)
        kind = drift_kind(self._known_by(chosen, against).id)
        return self._store.arrays(kind, chosen.id) or {}

    def _known_by(self, variant: Variant, against: str | Variant | None) -> Variant:
        """What it is held against, where there has to be something."""
        found = self._held_against(variant, against)
        if found is None:
            raise InvalidInput(
                say("{name} was made from no other variant.", name=variant.name),
                say("Say which one it is held against."),
            )
        return found

    def _held_against(self, variant: Variant, against: str | Variant | None) -> Variant | None:
        if against is not None:
            return self.variant(against)
        return Lineage(self.variants).parent(variant)

    def picture(self, index: int) -> bytes | None:
        """A test sample as PNG; None where the data are no pictures."""
        return self._queries.picture(index)

    def recipe(self, variant: str | Variant) -> Recipe:
        """The steps from the baseline to a variant."""
        return self._queries.recipe(variant, self.seed)

    def download(self, variant: str | Variant) -> tuple[str, bytes]:
        """File name and content of a variant as it would be deployed; a folder becomes a zip."""
        return self._queries.download(variant)

    def deploy(self, variant: str | Variant) -> tuple[str, bytes]:
        """A zip with a variant's file, ``predict.py`` that runs it, its imports, and ``requirements.txt``.

        Returns:
            File name and content. Unpacked, ``python predict.py samples.npy`` prints the classes.
        """
        return self._queries.deploy(variant)

    def report(self, path: str | Path, language: str | None = None) -> Path:
        """Writes what came out into one HTML file for somebody who has no workbench.

        The variants with their intervals, charts, what to know of the numbers, recipes, machine and
        versions. It asks nobody for anything, and can be printed.

        Args:
            path: The file to write, such as ``report.html``; one that is there is replaced.
            language: Such as ``zh_CN``; by default the current one.

        Returns:
            The file.

        Raises:
            InvalidInput: If there is no such language, or the file cannot be written.
        """
        from workbench.engine.reporting import write_report

        return write_report(self, path, language)

    @property
    def deleted(self) -> tuple[Variant, ...]:
        """What the last deletion took, whoever asked for it: the variant, then what was made from it."""
        return self._store.last_deleted()

    # -- where it is kept -------------------------------------------------------------------

    @property
    def problems(self) -> tuple[Text, ...]:
        """What opening the folder found wrong."""
        return self._store.problems

    @property
    def folder(self) -> Path:
        """Where everything is kept."""
        return self._store.folder

    def hand_in(self, lesson: str, learner: object) -> tuple[str, bytes]:
        """What was done in a lesson, as a small file for the teacher: numbers and words, no model.

        Args:
            lesson: Name of the lesson.
            learner: The learner's name, which is kept.

        Returns:
            The file's name, and its content.
        """
        name = self.course.call(learner)
        return hand_in_zip([hand_in(self._store, name, lesson)])

    def _course_changed(self) -> None:
        """Told after something of the course was kept."""

    def _parent(self, key: str | Variant | None) -> Variant:
        if key is None:
            return self._queries.baseline
        return self.variant(key)
