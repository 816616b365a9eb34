"""How long a click will take here: what a technique says, by what earlier ones took, and all that follows."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from workbench.api.dataset import DatasetInfo
from workbench.api.file_format import file_format
from workbench.api.lineage import Lineage
from workbench.api.technique import AnyTechnique, Estimate, Parameters
from workbench.api.text import say
from workbench.api.variant import Variant
from workbench.engine.candidates import Trial, plan_of, trainings
from workbench.engine.find import BRIDGE, LOOK, TIME
from workbench.engine.goal import Goal
from workbench.measure.block_plan import usual_seconds
from workbench.measure.energy import LEAST_S
from workbench.measure.latency import PROCESSES, WARM_UP_S
from workbench.measure.records import EnergyMeasurement, Environment, Protocol, SizeMeasurement
from workbench.results.int8_instructions import speed_here
from workbench.runtimes import runtime
from workbench.store import Store
from workbench.techniques import techniques

_EARLIER = 5
"""So many of the newest variants of a technique, or of its family, are looked at."""
_MOST_CORRECTED = 5.0
_LIGHT_SECONDS = 6.0
"""To weigh, judge and time a small variant, in processes without TensorFlow."""
_TENSORFLOW_SECONDS = 14.0
_START_SECONDS = 1.0
_TENSORFLOW_START_SECONDS = 5.0
"""To start a process that times, and to import what it needs."""


def estimate(
    store: Store,
    technique: AnyTechnique,
    parent: Variant,
    parameters: Parameters,
    info: DatasetInfo,
    machine: Environment,
) -> Estimate:
    """What a technique is expected to do, with the time until everything about it is measured.

    What it says of its own time is corrected by how long earlier variants of it (else of its family) took
    here, compared with what was said of them. To that come the measurements, and the float32 reference of
    its runtime where there is none yet.

    Args:
        store: What was made and measured so far.
        technique: What is to be applied.
        parent: To what.
        parameters: How.
        info: The data.
        machine: What it will run on: some instructions decide whether it will be faster.
    """
    own = technique.estimate(parent, info, parameters)
    known = {one.id: one for one in store.variants()}
    seconds = own.seconds * _correction(technique, known, info)
    name = _runtime_after(technique, parent, parameters)
    seconds += _measuring_seconds(store, known, name)
    seconds += _reference_seconds(store, technique, parameters, known, name, info)
    here = speed_here(technique, machine)
    expectation = (
        own.expectation
        if here is None
        else say("{expectation} {here}", expectation=own.expectation, here=here)
    )
    return own.model_copy(update={"seconds": seconds, "expectation": expectation})


def find_seconds(
    store: Store, goal: Goal, baseline: Variant, info: DatasetInfo, *, training: bool = False
) -> float:
    """How long Find is expected to take: only what is not there yet is made, and timed together.

    Args:
        store: What was made and measured so far.
        goal: What is wanted.
        baseline: What it starts from.
        info: The data.
        training: Whether it goes on with short trainings.
    """
    variants = store.variants()
    known = {one.id: one for one in variants}
    plan = plan_of(goal, baseline, info, variants)

    def making(trial: Trial) -> float:
        if trial.made(baseline, variants) is not None:
            return 0.0
        own = trial.made_by.estimate(baseline, info, trial.values)
        return own.seconds * _correction(trial.made_by, known, info)

    references = sum(
        making(trial)
        for trial in plan.references
        if not any(one.is_reference and one.runtime == trial.runtime for one in variants)
    )
    trials = sum(making(trial) for trial in plan.trials)
    missing = {trial.runtime for trial in plan.trials if trial.made(baseline, variants) is None}
    seconds = references + trials + len(missing) * (LOOK + TIME) + (LOOK + BRIDGE if references else 0.0)
    if training:
        for trial in trainings(goal):
            if trial.made(baseline, variants) is None and not trial.made_by.obstacle(
                baseline, info, trial.values
            ):
                seconds += making(trial) + LOOK + BRIDGE + 2 * (LOOK + TIME)
    return seconds * _earlier_searches(store)


def _earlier_searches(store: Store) -> float:
    """What earlier searches here took, over what was said of them; 1 where there were none."""
    ratios = []
    for job in store.jobs():
        said = job.expected_seconds
        if job.kind != "find" or job.status != "done" or said is None or said < _LIGHT_SECONDS:
            continue
        if job.started is not None and job.finished is not None:
            ratios.append((job.finished - job.started).total_seconds() / said)
    return _corrected(ratios)


def measuring_seconds(store: Store, variants: Sequence[Variant], protocol: Protocol) -> float:
    """How long it takes here to measure variants again, with what is not known of them yet.

    Args:
        store: What was measured so far.
        variants: What is to be measured.
        protocol: ``quick`` or ``final``.
    """
    return _measuring_expected(store, variants, protocol) * _measuring_correction(store, protocol)


def confirming_seconds(store: Store) -> float:
    """How long it takes here to time two variants for the record, in another runtime than the baseline's."""
    light = _run_seconds(3, "final", tensorflow=False)  # with the model as float32
    return (light + _run_seconds(2, "final", tensorflow=True)) * _measuring_correction(store, "final")


