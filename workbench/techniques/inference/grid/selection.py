"""Finds the best cell of a measured grid: limits, memory, and a last round between the best few."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.api.errors import Refused
from workbench.api.number_format import digits, size, time, time_interval
from workbench.api.technique import Context
from workbench.api.text import Text, say
from workbench.jobs.part import PartReporter
from workbench.jobs.slot import shared_slot
from workbench.measure.child_tasks import peak_memory
from workbench.measure.grid import PlayOff, may_share_a_process, play_off
from workbench.measure.latency import Candidate
from workbench.measure.records import LatencySummary
from workbench.techniques.inference.grid.cells import Cell, Model
from workbench.techniques.inference.grid.choice import FileQuality, limit_obstacle, ranked, simplest
from workbench.techniques.inference.grid.parameters import GridParameters

_FINALISTS = 4


class Selection:
    """Finds the best cell, and remembers why the others are not."""

    def __init__(
        self,
        context: Context,
        parameters: GridParameters,
        times: Mapping[Cell, LatencySummary],
        judged: Mapping[Model, FileQuality],
        candidates: Mapping[str, Candidate],
    ) -> None:
        self._context, self._parameters = context, parameters
        self._times, self._judged, self._candidates = times, judged, candidates
        self.excluded: dict[Cell, Text] = {}
        self.memory: dict[Cell, int | None] = {}
        self.final: dict[Cell, LatencySummary] = {}

    def best(self) -> Cell:
        """The best cell.

        Raises:
            Refused: If no cell keeps within the limits.
        """
        parameters = self._parameters
        for cell, summary in self._times.items():
            reason = limit_obstacle(
                cell,
                summary,
                self._judged[cell.model],
                parameters.limit_ms,
                parameters.tolerance,
                self._context.parent.description.task,
            )
            if reason is not None:
                self.excluded[cell] = reason
        finalists: list[Cell] = []
        for cell in ranked(self._times, parameters.goal):
            self._context.report.check()
            if len(finalists) == _FINALISTS:
                break
            fits = cell not in self.excluded and self._fits_memory(cell)
            if fits and may_share_a_process([self._candidate(x) for x in (*finalists, cell)]):
                finalists.append(cell)
        if not finalists:
            raise Refused(self._none())
        if len(finalists) == 1:
            return finalists[0]
        self._context.report.stage(say("Timing the best {count} again", count=len(finalists)))
        played: PlayOff = play_off(
            PartReporter(self._context.report, 0.92, 0.98),
            [self._candidate(cell) for cell in finalists],
            self._context.dataset.folder,
            seed=self._context.seed + 7919,
            per_sample=parameters.goal == "throughput",
        )
        self.final = dict(zip(finalists, played.summaries, strict=True))
        return simplest(finalists, played.told_apart, self._judged)

    def told(self, best: Cell) -> Text:
        """The choice in words."""
        summary = self.final.get(best, self._times[best])
        return say(
            "Best for {goal}: {model}, threads {threads}, batch {batch}: {time} a call {interval}, "
            "{rate} samples a second.",
            goal=say(self._parameters.goal),
            model=best.model.label,
            threads=best.threads,
            batch=best.batch,
            time=time(summary.p50_ms.value),
            interval=time_interval(summary.p50_ms),
            rate=digits(summary.throughput),
        )

    def _candidate(self, cell: Cell) -> Candidate:
        return self._candidates[cell.id]

    def _fits_memory(self, cell: Cell) -> bool:
        limit = self._parameters.limit_mb
        if not limit:
            return True
        with shared_slot(self._context.report):
            peak = peak_memory(
                self._context.report, self._candidate(cell), self._context.dataset.folder, split="validation"
            )
        self.memory[cell] = peak
        if peak is not None and peak / 1e6 > limit:
            self.excluded[cell] = say("It needs {memory} of memory.", memory=size(peak))
            return False
        return True

    def _none(self) -> Text:
        closest = next(iter(ranked(self._times, self._parameters.goal)), None)
        if closest is None:
            return say("No combination could be timed.")
        return say(
            "No combination keeps within the limits. The best otherwise, {cell} (threads / batch), takes "
            "{time}: {reason}",
            cell=closest.label,
            time=time(self._times[closest].p50_ms.value),
            reason=self.excluded.get(closest),
        )
