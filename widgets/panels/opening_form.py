"""The form that opens a model: what can be chosen, what data look like, what is wrong, how far it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from widgets.component import words
from widgets.session import Session, message_of
from widgets.wording import count, duration, short
from workbench.api.errors import InvalidInput, WorkbenchError
from workbench.api.text import Text, say
from workbench.data.builtin import BUILTINS
from workbench.data.options import names_in
from workbench.data.outputs import JUDGED
from workbench.data.raw import SCALINGS
from workbench.data.where import PAGE
from workbench.engine.shared_mode import require_allowed, shared_mode
from workbench.engine.sources import require_data, require_model
from workbench.jobs.executor import Executor
from workbench.models.demo.demo import DEMO_MODELS

if TYPE_CHECKING:
    from workbench.data.preview import Preview

_LABELS = {
    "openNow": say("Open"),
    "close": say("Close"),
    "model": say("Model"),
    "data": say("Data"),
    "own": say("A file of your own …"),
    "modelPath": say("Path of a .keras, .h5, .tflite or .onnx file, or a SavedModel folder"),
    "dataPath": say(
        "Path of an .npz, .csv or .parquet file, of a folder or .zip of images by class, or of one that "
        "save_to_disk wrote"
    ),
    "label": PAGE["label"],
    "labelHint": say(
        "Left empty: label, target, class or y, else the column that fits the model, else the last."
    ),
    "labelAuto": say("automatic"),
    "reading": say("More on how the data are read"),
    "weights": PAGE["weights"],
    "weightsHint": say(
        "Of a table: how much each row counts, in trainings and in every measure. Left empty: sample_weight, "
        "if there is such a column."
    ),
    "ignoreLabel": PAGE["ignore_label"],
    "ignoreLabelHint": say(
        "Where there is a label for each pixel or step: the number of those that do not count, such as 255 "
        "or that of the padding. Left empty: the one that is no class."
    ),
    "classes": PAGE["classes"],
    "classesHint": say(
        "All of them in the order of the model's outputs, separated by commas. Needed where a class does not "
        "occur in the data."
    ),
    "onlyClasses": PAGE["only_classes"],
    "onlyClassesHint": say(
        "Names separated by commas, as the data have them: labels of other classes are left out of every "
        "measure. Trainings learn all. Left empty: all."
    ),
    "testFraction": PAGE["test_fraction"],
    "validationFraction": PAGE["validation_fraction"],
    "fractionHint": say("Of the training samples, such as 0.2. Left empty: what gives at least 10 samples."),
    "limit": PAGE["limit_gib"],
    "limitHint": say("Left empty: 4, or half of what is free. Pictures and large files stay on the disk."),
    "scaling": say("Input scaling"),
    "scalingHint": say("Wrong scaling silently costs quality. Automatic divides 8-bit pixels by 255."),
    "task": PAGE["task"],
    "taskOf": say("Task of {output}"),
    "taskHint": say("What the answers are judged as. Automatic looks at the labels and at the output."),
    "output": PAGE["output"],
    "outputHint": say("Its name, of a model with several. Left empty: the one that fits the labels."),
    "meaning": say("What the output gives"),
    "meaningHint": say("Automatic looks at the last layers and at the values on samples."),
    "trust": say("I trust this file: code inside it may run"),
    "code": say("The model's own classes"),
    "codeHint": say(
        "Path of a .py file that defines them, or the name of an installed package, such as keras_hub, if "
        "the model's file names such. It runs in worker processes."
    ),
    "drop": say("Drop a model and its data anywhere on the page, or choose them here."),
    "dropFolder": say("A folder cannot be dropped here: pack it as a .zip file and drop that."),
    "dropOther": say("A file of this kind is neither a model nor data nor a recipe."),
    "another": say("Choose another file"),
    "sending": say("Uploading {share}%"),
    "looking": say("Looking into the data …"),
    "looks": say("What is in the data"),
    "firstRows": say("The first rows"),
    "classesTitle": say("Samples of each class"),
    "cancel": say("Cancel"),
    "busy": say("The page stays as it is until the model is there."),
}
_TASKS = {"auto": say("automatic")} | {task: Text(template=task) for task in JUDGED}
_MEANINGS = {
    "auto": say("automatic"),
    "probabilities": say("probabilities"),
    "raw scores": say("raw scores (logits)"),
}
_SAME_SHAPE = {"mnist-5k": ("fashion-mnist",)}
"""Data that a demo model takes besides those that it was trained on."""
_MOST_COUNTS = 30


class OpeningForm:
    """What a page shows and asks when a model is opened.

    Args:
        session: Whose page it is.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._errors: dict[str, Text] = {}
        self._attempts = 0
        self._asked: str | None = None
        self._looked: Preview | Text | None = None

    def view(self, uploads: bool) -> dict[str, Any]:
        """What the page shows, as JSON.

        Args:
            uploads: Whether the page may send files.
        """
        last = self._session.openings.last
        opening = None
        if last is not None:
            failed = last.status in ("failed", "interrupted")
            opening = {
                "id": last.id,
                "title": short(str(last.title), 80),
                "ended": last.ended,
                "there": last.variant is not None,
                "stage": message_of(last.stage),
                "progress": last.progress,
                "left": None
                if last.eta_seconds is None
                else str(say("about {time} left", time=duration(max(1, last.eta_seconds)))),
                "error": message_of(last.error) if failed and last.part is None else None,
            }
        errors = dict(self._errors)
        if last is not None and last.status == "failed" and last.part is not None and last.error is not None:
            errors.setdefault(last.part, last.error)
        own = uploads or not shared_mode()
        return {
            "labels": words(_LABELS),
            "own": own,
            "attempt": self._attempts,
            "opening": opening,
            "errors": {name: str(text) for name, text in errors.items()},
            "models": [
                {
                    "value": name,
                    "label": str(model.title),
                    "fits": [model.dataset, *_SAME_SHAPE.get(model.dataset, ())],
                }
                for name, model in DEMO_MODELS.items()
            ],
            "datasets": [{"value": name, "label": str(data.title)} for name, data in BUILTINS.items()],
            "scalings": [{"value": name, "label": str(Text(template=name))} for name in SCALINGS],
            "tasks": [{"value": value, "label": str(text)} for value, text in _TASKS.items()],
            "meanings": [{"value": value, "label": str(text)} for value, text in _MEANINGS.items()],
            "preview": self._preview(),
        }

    def _preview(self) -> dict[str, Any] | None:
        if self._asked is None:
            return None
        shown: dict[str, Any] = {"data": self._asked, "busy": self._looked is None}
        if isinstance(self._looked, Text):
            return shown | {"error": str(self._looked)}
        if self._looked is None:
            return shown
        found = self._looked
        return shown | {
            "summary": str(
                say(
                    "{samples} · {classes}",
                    samples=_samples(found.samples),
                    classes=say("{count} class", "{count} classes", count=len(found.counts)),
                )
                if found.counts
                else _samples(found.samples)
            ),
            "samples": str(_samples(found.samples)),
            "targets": [
                {
                    "name": target.name,
                    "auto": str(
                        say("automatic")
                        if target.task is None
                        else say("automatic: {task}", task=Text(template=target.task))
                    ),
                }
                for target in found.targets
            ],
            "label": found.label,
            "columns": [{"name": column.name, "counts": _counts(column.counts)} for column in found.columns],
            "rows": [list(row) for row in found.rows],
            "counts": _counts(found.counts),
            "pictures": [{"name": name, "png": png} for name, png in found.pictures],
            "notes": [str(note) for note in found.notes],
        }

    def look(self, data: object) -> None:
        """Finds out what data of the reader's own look like, in another process, and shows it.

        Args:
            data: The path; anything else forgets the one before.
        """
        self._asked, self._looked = None, None
        if not isinstance(data, str) or not data.strip() or data in BUILTINS:
            return
        require_allowed(None, data, self._session.workbench.folder)
        self._asked = data
        executor: Executor = self._session.workbench.executor
        executor.spawn(self._look(data))

    async def _look(self, data: str) -> None:
        from workbench.data.preview_process import previewed

        found: Preview | Text
        try:
            require_data(data)
            found = await previewed(Path(data).expanduser())
        except WorkbenchError as error:
            found = error.text
        if self._asked == data:  # else somebody has chosen other data meanwhile
            self._looked = found
            self._session.touch("jobs")

    def open(
        self,
        model: object,
        data: object,
        label: object,
        scaling: object,
        trust: object,
        classes: object,
        test_fraction: object,
        validation_fraction: object,
        limit: object,
        output: object,
        meaning: object,
        code: object,
        task: object = "auto",
        weights: object = "",
        ignore_label: object = "",
        tasks: object = None,
        only_classes: object = "",
    ) -> None:
        """Opens a model with its data, read as the form says; fields that are empty say nothing.

        Raises:
            InvalidInput: For what is wrong with the form; what is wrong with the files is shown at them.
            Refused: For what a visitor of a shared page may not open.
        """
        self._errors = {}
        self._attempts += 1
        if not isinstance(model, str) or not isinstance(data, str) or not model or not data:
            raise InvalidInput(say("A model and data are both needed."), say("Choose one of each."))
        if scaling not in SCALINGS:
            raise InvalidInput(
                say("There is no such scaling."), say("Choose from: {names}.", names=tuple(SCALINGS))
            )
        column = label.strip() if isinstance(label, str) else ""
        if not isinstance(meaning, str) or meaning not in _MEANINGS:
            raise InvalidInput(
                say("There is no such meaning of an output."),
                say("Choose from: {names}.", names=tuple(_MEANINGS)),
            )
        if not isinstance(task, str) or task not in _TASKS:
            raise InvalidInput(
                say("There is no such task."), say("Choose from: {names}.", names=tuple(_TASKS))
            )
        options = {
            "task": chosen_tasks(tasks) or (None if task == "auto" else task),
            "label": column or None,
            "weights": (weights.strip() if isinstance(weights, str) else "") or None,
            "ignore_label": _whole(ignore_label, PAGE["ignore_label"]),
            "scaling": scaling,
            "trust": trust is True and not shared_mode(),
            **_own_classes(code),
            "classes": names_in(classes),
            "only_classes": names_in(only_classes),
            "test_fraction": _number(test_fraction, PAGE["test_fraction"]),
            "validation_fraction": _number(validation_fraction, PAGE["validation_fraction"]),
            # A visitor does not say what the server may spend.
            "limit_gib": None if shared_mode() else _number(limit, PAGE["limit_gib"]),
            "output": (output.strip() if isinstance(output, str) else "") or None,
            "from_logits": None if meaning == "auto" else meaning == "raw scores",
        }
        require_allowed(model, data, self._session.workbench.folder)
        for part, require, value in (("model", require_model, model), ("data", require_data, data)):
            try:
                require(value)
            except WorkbenchError as error:
                self._errors[part] = error.text
        if not self._errors:
            self._session.open(model, data, **options)


