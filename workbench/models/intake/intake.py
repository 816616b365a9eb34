"""Takes in a model from outside: inspects it, reads it safely, proves it, stores it as a baseline."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any, Literal

from workbench.api.errors import InvalidInput, Refused, WorkbenchError
from workbench.api.file_format import file_format
from workbench.api.library_errors import reason_of
from workbench.api.technique import Reporter
from workbench.api.text import Text, say
from workbench.api.variant import Format, ModelDescription, OwnClass
from workbench.models.converting.conversion import load_keras
from workbench.models.converting.memory import release_memory
from workbench.models.intake.adapting import AdaptedModel, adapted, fixed_batch
from workbench.models.intake.findings import (
    LARGEST_ACTIVATION_ELEMENTS,
    SUFFIXES,
    Inspection,
    Kind,
    size_text,
)
from workbench.models.intake.graph_only import graph_only
from workbench.models.intake.inspection import inspect
from workbench.models.intake.keras_reading import ReadModel, read_keras
from workbench.models.intake.notebook import save_from_notebook
from workbench.models.intake.opening_up import opened_up
from workbench.models.intake.opening_words import opening_notes
from workbench.models.intake.own_code import (
    BY_VALUE,
    WRITTEN,
    checked_code,
    classes_in,
    code_beside,
    keep_code,
    own_classes,
    save_by_value,
)
from workbench.models.intake.own_kinds import is_own, own_kinds
from workbench.models.intake.own_packages import checked_packages, classes_from
from workbench.models.intake.parity import (
    TOLERANCE,
    largest_difference,
    outputs_of,
    require_parity,
    same_model,
    tried_inputs,
)
from workbench.models.intake.trial import try_file
from workbench.models.reading.description import describe_keras

__all__ = ["OpenedModel", "inspect", "open_model", "save_from_notebook"]

_SAME = say("The stored file was read back: its layers and weights are the same.")


@dataclass(frozen=True)
class OpenedModel:
    """A model that was taken in.

    Attributes:
        path: The baseline's file, in the folder that was given.
        format: ``keras``, or the file's own format where it can only be measured.
        description: What it holds.
        notes: The way that was taken, what was dropped, what was proven.
        needs_tensorflow: Whether a process that runs it must import TensorFlow.
        trusted: Whether it carries code that may run, because the user said so.
    """

    path: Path
    format: Format
    description: ModelDescription
    notes: tuple[Text, ...]
    needs_tensorflow: bool
    trusted: bool = False


def open_model(
    report: Reporter,
    source: Path,
    folder: Path,
    *,
    trust: bool = False,
    shared: bool = False,
    code: Path | None = None,
    packages: Sequence[str] = (),
) -> OpenedModel:
    """Takes in a model file; runs in a worker process under the executor's limits.

    Args:
        report: Stages and cancellation.
        source: A ``.keras``, ``.h5``, ``.tflite`` or ``.onnx`` file, or a SavedModel folder.
        folder: Where the baseline is written; nothing stays there if this raises.
        trust: Whether the user said that code inside the file may run.
        shared: Whether the page is shared with strangers; ``trust`` is not heard then.
        code: What the user gave for the model's own classes, see :mod:`workbench.models.intake.own_code`.
        packages: Installed packages that the user named for them. What ``code`` defines comes first.

    Returns:
        The baseline. A Keras model is stored again, without its optimizer; other files are copied.

    Raises:
        workbench.api.errors.Refused: For code, references to other files, or sizes out of all measure.
        workbench.api.errors.InvalidInput: For a file that is damaged, incomplete or of another kind.
        workbench.api.errors.Cancelled: If the user cancelled.
    """
    source, folder = Path(source), Path(folder)
    trust = trust and not shared
    if code is not None and code.suffix != ".pkl":
        checked_code(code, shared)
    report.stage(say("Inspecting the file"))
    inspection = inspect(source)
    checked_packages(packages, shared)
    needs = _needs(inspection) if (code is not None or packages) and not shared else ()
    _raise_problems(inspection, trust=trust, shared=shared, coded=bool(needs))
    # safe mode stays on for a file that does not need the user's trust
    trust = trust and any(problem.trust for problem in inspection.problems)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".incoming-") as incoming:
        copy = source
        if inspection.kind != "saved model":
            report.stage(say("Copying the file"))
            # What was inspected is what gets read: the source may change in between.
            copy = _copy(source, Path(incoming), SUFFIXES[inspection.kind][0])
            inspection = replace(inspect(copy), notes=inspection.notes)  # its name is another one
            needs = _needs(inspection) if needs else ()
            _raise_problems(inspection, trust=trust, shared=shared, coded=bool(needs))
        report.check()
        try:
            if needs:
                release_memory()  # layers without names are counted from one, whatever was read before
                _bring_classes(needs, copy, code, packages)
            if inspection.kind in {"tflite", "onnx"}:
                return _measure_only(report, copy, folder, inspection)
            # what comes from a notebook was written out where its classes are
            opens = bool(needs) and (code is None or code.suffix == ".py")
            return _baseline(report, copy, source.name, folder, inspection, trust=trust, opens=opens)
        except BaseException:
            for left in (_target(folder, inspection.kind), folder / WRITTEN, folder / BY_VALUE):
                left.unlink(missing_ok=True)
            raise


def _needs(inspection: Inspection) -> tuple[str, ...]:
    """What a file of Keras 3 wants defined for it; older ones are read where no code is known."""
    if not inspection.keras_version.startswith("3"):
        return ()
    return tuple(name for problem in inspection.problems for name in problem.needs)


def _bring_classes(needs: tuple[str, ...], copy: Path, code: Path | None, packages: Sequence[str]) -> None:
    """Puts what defines own classes beside the file that needs them: code, or names in packages."""
    defined = {} if code is None else classes_in(code)
    missing = tuple(sorted(set(needs) - defined.keys()))
    found = classes_from(packages, missing, copy) if missing and packages else {}
    missing = tuple(name for name in missing if name not in found)
    if missing and code is None:
        raise Refused(
            say(
                "{names}: that is in none of the packages {packages}.",
                names=missing,
                packages=tuple(packages),
            ),
            say("Name the package that defines it, or give the Python file that does: code='layers.py'."),
        )
    if missing:
        raise Refused(
            say("The code that was given does not define: {names}.", names=missing),
            say("Define every class and function that the model's file names in it."),
        )
    if found:
        save_by_value(
            [*found.values(), *(defined[name] for name in needs if name in defined)], copy.with_name(BY_VALUE)
        )
    else:
        keep_code(code, copy.parent)


def _raise_problems(inspection: Inspection, *, trust: bool, shared: bool, coded: bool) -> None:
    # What trust does not help against comes first: nobody is told to trust a file that is refused anyway.
    for problem in sorted(inspection.problems, key=lambda problem: problem.trust):
        if not (trust and problem.trust) and not (coded and problem.needs):
            raise problem.error(shared=shared)


def _copy(source: Path, folder: Path, suffix: str) -> Path:
    # Keras goes by the file name
    name = source.name if source.suffix == suffix else f"{source.stem or 'model'}{suffix}"
    try:
        return Path(shutil.copyfile(source, folder / name))
    except OSError as error:
        raise InvalidInput(
            say("{name} cannot be copied: {reason}.", name=source.name, reason=str(error.strerror))
        ) from error


def _target(folder: Path, kind: Kind) -> Path:
    stored: Format = "tflite" if kind == "tflite" else "onnx" if kind == "onnx" else "keras"
    return folder / file_format(stored).file_name


def _measure_only(report: Reporter, copy: Path, folder: Path, inspection: Inspection) -> OpenedModel:
    form: Literal["tflite", "onnx"] = "tflite" if inspection.kind == "tflite" else "onnx"
    report.stage(say("Running the file once, in a process of its own"))
    tried = try_file(report, copy, form)
    description = tried.description
    if not description.inputs or not description.outputs:
        raise InvalidInput(say("{name} has no inputs or no outputs.", name=copy.name))
    note = say(
        "A {form} file can be measured, run elsewhere and quantized; what trains or changes the layers needs "
        "the Keras model.",
        form=f".{form}",
    )
    return OpenedModel(
        path=copy.replace(_target(folder, inspection.kind)),
        format=form,
        description=description,
        notes=(*inspection.notes, *tried.notes, note),
        needs_tensorflow=False,
    )


def _baseline(
    report: Reporter, copy: Path, name: str, folder: Path, inspection: Inspection, *, trust: bool, opens: bool
) -> OpenedModel:
    with own_classes(copy):
        return _stored_baseline(report, copy, name, folder, inspection, trust=trust, opens=opens)


def _stored_baseline(
    report: Reporter, copy: Path, name: str, folder: Path, inspection: Inspection, *, trust: bool, opens: bool
) -> OpenedModel:
    read = read_keras(report, copy, name, inspection, trust=trust)
    found, code = None, code_beside(copy)
    if opens and any(is_own(type(layer)) for layer in read.model._flatten_layers()):
        read, found = _opened_up(read, copy.with_name("graph.keras"))
    _keep_needed(code, read.model, folder)
    changed = adapted(read.model)
    description = _described(changed).model_copy(update={"opened_up": found})
    _check_activations(description, name)
    report.check()
    report.stage(say("Storing the model and reading it back"))
    target = _target(folder, inspection.kind)
    proven = _store(changed.model, target, description, name, trust=trust)
    notes = [*inspection.notes, *opening_notes(found), *read.notes, *changed.notes, proven]
    if inspection.optimizer_bytes:
        notes.append(
            say(
                "The optimizer's state is not kept: that saves {size}.",
                size=size_text(inspection.optimizer_bytes),
            )
        )
    return OpenedModel(target, "keras", description, tuple(notes), needs_tensorflow=True, trusted=trust)


def _keep_needed(code: Path | None, model: Any, folder: Path) -> None:
    """Keeps beside the stored model what defines its own classes, if it still has any."""
    from workbench.plain.keras.own_classes import PREFIX

    kinds = own_kinds(model)
    if not kinds or code is None:
        return
    if code.suffix == ".py" and all(str(kind.__module__).startswith(PREFIX) for kind in kinds):
        keep_code(code, folder)
    else:
        folder.mkdir(parents=True, exist_ok=True)
        save_by_value(kinds, folder / BY_VALUE)


def _opened_up(read: ReadModel, path: Path) -> tuple[ReadModel, OwnClass]:
    """A model with classes of the user's own, written out as far as that can be done."""
    try:
        with opened_up(read.model) as (graph, found):
            graph.save(path)
    except InvalidInput as error:
        left = graph_only(read.model, None, error.problem)
        if left is None:
            raise
        return ReadModel(left[0], read.notes), left[1]
    return ReadModel(load_keras(path), read.notes), found


