"""The one way in: from anything that holds labelled samples to three splits on disk."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from workbench.api.dataset import SPLITS, Dataset, DatasetInfo
from workbench.api.errors import InvalidInput
from workbench.api.task import Task
from workbench.api.text import say
from workbench.api.variant import ModelDescription
from workbench.data.builtin import BUILTINS
from workbench.data.class_order import ClassOrder
from workbench.data.durable import sync_folder, write_file
from workbench.data.fitting import fitted, judged_outputs, with_target
from workbench.data.further_targets import further_labels
from workbench.data.input_names import with_safe_inputs
from workbench.data.judged_classes import judged_classes
from workbench.data.labels import EncodedLabels, encode
from workbench.data.model_inputs import as_model_takes, specs_of
from workbench.data.outputs import require_classes
from workbench.data.raw import (
    Disk,
    RawData,
    Scaling,
    check_kept,
    check_limit,
    check_values,
    default_kept_bytes,
    default_limit_bytes,
    held_bytes,
)
from workbench.data.sample_weights import divided_weights, with_weights
from workbench.data.scaling import fit_scalers
from workbench.data.splits import divide
from workbench.data.targets import (
    encode_label_rows,
    encode_numbers,
    encode_positions,
    numbers_note,
    without_labels,
)
from workbench.data.task_choice import answers_at_each, task_of
from workbench.data.writing import check_space, stored_bytes, write_arrays


def prepare(
    source: object,
    folder: str | Path,
    *,
    name: str | None = None,
    scaling: Scaling | Mapping[str, Scaling] = "auto",
    seed: int = 0,
    test_fraction: float | None = None,
    validation_fraction: float | None = None,
    label: str | None = None,
    classes: Sequence[str] | None = None,
    output: str | None = None,
    limit_bytes: int | None = None,
    model: ModelDescription | None = None,
    class_order: ClassOrder | None = None,
    task: Task | None = None,
    tasks: Mapping[str, Task] | None = None,
    weights: str | None = None,
    ignore_label: int | None = None,
    only_classes: Sequence[str] | None = None,
    watch: Callable[[float], None] = lambda share: None,
) -> Dataset:
    """Reads a source, checks it, splits it, scales it and writes the folder that :class:`Dataset` reads.

    The folder appears complete or not at all.

    Args:
        source: Name of a built-in data set (see :data:`workbench.data.builtin.BUILTINS`); path of an
            ``.npz`` or ``.csv`` file or of a folder with one folder of images for each class; or what
            :func:`workbench.data.arrays.read_arrays` reads.
        folder: Where to write. Must not exist, or be empty.
        name: Shown to the user; by default the source's own name.
        scaling: ``"auto"`` divides 8-bit pixels by 255 and leaves everything else as it came, except that
            built-in data sets come in the scaling that their demo models were trained in. The others:
            ``"none"``, ``"divide by 255"``, ``"pixels to -1..1"`` (of 8 bits), ``"divide by 4095"`` and
            ``"divide by 65535"`` (pixels of 12 and 16 bits), ``"standardize"``, ``"range 0..1"``; the
            statistics of the last two come from the training split alone. One for all inputs, or a dict
            by input name. What the model looks up, scales itself or takes as whole numbers or text comes
            as it is.
        seed: Seeds the split.
        test_fraction: Share of the training data that becomes the test split, if the source has none. None:
            a fifth, or more where that would be too few samples.
        validation_fraction: Share of the training data that becomes the validation split, if the source
            has none. None: a tenth, or more where that would be too few samples.
        label: Name of the label column of a table; by default ``label``, ``target``, ``class`` or ``y``,
            else the one that fits the model, else the last column.
        classes: Names of all classes in the order of the model's outputs; some may not occur in the data.
        output: Of data with several targets, the one whose labels count.
        limit_bytes: The most that all samples may take. None: in memory 4 GiB, or half of what is free if
            that is less; of pictures and large files, which stay on the disk, 64 GiB there, or half of what
            is free.
        model: The model that the data are for: its inputs and outputs decide what the source leaves open.
        class_order: How names of classes that hold numbers are sorted, where nobody named the classes: by
            their numbers (2 before 10) or as texts. None: by their numbers where all labels are texts of
            whole numbers; as texts elsewhere and where the names are those of folders.
        task: What the labels are; None lets labels and model decide.
        tasks: The same by output, of a model with several.
        weights: Column of a table that says how much each sample counts; by default one that is called
            ``sample_weight``.
        ignore_label: What stands among labels of positions where one does not count, such as 255 or the
            number of the padding; by default the one value that is no class.
        only_classes: Names of the classes that are measured; all if None. The others are trained on.
        watch: Hears which share of the samples is written; may raise to stop that.

    Returns:
        The data set that was written.

    Raises:
        workbench.api.errors.InvalidInput: If the data cannot be used, with counts and what to do.
        workbench.api.errors.Refused: If reading the source would be dangerous (pickled objects, bombs).
        workbench.api.errors.Unavailable: If the data set must be downloaded and cannot be.
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InvalidInput(
            say("The folder {folder} exists and is not empty.", folder=str(folder)),
            say("Choose another folder for the prepared data."),
        )
    kept_bytes = default_kept_bytes(folder) if limit_bytes is None else limit_bytes
    limit_bytes = default_limit_bytes() if limit_bytes is None else limit_bytes
    disk = Disk(folder.parent / f".{folder.name}.{os.getpid()}.unpacked", kept_bytes)
    try:
        raw = _read(source, label, limit_bytes, model, disk, weights)
        raw = with_target(with_safe_inputs(raw), model, output)
        arrays = [array for samples in raw.samples() for array in samples.x.values()]
        check_limit(sum(map(held_bytes, arrays)), limit_bytes, raw.name)
        check_kept(sum(array.nbytes for array in arrays), kept_bytes, raw.name)
        return _prepared(
            raw,
            folder,
            name=name,
            scaling=scaling,
            seed=seed,
            test_fraction=test_fraction,
            validation_fraction=validation_fraction,
            label=label,
            classes=classes,
            model=model,
            class_order=class_order,
            task=task,
            tasks=tasks or {},
            ignore_label=ignore_label,
            only_classes=only_classes,
            watch=watch,
        )
    finally:
        shutil.rmtree(disk.scratch, ignore_errors=True)


