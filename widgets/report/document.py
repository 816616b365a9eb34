"""The report as one HTML file: what came out, how sure that is, and how it can be made again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from xml.etree.ElementTree import Element

from widgets.charts.chart import FAMILY_SHAPES
from widgets.charts.scene import Scene, doubt_of, scene
from widgets.charts.trade_off import legend, summary_of
from widgets.report.drawing import drawing
from widgets.report.markup import element, page
from widgets.wording import (
    Chip,
    answers_text,
    count,
    latency_words,
    quality_chip,
    short,
    size,
    size_chip,
    speed_chip,
)
from workbench import __version__
from workbench.api.errors import WorkbenchError
from workbench.api.lineage import Lineage
from workbench.api.task import measure_of
from workbench.api.text import Text, listed, say
from workbench.course.records import Prediction
from workbench.engine.reading import Reading
from workbench.results.origin import ancestors_words
from workbench.results.rows import ResultRow, task_of

_PICTURES = (("speed", "change"), ("size", "change"), ("speed", "size"))
_SIGNS = {"good": "▲", "bad": "▼", "same": "●", "kept": "✓", "lost": "✕", "unsure": "?"}
_MOST_RECIPES = 6


def report_html(workbench: Reading) -> str:
    """The report on a workbench, in the current language.

    Args:
        workbench: What is reported on.
    """
    rows = workbench.results()
    baseline = workbench.baseline
    name = short(baseline.name) if baseline is not None else str(workbench.folder.name)
    title = str(say("Report on {model}", model=name))
    return page(
        title,
        element("h1", title),
        element("p", _about(workbench), class_="about"),
        *_conclusion(workbench),
        *_decisions(workbench, rows),
        *_summary(rows),
        *_pictures(rows, workbench.goal.f1_may_fall),
        *_table(rows),
        *_caveats(rows),
        *_data(workbench),
        *_recipes(workbench, rows),
        *_machines(workbench, rows),
        element("footer", made_by()),
    )


def _about(workbench: Reading) -> str:
    info = workbench.dataset_info
    now = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    if info is None:
        return now
    return str(
        say(
            "{time} · data {name}: {training} samples for training, {validation} for validation, {test} for "
            "the test that every {measure} is of · {answers}",
            measure=measure_of(info.task).title,
            answers=answers_text(info),
            time=now,
            name=short(info.name),
            training=count(info.counts["train"]),
            validation=count(info.counts["validation"]),
            test=count(info.counts["test"]),
        )
    )


def _conclusion(workbench: Reading) -> Iterator[Element]:
    """What serves the goal best, and why, in a sentence."""
    if workbench.baseline is None:
        return
    found = workbench.best()
    yield element("h2", str(say("Goal: {goal}", goal=workbench.goal.words_for(task_of(workbench.results())))))
    name = None if found is None else element("strong", f"{short(found.variant.name)}: ")
    yield element(
        "p", name, str(workbench.conclusion() if found is None else found.reason), class_="conclusion"
    )
    if found is not None and found.doubt is not None:
        said = say("Its speed is in doubt: {reason}", reason=found.doubt)
        yield element("p", str(said), class_="hint")


def _decisions(workbench: Reading, rows: Sequence[ResultRow]) -> Iterator[Element]:
    """What somebody would deploy, in their own words, and what they had thought before."""
    decisions = workbench.course.decisions.values()
    if not decisions:
        return
    names = {row.variant.id: short(row.variant.name) for row in rows}
    yield element("h2", str(say("Decision")))
    for decision in decisions:
        chosen = names.get(decision.variant or "")
        yield element("p", element("strong", chosen or str(say("none of them"))))
        for paragraph in filter(str.strip, decision.text.splitlines()):
            yield element("p", paragraph)
        yield element("p", f"{decision.written:%Y-%m-%d %H:%M} UTC", class_="hint")
    predictions = list(workbench.course.predictions.values())
    if predictions:
        yield element("h3", str(say("Predicted before it was measured")))
        yield element("ul", *(element("li", _predicted(one)) for one in predictions))


def _predicted(prediction: Prediction) -> str:
    marks = {True: "✓", False: "✕", None: "?"}
    return f"{marks[prediction.right]} {prediction.question} – {prediction.said}"


def _summary(rows: Sequence[ResultRow]) -> Iterator[Element]:
    """Those that somebody has marked, else those that no other one beats, a sentence each."""
    made = [row for row in rows if row.variant.parent is not None]
    chosen = [row for row in made if row.starred]
    heading = say("Chosen variants")
    if not chosen:
        chosen = [row for row in made if row.on_front and not row.variant.automatic]
        heading = say("Best trade-offs: no other variant is at least as fast, as small and as good")
    yield element("h2", str(heading))
    if not chosen:
        yield element("p", str(say("Nothing has been measured beside the baseline yet.")))
        return
    yield element(
        "ul",
        *(
            element(
                "li",
                element("strong", short(row.variant.name)),
                " ",
                *_chips(row),
                element("span", f" {row.note}", class_="note") if row.note else None,
            )
            for row in chosen
        ),
        class_="summary",
    )


def _chips(row: ResultRow) -> Iterator[Element]:
    for chip in (size_chip(row), speed_chip(row), quality_chip(row)):
        if chip is not None:
            yield _chip(chip)


def _chip(chip: Chip) -> Element:
    return element("span", f"{_SIGNS.get(chip.tone, '')} {chip.words}", class_=f"chip {chip.tone}")


def _pictures(rows: Sequence[ResultRow], tolerance: float) -> Iterator[Element]:
    pictures = [scene(rows, across, up, tolerance) for across, up in _PICTURES]
    shown = [picture for picture in pictures if len(picture.marks) > 1]
    if shown:
        yield element("h2", str(say("Trade-off")))
    for picture in shown:
        name = str(say("{up} over {across}", up=picture.up.title, across=picture.across.title))
        yield element(
            "figure",
            element("figcaption", name),
            drawing(picture, name),
            legend_list(picture),
            element("p", " ".join(map(str, summary_of(picture))), class_="hint"),
        )


def legend_list(picture: Scene) -> Element:
    """What the signs of a picture mean, as a list."""
    signs = {
        "ring": "◎",
        "unsure": "?",
        "band": "▒",
        **{f"verdict {tone}": "●" for tone in ("kept", "unsure", "lost")},
    }
    shapes = {
        "circle": "●",
        "square": "■",
        "diamond": "◆",
        "triangle-up": "▲",
        "pentagon": "⬟",
        "hexagon": "⬢",
    }
    items = []
    for one in legend(picture, "verdict"):
        if one["kind"] == "shape":
            sign, tone = shapes[FAMILY_SHAPES.get(one["name"], "circle")], "plain"
        else:
            sign = signs[f"{one['kind']} {one['name']}".strip()]
            tone = one["name"] or one["kind"]
        items.append(
            element(
                "li", element("span", sign, class_=f"sign {tone}", aria_hidden="true"), f" {one['words']}"
            )
        )
    return element("ul", *items, class_="legend")


def _table(rows: Sequence[ResultRow]) -> Iterator[Element]:
    lineage = Lineage(row.variant for row in rows)
    heads = [say("Variant"), say("Made from"), say("Size"), say("Speed"), measure_of(task_of(rows)).name]
    yield element("h2", str(say("All variants")))
    yield element(
        "table",
        element("thead", element("tr", *(element("th", str(head), scope="col") for head in heads))),
        element("tbody", *(_line(row, lineage) for row in rows)),
    )


def _line(row: ResultRow, lineage: Lineage) -> Element:
    missing = str(say("not measured"))
    doubt = doubt_of(row)

    def cell(chip: Chip | None, detail: str) -> Element:
        return element("td", _chip(chip) if chip is not None else None, f" {detail}" if detail else missing)

    sizes = size(row.size.file_bytes) if row.size is not None else ""
    quality = row.quality.shown if row.quality is not None else ""
    shown = "★ " if row.starred else ""
    return element(
        "tr",
        element(
            "th",
            f"{shown}{short(row.variant.name)}",
            element("div", row.note, class_="note") if row.note else None,
            scope="row",
        ),
        element("td", ancestors_words(lineage, row.variant) or "–"),
        cell(size_chip(row), sizes),
        cell(speed_chip(row) if doubt is None or row.distrust else None, latency_words(row)),
        cell(quality_chip(row), quality),
    )


def _caveats(rows: Sequence[ResultRow]) -> Iterator[Element]:
    """What is to be known of the numbers; what holds for several variants is said once."""
    said: dict[str, list[str]] = {}
    for row in rows:
        for note in row.notes:
            said.setdefault(str(note), []).append(short(row.variant.name))
    if not said:
        return
    yield element("h2", str(say("What to know of these numbers")))
    yield element(
        "ul",
        *(element("li", element("strong", str(listed(names))), f": {note}") for note, names in said.items()),
    )
    yield element(
        "p",
        str(
            say(
                "Intervals are 95%. A speed-up is from runs in which both were timed by turns, against "
                "float32 in the same runtime. The change of {measure} is paired by test sample. Where the "
                "machine was busy, no speed is claimed.",
                measure=measure_of(task_of(rows)).title,
            )
        ),
        class_="hint",
    )


def _data(workbench: Reading) -> Iterator[Element]:
    info, baseline = workbench.dataset_info, workbench.baseline
    if info is None:
        return
    notes: list[Text] = [*info.notes, *(baseline.report.notes if baseline is not None else ())]
    yield element("h2", str(say("How model and data were read")))
    yield element("p", str(say("Inputs: {scaling}.", scaling=info.scaling)))
    if notes:
        yield element("ul", *(element("li", str(note)) for note in notes))


def _recipes(workbench: Reading, rows: Sequence[ResultRow]) -> Iterator[Element]:
    made = [row for row in rows if row.variant.parent is not None and not row.variant.automatic]
    chosen = [row for row in made if row.starred] or [row for row in made if row.on_front] or made
    recipes = []
    for row in chosen[:_MOST_RECIPES]:
        try:
            recipes.append((row, workbench.recipe(row.variant.id).to_yaml()))
        except WorkbenchError:  # an added file was made elsewhere
            continue
    if not recipes:
        return
    yield element("h2", str(say("How they can be made again")))
    yield element("p", str(say("As recipes, for the command workbench run.")), class_="hint")
    for row, recipe in recipes:
        yield element("h3", short(row.variant.name))
        yield element("pre", recipe, tabindex=0)


def _machines(workbench: Reading, rows: Sequence[ResultRow]) -> Iterator[Element]:
    used = {row.environment for row in rows if row.environment is not None}
    environments = [environment for id_, environment in workbench.environments.items() if id_ in used]
    if not environments:
        return
    yield element("h2", str(say("Machine and software")))
    for environment in environments:
        facts = [
            (say("Processor"), f"{environment.cpu} · {listed(environment.features)}"),
            (say("Cores"), str(environment.cores)),
            (say("Memory"), size(environment.memory_bytes)),
            (say("Graphics processor"), environment.gpu or "–"),
            (say("System"), f"{environment.system} · Python {environment.python}"),
            (
                say("Libraries"),
                str(listed(f"{name} {version}" for name, version in environment.libraries.items())),
            ),
        ]
        yield element(
            "dl",
            *(part for title, fact in facts for part in (element("dt", str(title)), element("dd", fact))),
        )


def made_by() -> str:
    """What made the file, for its foot."""
    return str(say("Made by Neural Workbench {version}.", version=__version__))
