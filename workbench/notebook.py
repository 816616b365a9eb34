"""What a notebook shows of the records of a workbench: tables and cards as HTML, everything escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from workbench.number_format import count, score, size, time
from workbench.text import Text, say
from workbench.verdict_words import duration, quality_chip, short, size_chip, speed_chip, status_word

if TYPE_CHECKING:
    from workbench.bundle import Bundle
    from workbench.jobs.job import Job
    from workbench.results import ResultRow
    from workbench.technique import AnyTechnique
    from workbench.variant import Variant
    from workbench.workbench import Workbench

_SIGNS = {"good": "▲", "bad": "▼", "same": "●", "unsure": "?", "kept": "✓", "lost": "✕"}
_LEFT = ' style="text-align: left"'


def results_html(rows: Sequence[ResultRow], among: Sequence[ResultRow] | None = None) -> str:
    """A table of one line for each variant.

    Args:
        rows: What is shown.
        among: All rows, for the names of what they were made from; by default the same.
    """
    head, *lines = results_cells(rows, among)
    return _table(head, lines)


def results_text(rows: Sequence[ResultRow]) -> str:
    """The same for a terminal."""
    from rich.cells import cell_len

    cells = results_cells(rows)
    widths = [max(cell_len(line[column]) for line in cells) for column in range(len(cells[0]))]
    return "\n".join(
        "  ".join(
            cell + " " * (width - cell_len(cell)) for cell, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in cells
    )


def results_cells(
    rows: Sequence[ResultRow], among: Sequence[ResultRow] | None = None
) -> list[tuple[str, ...]]:
    """The head and one line for each variant, in the words of the page."""
    from workbench.runtimes import runtime

    names = {row.variant.id: short(row.variant.name) for row in (*rows, *(among or ()))}
    heads = (say("Variant"), say("Made from"), say("Runtime"), say("Size"), say("Latency"), say("F1"))
    cells = [tuple(str(head) for head in heads)]
    for row in rows:
        size_words, speed_words, quality_words = verdicts(row)
        cells.append(
            (
                names[row.variant.id] + (" ★" if row.starred else ""),
                names.get(row.variant.parent or "", ""),
                runtime(row.variant.runtime).title,
                _joined(size(row.size.file_bytes) if row.size else None, size_words),
                _joined(time(row.shown_ms.value) if row.shown_ms else None, speed_words),
                _joined(score(row.quality.f1_macro.value) if row.quality else None, quality_words),
            )
        )
    return cells


def verdicts(row: ResultRow) -> tuple[str, str, str]:
    """What is said of a variant's size, speed and quality; empty where there is nothing to compare."""
    size_words, speed_words, quality_words = (
        "" if chip is None else f"{_SIGNS[chip.tone]} {chip.words}"
        for chip in (size_chip(row), speed_chip(row), quality_chip(row))
    )
    return size_words, speed_words, quality_words


def variant_html(variant: Variant) -> str:
    """What a variant is and how it was made."""
    from workbench.runtimes import runtime

    description = variant.description
    facts = [
        (say("runtime"), runtime(variant.runtime).title),
        (say("file"), variant.path.name),
        (say("parameters"), count(description.parameters)),
        (say("precision"), description.precision),
        (say("inputs"), ", ".join(f"{spec.name} {_shape(spec.shape)}" for spec in description.inputs)),
        (say("outputs"), ", ".join(f"{spec.name} {_shape(spec.shape)}" for spec in description.outputs)),
    ]
    if variant.technique is not None:
        settings = ", ".join(f"{name}={value!r}" for name, value in variant.parameters.items())
        facts.insert(0, (say("made by"), f"{variant.technique}({settings})"))
        facts.append((say("made in"), str(duration(variant.seconds))))
    return _card(variant.name, facts)


def technique_html(technique: AnyTechnique) -> str:
    """What a technique does and what its parameters are."""
    import inspect

    from workbench.technique_calls import explained

    described = inspect.getdoc(type(technique)) or ""
    head = tuple(map(str, (say("parameter"), say("default"), say("meaning"))))
    lines = [
        (name, repr(field.get_default(call_default_factory=True)), explained(field))
        for name, field in technique.parameters_type.model_fields.items()
    ]
    paragraphs = "".join(f"<p>{html.escape(part)}</p>" for part in described.split("\n\n"))
    return (
        f"<div><b>{html.escape(str(say(technique.title)))}</b> <code>{html.escape(technique.name)}</code>"
        f"{paragraphs}{_table(head, lines) if lines else ''}</div>"
    )


