"""What a notebook shows of a workbench, its jobs and its techniques."""

from __future__ import annotations

import html
import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from workbench.api.display import shows
from workbench.api.text import say
from workbench.engine.page_parts import page_part
from workbench.engine.technique_calls import explained
from workbench.results.notebook import card, results_html, table
from workbench.results.verdict_words import duration, status_word

if TYPE_CHECKING:
    from workbench.api.technique import AnyTechnique
    from workbench.jobs.job import Job
    from workbench.results.rows import ResultRow
    from workbench.workbench import Workbench


@shows("technique")
def technique_html(technique: AnyTechnique) -> str:
    """What a technique does and what its parameters are."""
    described = inspect.getdoc(type(technique)) or ""
    head = tuple(map(str, (say("parameter"), say("default"), say("meaning"))))
    lines = [
        (name, repr(field.get_default(call_default_factory=True)), explained(field))
        for name, field in technique.parameters_type.model_fields.items()
    ]
    paragraphs = "".join(f"<p>{html.escape(part)}</p>" for part in described.split("\n\n"))
    return (
        f"<div><b>{html.escape(str(say(technique.title)))}</b> <code>{html.escape(technique.name)}</code>"
        f"{paragraphs}{table(head, lines) if lines else ''}</div>"
    )


def workbench_html(workbench: Workbench) -> str:
    """Where a workbench is, what is open in it and what came out."""
    if workbench.closed:
        return card(str(workbench.folder), [(say("status"), str(say("closed")))])
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
    return card("Workbench", facts) + (results_html(rows) if rows else "")


@shows("job")
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


@shows("live job")
def live_card(job: Job) -> Any:
    """A widget that shows a job while it goes on; None where it has ended, or there are no widgets."""
    workbench = job.workbench() if job.workbench is not None else None
    if workbench is None or workbench.closed or job.state.ended:
        return None
    make = page_part("job_card")
    return None if make is None else make(workbench, job)