def _measuring_expected(store: Store, variants: Sequence[Variant], protocol: Protocol) -> float:
    everything = store.variants()
    references = {one.runtime: one for one in everything if one.is_reference}
    runtimes = {one.runtime for one in variants}
    seconds = 0.0
    for name in runtimes:
        members = {one.id for one in variants if one.runtime == name}
        if name in references:
            members.add(references[name].id)
        seconds += _run_seconds(len(members), protocol, tensorflow=runtime(name).imports_tensorflow)
    baseline = Lineage(everything).baseline
    if baseline is not None and runtimes - {baseline.runtime}:
        seconds += _run_seconds(len(references), protocol, tensorflow=True)
    for one in variants:
        if not store.measurements("size", one.id, SizeMeasurement):
            seconds += _TENSORFLOW_SECONDS if runtime(one.runtime).imports_tensorflow else _LIGHT_SECONDS
        if protocol == "final" and any(
            found.meter is not None for found in store.measurements("energy", one.id, EnergyMeasurement)
        ):
            seconds += LEAST_S
    return seconds


def _run_seconds(files: int, protocol: Protocol, *, tensorflow: bool) -> float:
    """Of one interleaved run: in each process the start, warming up, and the steady time."""
    loaded = files + 1  # the reference twice
    start = _TENSORFLOW_START_SECONDS if tensorflow else _START_SECONDS
    return PROCESSES[protocol] * (start + loaded * WARM_UP_S + usual_seconds(loaded, protocol))


def _measuring_correction(store: Store, protocol: Protocol) -> float:
    """What earlier measurings took here, over what is expected of them; 1 where there are none."""
    known = {one.id: one for one in store.variants()}
    ratios = []
    for job in store.jobs():
        ids = job.request.get("variants", ())
        if (job.kind, job.status, job.request.get("protocol")) != ("measure", "done", protocol):
            continue
        if job.started is None or job.finished is None or not known.keys() >= set(ids):
            continue
        expected = _measuring_expected(store, [known[id_] for id_ in ids], protocol)
        ratios.append((job.finished - job.started).total_seconds() / expected)
    return _corrected(ratios)


def _correction(technique: AnyTechnique, known: Mapping[str, Variant], info: DatasetInfo) -> float:
    """What earlier variants took, over what was estimated for them; 1 where there are none."""
    by_name: list[float] = []
    by_family: list[float] = []
    for variant in reversed(tuple(known.values())):
        parent = known.get(variant.parent or "")
        made_by = techniques().get(variant.technique or "")
        if parent is None or made_by is None or made_by.family != technique.family or not variant.seconds:
            continue
        parameters = made_by.parameters_type.model_validate(variant.parameters)
        said = made_by.estimate(parent, info, parameters).seconds
        if said > 0:
            (by_name if made_by.name == technique.name else by_family).append(variant.seconds / said)
    return _corrected(by_name or by_family)


def _corrected(ratios: Sequence[float]) -> float:
    """By what an estimate is multiplied, of real over estimated times, the newest first; 1 without any."""
    if not ratios:
        return 1.0
    return min(max(statistics.median(ratios[:_EARLIER]), 1 / _MOST_CORRECTED), _MOST_CORRECTED)


def _runtime_after(technique: AnyTechnique, parent: Variant, parameters: Parameters) -> str:
    chosen = getattr(parameters, "runtime", None)
    if isinstance(chosen, str):
        return chosen
    if technique.produces is None:
        return parent.runtime
    return file_format(technique.result_format(parent)).home_runtime


def _measuring_seconds(store: Store, known: Mapping[str, Variant], name: str) -> float:
    """To weigh, judge and time a variant in a runtime: what remained of earlier jobs after the making."""
    remained = []
    for job in store.jobs():
        made = known.get(job.variant or "")
        if job.kind != "apply" or job.status != "done" or made is None or made.runtime != name:
            continue
        if job.started is not None and job.finished is not None:
            taken = (job.finished - job.started).total_seconds()
            if taken > made.seconds:  # else the variant was there already
                remained.append(taken - made.seconds)
    # The shortest: others waited, or made the reference of the runtime too.
    if remained:
        return min(remained)
    return _TENSORFLOW_SECONDS if runtime(name).imports_tensorflow else _LIGHT_SECONDS


def _reference_seconds(
    store: Store,
    technique: AnyTechnique,
    parameters: Parameters,
    known: Mapping[str, Variant],
    name: str,
    info: DatasetInfo,
) -> float:
    """To make and time the float32 form of the baseline in a runtime, where there is none."""
    baseline = Lineage(known.values()).baseline
    if baseline is None or any(one.is_reference and one.runtime == name for one in known.values()):
        return 0.0
    maker = techniques()["inference.runtime"]
    wanted = maker.parameters_type.model_validate({"runtime": name})
    if technique.name == maker.name and parameters == wanted:
        return 0.0  # it is the reference itself
    if maker.obstacle(baseline, info, wanted) is not None:
        return 0.0
    made = maker.estimate(baseline, info, wanted).seconds * _correction(maker, known, info)
    return made + _measuring_seconds(store, known, name)
