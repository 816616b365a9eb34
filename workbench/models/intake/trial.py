"""Tries .tflite and .onnx files: reads, checks, loads and runs each once on zeros.

As a program (``python -m workbench.models.intake.trial ADDRESS_SPACE CPU_SECONDS FORMAT FILE ...``) it
writes one line of JSON per file: ``{"description": ..., "maps_left_out": ...}`` or ``{"problem": ...,
"action": ..., "refused": ...}``. A file that kills the process leaves its line missing.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from workbench.api.errors import InvalidInput, WorkbenchError, error_from_json
from workbench.api.library_errors import reason_of
from workbench.api.technique import Reporter
from workbench.api.text import Text, say
from workbench.api.variant import ModelDescription
from workbench.jobs.child_process import ChildExit, ChildLimits, limit_this_process, run_limited
from workbench.models.intake.findings import LARGEST_ACTIVATION_ELEMENTS, damaged
from workbench.models.intake.onnx_maps import without_maps
from workbench.models.intake.parity import LENGTHS
from workbench.models.reading.description import describe

Tried = Literal["tflite", "onnx"]

_TITLES = {"tflite": "LiteRT", "onnx": "ONNX Runtime"}


@dataclass(frozen=True)
class TriedFile:
    """What a file that could be run holds.

    Attributes:
        description: Of the file.
        notes: What was changed in it.
    """

    description: ModelDescription
    notes: tuple[Text, ...] = ()


def try_file(report: Reporter, path: Path, format: Tried) -> TriedFile:
    """Loads and runs a file once in a process of its own.

    Args:
        report: Asked for cancellation.
        path: The workbench's own copy of the file; see :func:`workbench.models.intake.onnx_maps.without_maps`
            for what is changed in it.
        format: Its format.

    Raises:
        workbench.api.errors.InvalidInput: If it cannot be loaded or run, with the reason.
        workbench.api.errors.Refused: If it keeps weights in other files.
    """
    size = path.stat().st_size
    limits = ChildLimits(address_space_bytes=(4 << 30) + 8 * size, cpu_seconds=60, wall_seconds=90)
    ended = run_limited("workbench.models.intake.trial", [format, str(path)], limits, report)
    if not ended.answers:
        raise InvalidInput(
            _death(path.name, _TITLES[format], ended), say("It is damaged or hostile: do not use it.")
        )
    return from_line(ended.answers[-1])


def from_line(line: str) -> TriedFile:
    """What one line of the program's output says.

    Raises:
        workbench.api.errors.WorkbenchError: The file's problem.
    """
    said = json.loads(line)
    if "description" in said:
        note = say(
            "The list of dictionaries at its end (ZipMap) is left out: the array of probabilities that they "
            "are made of is the output."
        )
        description = ModelDescription.model_validate(said["description"])
        return TriedFile(description, (note,) if said.get("maps_left_out") else ())
    raise error_from_json(said)


def _death(name: str, title: str, ended: ChildExit) -> Text:
    if ended.out_of_time:
        return say("{runtime} did not finish loading {name} in time.", runtime=title, name=name)
    if ended.signal_name == "SIGXCPU":
        return say("{runtime} used up its CPU time on {name}.", runtime=title, name=name)
    if ended.signal_name:
        return say(
            "{runtime} crashed on {name} ({signal}); the crash was contained.",
            runtime=title,
            name=name,
            signal=ended.signal_name,
        )
    return say(
        "{runtime} ended on {name} with status {code}: {reason}",
        runtime=title,
        name=name,
        code=ended.code,
        reason=ended.last_line,
    )


def _try(path: Path, format: str) -> dict[str, Any]:
    left_out = format == "onnx" and without_maps(path)
    if format == "tflite":
        description = describe(path, "tflite")
        _run_tflite(path)
    else:
        description = describe(path, "onnx")
        _run_onnx(path)
    return {"description": description.model_dump(mode="json"), "maps_left_out": left_out}


def _run_tflite(path: Path) -> None:
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path), num_threads=1)
    details = interpreter.get_input_details()

    def run(length: int) -> None:
        for detail in details:
            shape = [int(size) for size in detail["shape"]]
            if _is_free(detail["shape_signature"]):
                signature = [int(size) for size in detail["shape_signature"]]
                shape = [shape[0], *(length if size < 0 else size for size in signature[1:])]
                _check_elements(shape, path.name)
                interpreter.resize_tensor_input(detail["index"], shape)
            _check_elements(shape, path.name)
        interpreter.allocate_tensors()
        for detail in interpreter.get_input_details():
            interpreter.set_tensor(detail["index"], np.zeros(detail["shape"], detail["dtype"]))
        interpreter.invoke()
        for detail in interpreter.get_output_details():
            interpreter.get_tensor(detail["index"])

    _run_on_some_length(run, free=any(_is_free(detail["shape_signature"]) for detail in details))


def _is_free(signature: Any) -> bool:
    return any(int(size) < 0 for size in signature[1:])


def _run_on_some_length(run: Callable[[int], None], *, free: bool) -> None:
    """Runs a file once; lengths that it leaves free are made up, and tried in turn until one fits.

    Where none fits it is no verdict: the data's own length is tried before the file is stored.
    """
    if not free:
        run(1)
        return
    for length in (1, *LENGTHS):
        try:
            run(length)
            return
        # the runtimes raise whatever their kernels raise
        except Exception as error:
            if isinstance(error, InvalidInput):  # too large to be tried
                raise


def _run_onnx(path: Path) -> None:
    import numpy as np
    import onnx

    from workbench.api.privacy import import_onnxruntime
    from workbench.models.reading.onnx_graph import read_onnx

    onnxruntime = import_onnxruntime()
    onnx.checker.check_model(read_onnx(path))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    inputs = session.get_inputs()

    def run(length: int) -> None:
        feeds: dict[str, Any] = {}
        for value in inputs:
            # the first axis is the batch
            sizes = [length if place else 1 for place in range(len(value.shape))]
            shape = [
                given if isinstance(given, int) and given > 0 else size
                for given, size in zip(value.shape, sizes, strict=True)
            ]
            _check_elements(shape, path.name)
            element = value.type.removeprefix("tensor(").removesuffix(")")
            kind = {"float": "float32", "double": "float64", "string": "object"}.get(element, element)
            feeds[value.name] = np.full(shape, "", object) if kind == "object" else np.zeros(shape, kind)
        session.run(None, feeds)

    free = any(not isinstance(size, int) or size < 1 for value in inputs for size in value.shape[1:])
    _run_on_some_length(run, free=free)


def _check_elements(shape: Any, name: str) -> None:
    elements = 1
    for length in shape:
        elements *= int(length)
    if elements > LARGEST_ACTIVATION_ELEMENTS:
        raise InvalidInput(
            say(
                "{name} wants an input of {elements:,} numbers; the limit is {limit:,}.",
                name=name,
                elements=elements,
                limit=LARGEST_ACTIVATION_ELEMENTS,
            )
        )


def _line(path: Path, format: str) -> str:
    try:
        return json.dumps(_try(path, format))
    except WorkbenchError as error:
        found = error
    except MemoryError:
        found = InvalidInput(
            say("{name} needs more memory than a model file is allowed.", name=path.name),
            say("It is damaged or hostile: do not use it."),
        )
    # onnx.checker, ONNX Runtime and LiteRT have error classes of their own, and none is documented
    except Exception as error:
        found = _cannot_run(path.name, format, error)
    return json.dumps(found.as_json())


def _cannot_run(name: str, format: str, error: Exception) -> WorkbenchError:
    reason = reason_of(error) if str(error).strip() else ""
    if "Flex" in reason:
        return InvalidInput(
            say("{name} uses TensorFlow operators (Flex), which LiteRT alone does not have.", name=name),
            say("Convert it with the built-in operators only (OpsSet.TFLITE_BUILTINS)."),
        )
    if not reason:
        return InvalidInput(damaged(name).problem, damaged(name).action)
    return InvalidInput(
        say("{runtime} cannot run {name}: {reason}", runtime=_TITLES[format], name=name, reason=reason),
        say("If it ran elsewhere, copy or export it again."),
    )


def main() -> None:
    """Tries each file named on the command line."""
    arguments = limit_this_process(sys.argv[1:])
    warnings.simplefilter("ignore")
    for name in arguments[1:]:
        sys.stdout.write(_line(Path(name), arguments[0]) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