def _prepared(
    raw: RawData,
    folder: Path,
    *,
    name: str | None,
    scaling: Scaling | Mapping[str, Scaling],
    seed: int,
    test_fraction: float | None,
    validation_fraction: float | None,
    label: str | None,
    classes: Sequence[str] | None,
    model: ModelDescription | None,
    class_order: ClassOrder | None,
    task: Task | None,
    tasks: Mapping[str, Task],
    ignore_label: int | None,
    only_classes: Sequence[str] | None,
    watch: Callable[[float], None],
) -> Dataset:
    raw = as_model_takes(fitted(raw, model), model)
    specs = specs_of(raw.inputs, model)
    check_values(raw, specs)
    chosen, task_notes = task_of(raw, model, tasks.get(raw.target or "", task))
    encoded = _encoded(raw, chosen, model, classes, class_order, ignore_label)
    encoded, weights, weight_notes = with_weights(raw, encoded)
    parts, split_notes = divide(
        encoded.y,
        encoded.classes if chosen == "classification" else None,
        seed=seed,
        test_fraction=test_fraction,
        validation_fraction=validation_fraction,
    )
    kept_weights, counted_notes = divided_weights(weights, parts)
    further = further_labels(
        raw,
        model,
        tasks,
        parts,
        lambda own, its, judged: _encoded(
            own, its, judged, None, None, ignore_label if its == "per position" else None
        ),
    )
    scalers, scaling_text, unscaled = fit_scalers(raw, parts["train"], scaling, model)
    check_space(folder, stored_bytes(raw, specs))

    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".partial", dir=folder.parent))
    try:
        digest, minimum, maximum, rounded = write_arrays(
            draft, raw, encoded, parts, scalers, specs, kept_weights, further.arrays, watch
        )
        labels = {split: encoded.y[part.source][part.index] for split, part in parts.items()}
        judged, judged_notes = judged_classes(only_classes, encoded, labels)
        shapes = {key: tuple(array.shape[1:]) for key, array in raw.splits["train"].x.items()}
        info = DatasetInfo(
            name=(name or raw.name)[:200],
            input_shapes=shapes,
            classes=encoded.classes,
            counts={split: len(labels[split]) for split in SPLITS},
            class_counts={split: encoded.counts(labels[split]) for split in SPLITS},
            scaling=scaling_text,
            scalings={key: scaler.choice for key, scaler in scalers.items()},
            minimum=minimum,
            maximum=maximum,
            is_image=_is_image(raw),
            seed=seed,
            sha256=digest,
            notes=(
                *raw.notes,
                *task_notes,
                *encoded.notes,
                *weight_notes,
                *split_notes,
                *counted_notes,
                *judged_notes,
                *further.notes,
                *unscaled,
                *rounded,
            ),
            target=raw.target or label,
            class_order=encoded.order,
            task=encoded.task,
            targets=encoded.targets,
            ignored_label=encoded.ignored,
            weighted=tuple(split for split in SPLITS if split in kept_weights),
            further=further.targets,
            judged=judged,
        )
        write_file(
            draft / "dataset.json", json.dumps(info.model_dump(mode="json"), ensure_ascii=False).encode()
        )
        sync_folder(draft)
        # mkdtemp made it readable by its owner alone; the data are as public as their parent folder.
        draft.chmod(0o755)
        draft.rename(folder)
        sync_folder(folder.parent)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return Dataset(folder)


