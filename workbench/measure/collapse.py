"""What destroyed it: how far each tensor of a quantized file is from that of its float parent.

The measure is the signal-to-noise ratio, 10 log10(sum x^2 / sum (x - q)^2) in decibels, over all
values of a tensor and all samples: 20 dB are an error of a tenth, 0 dB as much error as signal. Each
halving of the step of rounding adds 6 dB. Down the graph it falls slowly; where it breaks, the layer
that broke it has inputs that were still good.

``litert_quantizer.model_validator`` and ``onnxruntime.quantization.qdq_loss_debug`` compare tensors too.
The first averages each sample's ratio of powers, which the best sample decides (7368 where all samples
together give 38.6 dB), and makes two interpreters for each sample; the second keeps every tensor of every
sample in memory, and knows only tensors beside a pair of quantizing nodes. Neither knows which layer comes
before which, nor can it be cancelled.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from workbench.api.dataset import Dataset, Features, sample_count, select
from workbench.api.errors import InvalidInput
from workbench.api.technique import Reporter
from workbench.api.text import Text, say
from workbench.api.variant import Table
from workbench.measure.intermediate_tensors import BY_SUFFIX, Step, TransparentFile

BAD_DB = 10.0
"""Below it, the error is more than a third of the signal: predictions suffer."""

_NUMBERED = re.compile(r"__\d+(:\d+)?$")
"""Names that the ONNX converter numbers: the same one may mean another tensor in the other file."""
_OUTPUTS = ("StatefulPartitionedCall", "Identity")
"""What converters call the output of a model."""


@dataclass(frozen=True)
class LayerError:
    """How far one tensor is from its float counterpart.

    Attributes:
        name: The layer that gives it.
        kind: The operator's type in the float file.
        snr: In decibels; ``inf`` if equal.
        before: The lowest of the layer's inputs, in decibels; ``inf`` where nothing precedes it.
    """

    name: str
    kind: str
    snr: float
    before: float


def error_by_layer(
    float_path: Path, quantized_path: Path, samples: Features, check: Callable[[], None] | None = None
) -> Table:
    """The signal-to-noise ratio of every tensor that both files have, in order of execution.

    Args:
        float_path: The float32 file, ``.tflite`` or ``.onnx``.
        quantized_path: What was made of it, of the same format.
        samples: Model inputs, float32, with a batch axis; a few dozen are enough.
        check: Called before each sample, such as a reporter's.

    Returns:
        For each operation its SNR and that of its inputs; the note names the first bad layer, or says
        that there is none.

    Raises:
        InvalidInput: If the formats differ, or the two have no tensor in common.
    """
    found = layer_errors(float_path, quantized_path, samples, check)
    return Table(
        title=say("Error down the graph, against the float32 parent"),
        columns=(say("Layer"), say("SNR (dB)"), say("SNR of its inputs (dB)"), say("Operation")),
        rows=tuple((item.name, _shown(item.snr), _shown(item.before), item.kind) for item in found),
        picture="bars",
        note=verdict(found),
    )


def layer_errors(
    float_path: Path, quantized_path: Path, samples: Features, check: Callable[[], None] | None = None
) -> list[LayerError]:
    """What :func:`error_by_layer` shows; ``check`` is called before each sample."""
    open_file = BY_SUFFIX.get(float_path.suffix)
    if open_file is None or float_path.suffix != quantized_path.suffix:
        raise InvalidInput(
            say(
                "Layers can be compared between two .tflite files or two .onnx files. "
                "Received: {first}, {second}.",
                first=float_path.name,
                second=quantized_path.name,
            )
        )
    exact, rounded = open_file(float_path), open_file(quantized_path)
    pairs = _pairs(exact.steps, rounded.steps)
    signal, noise, _ = powers(exact, rounded, pairs, samples, check)
    if not signal:
        raise InvalidInput(
            say(
                "{first} and {second} have no tensor in common: they are not made of the same model.",
                first=float_path.name,
                second=quantized_path.name,
            )
        )
    snr = {name: decibels(signal[name], noise[name]) for name in signal}
    givers = {step.output: step for step in exact.steps}
    return [
        LayerError(_layer(step.output), step.kind, snr[step.output], lowest_before(step, givers, snr))
        for step in exact.steps
        if step.output in snr
    ]


def powers(
    exact: TransparentFile,
    rounded: TransparentFile,
    pairs: Mapping[str, str],
    samples: Features,
    check: Callable[[], None] | None = None,
) -> tuple[dict[str, float], dict[str, float], frozenset[str]]:
    """The power of tensors and of their errors, over all values and samples.

    Args:
        exact: The file that is right.
        rounded: The other one.
        pairs: Names of its tensors by those of the first.
        samples: Model inputs, with a batch axis.
        check: Called before each sample.

    Returns:
        Signal and noise by the name in the first file, of those that both show; and the names of those whose
        shapes differ.
    """
    signal: dict[str, float] = {}
    noise: dict[str, float] = {}
    unlike = set()
    for row in range(sample_count(samples)):
        if check is not None:
            check()
        sample = select(samples, slice(row, row + 1))
        expected, got = exact.run(sample), rounded.run(sample)
        for name, counterpart in pairs.items():
            x, q = expected.get(name), got.get(counterpart)
            if x is None or q is None or not x.size:
                continue
            if x.shape != q.shape:
                unlike.add(name)
                continue
            signal[name] = signal.get(name, 0.0) + float(np.square(x, dtype=np.float64).sum())
            noise[name] = noise.get(name, 0.0) + float(np.square(x - q, dtype=np.float64).sum())
    return signal, noise, frozenset(unlike)


def verdict(found: list[LayerError]) -> Text:
    """The first bad layer in words: the first whose SNR is below :data:`BAD_DB`."""
    for item in found:
        if not item.snr >= BAD_DB:  # not a number is bad too
            if item.before >= BAD_DB:
                return say(
                    "First bad layer: {layer} ({kind}). What it gives has {snr} dB, what it takes {before} "
                    "dB: the error arises there. Keep it in a higher precision.",
                    layer=item.name,
                    kind=item.kind,
                    snr=_words(item.snr),
                    before=_words(item.before),
                )
            return say(
                "First bad layer: {layer} ({kind}) with {snr} dB.",
                layer=item.name,
                kind=item.kind,
                snr=_words(item.snr),
            )
    worst = min(found, key=lambda item: item.snr)
    return say(
        "No layer is bad: the lowest SNR is {snr} dB, at {layer} ({kind}).",
        snr=_words(worst.snr),
        layer=worst.name,
        kind=worst.kind,
    )


def explain_collapse(
    report: Reporter, exact: Path, quantized: Path, dataset_folder: Path, count: int = 32
) -> Table:
    """As a job: :func:`error_by_layer` on samples of the validation split.

    Args:
        report: Progress and cancellation.
        exact: The float32 file.
        quantized: What was made of it.
        dataset_folder: The prepared data.
        count: How many samples, drawn with a fixed seed.
    """
    from workbench.jobs.slot import shared_slot

    with shared_slot(report):
        report.stage(say("Comparing layer by layer"))
        features = Dataset(dataset_folder).x("validation")
        whole = sample_count(features)
        index = np.sort(np.random.default_rng(0).choice(whole, min(count, whole), replace=False))
        table = error_by_layer(exact, quantized, select(features, index), report.check)
    report.progress(1.0)
    return table


def _pairs(exact: list[Step], rounded: list[Step]) -> dict[str, str]:
    """Tensor of the float file to that of the quantized one, by name."""
    by_key: dict[str, str] = {}
    for step in rounded:
        if step.kind not in ("QUANTIZE", "QuantizeLinear"):
            # A file that gives float32 ends in DEQUANTIZE: the last of a name counts.
            by_key[_key(step.output)] = step.output
    return {
        step.output: by_key[_key(step.output)]
        for step in exact
        if _key(step.output) in by_key and not _NUMBERED.search(step.output)
    }


def _key(name: str) -> str:
    # LiteRT names a fused tensor after its parts, the outermost first; converters add suffixes.
    first = name.partition(";")[0]
    return re.sub(r"(_dequant|_QuantizeLinear_Input|_DequantizeLinear_Output)$", "", first)


def _layer(name: str) -> str:
    """The Keras layer in a tensor's name, where it tells: model/layer_1/BiasAdd:0."""
    if name.startswith(_OUTPUTS):
        return "output"
    parts = [part for part in _key(name).partition(":")[0].split("/") if part]
    return re.sub(r"_1$", "", parts[-2]) if len(parts) > 1 else parts[-1]


def lowest_before(step: Step, givers: Mapping[str, Step], snr: Mapping[str, float]) -> float:
    """The lowest ratio of what an operation takes, followed back to where one is known; ``inf`` for none."""
    lowest, waiting, seen = math.inf, list(step.inputs), set(step.inputs)
    while waiting:
        name = waiting.pop()
        if name in snr:
            lowest = min(lowest, snr[name])
        elif name in givers:
            more = [other for other in givers[name].inputs if other not in seen]
            seen.update(more)
            waiting += more
    return lowest


def decibels(signal: float, noise: float) -> float:
    """The signal-to-noise ratio of two powers; ``inf`` without noise."""
    if noise == 0:
        return math.inf
    return 10 * math.log10(signal / noise) if signal > 0 and math.isfinite(noise) else -math.inf


def _shown(decibels: float) -> float | None:
    return round(decibels, 1) if math.isfinite(decibels) else None


def _words(decibels: float) -> str:
    return f"{decibels:.1f}"
