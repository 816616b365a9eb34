"""The cells of a grid: which runtime, precision, threads and batch; which cannot be, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from workbench.api.dataset import DatasetInfo
from workbench.api.technique import AnyTechnique, Parameters
from workbench.api.text import Text, say
from workbench.api.variant import RuntimeSettings, Skip, Variant
from workbench.measure.environment import available_cores
from workbench.runtimes import runtime
from workbench.techniques import techniques

PRECISIONS = ("float32", "float16", "bfloat16", "dynamic int8", "int8")

_TECHNIQUES: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {
    ("litert", "float16"): ("quantization.float16", {}),
    ("litert", "dynamic int8"): ("quantization.dynamic_range", {}),
    ("litert", "int8"): ("quantization.int8", {}),
    ("onnxruntime", "int8"): ("quantization.onnx_int8", {}),
    ("openvino", "int8"): ("quantization.openvino_int8", {}),
    ("tensorrt", "float32"): ("inference.tensorrt", {"precision": "float32"}),
    ("tensorrt", "float16"): ("inference.tensorrt", {"precision": "float16"}),
    ("tensorrt", "bfloat16"): ("inference.tensorrt", {"precision": "bfloat16"}),
    ("tensorrt", "int8"): ("inference.tensorrt", {"precision": "int8"}),
}

_OF_FILES: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {
    ("litert", "int8"): ("quantization.litert_int8", {}),
    ("onnxruntime", "float16"): ("quantization.float16", {}),
    ("onnxruntime", "dynamic int8"): ("quantization.dynamic_range", {}),
}
"""What takes the place of :data:`_TECHNIQUES` and :data:`DERIVED` for a file that is not Keras."""

DERIVED = frozenset({("onnxruntime", "float16"), ("onnxruntime", "dynamic int8"), ("openvino", "float16")})
"""Made from the runtime's float32 file by a single call of its own tools."""


@dataclass(frozen=True)
class Model:
    """One file of the grid.

    Attributes:
        runtime: What runs it.
        precision: What it stores or computes with.
    """

    runtime: str
    precision: str

    @property
    def label(self) -> str:
        """As a reader sees it, such as ``LiteRT, int8``."""
        return f"{runtime(self.runtime).title}, {self.precision}"


@dataclass(frozen=True)
class Cell:
    """One way to run one file."""

    model: Model
    threads: int
    batch: int

    @property
    def id(self) -> str:
        """Identifies it among the candidates of a measurement."""
        return f"{self.model.runtime}/{self.model.precision}/{self.threads}/{self.batch}"

    @property
    def settings(self) -> RuntimeSettings:
        """How the runtime runs it."""
        return RuntimeSettings(threads=self.threads, batch=self.batch)

    @property
    def label(self) -> str:
        """As a reader sees it."""
        return f"{self.model.label}, {self.threads} / {self.batch}"


@dataclass(frozen=True)
class FileRecipe:
    """How a file of the grid is made.

    Attributes:
        technique: What makes it; None where the parent's own file is run.
        parameters: That technique's.
        derived: Whether one more call makes it of what the technique made.
    """

    technique: AnyTechnique | None = None
    parameters: Parameters | None = None
    derived: bool = False


def cells_of(
    runtimes: tuple[str, ...], precisions: tuple[str, ...], threads: tuple[int, ...], batches: tuple[int, ...]
) -> list[Cell]:
    """Every combination, in order."""
    return [
        Cell(Model(name, precision), count, batch)
        for name in runtimes
        for precision in precisions
        for count in threads
        for batch in batches
    ]


def cell_obstacle(cell: Cell) -> Text | None:
    """Why a cell cannot be measured on this machine, whatever the model."""
    target = runtime(cell.model.runtime)
    if (missing := target.unavailable()) is not None:
        return missing
    if cell.threads > 1 and not target.supports_threads:
        return say("{runtime} takes no number of threads.", runtime=target.title)
    if cell.threads > (cores := available_cores()):
        return say("This machine has {cores} cores: more threads would wait for each other.", cores=cores)
    return None


def way_of(model: Model, parent: Variant, dataset: DatasetInfo | None) -> FileRecipe | Text:
    """How a file is made of the parent, or why it cannot be.

    Args:
        model: What is wanted.
        parent: The variant to start from.
        dataset: The data; None where it is not known what is installed where the file will be made.
    """
    target = runtime(model.runtime)
    if parent.format in target.formats and model.precision == parent.description.precision:
        return FileRecipe()
    if target.imports_tensorflow:
        return say("{runtime} runs the weights as they are.", runtime=target.title)
    of_file = None if parent.format == "keras" else _OF_FILES.get((model.runtime, model.precision))
    derived = of_file is None and (model.runtime, model.precision) in DERIVED
    if of_file is not None:
        name, values = of_file
    elif model.precision == "float32" or derived:
        name, values = _TECHNIQUES.get(
            (model.runtime, "float32"), ("inference.runtime", {"runtime": model.runtime})
        )
    elif (model.runtime, model.precision) in _TECHNIQUES:
        name, values = _TECHNIQUES[model.runtime, model.precision]
    else:
        return say(
            "No {precision} file for {runtime} is made here.", precision=model.precision, runtime=target.title
        )
    technique = techniques().get(name)
    if technique is None:
        return say("The technique {name} is not installed.", name=name)
    parameters = technique.parameters_type.model_validate(values)
    reason = None
    if dataset is not None:
        reason = technique.lacks(parent, parameters) or technique.obstacle(parent, dataset, parameters)
    return reason or FileRecipe(technique, parameters, derived)


def skips(refused: dict[Cell, Text], cells: list[Cell]) -> tuple[Skip, ...]:
    """What was not measured: a file once, where none of its cells was."""
    found = []
    for model in dict.fromkeys(cell.model for cell in cells):
        own = [cell for cell in cells if cell.model == model]
        gone = [cell for cell in own if cell in refused]
        if len(gone) == len(own) and all(refused[cell] == refused[gone[0]] for cell in gone):
            found.append(Skip(name=model.label, reason=refused[gone[0]]))
            continue
        found += [Skip(name=f"{cell.label} (threads / batch)", reason=refused[cell]) for cell in gone]
    return tuple(found)