def _read(
    source: object,
    label: str | None,
    limit_bytes: int,
    model: ModelDescription | None,
    disk: Disk,
    weights: str | None,
) -> RawData:
    if isinstance(source, str) and source in BUILTINS:
        return BUILTINS[source].read()
    if isinstance(source, str | os.PathLike):
        from workbench.data.files import read_path

        return read_path(
            Path(source), label=label, limit_bytes=limit_bytes, model=model, disk=disk, weights=weights
        )
    from workbench.data.arrays import read_arrays

    return read_arrays(source, label=label, limit_bytes=limit_bytes, model=model, disk=disk, weights=weights)


def _encoded(
    raw: RawData,
    task: Task,
    model: ModelDescription | None,
    classes: Sequence[str] | None,
    order: ClassOrder | None,
    ignore_label: int | None,
) -> EncodedLabels:
    """The labels as the task takes them."""
    if ignore_label is not None and task != "per position":
        raise InvalidInput(
            say("ignore_label={value} is for labels of positions, and these are others.", value=ignore_label),
            say("Leave the samples out that do not count, or give them the weight 0."),
        )
    if task == "regression":
        encoded = encode_numbers(raw)
        return replace(encoded, notes=(numbers_note(encoded),))
    if task == "multi-label":
        return encode_label_rows(raw, classes)
    if task == "per position":
        return encode_positions(raw, classes, answers_at_each(model, raw.target), ignore_label)
    if task == "agreement":
        return without_labels(raw)
    if model is not None and classes is None:
        require_classes(model, _distinct_numbers(raw))
    return encode(raw, classes=classes, outputs=judged_outputs(model, raw.target), order=order)


def _distinct_numbers(raw: RawData) -> int:
    """Different values among labels that are plain numbers, one of a sample; 0 for others."""
    labels = np.asarray(raw.splits["train"].y)
    if labels.dtype.kind not in "iuf" or labels.size != len(labels) or raw.classes is not None:
        return 0
    return len(np.unique(labels))


def _is_image(raw: RawData) -> bool:
    if raw.is_image is not None:
        return raw.is_image
    arrays = list(raw.splits["train"].x.values())
    if len(arrays) != 1:
        return False
    shape = arrays[0].shape[1:]
    if len(shape) == 3:
        return shape[-1] in (1, 3) and min(shape[:2]) >= 4
    return len(shape) == 2 and arrays[0].dtype == np.uint8 and min(shape) >= 8