def chosen_tasks(given: object) -> dict[str, str]:
    """The task of each of several outputs, as the page gives them; those that are automatic are left out.

    Raises:
        InvalidInput: If there is no such task.
    """
    if not isinstance(given, dict):
        return {}
    for task in given.values():
        if not isinstance(task, str) or task not in _TASKS:
            raise InvalidInput(
                say("There is no such task."), say("Choose from: {names}.", names=tuple(_TASKS))
            )
    return {str(name): task for name, task in given.items() if task != "auto"}


def _own_classes(given: object) -> dict[str, object]:
    """What defines a model's own classes: a file, or packages with commas between; not on a shared page."""
    named = given.strip() if isinstance(given, str) and not shared_mode() else ""
    packages = [part.strip() for part in named.split(",")]
    if named and all(part.replace("-", "_").isidentifier() for part in packages):
        return {"trust_packages": packages}
    return {"code": named or None}


def _samples(number: int) -> Text:
    return say("{count} sample", "{count} samples", count=count(number))


def _counts(counts: tuple[tuple[str, int], ...]) -> list[dict[str, str]]:
    shown = [{"name": short(name, 30), "count": count(number)} for name, number in counts[:_MOST_COUNTS]]
    if len(counts) > _MOST_COUNTS:
        rest = say("{count} more", count=len(counts) - _MOST_COUNTS)
        shown.append({"name": str(rest), "count": count(sum(number for _, number in counts[_MOST_COUNTS:]))})
    return shown


def _whole(typed: object, field: Text) -> int | None:
    """The whole number in a field; None if it is empty."""
    text = str(typed).strip()
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        raise InvalidInput(
            say("{field}: {text} is no whole number.", field=field, text=repr(text)[:40]),
            say("Write it like 255, or leave the field empty."),
        ) from None


def _number(typed: object, field: Text) -> float | None:
    """The number in a field; None if it is empty."""
    text = str(typed).strip().replace(",", ".")
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        raise InvalidInput(
            say("{field}: {text} is no number.", field=field, text=repr(text)[:40]),
            say("Write it like 0.2, or leave the field empty."),
        ) from None