def bundle_html(bundle: Bundle) -> str:
    """A script, and folded below it the files that it imports."""
    helpers = "".join(
        f"<details><summary><code>{html.escape(name)}</code></summary><pre>{html.escape(text)}</pre></details>"
        for name, text in bundle.helpers.items()
    )
    return f"<div><pre>{html.escape(bundle.script)}</pre>{helpers}</div>"


def workbench_html(workbench: Workbench) -> str:
    """Where a workbench is, what is open in it and what came out."""
    if workbench.closed:
        return _card(str(workbench.folder), [(say("status"), str(say("closed")))])
    baseline, info = workbench.baseline, workbench.dataset_info
    facts = [(say("folder"), str(workbench.folder))]
    if baseline is not None and info is not None:
        facts += [(say("model"), baseline.name), (say("data"), info.name)]
    running = sum(not job.ended for job in workbench.jobs)
    if running:
        facts.append((say("jobs under way"), str(running)))
    rows = workbench.results()
    if not rows:
        facts.append((say("status"), str(say("Open a model and its data first."))))
    return _card("Workbench", facts) + (results_html(rows) if rows else "")


def job_html(job: Job) -> str:
    """How a job stands, and what came out."""
    state = job.state
    words: list[str] = [str(status_word(state.status))]
    if state.started is not None and state.finished is not None:
        seconds = (state.finished - state.started).total_seconds()
        words = [str(say("{status} in {time}", status=words[0], time=duration(seconds)))]
    elif state.stage is not None:
        words.append(str(state.stage))
    if state.error is not None:
        words.append(str(state.error))
    among = _results_of(job)
    made = [row for row in among if row.variant.id == state.variant]
    table = results_html(made, among) if made else ""
    return f"<div><b>{html.escape(str(state.title))}</b>: {html.escape(': '.join(words))}</div>{table}"


def _results_of(job: Job) -> Sequence[ResultRow]:
    workbench = job.workbench() if job.workbench is not None else None
    if workbench is None or workbench.closed or job.state.variant is None:
        return ()
    return workbench.results()


def job_bundle(job: Job, card: Any) -> dict[str, Any]:
    """A job for all that may show it.

    Args:
        job: The job.
        card: From :func:`live_card`, or None.
    """
    bundle: dict[str, Any] = {"text/plain": repr(job), "text/html": job_html(job)}
    if card is not None:
        shown = card._repr_mimebundle_()
        data = shown[0] if isinstance(shown, tuple) else shown
        bundle |= {kind: value for kind, value in (data or {}).items() if kind not in bundle}
    return bundle


def live_card(job: Job) -> Any:
    """A widget that shows a job while it goes on; None where it has ended, or there are no widgets."""
    workbench = job.workbench() if job.workbench is not None else None
    if workbench is None or workbench.closed or job.state.ended:
        return None
    try:
        # Only a notebook asks for this, and only one with widgets can show it.
        from widgets.panels.job_card import JobCard
    except ImportError:
        return None
    return JobCard(workbench, job)


def _card(title: str, facts: Iterable[tuple[Text, str]]) -> str:
    lines = "".join(
        f"<tr><th{_LEFT}>{html.escape(str(name))}</th><td{_LEFT}>{html.escape(short(value, 300))}</td></tr>"
        for name, value in facts
    )
    return f"<div><b>{html.escape(short(title))}</b><table>{lines}</table></div>"


def _table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    heads = "".join(f"<th{_LEFT}>{html.escape(cell)}</th>" for cell in head)
    body = "".join(
        "<tr>" + "".join(f"<td{_LEFT}>{html.escape(cell)}</td>" for cell in line) + "</tr>" for line in lines
    )
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"


def _joined(number: str | None, verdict: str) -> str:
    return "–" if number is None else f"{number}  {verdict}".rstrip()


def _shape(shape: Sequence[int | None]) -> str:
    return "×".join("?" if size is None else str(size) for size in shape) or "1"
