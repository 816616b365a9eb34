"""Each layer quantized alone and measured; then how many of the most sensitive ones must be spared."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from workbench.api.technique import Context
from workbench.api.text import say
from workbench.exporting.judging import FileJudge
from workbench.jobs.curves import curves_of
from workbench.measure.records import Interval
from workbench.plain.litert import sensitivity
from workbench.plain.litert.sensitivity import FOUR_BIT_WEIGHTS, Operation
from workbench.plain.measures import MEASURES
from workbench.techniques.quantization.litert_recipes import drawn, input_names, quiet, refusing, samples
from workbench.techniques.quantization.mixed_precision_code import judged_output

if TYPE_CHECKING:
    from workbench.techniques.quantization.mixed_precision import MixedPrecisionParameters

CALIBRATION = 100
"""Of the samples, so many give the ranges of activations."""


class PrecisionSearch:
    """One application: the float32 file, the samples, and what was measured.

    Args:
        context: The technique's context.
        parameters: What most layers get, what the sensitive ones get.
        source: The parent as a float32 file.
        trial: Where files are written that are only measured.

    Attributes:
        operations: Those that can be quantized.
        reused: Whether the sweep is that of an earlier run.
        exact: The measure of the float32 file.
    """

    def __init__(
        self, context: Context, parameters: MixedPrecisionParameters, source: Path, trial: Path
    ) -> None:
        self._context, self._parameters, self._source, self._trial = context, parameters, source, trial
        self.operations: list[Operation] = sensitivity.operations(source)
        index = drawn(context, "validation", parameters.samples, parameters.seed)
        self._samples = list(samples(context, "validation", index, input_names(context)))
        description, info = context.parent.description, context.dataset.info
        self._output = judged_output(description)
        self._task, self._from_logits = description.task, description.from_logits
        if self._task == "agreement":
            context.report.stage(say("Predicting"))
            labels = sensitivity.predictions(source, self._samples, self._output)
        else:
            labels = np.asarray(context.dataset.y("validation"))[index]
        self._labels = labels
        weights = context.dataset.weights("validation")
        self._weights = None if weights is None else weights[index]
        self._judge = FileJudge(
            info, labels, from_logits=self._from_logits, seed=parameters.seed, weights=self._weights
        )
        self._calibration: dict[str, Any] | None = None
        if parameters.low == "int8":
            context.report.stage(say("Calibrating"))
            with quiet(), refusing():
                self._calibration = sensitivity.calibrated(source, self._samples[:CALIBRATION])
            context.report.check()
        self.reused = False
        self.exact = 0.0

    def uniform(self) -> dict[str, int]:
        """Every operation at the low precision, by scope."""
        four = self._parameters.low_bits == 4
        return {item.scope: 4 if four and item.kind in FOUR_BIT_WEIGHTS else 8 for item in self.operations}

    def mixed(self, kept: list[str]) -> dict[str, int]:
        """Every operation at the low precision, but these."""
        high = self._parameters.kept_bits
        bits = {scope: count for scope, count in self.uniform().items() if scope not in kept}
        return bits if high is None else bits | dict.fromkeys(kept, high)

    def quantize(self, target: Path, bits: Mapping[str, int]) -> None:
        """Writes a file; one without any quantized operation is the float32 file."""
        if not bits:
            target.write_bytes(self._source.read_bytes())
            return
        with quiet(), refusing():
            sensitivity.quantize(self._source, target, bits, self._calibration)

    def swept(self) -> dict[str, tuple[float, float]]:
        """SNR and score by scope with that operation alone quantized; from an earlier run if there is one."""
        report = self._context.report
        report.stage(say("Measuring each layer"))
        report.check()
        self.exact = self._score(self._source)
        store = self._store()
        try:
            known = json.loads(store.read_text("utf-8"))
            self.reused = True
            return {scope: (snr, f1) for scope, snr, f1 in known}
        except (OSError, ValueError, TypeError):
            pass
        found: dict[str, tuple[float, float]] = {}
        bits = self.uniform()
        with quiet(), refusing():
            steps = sensitivity.sweep(
                self._source,
                self._trial,
                self._samples,
                self._score_of,
                bits,
                self._calibration,
                self._output,
            )
            for scope, snr, f1 in steps:
                found[scope] = snr, f1
                report.metric(curves_of(self._task).layers_tried, len(found), f1)
                report.progress(0.15 + 0.55 * len(found) / len(bits))
                report.check()
        _write(store, json.dumps([[scope, *values] for scope, values in found.items()]))
        return found

    def tried(self, order: list[str]) -> list[tuple[int, float]]:
        """Numbers of kept operations that were tried, with their score; the last is the choice."""
        report = self._context.report
        report.stage(say("Choosing"))

        def score_with(kept: list[str]) -> float:
            report.check()
            self.quantize(self._trial, self.mixed(kept))
            score = self._score(self._trial)
            report.metric(curves_of(self._task).layers_kept, len(kept), score)
            report.progress(0.71 + 0.2 * len(kept) / len(order))
            return score

        if self._parameters.by == "layers":
            count = min(self._parameters.layers, len(order))
            return [(count, score_with(order[:count]))]
        return sensitivity.choose(
            order, self.exact, self._parameters.budget / 100, score_with, MEASURES[self._task]
        )

    def _score(self, path: Path) -> float:
        return self._score_of(sensitivity.predictions(path, self._samples, self._output))

    def _score_of(self, outputs: npt.NDArray[Any]) -> float:
        return MEASURES[self._task].of(
            outputs, self._labels, from_logits=self._from_logits, weights=self._weights
        )

    def change(self, path: Path) -> Interval:
        """How much better a file is than float32 on these samples, with its paired interval."""
        return self._judge.change(self._answers(self._source), self._answers(path))

    def _answers(self, path: Path) -> npt.NDArray[Any]:
        return self._judge.answers(sensitivity.predictions(path, self._samples, self._output))

    def _store(self) -> Path:
        """Where the sweep is kept: with the parent, so that it goes when the parent goes."""
        parent, own = self._context.parent.path, self._parameters
        content = hashlib.sha256(parent.read_bytes()).hexdigest()
        asked = [content, self._context.dataset.info.sha256, own.low, own.samples, own.seed, self._output]
        if self._task != "classification":
            asked.append(self._task)
        key = hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:16]
        return parent.with_name(f"sensitivity-{key}.json")


def _write(path: Path, text: str) -> None:
    part = path.with_suffix(".part")
    try:
        part.write_text(text, "utf-8")
        part.replace(path)
    except OSError:  # it is measured again next time
        part.unlink(missing_ok=True)
