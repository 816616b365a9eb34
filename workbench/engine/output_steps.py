"""The steps of a job that find out what a model's output means, and carry it to what is made from it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

from workbench.api.technique import Applied
from workbench.api.text import Text
from workbench.api.variant import JudgedOutput, ModelDescription, RuntimeSettings, Variant
from workbench.data.outputs import OutputWish, judged_note
from workbench.engine import worker_functions
from workbench.engine.context import JobContext
from workbench.engine.submit import run_step
from workbench.jobs.job import Job
from workbench.jobs.limits import Limits
from workbench.measure.latency import Candidate
from workbench.measure.output_matching import carried_position
from workbench.measure.output_reading import OutputReading
from workbench.models.intake.intake import OpenedModel
from workbench.runtimes import runtime

# A foreign file may not take the machine with it: what a 100 MB model needs, with room.
FOREIGN_FILE_LIMITS = Limits(address_space_bytes=6 << 30, cpu_seconds=300, wall_seconds=300)


def limits_beside(folder: Path) -> Limits:
    """What a foreign file may take that is run on samples: those take addresses too, and hardly any memory.

    Args:
        folder: Of the prepared data.
    """
    memory = FOREIGN_FILE_LIMITS.address_space_bytes
    size = sum(file.stat().st_size for file in folder.iterdir())
    return FOREIGN_FILE_LIMITS.model_copy(update={"address_space_bytes": memory and memory + size})


def opened_settings(opened: OpenedModel) -> RuntimeSettings:
    """How a model that was read is run."""
    return RuntimeSettings(
        trusted=opened.trusted,
        output=opened.description.judged_output,
        batch=opened.description.batch or 1,
    )


async def understood(
    context: JobContext, job: Job, opened: OpenedModel, home: str, wish: OutputWish, dataset: Path
) -> tuple[OpenedModel, tuple[Text, ...], OutputReading]:
    """A model with the meaning of its output, looked at on samples; the sentences that say so; and all of it.

    Args:
        context: Where the work runs.
        job: Hears of its progress.
        opened: The model that was read.
        home: The runtime that it runs in.
        wish: What the user said of its output.
        dataset: Folder of the prepared data that hold the samples.
    """
    found: OutputReading = await run_step(
        context,
        job,
        worker_functions.read_output,
        opened.path,
        home,
        opened_settings(opened),
        opened.description,
        dataset,
        wish,
        worker="tensorflow" if opened.needs_tensorflow else "light",
        limits=limits_beside(dataset),
    )
    description = opened.description.model_copy(
        update={"from_logits": found.from_logits, "reading": found.reason, "doubts": found.doubts}
    )
    said = (judged_note(description), found.reason, found.order.reason, *found.doubts)
    notes = tuple(note for note in said if note is not None)
    return replace(opened, description=description), notes, found


async def carried(
    context: JobContext, job: Job, parent: Variant, applied: Applied
) -> tuple[ModelDescription, JudgedOutput | None]:
    """What a new file holds, its output read as the parent's is: a technique keeps what it means.

    Args:
        context: Where the work runs.
        job: Hears of its progress.
        parent: The variant that the file was made from.
        applied: The new file.

    Returns:
        Its description, and which of its outputs a session must give.
    """
    before = parent.description
    position = carried_position(applied.description, before)
    description = applied.description.model_copy(
        update={
            "task": before.task,
            "weighted": before.weighted,
            "from_logits": before.from_logits,
            "output": before.output,
        }
    )
    outputs = [
        JudgedOutput(name=spec.name, position=number) for number, spec in enumerate(description.outputs)
    ]
    trusted = parent.settings.trusted and applied.format == "keras"
    settings = applied.settings.model_copy(update={"trusted": trusted})
    made = Candidate(variant=parent.id, path=applied.path, runtime=applied.runtime, settings=settings)
    if len(outputs) > 1 and not runtime(applied.runtime).needs_gpu:
        position = await run_step(
            context,
            job,
            worker_functions.match_output,
            Candidate(variant=parent.id, path=parent.path, runtime=parent.runtime, settings=parent.settings),
            made,
            outputs,
            position,
            context.queries.dataset.folder,
            worker=_worker(parent.runtime, applied.runtime),
        )
    if len(outputs) > 1:
        description = description.model_copy(update={"output": position})
    if before.doubts:
        # what the technique trained may be right where its parent was not
        found: OutputReading = await run_step(
            context,
            job,
            worker_functions.read_output,
            applied.path,
            applied.runtime,
            settings.model_copy(update={"output": description.judged_output}),
            description,
            context.queries.dataset.folder,
            OutputWish(from_logits=before.from_logits),
            worker=runtime(applied.runtime).worker,
        )
        description = description.model_copy(update={"doubts": found.doubts})
    return description, description.judged_output


def _worker(*runtimes: str) -> Literal["tensorflow", "light"]:
    return "tensorflow" if any(runtime(name).imports_tensorflow for name in runtimes) else "light"
