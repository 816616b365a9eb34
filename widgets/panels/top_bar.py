"""The head of the page: model, data, machine; language, theme; opening another model, a recipe."""

from __future__ import annotations

import os
from typing import Any, ClassVar

from widgets.assets import esm
from widgets.component import Component, words
from widgets.session import Session, message_of
from widgets.transfer import UPLOAD_LIMIT_BYTES, Uploads
from widgets.wording import count, short, size
from workbench.data.builtin import BUILTINS
from workbench.data.dataset import DatasetInfo
from workbench.data.options import names_in
from workbench.data.raw import SCALINGS
from workbench.data.where import PAGE
from workbench.errors import InvalidInput, WorkbenchError
from workbench.models.demo import DEMO_MODELS
from workbench.outputs import reading_notes
from workbench.recipe import Recipe
from workbench.shared import shared_mode
from workbench.text import LANGUAGES, Text, current_language, say
from workbench.workbench import Workbench

_LABELS = {
    "open": say("Open …"),
    "openNow": say("Open"),
    "language": say("Language"),
    "theme": say("Theme"),
    "auto": say("Theme: automatic"),
    "light": say("Theme: light"),
    "dark": say("Theme: dark"),
    "model": say("Model"),
    "data": say("Data"),
    "own": say("A file of your own …"),
    "modelPath": say("Path of a .keras, .h5, .tflite or .onnx file, or a SavedModel folder"),
    "dataPath": say("Path of an .npz or .csv file, or of a folder of images by class"),
    "label": PAGE["label"],
    "labelHint": say(
        "Left empty: label, target, class or y, else the column that fits the model, else the last."
    ),
    "reading": say("More on how the data are read"),
    "classes": PAGE["classes"],
    "classesHint": say(
        "All of them in the order of the model's outputs, separated by commas. Needed where a class does not "
        "occur in the data."
    ),
    "testFraction": PAGE["test_fraction"],
    "validationFraction": PAGE["validation_fraction"],
    "fractionHint": say("Of the training samples, such as 0.2. Left empty: what gives at least 10 samples."),
    "limit": PAGE["limit_gib"],
    "limitHint": say("Left empty: 4, or half of what is free."),
    "scaling": say("Input scaling"),
    "scalingHint": say("Wrong scaling silently costs quality. Automatic divides 8-bit pixels by 255."),
    "output": PAGE["output"],
    "outputHint": say("Its name, of a model with several. Left empty: the one that fits the labels."),
    "meaning": say("What the output gives"),
    "meaningHint": say("Automatic looks at the last layers and at the values on samples."),
    "workbench": say("Workbench"),
    "workbenchHint": say("Each model has one of its own. Going back loses nothing."),
    "go": say("Go there"),
    "recipe": say("Recipe"),
    "recipeHint": say("A .yaml file; its steps are applied to the baseline at once."),
    "remarks": say("How the data were read"),
    "lost": say(
        "Nothing answers this page any more, and what it shows may be old. What was finished is stored: "
        "reload the page, or in a notebook run the cell again."
    ),
    "reload": say("Reload"),
    "trust": say("I trust this file: code inside it may run"),
}
_MEANINGS = {
    "auto": say("automatic"),
    "probabilities": say("probabilities"),
    "raw scores": say("raw scores (logits)"),
}
_MODEL_FILES = ".keras,.h5,.hdf5,.tflite,.onnx"
_DATA_FILES = ".npz,.csv"