def _check_activations(description: ModelDescription, name: str) -> None:
    for layer in description.layers:
        elements = prod(length or 1 for length in layer.output_shape)
        if elements > LARGEST_ACTIVATION_ELEMENTS:
            raise Refused(
                say(
                    "Layer {layer} in {name} makes {elements:,} numbers of a sample; the limit is {limit:,}.",
                    layer=layer.name,
                    name=name,
                    elements=elements,
                    limit=LARGEST_ACTIVATION_ELEMENTS,
                ),
                say("Running it would fill the memory."),
            )


def _described(changed: AdaptedModel) -> ModelDescription:
    found = describe_keras(changed.model)
    inputs = tuple(
        spec.model_copy(update={"made_for": "float64"}) if spec.name in changed.exact_inputs else spec
        for spec in found.inputs
    )
    return found.model_copy(update={"inputs": inputs, "batch": changed.batch})


def _store(model: Any, target: Path, description: ModelDescription, name: str, *, trust: bool) -> Text:
    """Saves the model, reads the file back and compares the two: on random input where that can be run.

    Free lengths and the words of a lookup are made up here. What fails on them may run on the data, so that
    it is no verdict: then equal layers and weights are the proof, and the data's own samples the trial.
    """
    try:
        model.save(target)
        again = load_keras(target, trust=trust)
    except WorkbenchError:
        raise
    # Keras raises whatever a layer's get_config raises
    except Exception as error:
        raise InvalidInput(
            say("{name} was read, but cannot be stored: {reason}", name=name, reason=reason_of(error)),
            say("Save it again where it was made, with model.save('model.keras')."),
        ) from error
    try:
        inputs, before = tried_inputs(model, description.inputs, batch=fixed_batch(model))
        after = outputs_of(again, inputs)
    except WorkbenchError:
        raise
    # Keras and TensorFlow raise whatever the layers raise on input that does not fit
    except Exception as error:
        if same_model(model, again):
            return _SAME
        raise InvalidInput(
            say("{name} was read, but cannot be run: {reason}", name=name, reason=reason_of(error)),
            say("Run model.predict on it where it was made, and save it again."),
        ) from error
    made_up = any(None in spec.shape for spec in description.inputs)
    if made_up and largest_difference(before, after) > TOLERANCE and same_model(model, again):
        # a length that does not fit in may give numbers that nobody computed
        return _SAME
    return say(
        "The stored file was read back: largest difference on random input {difference:.1e}.",
        difference=require_parity(before, after, name),
    )
