"""Labels of further outputs, of a model with several: each is read by its own task."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from workbench.api.dataset import SPLITS, FurtherTarget, SplitName
from workbench.api.errors import InvalidInput
from workbench.api.task import Task
from workbench.api.text import Text, say
from workbench.api.variant import ModelDescription
from workbench.data.input_names import safe_name
from workbench.data.labels import EncodedLabels
from workbench.data.raw import Array, RawData
from workbench.data.sample_weights import divided_weights, with_weights
from workbench.data.splits import SplitSource
from workbench.data.task_choice import task_of
from workbench.plain.outputs import plain_name

Encode = Callable[[RawData, Task, ModelDescription], EncodedLabels]


@dataclass(frozen=True)
class FurtherLabels:
    """What is written of further outputs.

    Attributes:
        targets: What is known of them.
        arrays: Labels and weights by the start of their file's name, such as ``y_test.box``.
        notes: How they were read.
    """

    targets: tuple[FurtherTarget, ...] = ()
    arrays: dict[str, Array] = field(default_factory=dict)
    notes: tuple[Text, ...] = ()


def further_labels(
    raw: RawData,
    model: ModelDescription | None,
    tasks: Mapping[str, Task],
    parts: Mapping[SplitName, SplitSource],
    encode: Encode,
) -> FurtherLabels:
    """Reads the labels of further outputs; those that cannot be read are left out, with the reason.

    Args:
        raw: The data with the labels of the first output.
        model: The model that they are for.
        tasks: What the user said that labels are, by output.
        parts: Where the samples of each stored split come from.
        encode: Makes labels what a task takes.
    """
    targets: list[FurtherTarget] = []
    arrays: dict[str, Array] = {}
    notes: list[Text] = []
    for name, own in raw.further.items():
        if model is None:
            continue
        position = [plain_name(spec.name) for spec in model.outputs].index(name)
        judged = model.model_copy(update={"output": position})
        key = safe_name(name)
        while any(key == one.key for one in targets):
            key += "_"
        try:
            task, said = task_of(own, judged, tasks.get(name))
            labels, weights, weight_notes = with_weights(own, encode(own, task, judged))
            kept, counted = divided_weights(weights, parts)
        except InvalidInput as problem:
            notes.append(say("The output {output} is not judged: {reason}", output=name, reason=problem.text))
            continue
        divided = {split: labels.y[part.source][part.index] for split, part in parts.items()}
        arrays |= {f"y_{split}.{key}": divided[split] for split in SPLITS}
        arrays |= {f"w_{split}.{key}": values for split, values in kept.items()}
        targets.append(
            FurtherTarget(
                output=name,
                key=key,
                task=labels.task,
                classes=labels.classes,
                class_counts={split: labels.counts(divided[split]) for split in SPLITS},
                targets=labels.targets,
                ignored_label=labels.ignored,
                weighted=tuple(split for split in SPLITS if split in kept),
            )
        )
        notes += [
            say("{output}: {note}", output=name, note=note)
            for note in (*said, *labels.notes, *weight_notes, *counted)
        ]
    return FurtherLabels(tuple(targets), arrays, tuple(notes))