class TopBar(Component):
    """The head of the page.

    Args:
        workbench: A workbench, or the session of one.
        uploads: Whether the page may send files; by default always, in shared mode only if the
            server says so in ``WORKBENCH_UPLOADS``.
    """

    _esm = esm("topBar")
    follows: ClassVar[frozenset[str]] = frozenset({"variants", "jobs"})

    def __init__(self, workbench: Workbench | Session, *, uploads: bool | None = None) -> None:
        served = not shared_mode() or os.environ.get("WORKBENCH_UPLOADS") == "1"
        self._uploads_allowed = served if uploads is None else uploads
        self._uploads = Uploads(
            lambda: self.session.workbench.folder / "uploads",
            int(os.environ.get("WORKBENCH_UPLOAD_LIMIT", UPLOAD_LIMIT_BYTES)),
        )
        self._said: Text | None = None
        super().__init__(workbench)

    def view(self) -> dict[str, Any]:
        """What the page shows, as JSON."""
        labels = words(_LABELS)
        limit = self._uploads.limit_bytes // 1_000_000
        info = self.session.workbench.dataset_info
        return {
            "labels": labels | {"upload": str(say("Or upload a file, up to {limit} MB.", limit=limit))},
            "title": str(say("Neural Workbench")),
            "facts": self._facts(info),
            "warnings": self._warnings(),
            "remarks": self._remarks(info),
            "error": message_of(self.problem),
            "language": current_language(),
            "usual": os.environ.get("WORKBENCH_LANGUAGE") or "en",
            "languages": [{"value": value, "label": label} for value, label in LANGUAGES.items()],
            "models": [{"value": name, "label": str(model.title)} for name, model in DEMO_MODELS.items()],
            "datasets": [{"value": name, "label": str(data.title)} for name, data in BUILTINS.items()],
            "scalings": [{"value": name, "label": str(Text(template=name))} for name in SCALINGS],
            "meanings": [{"value": value, "label": str(text)} for value, text in _MEANINGS.items()],
            "workbenches": [
                {
                    "value": one.folder.name,
                    "label": str(
                        say(
                            "{model} · {count} variants · {folder}",
                            model=short(one.model),
                            count=one.variants,
                            folder=short(one.folder.name, 30),
                        )
                    ),
                }
                for one in self.session.siblings
            ],
            "workbench": self.session.workbench.folder.name,
            "paths": not shared_mode(),
            "uploads": self._uploads_allowed,
            "trust": not shared_mode(),
            "upload": message_of(self._said),
            "accepts": {"model": _MODEL_FILES, "data": _DATA_FILES, "recipe": ".yaml,.yml"},
        }

    def _facts(self, info: DatasetInfo | None) -> list[dict[str, Any]]:
        facts: list[tuple[Text, str, Text | None]] = []
        baseline = self.session.baseline
        if baseline is None:
            opening = any(job.kind == "open" and not job.ended for job in self.session.jobs)
            facts.append((say("Model"), str(say("opening …") if opening else say("none open")), None))
        else:
            inputs = " + ".join(
                "×".join("?" if length is None else str(length) for length in spec.shape)
                for spec in baseline.description.inputs
            )
            facts.append(
                (
                    say("Model"),
                    short(baseline.name),
                    say(
                        "{format} · {parameters} parameters · input {inputs}",
                        format=baseline.format,
                        parameters=count(baseline.description.parameters),
                        inputs=inputs,
                    ),
                )
            )
        if info is not None:
            facts.append(
                (
                    say("Data"),
                    short(info.name),
                    say(
                        "{train} / {validation} / {test} samples · {classes} classes · scaled: {scaling}",
                        train=count(info.counts["train"]),
                        validation=count(info.counts["validation"]),
                        test=count(info.counts["test"]),
                        classes=len(info.classes),
                        scaling=info.scaling,
                    ),
                )
            )
        machine = self.session.workbench.passport
        facts.append(
            (
                say("Machine"),
                short(machine.cpu),
                say(
                    "{cores} cores · {memory} · {features}",
                    cores=machine.cores,
                    memory=size(machine.memory_bytes),
                    features=short(machine.gpu or ", ".join(machine.features) or "-", 60),
                ),
            )
        )
        return [
            {"title": str(title), "value": value, "detail": message_of(detail)}
            for title, value, detail in facts
        ]

    def _remarks(self, info: DatasetInfo | None) -> list[str]:
        baseline = self.session.baseline
        output = () if baseline is None else reading_notes(baseline.description)
        return [str(note) for note in (*(() if info is None else info.notes), *output)]

    def _warnings(self) -> list[str]:
        found = list(self.session.workbench.problems)
        for row in self.session.rows:
            if row.variant.parent is None and row.quality is not None:
                found += row.quality.warnings
        return [str(text) for text in found]

    def act_language(self, language: object = None) -> None:
        """Shows every text in another language."""
        self.session.speak(language)

    def act_open(
        self,
        model: object = None,
        data: object = None,
        label: object = "",
        scaling: object = "auto",
        trust: object = False,
        classes: object = "",
        testFraction: object = "",  # noqa: N803  # named as the page names it
        validationFraction: object = "",  # noqa: N803
        limit: object = "",
        output: object = "",
        meaning: object = "auto",
    ) -> None:
        """Opens a model with its data, read as the form says; fields that are empty say nothing."""
        if not isinstance(model, str) or not isinstance(data, str) or not model or not data:
            raise InvalidInput(say("A model and data are both needed."), say("Choose one of each."))
        if scaling not in SCALINGS:
            raise InvalidInput(
                say("There is no such scaling."), say("Choose from: {names}.", names=tuple(SCALINGS))
            )
        column = label.strip() if isinstance(label, str) else ""
        trusted = trust is True and not shared_mode()
        if not isinstance(meaning, str) or meaning not in _MEANINGS:
            raise InvalidInput(
                say("There is no such meaning of an output."),
                say("Choose from: {names}.", names=tuple(_MEANINGS)),
            )
        self.session.open(
            model,
            data,
            label=column or None,
            scaling=scaling,
            trust=trusted,
            classes=names_in(classes),
            test_fraction=_number(testFraction, PAGE["test_fraction"]),
            validation_fraction=_number(validationFraction, PAGE["validation_fraction"]),
            # A visitor does not say what the server may spend.
            limit_gib=None if shared_mode() else _number(limit, PAGE["limit_gib"]),
            output=(output.strip() if isinstance(output, str) else "") or None,
            from_logits=None if meaning == "auto" else meaning == "raw scores",
        )

    def act_go(self, workbench: object = None) -> None:
        """Shows a workbench beside this one."""
        self.session.go_to(workbench)

    def act_upload(
        self,
        transfer: object = None,
        kind: object = None,
        file: object = None,
        part: object = None,
        parts: object = None,
        buffers: list[memoryview] | None = None,
        **_: object,
    ) -> None:
        """Takes a part of a file; a recipe runs as soon as it is whole."""
        answer: dict[str, Any] = {"type": "upload", "transfer": transfer}
        try:
            if not self._uploads_allowed and kind != "recipe":
                raise InvalidInput(say("Uploads are switched off here."))
            path = self._uploads.take(transfer, file, part, parts, bytes(buffers[0]) if buffers else b"")
            if path is None:
                self.send(answer | {"part": part})
                return
            self._said = say("{name} has arrived.", name=short(path.name))
            self.send(answer | {"path": str(path)})
            if kind == "recipe":
                self.session.workbench.run(Recipe.from_file(path), self.session.start)
        except WorkbenchError:
            self._said = None
            self.send(answer | {"error": True})
            raise


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
