"""The steps of a job that find out what a model's output means, and carry it to what is made from it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

from workbench.api.dataset import Dataset, FurtherTarget
from workbench.api.errors import InvalidInput
from workbench.api.technique import Applied
from workbench.api.text import Text, say
from workbench.api.variant import FurtherOutput, JudgedOutput, ModelDescription, RuntimeSettings, Variant
from workbench.data.outputs import OutputWish, fits_data, judged_note, needed_text
from workbench.engine import worker_functions
from workbench.engine.context import JobContext
from workbench.engine.submit import run_step
from workbench.jobs.job import Job
from workbench.jobs.limits import Limits
from workbench.measure.latency import Candidate
from workbench.measure.output_matching import carried_position, keeps_names
from workbench.measure.output_reading import OutputReading
from workbench.models.intake.intake import OpenedModel
from workbench.plain.outputs import plain_name
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


async def with_further(
    context: JobContext, job: Job, opened: OpenedModel, home: str, dataset: Dataset
) -> tuple[OpenedModel, tuple[Text, ...]]:
    """A model with its further outputs that the data have labels for, and what is to be said of them.

    Args:
        context: Where the work runs.
        job: Hears of its progress.
        opened: The model, with what its first output means.
        home: The runtime that it runs in.
        dataset: The prepared data.
    """
    description, names = opened.description, [plain_name(spec.name) for spec in opened.description.outputs]
    further: list[FurtherOutput] = []
    notes: list[Text] = []
    for one in dataset.info.further:
        try:
            found, reading = await _further(context, job, opened, home, dataset, one, names)
        except InvalidInput as problem:
            reason = problem.text
            notes.append(say("The output {output} is not judged: {reason}", output=one.output, reason=reason))
            continue
        further.append(found)
        said = (reading.reason, *reading.doubts)
        notes += [say("{output}: {note}", output=one.output, note=note) for note in said]
    description = description.model_copy(update={"further": tuple(further)})
    judged = judged_note(description) if further else None
    return replace(opened, description=description), (*(() if judged is None else (judged,)), *notes)


async def _further(
    context: JobContext,
    job: Job,
    opened: OpenedModel,
    home: str,
    dataset: Dataset,
    target: FurtherTarget,
    names: list[str],
) -> tuple[FurtherOutput, OutputReading]:
    description = opened.description
    if names.count(target.output) != 1:
        raise InvalidInput(say("The model has no output of that name."))
    position, info = names.index(target.output), dataset.info.of(target.output)
    told = description.meanings[position] if description.meanings else "unknown"
    judged = FurtherOutput(
        name=target.output,
        key=target.key,
        position=position,
        task=target.task,
        weighted=target.weighted,
        from_logits=told != "probabilities",
    )
    one = description.model_copy(update={"further": (judged,)}).of(target.output)
    if not fits_data(one.judged, info):
        raise InvalidInput(
            say(
                "It has the shape {shape}, and the data need {needed} of each sample.",
                shape=str(one.judged.shape),
                needed=needed_text(info),
            )
        )
    found: OutputReading = await run_step(
        context,
        job,
        worker_functions.read_output,
        opened.path,
        home,
        opened_settings(opened).model_copy(update={"output": one.judged_output}),
        one,
        dataset.folder,
        OutputWish(),
        target.output,
        worker="tensorflow" if opened.needs_tensorflow else "light",
        limits=limits_beside(dataset.folder),
    )
    if found.refusal is not None:
        raise found.refusal
    reading = {"from_logits": found.from_logits, "reading": found.reason, "doubts": found.doubts}
    return judged.model_copy(update=reading), found


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
    first = carried_position(applied.description, before)
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

    # Nothing renames them from Keras to Keras, and what was trained anew has other values than its parent.
    named = applied.format == parent.format == "keras" and keeps_names(applied.description, before)

    async def position_of(output: str | None, expected: int) -> int:
        """Where the values of one of the parent's outputs are in the new file."""
        if named or runtime(applied.runtime).needs_gpu:
            return expected
        judged = before.of(output).judged_output
        source = Candidate(
            variant=parent.id,
            path=parent.path,
            runtime=parent.runtime,
            settings=parent.settings.model_copy(update={"output": judged}),
        )
        found: int = await run_step(
            context,
            job,
            worker_functions.match_output,
            source,
            made,
            outputs,
            expected,
            context.queries.dataset.folder,
            worker=_worker(parent.runtime, applied.runtime),
        )
        return found

    if len(outputs) > 1:
        further = [
            one.model_copy(
                update={
                    "position": await position_of(
                        one.name, carried_position(applied.description, before.of(one.name))
                    )
                }
            )
            for one in before.further
        ]
        description = description.model_copy(
            update={"output": await position_of(None, first), "further": tuple(further)}
        )
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
