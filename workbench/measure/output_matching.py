"""Which output of a file made from another is the judged one: that of its name, proven by values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from workbench.api.dataset import Dataset, Features, sample_count, select
from workbench.api.technique import Reporter
from workbench.api.text import say
from workbench.api.variant import JudgedOutput, ModelDescription
from workbench.measure.latency import Candidate
from workbench.plain.outputs import plain_name
from workbench.runtimes import runtime

_TRIED = 32
_CLEARLY = 0.5
"""Another output is taken where it differs from the parent's less than this share of the named one's."""

Floats = npt.NDArray[np.float64]


def carried_position(made: ModelDescription, parent: ModelDescription) -> int:
    """The position of a parent's judged output in a file made from it: that of its name, else its place."""
    names = [plain_name(spec.name) for spec in made.outputs]
    name = plain_name(parent.judged.name) if parent.outputs else ""
    if len(names) < 2:
        return 0
    if names.count(name) == 1:
        return names.index(name)
    return min(parent.output or 0, len(names) - 1)


def keeps_names(made: ModelDescription, parent: ModelDescription) -> bool:
    """Whether the outputs of a file have the names of its parent's, each of them once.

    Args:
        made: What the new file holds.
        parent: What its parent's does.
    """
    names, before = ([plain_name(spec.name) for spec in one.outputs] for one in (made, parent))
    return len(set(names)) == len(names) and sorted(names) == sorted(before)


def carried_output(made: ModelDescription, parent: ModelDescription) -> JudgedOutput | None:
    """What a session must be told of a file made from another, to give the judged output."""
    if len(made.outputs) < 2:
        return None
    position = carried_position(made, parent)
    return JudgedOutput(name=made.outputs[position].name, position=position)


def matching_output(
    report: Reporter,
    parent: Candidate,
    made: Candidate,
    outputs: Sequence[JudgedOutput],
    expected: int,
    dataset: Dataset,
) -> int:
    """The output of a file whose values are those that its parent's judged output has.

    Converters rename outputs and reorder them. Samples of the training split tell.

    Args:
        report: Says what is being done.
        parent: The parent's file; its settings name the judged output.
        made: The new file.
        outputs: The new file's outputs.
        expected: Position of the one that has the name or the place of the parent's.
        dataset: The data.

    Returns:
        A position in ``outputs``: the expected one, unless another is clearly closer.
    """
    report.stage(say("Comparing the outputs with those of the parent"))
    features = dataset.x("train")
    batch = select(features, slice(0, min(_TRIED, sample_count(features))))
    wanted = _values(parent, None, batch)
    differences = [_difference(wanted, _values(made, output, batch)) for output in outputs]
    best = int(np.argmin(differences))
    return best if differences[best] < _CLEARLY * differences[expected] else expected


def _values(candidate: Candidate, output: JudgedOutput | None, batch: Features) -> Floats:
    settings = candidate.settings
    if output is not None:
        settings = settings.model_copy(update={"output": output})
    session = runtime(candidate.runtime).load(candidate.path, settings)
    try:
        outputs = np.asarray(session.predict(batch), np.float64)
    finally:
        session.close()
    return outputs.reshape(len(outputs), -1)


def _difference(wanted: Floats, found: Floats) -> float:
    if wanted.shape != found.shape or not np.isfinite(found).all():
        return float("inf")
    return float(np.abs(wanted - found).mean())
