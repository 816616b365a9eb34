"""Which correction of biases brings a quantized OpenVINO model nearest to the float32 one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def quantized(
    model: Any, rows: list[int], sample: Callable[[int], dict[str, Any]], preset: str, correction: str
) -> tuple[Any, str, dict[str, float]]:
    """A model in int8 by NNCF.

    Args:
        model: A float32 ``openvino.Model``.
        rows: Numbers of the calibration samples.
        sample: Gives the inputs of one of them by name, with a batch axis of one.
        preset: ``performance`` or ``mixed``.
        correction: ``fast``, ``exact``, ``none``, or ``automatic`` for whichever of fast and none has
            the smaller error on the calibration samples.

    Returns:
        The int8 model, the correction that it has, and for ``automatic`` the error with each: mean
        squared difference of the outputs from those of float32, relative to their mean square.
    """
    import nncf

    def with_correction(choice: str) -> Any:
        return nncf.quantize(
            model,
            nncf.Dataset(rows, sample),
            preset=nncf.QuantizationPreset[preset.upper()],
            subset_size=len(rows),
            fast_bias_correction=choice != "exact",
            advanced_parameters=nncf.AdvancedQuantizationParameters(disable_bias_correction=choice == "none"),
        )

    if correction != "automatic":
        return with_correction(correction), correction, {}
    found = {choice: with_correction(choice) for choice in ("fast", "none")}
    exact = _outputs(model, rows, sample)
    errors = {choice: _error(exact, _outputs(made, rows, sample)) for choice, made in found.items()}
    best = min(errors, key=lambda choice: errors[choice])
    return found[best], best, errors


def _outputs(model: Any, rows: list[int], sample: Callable[[int], dict[str, Any]]) -> list[list[Any]]:
    """What it computes: for each output, its value on every sample."""
    import openvino

    # In float32, as the file is timed: left alone, OpenVINO may compute in bfloat16.
    compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    given = [list(compiled(sample(row)).values()) for row in rows]
    return [[np.array(values[number]) for values in given] for number in range(len(compiled.outputs))]


def _error(exact: list[list[Any]], rounded: list[list[Any]]) -> float:
    """Noise by signal, the mean over outputs."""
    ratios = []
    for expected, found in zip(exact, rounded, strict=True):
        x, q = np.stack(expected), np.stack(found)
        ratios.append(float(np.square(x - q).mean() / max(np.square(x).mean(), 1e-30)))
    return sum(ratios) / len(ratios)
