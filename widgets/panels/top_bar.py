"""The head of the page: model, data, machine; language, theme; opening another model, a recipe."""

from __future__ import annotations

import os
from typing import Any, ClassVar

from widgets.assets import esm
from widgets.component import Component, words
from widgets.link import write
from widgets.panels.opening_form import OpeningForm, chosen_tasks
from widgets.session import Session, message_of, session_of
from widgets.transfer import UPLOAD_LIMIT_BYTES, Uploads
from widgets.wording import answers_text, count, short, size
from workbench.api.dataset import DatasetInfo
from workbench.api.errors import InvalidInput, WorkbenchError
from workbench.api.recipe import Recipe
from workbench.api.text import LANGUAGES, Text, current_language, listed, say
from workbench.data.outputs import reading_notes
from workbench.engine.shared_mode import shared_mode
from workbench.models.intake.findings import SUFFIXES
from workbench.models.intake.opening_words import opening_notes
from workbench.workbench import Workbench

_LABELS = {
    "open": say("Open …"),
    "language": say("Language"),
    "theme": say("Theme"),
    "auto": say("Theme: automatic"),
    "light": say("Theme: light"),
    "dark": say("Theme: dark"),
    "workbench": say("Workbench"),
    "workbenchHint": say("Each model has one of its own. Going back loses nothing."),
    "go": say("Go there"),
    "recipe": say("Recipe …"),
    "recipeFile": say("Recipe"),
    "recipeHint": say("A .yaml file with steps. It is shown before anything starts."),
    "run": say("Run"),
    "notNow": say("Not now"),
    "remarks": say("How the data were read"),
    "gotIt": say("Got it"),
    "judgedAs": say("What each output is judged as"),
    "judgeAgain": say("Judge as these"),
    "judgeHint": say("Opens the model and its data again, beside what is here, which stays as it is."),
    "link": say("Link …"),
    "linkHint": say(
        "Leads to what this page shows now: demo model and data, technique and its settings, panels, "
        "selection. A model of your own stays where it is."
    ),
    "copyLink": say("Copy link"),
    "copiedLink": say("Copied"),
    "panels": say("Panels that are shown"),
    "panel": say("The panel that is shown"),
    "projector": say("For a projector: large type, one panel at a time"),
    "reset": say("Reset"),
    "resetHint": say("All panels, nothing selected, every form as it was. What was made stays."),
}
_MODEL_FILES = ",".join(suffix for kind in SUFFIXES.values() for suffix in kind)
_DATA_FILES = ".npz,.csv,.tsv,.parquet,.arrow,.zip"


