"""Converts a large Keras file to ONNX in a process of its own: TensorFlow keeps what it once took.

As a program (``python -m workbench.models.converting.onnx_child``) it takes ADDRESS_SPACE CPU_SECONDS FILE
TARGET WEIGHTS TRUST OPSET and writes a line of JSON: ``{"done": true}``, or why it cannot.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

from workbench.api.errors import JobFailed, WorkbenchError, error_from_json
from workbench.api.technique import Reporter
from workbench.api.text import Text, say
from workbench.jobs.child_process import ChildExit, ChildLimits, limit_this_process, run_limited
from workbench.models.converting.conversion import OPSET

_LIBRARIES_BYTES = 24 << 30
"""Addresses that TensorFlow reserves without using them."""
_SECONDS = 3600


def to_onnx_in_child(
    report: Reporter, source: Path, target: Path, weights: Path | None, *, trust: bool, opset: int = OPSET
) -> Path:
    """Writes a float32 ONNX file; see :func:`workbench.models.converting.conversion.to_onnx`.

    Args:
        report: Asked for cancellation.
        source: A ``.keras`` file.
        target: The ``.onnx`` file to write.
        weights: A file for large constants, in the same folder; None writes one file.
        trust: Whether code inside the file may run.
        opset: Operator set version.

    Raises:
        workbench.api.errors.WorkbenchError: As the conversion in this process would, or if the process dies.
    """
    limits = ChildLimits(
        address_space_bytes=_LIBRARIES_BYTES + 16 * source.stat().st_size,
        cpu_seconds=_SECONDS,
        wall_seconds=_SECONDS,
    )
    trusted = "trust" if trust else "safe"
    arguments = [str(source), str(target), str(weights or ""), trusted, str(opset)]
    ended = run_limited("workbench.models.converting.onnx_child", arguments, limits, report)
    if not ended.answers:
        raise JobFailed(_death(ended))
    said = json.loads(ended.answers[-1])
    if "problem" in said:
        raise error_from_json(said)
    return target


def _death(ended: ChildExit) -> Text:
    if ended.out_of_time:
        return say("The conversion to ONNX took more than {seconds} s and was ended.", seconds=_SECONDS)
    return say(
        "The process that converts to ONNX ended with {how}: {reason}",
        how=ended.signal_name or str(ended.code),
        reason=ended.last_line,
    )


def main() -> None:
    """Converts the file named on the command line."""
    source, target, weights, trust, opset = limit_this_process(sys.argv[1:])
    warnings.simplefilter("ignore")
    from workbench.models.converting.conversion import load_keras, to_onnx

    beside = Path(weights) if weights else None
    said: dict[str, object] = {"done": True}
    try:
        model = load_keras(Path(source), trust=trust == "trust")
        to_onnx(model, Path(target), opset=int(opset), weights=beside)
    except WorkbenchError as error:
        said = error.as_json()
    sys.stdout.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    main()
