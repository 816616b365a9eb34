"""What somebody needs of a model: how large, slow and worse it may be, and how long a search may take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError

from workbench.api.errors import InvalidInput
from workbench.api.records import Record
from workbench.api.task import Task, measure_of
from workbench.api.text import Text, say
from workbench.runtimes import runtime, runtimes

Want = Literal["smaller", "faster", "both"]
WANTED: dict[Want, Text] = {
    "smaller": say("smaller"),
    "faster": say("faster"),
    "both": say("smaller and faster"),
}


def _known_runtime(name: str | None) -> str | None:
    if name is not None and name not in runtimes():
        raise ValueError(f"runtime must be one of {list(runtimes())}. Received: {name!r}")
    return name


KnownRuntime = Annotated[str | None, AfterValidator(_known_runtime)]
"""Name of a runtime of this machine or another; None for any."""


class Demands(Record):
    """What is needed; whatever is None is not asked for.

    Of what meets the demands, the best is the one that ``want`` says.

    Attributes:
        want: A smaller file, a shorter latency, or both; None is the fastest where the size was limited, the
            smallest where only the latency was, and both where neither was.
        size_kb: Bytes of the file, at most, in thousands.
        latency_ms: Median time of one call, at most, in milliseconds.
        runtime: What it has to run in; None for any of this machine.
        threads: Threads inside one inference; None is one.
        loss_points: How much the measure of the task (macro F1 of a classification) may fall against the
            model as it came, at most, in points; None is one point, as elsewhere.
        minutes: How long the search may take; None until nothing better is to be expected.
        training: Whether techniques that train are tried.

    Example:
        >>> Demands(size_kb=20, loss_points=1.0).wanted
        'faster'
    """

    want: Want | None = None
    size_kb: float | None = Field(None, gt=0)
    latency_ms: float | None = Field(None, gt=0)
    runtime: KnownRuntime = None
    threads: int | None = Field(None, ge=1, le=256)
    loss_points: float | None = Field(None, ge=0, le=100)
    minutes: float | None = Field(None, gt=0)
    training: bool = True

    @property
    def wanted(self) -> Want:
        """What is improved within the demands: ``faster``, ``smaller`` or ``both``."""
        if self.want is not None:
            return self.want
        if (self.size_kb is None) == (self.latency_ms is None):
            return "both" if self.size_kb is None else "faster"
        return "smaller" if self.size_kb is None else "faster"

    def words(self, task: Task) -> Text:
        """The demands in words, with the measure of a task."""
        parts: list[Text] = [] if self.want is None else [WANTED[self.want]]
        if self.size_kb is not None:
            parts.append(say("at most {size} kB", size=f"{self.size_kb:g}"))
        if self.latency_ms is not None:
            parts.append(say("at most {time} ms", time=f"{self.latency_ms:g}"))
        if self.runtime is not None:
            parts.append(say("in {runtime}", runtime=Text(template=runtime(self.runtime).title)))
        if self.threads is not None:
            parts.append(say("{count} thread", "{count} threads", count=self.threads))
        if self.loss_points is not None:
            parts.append(
                say(
                    "a loss of at most {points} {unit}",
                    points=f"{self.loss_points:g}",
                    unit=measure_of(task).unit,
                )
            )
        if not self.training:
            parts.append(say("no training"))
        if self.minutes is not None:
            parts.append(say("within {minutes} min", minutes=f"{self.minutes:g}"))
        return say("{demands}", demands=tuple(parts)) if parts else WANTED["both"]


def parse_demands(values: Mapping[str, Any]) -> Demands:
    """Demands from what somebody has sent.

    Args:
        values: By the names of :class:`Demands`.

    Raises:
        InvalidInput: With what is allowed.
    """
    try:
        return Demands.model_validate(dict(values))
    except ValidationError as error:
        field = str(error.errors()[0]["loc"][0]) if error.errors()[0]["loc"] else ""
        match field:
            case "want":
                reason = say("A goal is one of: {names}.", names=tuple(WANTED))
            case "runtime":
                reason = say("The runtimes are: {names}.", names=tuple(runtimes()))
            case "threads":
                reason = say("The number of threads is between 1 and 256.")
            case "loss_points":
                reason = say("How much may be lost is between 0 and 100 points, such as 1.0.")
            case "size_kb" | "latency_ms" | "minutes" | "training":
                reason = say(
                    "Size (kB), latency (ms) and time (minutes) are numbers above 0; training is yes or no."
                )
            case _:
                reason = say("The demands are: {names}.", names=tuple(Demands.model_fields))
        raise InvalidInput(
            say(
                "{name} cannot be demanded like this: {value}.",
                name=field,
                value=repr(values.get(field)),
            ),
            reason,
        ) from None