class TopBar(Component):
    """The head of the page.

    Args:
        workbench: A workbench, or the session of one.
        uploads: Whether the page may send files; by default always, in shared mode only if the
            server says so in ``WORKBENCH_UPLOADS``.

    Example:
        >>> head = TopBar(workbench, uploads=False)
    """

    _esm = esm("topBar")
    follows: ClassVar[frozenset[str]] = frozenset({"variants", "jobs", "selection", "technique"})

    def __init__(self, workbench: Workbench | Session, *, uploads: bool | None = None) -> None:
        served = not shared_mode() or os.environ.get("WORKBENCH_UPLOADS") == "1"
        self._uploads_allowed = served if uploads is None else uploads
        self._uploads = Uploads(
            lambda: self.session.workbench.folder / "uploads",
            int(os.environ.get("WORKBENCH_UPLOAD_LIMIT", UPLOAD_LIMIT_BYTES)),
        )
        self._said: Text | None = None
        self._recipe: tuple[str, Recipe] | None = None
        session = workbench if isinstance(workbench, Session) else session_of(workbench)
        self._form = OpeningForm(session)
        super().__init__(session)

    def view(self) -> dict[str, Any]:
        """What the page shows, as JSON."""
        limit = self._uploads.limit_bytes // 1_000_000
        info = self.session.workbench.dataset_info
        form = self._form.view(self._uploads_allowed)
        panels = self.session.panels
        upload = say("Or upload a file, up to {limit} MB.", limit=limit)
        return {
            **form,
            "labels": form["labels"] | words(_LABELS) | {"upload": str(upload)},
            "title": str(say("Neural Workbench")),
            "facts": self._facts(info),
            "warnings": self._warnings(),
            "remarks": self._remarks(info),
            "judged": [
                {"output": output, "task": task} for output, task in self.session.workbench.tasks.items()
            ],
            "error": message_of(self.problem),
            "language": current_language(),
            "usual": os.environ.get("WORKBENCH_LANGUAGE") or "en",
            "languages": [{"value": value, "label": label} for value, label in LANGUAGES.items()],
            "workbenches": [
                {
                    "value": one.folder.name,
                    "label": str(
                        say(
                            "{model} · {count} variant · {folder}",
                            "{model} · {count} variants · {folder}",
                            model=short(one.name),
                            count=one.variants,
                            folder=short(one.folder.name, 30),
                        )
                    ),
                }
                for one in self.session.workbench_folders
            ],
            "workbench": self.session.workbench.folder.name,
            "visitor": str(say("You are a visitor here: what you make is gone when you close this page."))
            if shared_mode()
            else None,
            "paths": not shared_mode(),
            "uploads": self._uploads_allowed,
            "trust": not shared_mode(),
            "upload": message_of(self._said),
            "ready": self.session.baseline is not None,
            "recipe": self._recipe_shown(),
            "link": write(self.session),
            "panels": [
                {"name": name, "title": str(title), "shown": panels.shows(name)}
                for name, title in panels.titles.items()
            ]
            if panels is not None
            else [],
            "oneAtATime": self.session.projector,
            "accepts": {"model": _MODEL_FILES, "data": _DATA_FILES, "recipe": ".yaml,.yml"},
        }

    def _recipe_shown(self) -> dict[str, Any] | None:
        if self._recipe is None:
            return None
        name, recipe = self._recipe
        start = next((one for one in self.session.variants if one.id == self.session.start), None)
        techniques = self.session.workbench.techniques()
        if recipe.advise is not None:
            return {
                "name": name,
                "title": str(say("{name}: search for what meets its demands", name=short(name))),
                "steps": [],
            }
        return {
            "name": name,
            "title": str(
                say(
                    "{name}: {count} step on {variant}",
                    "{name}: {count} steps on {variant}",
                    name=short(name),
                    count=len(recipe.steps),
                    variant=short(start.name) if start else "-",
                )
            ),
            "steps": [
                {
                    "title": str(Text(template=techniques[step.technique].title))
                    if step.technique in techniques
                    else short(step.technique),
                    "values": str(listed(f"{key}: {value}" for key, value in step.parameters.items()))[:200],
                }
                for step in recipe.steps
            ],
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
                        "{train} / {validation} / {test} samples · {answers} · scaled: {scaling}",
                        train=count(info.counts["train"]),
                        validation=count(info.counts["validation"]),
                        test=count(info.counts["test"]),
                        answers=answers_text(info),
                        scaling=info.scaling,
                    ),
                )
            )
        machine = self.session.workbench.environment
        facts.append(
            (
                say("Machine"),
                short(machine.cpu),
                say(
                    "{cores} cores · {memory} · {features}",
                    cores=machine.cores,
                    memory=size(machine.memory_bytes),
                    features=short(machine.gpu or str(listed(machine.features)) or "-", 60),
                ),
            )
        )
        return [
            {"title": str(title), "value": value, "detail": message_of(detail)}
            for title, value, detail in facts
        ]

    def _remarks(self, info: DatasetInfo | None) -> list[str]:
        baseline = self.session.baseline
        output = (
            ()
            if baseline is None
            else (*opening_notes(baseline.description.opened_up), *reading_notes(baseline.description))
        )
        return [str(note) for note in (*(() if info is None else info.notes), *output)]

    def _warnings(self) -> list[str]:
        found = list(self.session.workbench.problems)
        for row in self.session.rows:
            if row.variant.is_baseline and row.quality is not None:
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
        validationFraction: object = "",  # noqa: N803  (its name in the page)
        limit: object = "",
        output: object = "",
        meaning: object = "auto",
        task: object = "auto",
        code: object = "",
        weights: object = "",
        ignoreLabel: object = "",  # noqa: N803  (its name in the page)
        tasks: object = None,
        onlyClasses: object = "",  # noqa: N803  (its name in the page)
    ) -> None:
        """Opens a model with its data, read as the form says; fields that are empty say nothing."""
        self._form.open(
            model,
            data,
            label,
            scaling,
            trust,
            classes,
            testFraction,
            validationFraction,
            limit,
            output,
            meaning,
            code,
            task,
            weights,
            ignoreLabel,
            tasks,
            onlyClasses,
        )

    def act_judge(self, tasks: object = None) -> None:
        """Opens the model that is shown again, beside it, with its outputs judged as other tasks."""
        if found := chosen_tasks(tasks):
            self.session.openings.judged_as(found)

    def act_look(self, data: object = None) -> None:
        """Shows what data of the reader's own look like."""
        self._form.look(data)

    def act_cancel(self, job: object = None) -> None:
        """Cancels an opening."""
        self.session.cancel(job)

    def act_run(self, run: object = None) -> None:
        """Runs the recipe that is shown, or puts it away."""
        recipe, self._recipe = self._recipe, None
        if run is True and recipe is not None:
            self.session.workbench.run(recipe[1], self.session.start)

    def act_go(self, workbench: object = None) -> None:
        """Shows a workbench beside this one."""
        self.session.go_to(workbench)

    def act_show(self, panels: object = None) -> None:
        """Shows these panels and hides the others."""
        if isinstance(panels, list):
            self.session.show_panels(frozenset(name for name in panels if isinstance(name, str)))

    def act_project(self, on: object = None) -> None:
        """Shows large type and one panel at a time, or the whole page again."""
        session = self.session
        session.confine(session.hidden, session.fixed, projector=on is True)
        session.show_panels(None)

    def act_reset(self) -> None:
        """Takes the page back to how it is seen first."""
        self.session.reset()

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
        """Takes a part of a file; a recipe is shown as soon as it is whole."""
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
                self._said, self._recipe = None, (path.name, Recipe.from_file(path))
        except WorkbenchError:
            self._said = None
            self.send(answer | {"error": True})
            raise
