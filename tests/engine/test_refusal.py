"""Why a technique is refused: what the machine lacks, the wrong order, another way, or the model itself."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from workbench.api.dataset import DatasetInfo
from workbench.api.text import say
from workbench.api.variant import Format, Layer, ModelDescription, Precision, TensorSpec, Variant
from workbench.engine.compatibility import parse_parameters
from workbench.engine.refusal import Refusal, refusal
from workbench.measure.records import Environment
from workbench.results.int8_instructions import aims_here, speed_here
from workbench.techniques import technique

INFO = DatasetInfo(
    name="d",
    input_shapes={"": (8,)},
    classes=("a", "b"),
    counts={"train": 60, "validation": 20, "test": 20},
    class_counts={"train": (30, 30), "validation": (10, 10), "test": (10, 10)},
    scaling=say("none"),
    minimum=0,
    maximum=1,
    is_image=False,
    seed=0,
    sha256="d",
)


def variant(
    name: str,
    parent: str | None = None,
    made_by: str | None = None,
    format_: Format = "keras",
    precision: Precision = "float32",
    kind: str = "Dense",
) -> Variant:
    return Variant(
        id=f"id of {name}",
        name=name,
        format=format_,
        path=Path(f"{name}.{format_}"),
        sha256="",
        runtime="keras.function" if format_ == "keras" else "litert",
        description=ModelDescription(
            inputs=(TensorSpec(name="x", shape=(8,)),),
            outputs=(TensorSpec(name="y", shape=(2,)),),
            layers=tuple(
                Layer(name=f"layer{n}", kind=kind, parameters=2000, size_bytes=1, output_shape=(8,))
                for n in range(3)
            ),
            parameters=6000,
            precision=precision,
        ),
        technique=made_by,
        parent=None if parent is None else f"id of {parent}",
        created=datetime.now(UTC),
    )


BASELINE = variant("net")
SPARSE = variant("sparse", "net", "structure.sparsity")
INT8 = variant("int8", "sparse", "quantization.int8", "tflite", "int8")
LINE = (BASELINE, SPARSE, INT8)


def refused(name: str, on: Variant = INT8, line: tuple[Variant, ...] = LINE, **parameters: object) -> Refusal:
    chosen = technique(name)
    found = refusal(chosen, on, INFO, parse_parameters(chosen, parameters), line)
    assert found is not None
    return found


def test_what_has_to_come_before_a_quantization_starts_from_what_that_was_made_from() -> None:
    found = refused("structure.clustering")
    assert (found.kind, found.start, found.after) == ("order", SPARSE.id, (INT8.id,))
    assert "starts from Keras" in str(found.reason)


def test_what_would_destroy_an_earlier_step_comes_before_that_one() -> None:
    found = refused("structure.width")
    assert (found.kind, found.start, found.after) == ("order", BASELINE.id, (SPARSE.id, INT8.id))
    found = refused("structure.width", SPARSE)
    assert (found.start, found.after) == (BASELINE.id, (SPARSE.id,))
    assert "would destroy the zeros" in str(found.reason)


@pytest.mark.parametrize("name", ["quantization.float16", "quantization.keras", "inference.runtime"])
def test_another_quantization_or_runtime_takes_the_place_of_the_first(name: str) -> None:
    found = refused(name, runtime="onnxruntime") if name == "inference.runtime" else refused(name)
    assert (found.kind, found.start, found.after) == ("instead", SPARSE.id, (INT8.id,))


def test_what_fits_nothing_before_either_is_not_for_this_model() -> None:
    line = (variant("net", kind="Rescaling"), variant("int8", "net", "quantization.int8", "tflite", "int8"))
    for on in line:
        found = refused("structure.width", on, line)
        assert (found.kind, found.start, found.after) == ("model", None, ())


def test_what_the_machine_lacks_is_told_apart_from_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.runtimes.tensorrt.has_gpu", lambda: False)
    monkeypatch.setattr("workbench.engine.refusal.has_gpu", lambda: False)
    monkeypatch.delenv("WORKBENCH_GPU", raising=False)
    assert refused("inference.tensorrt", BASELINE).kind == "hardware"
    assert refused("inference.runtime", BASELINE, runtime="tensorrt").kind == "hardware"
    monkeypatch.setattr("workbench.runtimes.onnx_runtime.find_spec", lambda _: None)
    found = refused("inference.runtime", BASELINE, runtime="onnxruntime")
    assert found.kind == "software"
    assert "onnxruntime" in str(found.reason)


def machine(*features: str) -> Environment:
    return Environment(cpu="CPU", features=features, cores=2, memory_bytes=1, system="Linux", python="3")


def test_what_to_expect_speaks_of_this_processor() -> None:
    litert, openvino = technique("quantization.int8"), technique("quantization.openvino_int8")
    assert "has VNNI: usually faster" in str(speed_here(litert, machine("AVX2", "VNNI")))
    assert "has DOTPROD: usually faster" in str(speed_here(openvino, machine("NEON", "DOTPROD")))
    assert "usually slower than float32" in str(speed_here(litert, machine("AVX2")))
    assert "faster than float32 by less" in str(speed_here(openvino, machine("AVX2")))
    assert speed_here(technique("quantization.float16"), machine("AVX2")) is None
    assert "faster" in aims_here(litert, machine("VNNI"))
    assert aims_here(litert, machine("AVX2")) == {"smaller"}
